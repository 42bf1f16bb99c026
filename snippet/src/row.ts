// Rows are arrays whose trailing defaults are left out.
export const trimmed = (row: unknown[], defaults: readonly unknown[]): unknown[] => {
  while (row.length && JSON.stringify(row.at(-1)) === JSON.stringify(defaults[row.length - 1])) row.pop();
  return row;
};
