// Rows as a table on a terminal: names to the left, figures to the right, words after them to the left again.
const isFigure = (text) => /^[≤≥-]?\s?[\d.,]+$/.test(text);

export const printTable = (rows) => {
  if (!rows.length) return;
  const names = Object.keys(rows[0]);
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => row[name].length)));
  const isRight = names.map((name) => isFigure(rows[0][name]));
  const line = (cells) => cells.map((cell, place) => (isRight[place] ? cell.padStart(widths[place]) : cell.padEnd(widths[place]))).join("  ").trimEnd();
  console.log(line(names));
  for (const row of rows) console.log(line(names.map((name) => row[name])));
};
