// How long the page is kept from answering: at real clicks with a slow processor, and at a click in the last of 10,000 rows.
import { click, opened, press, traced, wait } from "./browser.mjs";
import { ROWS } from "./pages.mjs";

const CLICKS = 60;
const FLUSHED_MS = 2_500; // after which what was put off is done, too

const tasks = (events, name, type) => events.filter((event) => event.name === name && event.args.data?.type === type).map(({ tdur }) => tdur / 1_000);

// The processor's time in the listeners of each click and in each timer's task, and what Event Timing says of each
// interaction, in milliseconds.
export const pressed = async (script, throttle) => {
  const opening = await opened(script, { throttle });
  await press(opening, 5); // what is compiled once is compiled now
  const events = await traced(opening, async () => {
    await press(opening, CLICKS);
    await wait(FLUSHED_MS);
  });
  const ofOne = await traced(opening, async () => {
    await press(opening, 1, CLICKS); // where the last ones were
    await wait(FLUSHED_MS);
  });
  await opening.close();
  const interactions = {};
  for (const { name, ph, args } of events) {
    if (name !== "EventTiming" || ph !== "b" || !args.data.interactionId) continue;
    const { interactionId, duration, type, processingEnd, timeStamp } = args.data;
    const known = (interactions[interactionId] ??= { duration: 0, answered: 0 });
    known.duration = Math.max(known.duration, duration);
    if (type === "click") known.answered = processingEnd - timeStamp;
  }
  const all = Object.values(interactions);
  return {
    clicks: tasks(events, "EventDispatch", "click"),
    timers: tasks(events, "TimerFire"),
    timerOfOne: Math.max(0, ...tasks(ofOne, "TimerFire")), // the longest after a click that stands alone
    interactions: all.map(({ duration }) => duration),
    answers: all.map(({ answered }) => answered), // until the listeners were done
  };
};

// The first click of a page that is one long table, in its last row: the processor's time in the listeners, in milliseconds.
export const lastRow = async (script) => {
  const opening = await opened(script, { place: ROWS });
  const [millis] = tasks(await traced(opening, () => click(opening, "tr:last-child td", 1)), "EventDispatch", "click");
  await opening.close();
  return millis;
};
