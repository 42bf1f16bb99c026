// Holds the channel to the page of the site that is pointed at. That page has no login: it says what it would like to know, and
// this page asks with its own. Only the window that was opened here is listened to, and only while it shows the origin meant.

const WINDOW = "expost-definer"; // by this name the snippet knows that the definer is wanted
const PATIENCE_MS = 12_000; // the definer comes after the first events were answered for
const LOOK_MS = 500;
const AGAIN_MS = 4_000;
const LONGEST_MS = 120_000;
const ASK_MS = 1_000;
const QUIET_MS = 350;

const form = document.querySelector("[data-point]");
const status = document.getElementById("pointing");
const list = document.getElementById("pointed");
const cut = document.getElementById("cut");
const chosen = document.getElementById("chosen");
const advice = document.getElementById("advice");
let opened = null;
let origin = "";
let port = null;
let begunAt = 0;
let saves = 0;
let greetings = 0;

const say = (text) => {
  if (status.textContent !== text) status.textContent = text;
};

const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

async function answerOf(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const { message = `The server answered ${response.status}.`, hint = "" } = body?.error ?? {};
  throw Object.assign(new Error(message), { hint });
}

const post = (address, body) =>
  fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).then(answerOf);

const ANSWERS = {
  selectors: ({ chain }) => post(form.dataset.selectors, { chain }),
  suggestions: (meant) => post(form.dataset.suggestions, meant),
  names: (seen) => post(form.dataset.names, seen),
  async taken(named) {
    const before = saves;
    const found = await post(form.dataset.taken, named);
    if (before === saves) listChange(found.taken, named); // else it may have found what was saved meanwhile
    return found;
  },
  async past({ kind, selector, text }) {
    const url = new URL(form.dataset.past, location.href);
    if (!["click", "change", "submit"].includes(kind)) throw new Error("No such type of event.");
    url.searchParams.append(kind, selector);
    if (text) url.searchParams.append("text", `is:${text}`);
    const { events, people, unknown, first_seen, last_seen, days } = await fetch(url).then(answerOf);
    return { events, people, unknown, first_seen, last_seen, days: days.map((day) => day.events) };
  },
  async save({ kind, selector, text = "", name }) {
    saves++;
    const saved = await post(form.dataset.save, { kind, selector, text, name });
    listSaved(saved);
    return saved;
  },
};

// What the page may not do is offered here: to make what was pointed at another version of the definition that has its name.
function listChange(taken, { name }) {
  list.querySelector("[data-change]")?.remove();
  if (!taken || taken.is_same) return;
  const item = document.createElement("li");
  item.dataset.change = "";
  const url = new URL(taken.change, location.href);
  const site = new URL(form.dataset.definition, location.href).searchParams.get("site");
  if (site) url.searchParams.set("site", site);
  const link = Object.assign(document.createElement("a"), { href: url.href, textContent: `make it version ${taken.version + 1} of “${taken.name}”` });
  item.append(`“${name}” exists already: `, link, ".");
  list.prepend(item);
}

function listSaved(saved) {
  list.querySelector("[data-change]")?.remove();
  const url = new URL(form.dataset.definition, location.href);
  url.searchParams.set("name", saved.name);
  const link = Object.assign(document.createElement("a"), { href: url.href, textContent: saved.name });
  const item = document.createElement("li");
  item.append("Saved: ", link, ` (${counted(saved.events, "past event", "past events")})`);
  list.append(item);
}

async function reply(from, { id, ask, ...given }) {
  try {
    if (!Object.hasOwn(ANSWERS, ask)) throw new Error("No such question.");
    from.postMessage({ id, answer: await ANSWERS[ask](given) });
  } catch (error) {
    from.postMessage({ id, error: { message: error.message, hint: error.hint ?? "" } });
  }
}

addEventListener("message", async ({ source, origin: from, data, ports }) => {
  if (!opened || source !== opened || data?.expost !== "definer" || !ports[0]) return;
  if (from !== origin) {
    say(`The window shows a page of ${from} now, and you opened one of ${origin}. It is told nothing. If you mean that one, open its address.`);
    return;
  }
  const mine = ++greetings;
  let wrong, problem;
  if (typeof data.key === "string") {
    try {
      ({ wrong } = await post(form.dataset.key, { key: data.key }));
    } catch (error) {
      problem = error;
    }
    // Meanwhile another page may have been opened, or another one greeted.
    if (mine !== greetings || source !== opened || from !== origin) return;
  }
  // A page whose key is unknown to us is told nothing: it may be another site's.
  if (problem) return say(`Whose key this page has could not be asked, so it is told nothing: ${problem.message} ${problem.hint ?? ""} Load it again.`);
  // What happens on a page with another key is in another site's past.
  if (wrong) return advise(wrong, wrong.message);
  port?.close();
  [port] = ports;
  const held = port;
  held.onmessage = ({ data: asked }) => reply(held, asked);
  held.postMessage({ welcome: true, site: form.dataset.siteName });
  advice.hidden = true;
  say(`The page is here (${origin}). Point at what you mean in its window, and keep this one open.`);
});

function advise(why, message) {
  said = why.kind;
  say(message);
  advice.hidden = false;
  advice.querySelector("[data-hint]").textContent = why.hint;
  advice.querySelector("a").hidden = !why.needs_tag;
}

// A window that is cut off by its page's Cross-Origin-Opener-Policy looks closed from here. If nobody sees this page meanwhile, the
// other one is still there.
const CUT = "Its page cut itself off from this one, as the header Cross-Origin-Opener-Policy: same-origin has it. Such a page can be pointed at with a token.";
const CLOSED = "The window was closed, or its page cut itself off from this one, as the header Cross-Origin-Opener-Policy: same-origin has it. Such a page can be pointed at with a token.";
const LOST = "Its window was closed, or is cut off from this one as well.";
const NO_TOKEN = ["no tag", "other site", "unknown key"]; // what a token would not help
let askedAt = 0;
let pause = AGAIN_MS;
let said = "";
let lost = "";

function watch() {
  if (opened?.closed) {
    lost = port ? "" : document.hidden ? CUT : CLOSED;
    say(port ? "The window is closed." : lost);
    cut.hidden = !!port;
    opened = port = null;
  }
  const waited = performance.now() - begunAt;
  const isWaiting = !NO_TOKEN.slice(1).includes(said) && ((opened && !port) || (lost && !token));
  if (!isWaiting || waited > LONGEST_MS || (opened && waited < PATIENCE_MS) || performance.now() - askedAt < pause) return;
  if (askedAt) pause *= 2; // a page that is slow at first is soon known
  askedAt = performance.now();
  void tellWhy(waited);
}

// How far the page came is known to the server: whether it asked for the script, and to which site it sends its events.
async function tellWhy(waited) {
  const mine = begunAt;
  const isClosed = !opened;
  const why = await post(form.dataset.arrival, { page: form.elements.page.value, seconds: waited / 1_000, is_closed: isClosed }).catch(() => null);
  if (!why || mine !== begunAt || port || isClosed === !!opened) return;
  // A page that is cut off may be on its way still: nothing has come of it so far.
  if (isClosed && waited < PATIENCE_MS && why.kind !== "cut off" && why.kind !== "other site") return;
  const isOfNoUse = NO_TOKEN.includes(why.kind);
  advise(why, why.kind === "cut off" ? lost : isClosed ? `${why.message} ${isOfNoUse ? LOST : lost}` : why.message);
  cut.hidden = !isClosed || isOfNoUse;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = new URL(form.elements.page.value);
  if (!/^https?:$/.test(url.protocol)) return say("The address of a page begins with https:// or http://.");
  port?.close();
  port = null;
  origin = url.origin;
  begunAt = performance.now();
  greetings++;
  askedAt = 0;
  pause = AGAIN_MS;
  said = lost = "";
  forgetToken();
  cut.hidden = chosen.hidden = advice.hidden = true;
  opened = window.open(url.href, WINDOW);
  say(opened ? "Waiting for the page. The definer comes a few seconds after it." : "The browser did not let this page open a window. Allow it to, and try again.");
});

// A page that is cut off gets a token in its address. What is chosen there is asked for here, and saved here.
let token = "";
let shown = "";
let timer;

function forgetToken() {
  clearInterval(timer);
  token = shown = "";
}

const link = document.getElementById("token-link");
const tokenSaid = document.getElementById("token-said");

document.getElementById("make-token").addEventListener("click", async () => {
  const page = new URL(form.elements.page.value);
  try {
    const made = await post(form.dataset.token, { page: page.href });
    forgetToken();
    ({ token } = made);
    page.hash = `expost-definer=${token}`;
    link.href = page.href;
    link.hidden = false;
    link.focus();
    tokenSaid.textContent = `For one page of ${made.origin}, for ${made.minutes} minutes. It can ask for the past, and change nothing.`;
    timer = setInterval(lookAtToken, ASK_MS);
  } catch (error) {
    tokenSaid.textContent = `${error.message} ${error.hint}`;
  }
});

async function lookAtToken() {
  const mine = token;
  try {
    const found = await post(form.dataset.chosen, { token: mine });
    if (mine !== token) return;
    if (found.is_used) {
      link.hidden = true;
      say(`The page is here (${origin}). What you choose in its window stands here. Keep this one open.`);
    }
    const key = JSON.stringify(found.chosen);
    if (found.chosen && key !== shown) {
      shown = key;
      await offer(found.chosen);
    }
  } catch (error) {
    if (mine !== token) return;
    forgetToken();
    link.hidden = true;
    tokenSaid.textContent = `${error.message} ${error.hint}`;
  }
}

async function offer({ kind, selector, text, name }) {
  const { events, people } = await ANSWERS.past({ kind, selector, text });
  chosen.hidden = false;
  chosen.querySelector("code").textContent = `${kind} ${selector}${text ? ` that says “${text}”` : ""}`;
  chosen.querySelector("output").textContent = `${counted(events, "past event", "past events")}, ${counted(people, "person", "people")}`;
  chosen.elements.name.value = name;
  Object.assign(chosen.dataset, { kind, selector, text });
  document.getElementById("chosen-said").textContent = "";
  await checkName(true);
}

// The name that the page offers becomes one that nothing has; one that somebody writes is only told about.
const takenNote = document.getElementById("chosen-taken");
async function checkName(isOffered = false) {
  const { kind, selector, text } = chosen.dataset;
  const field = chosen.elements.name;
  const name = field.value.trim();
  const { taken } = name ? await post(form.dataset.taken, { kind, selector, text, name }).catch(() => ({})) : {};
  if (field.value.trim() !== name) return;
  listChange(taken, { name });
  takenNote.hidden = !taken;
  if (!taken) return;
  if (isOffered) {
    field.value = taken.free;
    list.querySelector("[data-change]")?.remove();
    takenNote.hidden = true;
    return;
  }
  takenNote.textContent = `“${taken.name}” exists since ${taken.since.slice(0, 10)}, as version ${taken.version}: ${taken.meaning}. Take another name, such as ${taken.free}.`;
}

let nameTimer;
chosen.elements.name.addEventListener("input", () => {
  clearTimeout(nameTimer);
  nameTimer = setTimeout(checkName, QUIET_MS);
});

chosen.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, selector, text } = chosen.dataset;
  try {
    await ANSWERS.save({ kind, selector, text, name: chosen.elements.name.value });
    chosen.hidden = true;
  } catch (error) {
    document.getElementById("chosen-said").textContent = `${error.message} ${error.hint}`;
  }
});

document.getElementById("elsewhere").hidden = form.dataset.origin === location.origin;
document.getElementById("data-ui").textContent = `data-ui="${location.origin}"`;
setInterval(watch, LOOK_MS);
