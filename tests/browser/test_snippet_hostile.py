"""Pages that are in the way, by old libraries, by mistake or on purpose: neither they nor capture break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.browser.snippet_site import Site

BODY = """<main><form action="/cart?x=1" onsubmit="return false"><input name="q">
<button data-sku="s1">Buy <b>now</b></button></form></main>
<script>var heard = []; for (const type of ["click", "submit", "change"])
  document.addEventListener(type, (event) => { heard.push(event.type) });</script>"""

STORY = """() => {
  document.querySelector("b").click();
  const field = document.querySelector("[name=q]");
  field.value = "typed";
  field.dispatchEvent(new Event("change", { bubbles: true }));
  history.pushState({}, "", "/next");
  if (typeof expost === "function") expost("track", "Done", { list: [1, { a: "x" }], text: "y", at: new Date(0) });
}"""

Row = tuple[Any, ...]
Rows = list[Row]
FORM = ["form", "main", "body", "html"]
VIEW: Row = ("page_view", None, [])
CLICK = ("click", "Buy now", ["b", "button", *FORM])
SUBMIT = ("submit", None, FORM)
CHANGE = ("change", None, ["input", *FORM])
DONE: Row = ("custom", {"list": [1, {"a": "x"}], "text": "y", "at": "1970-01-01T00:00:00.000Z"}, [])
ALL: Rows = [VIEW, CLICK, SUBMIT, CHANGE, VIEW, DONE]
WITHOUT_NAVIGATION: Rows = [VIEW, CLICK, SUBMIT, CHANGE, DONE]


@pytest.fixture
def troubles(page: Page) -> Iterator[list[str]]:
    """What the page's console says of errors, rejections among them; none of a test may be left."""
    heard: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A favicon or a next page that is not there is none of ours.
        if message.type in ("error", "warning") and "status of 404" not in message.text:
            heard.append(message.text)

    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", note)
    yield heard
    assert heard == []


def rows(site: Site) -> Rows:
    return [
        (event["type"], event.get("label", event.get("properties")), [each["tag"] for each in event["chain"]])
        for event in site.events
        if event["type"] != "page_leave"
    ]


def visit(site: Site, page: Page, *, before: str = "", after: str = "", html: str = "", **data: str) -> None:
    """Opens the shop with `html` in its head, `before` run before the snippet, `after` when it is there."""
    head = html + (f"<script>{before}</script>" if before else "")
    page.goto(site.page(BODY, head=head, **data))
    page.wait_for_load_state()
    page.wait_for_function("!!window.expost")
    if after:
        page.evaluate(f"() => {{ {after} }}")


def wait_for_rows(site: Site, expected: Rows) -> None:
    site.wait(lambda site: len(rows(site)) >= len(expected))
    assert rows(site) == expected


def patched(owner: str, *names: str) -> str:
    return "".join(f"{owner}.{name} = () => {{ throw Error('patched') }};" for name in names)


def throwing_getter(owner: str, name: str) -> str:
    return f"Object.defineProperty({owner}, '{name}', {{ get() {{ throw Error('patched') }} }});"


def field_called(name: str) -> str:
    return f"document.forms[0].append(Object.assign(document.createElement('input'), {{name: '{name}', id: '{name}'}}))"


WRAPPED_HISTORY = """for (const name of ['pushState', 'replaceState']) {
  const own = history[name];
  history[name] = function (...given) { return own.apply(this, given) };
}"""
WRAPPED_GETTER = """const { get } = Object.getOwnPropertyDescriptor(Node.prototype, 'parentNode');
Object.defineProperty(Node.prototype, 'parentNode', { configurable: true, get() { return get.call(this) } });"""
ZONE = """const own = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (type, listener, options) {
  return own.call(this, type, function (event) { return listener.call(this, event) }, options);
};"""
ODD_NAMES = """const { body } = new DOMParser().parseFromString(
  '<b __proto__=x constructor=y "=z toString=w @click=k :x=1 [y]=2 data-__proto__=q>now</b>', 'text/html');
document.querySelector('b').replaceWith(document.adoptNode(body.firstChild));"""

BEFORE = {
    "nothing": "",
    "fetch is wrapped": "const own = fetch; window.fetch = (...given) => own(...given)",
    "history is wrapped": WRAPPED_HISTORY,
    "parentNode is wrapped": WRAPPED_GETTER,
    "listeners are wrapped": ZONE,
    "timers are objects": "const own = setTimeout; window.setTimeout = (...given) => ({ id: own(...given) });",
    "arrays have more members": "Array.prototype.each = Array.prototype.remove = Array.prototype.clear = () => 1",
    "objects have more members": "Object.prototype.each = Object.prototype.extend = Object.prototype.keys = () => 1",
    "promises are of another kind": "window.Promise = class extends Promise {}",
    "clocks stand still": "performance.now = () => 5; Date.now = () => 0",
    "a constant of our name": "const expost = (...given) => window.expost(...given)",
    "document.write": "document.write('<p>written</p>')",
    "no CompressionStream": "delete window.CompressionStream",
    "no AbortSignal.timeout": "delete AbortSignal.timeout",
    "no Web Locks": "delete Navigator.prototype.locks",
    "no sendBeacon": "delete Navigator.prototype.sendBeacon",
}


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("name", BEFORE)
def test_what_a_page_did_before_us_breaks_neither_it_nor_capture(site: Site, page: Page, name: str):
    visit(site, page, before=BEFORE[name])
    page.evaluate(STORY)
    wait_for_rows(site, ALL)
    assert {(batch["consent"], "device" in batch) for batch in site.batches} == {("full", True)}
    assert page.evaluate("[heard.join(), location.pathname]") == ["click,submit,change", "/next"]


AFTER = {
    "fetch throws": patched("window", "fetch"),
    "history is wrapped": WRAPPED_HISTORY,
    "history is wrapped at its prototype": WRAPPED_HISTORY.replace(" history[", " History.prototype["),
    "what we read throws": throwing_getter("Node.prototype", "parentNode")
    + throwing_getter("Element.prototype", "attributes")
    + throwing_getter("Element.prototype", "className")
    + throwing_getter("Node.prototype", "textContent")
    + patched("Element.prototype", "getAttribute", "hasAttribute", "getAttributeNames", "matches"),
    "Promise throws": patched("window", "Promise"),
    "listeners throw": patched("EventTarget.prototype", "addEventListener", "removeEventListener"),
    "a variable of our name": "const own = document.createElement('script');"
    " own.text = 'let expost = window.expost'; document.head.append(own)",
    "names that are no names": ODD_NAMES,
    "100,000 nodes": "document.body.append(document.createRange().createContextualFragment('<i></i>'.repeat(1e5)))",
    "another root element": "document.replaceChild(document.documentElement.cloneNode(true), document.documentElement);"
    " document.forms[0].onsubmit = () => false",
} | {
    f"a field called {name}": field_called(name)
    for name in (
        "id", "attributes", "parentNode", "children", "tagName", "localName", "nodeType", "namespaceURI", "matches",
        "getAttribute", "getAttributeNames", "hasAttribute", "host", "value", "className", "addEventListener",
    )
}  # fmt: skip


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("name", AFTER)
def test_what_a_page_does_after_us_breaks_neither_it_nor_capture(site: Site, page: Page, name: str):
    visit(site, page, after=AFTER[name])
    page.evaluate(STORY)
    wait_for_rows(site, ALL)
    assert page.evaluate("location.pathname") == "/next"


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize(
    "name",
    ["title", "documentElement", "body", "visibilityState", "compatMode", "designMode", "cookie", "URL", "location"],
)  # fmt: skip
def test_a_picture_with_the_name_of_what_we_read_is_no_obstacle(site: Site, page: Page, name: str):
    visit(site, page, before=f"document.write('<img name={name}>')")
    page.evaluate(STORY)
    wait_for_rows(site, ALL)


FOR_EVERY_TYPE = "for (const type of ['click', 'submit', 'change'])"
STOPS = f"{FOR_EVERY_TYPE} PLACE.addEventListener(type, (event) => event.stopImmediatePropagation(), true)"
LOSING = {
    "the document stops events": (STOPS.replace("PLACE", "document"), ALL),
    "history is frozen": ("Object.freeze(history)", WITHOUT_NAVIGATION),
    "history cannot be changed": (
        "Object.defineProperty(history, 'pushState', { value: History.prototype.pushState })",
        WITHOUT_NAVIGATION,
    ),
    # Nothing comes before a listener at the window that was there first.
    "the window stops events": (STOPS.replace("PLACE", "window"), [VIEW, VIEW, DONE]),
    "parents throw": (throwing_getter("Node.prototype", "parentNode"), [VIEW, VIEW, DONE]),
    "an old browser": (
        "delete Element.prototype.getAttributeNames; delete window.CompressionStream",
        [VIEW, VIEW, DONE],
    ),
}


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("name", LOSING)
def test_what_cannot_be_captured_takes_nothing_else_with_it(site: Site, page: Page, name: str):
    before, expected = LOSING[name]
    visit(site, page, before=before)
    # Where the page's own listener is not heard its form is sent, which must not lead away from what is looked at.
    page.evaluate("document.querySelector('form').target = 'elsewhere'")
    page.evaluate(STORY)
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert [row for row in rows(site) if row[0] != "snippet_error"] == expected


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize(
    "before",
    ["delete window.crypto", "delete Crypto.prototype.getRandomValues", throwing_getter("document", "title"),
     throwing_getter("window", "fetch")],
)  # fmt: skip
def test_where_capture_cannot_start_the_page_notices_nothing(site: Site, page: Page, before: str):
    page.goto(site.page(BODY, head=f"<script>{before}</script>"))
    page.wait_for_load_state()
    page.evaluate(STORY)
    assert page.evaluate("[heard.join(), location.pathname]") == ["click,submit,change", "/next"]


@pytest.mark.usefixtures("troubles")
def test_a_page_that_is_written_anew_goes_on_telling_views(site: Site, page: Page):
    visit(site, page)
    # It takes all listeners away, ours too.
    page.evaluate("document.open(); document.write('<!doctype html><b>new</b>'); document.close()")
    page.evaluate(
        "document.querySelector('b').click(); history.pushState({}, '', '/next'); expost('track', 'x')"
    )
    wait_for_rows(site, [VIEW, VIEW, ("custom", None, [])])


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize(
    "before",
    [
        patched("window", "fetch"), throwing_getter("Response.prototype", "status"), "delete window.fetch",
        "window.fetch = () => new Promise(() => {})", "window.fetch = async () => undefined",
    ],
)  # fmt: skip
def test_where_nothing_can_be_fetched_beacons_bring_everything(site: Site, page: Page, before: str):
    visit(site, page, before=before, consent="cookieless")
    page.evaluate(STORY)
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert rows(site) == ALL


FULL = """for (let length = 2 ** 23; length >= 1; length /= 2) {
  try { localStorage["fill" + length] = "x".repeat(length) } catch {}
}"""
THROWS = "() => { throw Error('patched') }"
CLOSED = {
    "blocked": throwing_getter("window", "localStorage"),
    "absent": "Object.defineProperty(window, 'localStorage', { value: null })",
    "full": FULL,
    "unreadable": "Object.defineProperty(window, 'localStorage', { value: new Proxy({}, {"
    f" get: {THROWS}, set: {THROWS}, ownKeys: {THROWS} }}) }})",
}


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("name", CLOSED)
def test_without_storage_mode_full_counts_as_cookieless(site: Site, page: Page, name: str):
    visit(site, page, before=CLOSED[name])
    page.evaluate(STORY)
    wait_for_rows(site, ALL)
    page.evaluate(
        "expost('consent', 'full'); expost('track', 'again'); expost('reset'); expost('consent', 'off')"
    )
    assert {(batch["consent"], "device" in batch) for batch in site.batches} == {("cookieless", False)}


@pytest.mark.usefixtures("troubles")
def test_storage_that_fills_up_later_costs_nothing(site: Site, page: Page):
    visit(site, page)
    site.wait_for("page_view")
    page.evaluate(f"() => {{ {FULL} }}")
    page.evaluate(STORY)
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert rows(site) == ALL


POLICIES = {
    "one origin": "default-src 'self'; script-src 'nonce-n'; connect-src COLLECTOR",
    "what the nonce brings": "default-src 'none'; script-src 'nonce-n' 'strict-dynamic'; connect-src COLLECTOR",
    "trusted types": "default-src 'self'; script-src 'nonce-n'; connect-src COLLECTOR;"
    " require-trusted-types-for 'script'; trusted-types 'none'",
}


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("name", POLICIES)
def test_under_a_strict_policy_capture_needs_the_nonce_and_one_address(site: Site, page: Page, name: str):
    policy = POLICIES[name].replace("COLLECTOR", f"http://127.0.0.1:{site.port}") + "; img-src data:"
    address = site.page(BODY.replace(' onsubmit="return false"', ""))
    site.pages["/"] = (
        site.pages["/"]
        .replace("<script", '<script nonce="n"')
        .replace("<title>", f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>')
        .replace(
            "heard.push(event.type)",
            "heard.push(event.type); event.type === 'submit' && event.preventDefault()",
        )
    )
    page.goto(address)
    page.wait_for_function("!!window.expost")
    page.evaluate(STORY)
    wait_for_rows(site, ALL)


@pytest.mark.usefixtures("troubles")
def test_with_script_and_collector_on_its_own_origin_a_page_needs_no_exception(site: Site, page: Page):
    address = site.page("<b>shop</b>")
    own = site.pages["/"].replace(f"http://127.0.0.1:{site.port}/expost.js", "/expost.js")
    policy = "default-src 'self'; img-src data:; require-trusted-types-for 'script'"
    site.pages["/"] = own.replace(
        "<title>", f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>'
    )
    page.goto(address)
    page.click("b")
    site.wait_for("page_view", "click")
    assert {request.headers["origin"] for request in site.requests if request.method == "POST"} == {
        site.origin
    }


@pytest.mark.usefixtures("troubles")
@pytest.mark.parametrize("kind", ["src", "srcdoc"])
def test_a_sandboxed_frame_is_captured_without_storage(site: Site, page: Page, kind: str):
    site.page(BODY.replace('action="/cart?x=1" ', ""), path="/inner")
    frame = 'src="/inner"' if kind == "src" else f'srcdoc="{site.pages["/inner"].replace(chr(34), "&quot;")}"'
    site.pages["/"] = (
        '<!doctype html><link rel="icon" href="data:,">'
        f'<iframe sandbox="allow-scripts allow-forms" {frame}></iframe>'
    )
    page.goto(site.origin)
    inner = page.frames[1]
    inner.wait_for_function("!!window.expost")
    inner.evaluate(STORY.replace('history.pushState({}, "", "/next");', ""))
    wait_for_rows(site, WITHOUT_NAVIGATION)
    inner.evaluate("expost('identify', 'ann'); expost('reset'); expost('track', 'after')")
    page.evaluate("document.querySelector('iframe').remove()")
    site.wait_for("identify", "reset", "custom", "custom")
    assert {(batch["consent"], "device" in batch) for batch in site.batches} == {("cookieless", False)}
    assert {request.headers["origin"] for request in site.requests if request.method == "POST"} == {"null"}


@pytest.mark.usefixtures("troubles")
def test_parents_in_a_circle_are_a_chain_that_is_cut(site: Site, page: Page):
    circle = WRAPPED_GETTER.replace(
        "return get.call(this)", "return this.localName === 'html' ? document.body : get.call(this)"
    )
    visit(site, page, before=circle)
    page.evaluate(STORY)
    site.wait_for("page_view", "click", "submit", "change", "page_view", "custom")
    (click,) = site.of("click")
    assert len(click["chain"]) == 128
    assert (click["label"], click["chain"][-1]["flags"] & 2) == ("Buy now", 2)


@pytest.mark.usefixtures("troubles")
def test_names_of_classes_that_are_objects_are_read_as_attributes(site: Site, page: Page):
    visit(site, page)
    page.evaluate(
        """() => {
          const shape = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
          shape.setAttribute('class', 'icon big');
          document.querySelector('b').append(shape);
          shape.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        }"""
    )
    site.wait_for("click")
    (click,) = site.of("click")
    assert (click["label"], click["chain"][0]["class"], click["chain"][0]["state"]) == (
        "Buy now",
        "icon big",
        16 | 64,
    )


@pytest.mark.usefixtures("troubles")
def test_a_thousand_attributes_and_a_megabyte_of_values_are_cut(site: Site, page: Page):
    visit(
        site,
        page,
        after="""const b = document.querySelector('b');
        for (let n = 0; n < 1000; n++) b.setAttribute('data-a' + n, 'v' + n);
        b.title = 'x'.repeat(1e6); b.className = 'y '.repeat(5e5); b.dataset.at = 'a@'.repeat(5e5);
        b.dataset.digits = '1 '.repeat(5e5); b.id = '='.repeat(1e6);
        b.parentNode.append(' ' + 'z'.repeat(1e6))""",
    )
    page.evaluate(STORY)
    site.wait_for("page_view", "click", "submit", "change", "page_view", "custom")
    (click,) = site.of("click")
    target = click["chain"][0]
    assert click["label"].startswith("Buy now zzz")
    assert len(target["attributes"]) == 1_003
    assert target["attributes"]["data-a999"] == "v999"
    assert max(map(len, [*target["attributes"].values(), target["id"], click["label"]])) == 200
    assert len(target["class"]) == 1_000
    assert {"title", "class", "data-at", "data-digits", "id"} == set(target["marks"])
    assert len(json.dumps(click["batch"])) < 60_000
