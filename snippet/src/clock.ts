// One clock for every time: the page's start by the wall clock plus what has passed since, so no time runs backwards.
export const start = performance.timeOrigin;

export const elapsed = (): number => tenth(performance.now());
export const now = (): number => tenth(start + performance.now());

// A tenth of a millisecond is the best that browsers tell.
export const tenth = (millis: number): number => Math.round(millis * 10) / 10;
