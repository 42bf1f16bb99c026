// Figures of a machine that others use as well. What disturbs only ever adds time, so of many rounds the lower quartile is
// taken where a single thing is timed, and the median where a round is itself a median.
const ranked = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];

export const median = (values) => ranked(values, 0.5);
export const lowerQuartile = (values) => ranked(values, 0.25);
export const p75 = (values) => ranked(values, 0.75);

// The same things timed in several rounds: each as it went in the better ones.
export const undisturbed = (rounds) => rounds[0].map((_, place) => lowerQuartile(rounds.map((round) => round[place]).filter((value) => value !== undefined)));

// How much more, of rounds that were made by turns.
export const more = (values, than, of = median) => of(values) - of(than);
