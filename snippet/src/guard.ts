// Whatever goes wrong in here stays in here: the page must not notice. The first failure of a page is told to the collector
// (page.ts); every event that could not be captured leaves a gap in `seq` besides, which the loss meter counts.
export const trouble: { first?: unknown } = {};

export const guarded =
  <Arguments extends unknown[]>(work: (...given: Arguments) => unknown) =>
  (...given: Arguments): void => {
    try {
      work(...given);
    } catch (error) {
      trouble.first ??= error;
    }
  };
