// Whatever goes wrong in here stays in here, and is told as the core's own failures are.
type Guarded = <Arguments extends unknown[]>(work: (...given: Arguments) => unknown) => (...given: Arguments) => void;

let own: Guarded;

export const useGuard = (guarded: Guarded): void => {
  own = guarded;
};

export const guarded: Guarded = (work) => (...given) => own(work)(...given);
