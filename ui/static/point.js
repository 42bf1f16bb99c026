// Holds the channel to the page of the site that is pointed at. That page has no login: it says what it would like to know, and
// this page asks with its own. Only the window that was opened here is listened to, and only while it shows the origin meant.

const WINDOW = "expost-definer"; // by this name the snippet knows that the definer is wanted
const PATIENCE_MS = 20_000;
const LOOK_MS = 500;
const ASK_MS = 1_000;

const form = document.querySelector("[data-point]");
const status = document.getElementById("pointing");
const list = document.getElementById("pointed");
const cut = document.getElementById("cut");
const chosen = document.getElementById("chosen");
let opened = null;
let origin = "";
let port = null;
let begunAt = 0;

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
  async past({ kind, selector, text }) {
    const url = new URL(form.dataset.past, location.href);
    if (!["click", "change", "submit"].includes(kind)) throw new Error("No such type of event.");
    url.searchParams.append(kind, selector);
    if (text) url.searchParams.append("text", `is:${text}`);
    const { events, people, unknown, first_seen, last_seen, days } = await fetch(url).then(answerOf);
    return { events, people, unknown, first_seen, last_seen, days: days.map((day) => day.events) };
  },
  async save({ kind, selector, text = "", name }) {
    const saved = await post(form.dataset.save, { kind, selector, text, name });
    listSaved(saved);
    return saved;
  },
};

function listSaved(saved) {
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

addEventListener("message", ({ source, origin: from, data, ports }) => {
  if (!opened || source !== opened || data?.expost !== "definer" || !ports[0]) return;
  if (from !== origin) {
    say(`The window shows a page of ${from} now, and you opened one of ${origin}. It is told nothing. If you mean that one, open its address.`);
    return;
  }
  port?.close();
  [port] = ports;
  const mine = port;
  mine.onmessage = ({ data: asked }) => reply(mine, asked);
  mine.postMessage({ welcome: true, site: form.dataset.siteName });
  say(`The page is here (${origin}). Point at what you mean in its window, and keep this one open.`);
});

// A window that is cut off by its page's Cross-Origin-Opener-Policy looks closed from here.
function watch() {
  if (!opened) return;
  if (opened.closed) {
    say(
      port
        ? "The window is closed."
        : "The window was closed, or its page cut itself off from this one, as the header Cross-Origin-Opener-Policy: same-origin has it. Such a page can be pointed at with a token.",
    );
    cut.hidden = !!port;
    opened = port = null;
  } else if (!port && performance.now() - begunAt > PATIENCE_MS) {
    say(
      "The page does not answer. The definer comes after the first events were sent, so: the tag has to say data-also=\"definer\", consent must not be off, the browser must not ask not to be tracked, and the page must carry this site's snippet.",
    );
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = new URL(form.elements.page.value);
  if (!/^https?:$/.test(url.protocol)) return say("The address of a page begins with https:// or http://.");
  port?.close();
  port = null;
  origin = url.origin;
  begunAt = performance.now();
  forgetToken();
  cut.hidden = chosen.hidden = true;
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
}

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
