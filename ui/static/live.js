// Small improvements to pages that work without them: panels that renew themselves, a preview while typing, names that are taken, copying.

const QUIET_MS = 350; // a pause in typing that is taken for a finished word

async function fetchPanel(address) {
  const response = await fetch(address, { headers: { accept: "text/html" }, credentials: "same-origin" });
  return response.ok ? response.text() : null;
}

// Keeps the focused link, the scroll of boxes and the opened details of a panel that is replaced by a newer one.
function replacePanel(panel, html) {
  const focused = panel.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const scrolled = [...panel.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  const known = new Set([...panel.querySelectorAll("[data-id]")].map((row) => row.dataset.id));
  panel.innerHTML = html;
  panel.querySelectorAll(".scroll").forEach((box, place) => {
    [box.scrollLeft, box.scrollTop] = scrolled[place] ?? [0, 0];
  });
  panel.querySelectorAll("[data-copy]").forEach(copyable);
  if (known.size) {
    for (const row of panel.querySelectorAll("[data-id]")) if (!known.has(row.dataset.id)) row.classList.add("new");
  }
  if (focused) panel.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function poll(panel) {
  const every = Number(panel.dataset.every);
  const pause = document.querySelector(`[data-pause="${panel.id}"]`);
  let paused = false;
  let shown = null;
  async function turn() {
    const isSelecting = !getSelection().isCollapsed && panel.contains(getSelection().anchorNode);
    // Between press and release the link must stay where it is, or the click never happens.
    const isPressed = panel.matches(":active");
    if (!paused && !document.hidden && !isSelecting && !isPressed) {
      const html = await fetchPanel(panel.dataset.poll).catch(() => null);
      panel.toggleAttribute("data-stale", html === null);
      if (html !== null && html !== shown && !paused && !panel.matches(":active")) replacePanel(panel, (shown = html));
    }
    setTimeout(turn, every);
  }
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
    });
  }
  setTimeout(turn, every);
}

// A file that is too large is said to be before it is sent.
function checkSize(field) {
  field.addEventListener("change", () => {
    const isTooLarge = [...field.files].some((file) => file.size > Number(field.dataset.mostBytes));
    field.setCustomValidity(isTooLarge ? `At most ${field.dataset.most} can be uploaded: pack it as gzip or zip.` : "");
    field.reportValidity();
  });
}

function previewWhileTyping(form) {
  const panel = document.getElementById("preview");
  let timer;
  let latest = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const turn = ++latest;
      panel.setAttribute("aria-busy", "true");
      const fields = [...new FormData(form)]; // empty ones too: a column and its value are a pair
      const url = new URL(form.dataset.preview, location.href);
      for (const [name, value] of fields) url.searchParams.append(name, value);
      // What is written beside the count stays: when it is to count.
      for (const { name, value } of panel.querySelectorAll("input[name^=valid_]")) url.searchParams.set(name, value);
      const name = panel.querySelector("input[name=name]")?.value;
      const html = await fetchPanel(url).catch(() => null);
      if (turn !== latest) return; // an answer to what stood there before
      panel.removeAttribute("aria-busy");
      if (html === null) return;
      panel.innerHTML = html;
      const field = panel.querySelector("input[name=name]");
      if (field && name && field.value !== name) {
        field.value = name;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
      fillRows();
    }, QUIET_MS);
  });
}

// Whether a name is taken is said while it is typed. The forms come and go with their panels.
let nameTimer;
function checkName({ target }) {
  const form = target.closest?.("[data-name-check]");
  if (!form || !(target.name === "name" || target.name.startsWith("valid_"))) return;
  clearTimeout(nameTimer);
  form.querySelector(".taken").replaceChildren(); // it was said of another name
  nameTimer = setTimeout(async () => {
    const url = new URL(form.dataset.nameCheck, location.href);
    for (const [name, value] of new FormData(form)) url.searchParams.append(name, value);
    const html = await fetchPanel(url).catch(() => null);
    if (html !== null && form.elements.name.value === url.searchParams.get("name")) form.querySelector(".taken").innerHTML = html;
  }, QUIET_MS);
}

function takeName(event) {
  const link = event.target.closest?.("[data-name-check] [data-take]");
  if (!link) return;
  event.preventDefault();
  const form = link.closest("form");
  form.elements.name.value = link.dataset.take;
  form.querySelector(".taken").replaceChildren();
  form.elements.name.focus();
}

function copyable(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source); // no right to the clipboard: leave it selected for the keyboard
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

function submitByKey(field) {
  field.form.querySelector(".keys")?.removeAttribute("hidden");
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) field.form.requestSubmit();
  });
}

// Lines and parts of panels that are costly to count come one after the other, from the top.
async function fillRows() {
  for (let row; (row = document.querySelector("[data-fill]")); ) {
    const address = row.dataset.fill;
    row.removeAttribute("data-fill");
    row.setAttribute("aria-busy", "true");
    const html = await fetchPanel(address).catch(() => null);
    row.removeAttribute("aria-busy");
    if (html === null) continue;
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    row.replaceWith(parsed.content);
  }
}

fillRows();
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest" });
document.addEventListener("input", checkName);
document.addEventListener("click", takeName);
document.querySelectorAll("[data-poll]").forEach(poll);
document.querySelectorAll("[data-preview]").forEach(previewWhileTyping);
document.querySelectorAll("[data-copy]").forEach(copyable);
document.querySelectorAll("[data-submit=ctrl-enter]").forEach(submitByKey);
document.querySelectorAll("[data-most-bytes]").forEach(checkSize);
document.querySelectorAll(".site-choice select").forEach((field) => field.addEventListener("change", () => field.form.submit()));
