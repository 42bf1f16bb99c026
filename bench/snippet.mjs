// What the snippet costs beside its peers' scripts: size, time at a click, bytes on the wire, what the page waits for at load.
// Last come the bounds it must keep, each with its figure.
//
//     make bench-snippet                  installs the peers and fetches the real pages first
//     node bench/snippet.mjs --alone      our own row and the bounds that need no peer
//
// Same page of some 2,000 elements, same clicks. A recorder on loopback answers for every server; what a page asks of any
// other address is refused and counted. Times are those of this machine: read the ratios.
import { browser, click, opened, refused, wait } from "./snippet/browser.mjs";
import { FIRST_REAL, REAL } from "./snippet/pages.mjs";
import { close, forget, told } from "./snippet/recorder.mjs";
import { lastRow, pressed } from "./snippet/response.mjs";
import { lowerQuartile, median, more, p75, undisturbed } from "./snippet/sample.mjs";
import { bare, hasPeers, measured, ours, reading, scripts } from "./snippet/scripts.mjs";
import { printTable } from "./snippet/table.mjs";

const WAVES = 5; // of clicks on what people click on: links, buttons and what stands in them
const WAVE = 20;
const QUIET_MS = 7_000; // longer than any of them waits with a batch
const CLICKS = 300;
const ROUNDS = 3;
const ROW_ROUNDS = 7;
const PRESS_ROUNDS = 5;
const SETTLED_MS = 1_000;
const THROTTLE = 4;

const INTERACTIVE = "a, a *, button, button *";
const ANY = "body *";

// Makes waves of clicks, one when the last was told of.
const wavesOf = async (script, opening, selector, waves, wave, hurry = () => {}) => {
  forget(script);
  for (let made = 0; made < waves; made++) {
    await click(opening, selector, wave, made * wave);
    await hurry();
    for (let waited = 0; waited < QUIET_MS && told(script).clicks < (made + 1) * wave; waited += 50) await wait(50);
  }
  return told(script);
};

for (const script of scripts) Object.assign(script, { p50: [], work: [], load: [], heap: [], row: [], pressed: [] });
for (let round = 0; round < ROUNDS; round++) {
  for (const script of scripts) {
    process.stderr.write(".");
    const loading = await opened(script, { throttle: THROTTLE });
    script.load.push((await loading.figures()).ScriptDuration * 1_000);
    await loading.devtools.send("HeapProfiler.collectGarbage");
    script.heap.push((await loading.figures()).JSHeapUsedSize / 1_000);
    await loading.close();
    if (script === reading) continue;
    const opening = await opened(script);
    const before = (await opening.figures()).ScriptDuration;
    script.p50.push(median(await click(opening, INTERACTIVE, CLICKS)));
    await wait(SETTLED_MS);
    script.work.push((((await opening.figures()).ScriptDuration - before) / CLICKS) * 1e6);
    await opening.close();
  }
}
// Together, because nothing is timed: most of it is waiting for batches.
const tellAll = async (script) => {
  const opening = await opened(script);
  await wait(QUIET_MS);
  script.wires = await wavesOf(script, opening, INTERACTIVE, WAVES, WAVE);
  script.anywhere = await wavesOf(script, opening, ANY, 1, WAVES * WAVE);
  await opening.close();
};
await Promise.all(measured.map(tellAll));
for (let round = 0; round < ROW_ROUNDS; round++) {
  process.stderr.write(".");
  for (const script of [bare, ours]) {
    script.row.push(await lastRow(script));
    if (round < PRESS_ROUNDS) script.pressed.push(await pressed(script, THROTTLE));
  }
}
const real = [];
for (const [place, { name }] of REAL.entries()) {
  process.stderr.write(".");
  const opening = await opened(ours, { place: FIRST_REAL + place });
  const shape = await opening.tab.evaluate(() => {
    const depths = Array.from(document.querySelectorAll("body *"), (element) => {
      let depth = 1;
      for (let above = element; (above = above.parentElement); ) depth++;
      return depth;
    });
    const widths = Array.from(document.querySelectorAll("body, body *"), (element) => element.childElementCount);
    return { elements: depths.length, depth: Math.max(...depths), siblings: Math.max(...widths) };
  });
  const atOnce = () => opening.tab.evaluate(() => expost("consent", "full")); // what waits is sent at each word on consent
  const interactive = await wavesOf(ours, opening, INTERACTIVE, WAVES, WAVE, atOnce);
  const anywhere = await wavesOf(ours, opening, ANY, WAVES, WAVE, atOnce);
  real.push({ name, ...shape, interactive, anywhere });
  await opening.close();
}
await browser.close();
close();

process.stderr.write("\n");
const over = (script, figure) => more(script[figure], bare[figure]);
printTable(
  measured.map((script) => ({
    script: script.version ? `${script.name} ${script.version}` : script.name,
    "brotli B": script.bytes.toLocaleString("en"),
    "click p50 µs": over(script, "p50").toFixed(0),
    "ours / it": (over(ours, "p50") / over(script, "p50")).toFixed(2),
    "script/click µs": over(script, "work").toFixed(0),
    "B/click sent": script.wires.wire.toLocaleString("en"),
    "B/click gzip": script.wires.gzip.toLocaleString("en"),
    [`of ${WAVES * WAVE} clicks`]: `${script.wires.clicks}`,
    "on any element": `${script.anywhere.clicks}`,
    "load ms 4x": over(script, "load").toFixed(1),
    "heap kB": over(script, "heap").toFixed(0),
  })),
);
console.log(`
click p50: what the page waits at a click on a link or button, median of ${CLICKS} and of ${ROUNDS} rounds, less ${bare.name}
script/click: all script time it causes, what is put off included; B/click: body bytes in waves of ${WAVE}, as sent and in gzip
load: script time until ${SETTLED_MS} ms after load, CPU ${THROTTLE}x slower; heap: after garbage collection; both less the bare page's
refused requests to other addresses: ${[...refused].join(", ") || "none"}
`);
printTable(
  real.map(({ name, elements, depth, siblings, interactive, anywhere }) => ({
    "real page": name,
    elements: `${elements}`,
    depth: `${depth}`,
    "most children": `${siblings}`,
    "B/click, links and buttons": `${interactive.wire}`,
    "any element": `${anywhere.wire}`,
    [`of ${2 * WAVES * WAVE}`]: `${interactive.clicks + anywhere.clicks}`,
  })),
);

// The bounds. Times at clicks are the processor's, which others at work on this machine do not lengthen.
const each = (script, kind) => undisturbed(script.pressed.map((round) => round[kind]));
const timers = ours.pressed.map((round) => round.timers);
const writing = median(timers.map((millis) => millis.reduce((sum, one) => sum + one, 0))) / each(ours, "clicks").length;
const slowly = `CPU ${THROTTLE}x slower, each click in the better of ${PRESS_ROUNDS} rounds`;
const peer = (name) => measured.find((script) => script.name === name);
const ratio = (name, figure) => over(ours, figure) / over(peer(name), figure);
const bounds = [
  ["brotli bytes of the core", ours.bytes, 5_120, ""],
  ["heap kB", over(ours, "heap"), 150, `more than a page without a script; ${more(ours.heap, reading.heap).toFixed(0)} more than one with ${reading.name}`],
  ["ms of a click's listeners", Math.max(...each(ours, "clicks")), 5, `longest of ${each(ours, "clicks").length} real clicks, ${slowly}; p75 ${p75(each(ours, "clicks")).toFixed(2)}`],
  ["ms of the task after one click", lowerQuartile(ours.pressed.map(({ timerOfOne }) => timerOfOne)), 5, `in which it is written, CPU ${THROTTLE}x slower; lower quartile of ${PRESS_ROUNDS} rounds`],
  ["ms of writing many, per click", writing, 5, `in tasks of up to 20, CPU ${THROTTLE}x slower; longest task of a round ${median(timers.map((millis) => Math.max(...millis))).toFixed(1)}`],
  ["ms in the last of 10,000 rows", more(ours.row, bare.row, lowerQuartile), 2, `first click of a page; lower quartile of ${ours.row.length} rounds`],
  ["ms of INP at p75", more(each(ours, "interactions"), each(bare, "interactions"), p75), 1, `more than without the tag, ${slowly}; until the listeners are done ${more(each(ours, "answers"), each(bare, "answers"), p75).toFixed(2)}`],
  ["gzip bytes per click, real pages", Math.max(...real.flatMap(({ interactive, anywhere }) => [interactive.wire, anywhere.wire])), 150, `worst of ${real.length} pages, in batches of ${WAVE}`],
  ["clicks of 100 told of, at worst", Math.min(...[ours.wires, ours.anywhere, ...real.flatMap(({ interactive, anywhere }) => [interactive, anywhere])].map(({ clicks }) => clicks)), -100, "any element of any page"],
  ...(hasPeers
    ? [
        ["click p50 / Mixpanel's", ratio("mixpanel-browser", "p50"), 0.25, ""],
        ["click p50 / PostHog's", ratio("posthog-js", "p50"), 0.15, ""],
        ["script at load / Snowplow's", ratio("@snowplow/browser-tracker", "load"), 0.5, `CPU ${THROTTLE}x slower`],
      ]
    : []),
];
const isKept = (figure, goal) => (goal < 0 ? figure >= -goal : figure <= goal);
console.log("");
printTable(
  bounds.map(([name, figure, goal, how]) => ({
    bound: name,
    goal: `${goal < 0 ? "≥" : "≤"} ${Math.abs(goal).toLocaleString("en")}`,
    figure: Number.isInteger(figure) ? figure.toLocaleString("en") : figure.toFixed(2),
    "": isKept(figure, goal) ? "ok" : "OVER",
    how,
  })),
);
if (!hasPeers) console.log("Without peers. With them: make bench-snippet");
if (!REAL.length) console.log("Without real pages. With them: node bench/pages/pages.mjs");
