// As in the core (guard.ts there): whatever goes wrong in here stays in here.
export const guarded =
  <Arguments extends unknown[]>(work: (...given: Arguments) => unknown) =>
  (...given: Arguments): void => {
    try {
      work(...given);
    } catch {
      // A feature that fails costs what it would have told, nothing else.
    }
  };
