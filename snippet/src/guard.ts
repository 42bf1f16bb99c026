// Whatever goes wrong in here stays in here: the page must not notice.
export const guarded =
  <Arguments extends unknown[]>(work: (...given: Arguments) => unknown) =>
  (...given: Arguments): void => {
    try {
      work(...given);
    } catch {
      // An event we could not capture leaves a gap in `seq`, which the loss meter counts.
    }
  };
