from __future__ import annotations

import pytest
from playwright.sync_api import Page

from expost.collector.masks import Masks
from tests.browser.snippet_site import HALF_AN_HOUR_LATER, Site

SECRETS = (
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "5500005555555559",
    "2026-01-15 4111 1111 1111 1111",
    f"{'9' * 60} 4111 1111 1111 1111",
    "123-45-6789",
    "jane.doe@example.com",
    "jane%40example.com",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "d41d8cd98f00b204e9800998ecf8427e",
    "ya29.a0AfH6SMBx1234567890abcdefghijKLMNOPQRSTUVWXYZ",
)
HARMLESS = (
    "4111 1111 1111 1112",
    "1234567890",
    "Button__StyledButton-sc-1a2b3c4-0 large-2xl",
    "018f3c2e-7b1a-7c3d-9e4f-5a6b7c8d9e0f",
    "react@18.2.0",
    "@scope/package",
    "555-1234",
    "9" * 150,
    " ".join(f"55512345{last}" for last in range(10, 24)),
)


def sent(site: Site) -> str:
    return "".join(request.raw.decode() for request in site.requests)


def test_no_value_of_a_field_leaves_the_page(site: Site, page: Page):
    page.goto(
        site.page(
            '<form action="/join?ref=hidden-ref" onsubmit="return false">'
            '<label>Name <input name="name" value="default-name"></label>'
            '<input type="password" name="pass" value="default-pass">'
            '<input type="hidden" name="h" value="hidden-value">'
            '<label>About <textarea name="about">default-about</textarea></label>'
            '<label>Plan <select name="plan">'
            '<option value="v1">option-one</option><option>option-two</option></select></label>'
            '<label class="note">Note <span contenteditable>default-note</span></label>'
            '<button type="button"><span contenteditable>default-caption</span></button>'
            '<input type="file" name="file"><input type="range" name="range" value="77123771">'
            '<input role="button" name="odd" value="default-odd">'
            '<input type="checkbox" role="switch" value="default-box">'
            '<p style="color: secret-style" onclick="secretHandler()" nonce="secret-nonce">p</p>'
            '<input type="submit" value="Join"></form>'
        )
    )
    page.fill("[name=name]", "typed-name")
    page.fill("[name=pass]", "typed-pass")
    page.fill("[name=about]", "typed-about")
    page.select_option("select", "option-two")
    page.locator(".note span").fill("typed-note")
    page.locator("button span").click()
    page.click("p")
    page.click("[name=odd]")
    page.click("[role=switch]")
    page.locator("label").nth(3).dispatch_event("click")
    page.click("[type=submit]")
    site.wait_for("change", "change", "change", "change", "submit")
    for secret in (
        "typed-", "default-", "hidden-", "option-", "77123771", "secret-", "secretHandler", "style", "onclick",
        "onsubmit",
    ):  # fmt: skip
        assert secret not in sent(site), secret
    labels = {event.get("label") for event in site.events}
    assert labels == {None, "Name", "About", "Plan", "Note", "Join"}


def test_secrets_are_masked_in_attributes_texts_and_addresses(site: Site, page: Page):
    token = "d41d8cd98f00b204e9800998ecf8427e"
    body = "".join(f'<button data-note="{text}">{text}</button>' for text in SECRETS)
    page.goto(
        site.page(
            f'{body}<a href="/x?q=query-secret&utm_source=mail#access_token=hash-secret">Go</a>', path="/in"
        )
        + f"?q=page-secret&empty=&flag&utm_campaign=autumn#/route/{token}?key=route-secret"
    )
    page.wait_for_function("!!window.expost")
    page.evaluate("document.querySelectorAll('button').forEach(button => button.click())")
    page.evaluate("document.title = 'Mail of jane@example.com'")
    page.evaluate("document.querySelector('a').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    site.wait(lambda site: len(site.of("click")) == len(SECRETS) + 1)
    for secret in (*SECRETS, token, "-secret", "jane"):
        assert secret not in sent(site), secret
    *buttons, link = site.of("click")
    for click in buttons:
        assert "…" in click["label"]
        assert click["marks"] == ["text", "label"]
        assert click["chain"][0]["marks"] == ["data-note"]
    assert link["chain"][0]["attributes"]["href"] == "/x?q=…&utm_source=mail#access_token=…"
    assert link["view_"]["url"].endswith("/in?q=…&empty=&flag&utm_campaign=autumn#/route/…?key=…")
    assert link["view_"]["marks"][0] == "url"


CARD, EMAIL, SSN = SECRETS[0], "jane.doe@example.com", "123-45-6789"
TOKEN = "d41d8cd98f00b204e9800998ecf8427e"


def test_wherever_a_secret_stands_it_stays_in_the_page(site: Site, page: Page):
    attributes = {
        "id": f"user-{EMAIL}", "class": f"row {EMAIL} card-{TOKEN}", "name": EMAIL, "title": f"Mail {EMAIL}",
        "alt": CARD, "aria-label": f"Call {EMAIL}", "placeholder": f"like {SSN}", "rel": TOKEN, "for": EMAIL,
        "action": "/x?code=-secret-1", "formaction": "/x?code=-secret-2", "src": "data:text/plain,-secret-3",
        "srcset": "/a.png?sig=-secret-4 1x", "xlink:href": "/x#t=-secret-5", "ping": "/log?u=-secret-6",
        "href": f"https://x.example/u/{EMAIL}?a=-secret-7", "content": EMAIL, "data-email": EMAIL,
        "data-json": f'{{"email":"{EMAIL}","ssn":"{SSN}","card":"{CARD}","token":"{TOKEN}"}}',
        "download": f"{EMAIL}.pdf", "list": EMAIL, "style": "--x: -secret-8", "onclick": "x('-secret-9')",
    }  # fmt: skip
    site.page(f'<p>{EMAIL}</p><input type="submit" value="Pay {CARD}">', path=f"/users/{TOKEN}/two")
    page.goto(
        site.page("<a href=/ class=go>go</a><b>b</b>", path=f"/users/{EMAIL}/one", text="all")
        + "?q=-secret-10"
    )
    page.wait_for_function("!!window.expost")
    page.evaluate(
        """attributes => {
          const shown = document.querySelector('b');
          for (const name in attributes) shown.setAttribute(name, attributes[name]);
          shown.click();
          document.title = 'Jane, ' + attributes.name;
          document.querySelector('.go').href = '/users/d41d8cd98f00b204e9800998ecf8427e/two';
        }""",
        attributes,
    )
    page.click(".go")
    page.click("[type=submit]")
    page.click("p")
    page.goto("about:blank")
    site.wait_for("page_view", "click", "click", "page_view", "click", "click", "page_leave", "page_leave")
    for secret in (EMAIL, "jane", "doe@", TOKEN, CARD, SSN, "-secret-"):
        assert secret not in sent(site), secret
    second = site.of("page_view")[1]["view_"]
    assert second["url"].endswith("/users/…/two")
    assert second["referrer"].endswith("/users/…/one?q=…")
    assert {"url", "referrer"} <= set(second["marks"])


def test_the_collector_masks_what_the_snippet_masks(site: Site, page: Page):
    texts = [
        *SECRETS,
        *HARMLESS,
        "Pay jane@example.com 12.50",
        "a@b",
        "x" * 40 + "1",
        "1 " * 30,
        "tel 030 1234567 89",
    ]
    page.goto(site.page("<p>go</p>"))
    page.wait_for_function("!!window.expost")
    page.evaluate("texts => texts.forEach(text => { const p = document.querySelector('p');"
                  " p.setAttribute('data-text', text); p.click() })", texts)  # fmt: skip
    site.wait(lambda site: len(site.of("click")) == len(texts))
    masks = Masks()
    by_snippet = [click["chain"][0]["attributes"]["data-text"] for click in site.of("click")]
    assert by_snippet == [masks.text(text) for text in texts]
    assert by_snippet[len(SECRETS) : len(SECRETS) + len(HARMLESS)] == list(HARMLESS)


def test_long_values_are_cut_with_a_mark(site: Site, page: Page):
    page.goto(site.page(f'<button title="{"t" * 300}" class="{"c " * 700}">{"word " * 100}😀</button>'))
    page.click("button")
    site.wait_for("click")
    (click,) = site.of("click")
    button = click["chain"][0]
    assert button["attributes"]["title"] == "t" * 199 + "…"
    assert len(button["class"]) == 1_000
    assert sorted(button["marks"]) == ["class", "title"]
    assert click["label"] == ("word " * 100)[:199] + "…"
    assert click["marks"] == ["text", "label"]


def test_what_the_page_ignores_is_no_event_and_what_it_masks_has_no_words(site: Site, page: Page):
    page.goto(
        site.page(
            '<section data-expost-ignore><button title="ignored-title">ignored-label</button></section>'
            '<section data-expost-mask class="m">'
            '<button class="b" title="masked-title">masked-label</button><i title="i"></i></section>'
            '<button class="c">Say <b data-expost-mask>masked-part</b> it</button>'
        )
    )
    page.click("section button >> nth=0")
    page.click(".b")
    page.click(".c b")
    site.wait_for("click", "click")
    masked, partly = site.of("click")
    button, section, *_ = masked["chain"]
    assert (button["class"], button["attributes"], button["names"]) == ("b", {}, ["title"])
    assert (section["class"], section["names"]) == ("m", ["data-expost-mask"])
    assert "label" not in masked
    assert (partly["label"], partly["marks"]) == ("Say … it", ["label"])
    for secret in ("ignored-", "masked-"):
        assert secret not in sent(site)


def test_mode_cookieless_leaves_the_browsers_storage_alone(site: Site, page: Page):
    page.add_init_script(
        """window.touched = [];
        for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore']) {
          Object.defineProperty(window, name, { get() { touched.push(name); throw Error('closed') } });
        }
        Object.defineProperty(Document.prototype, 'cookie', {
          get() { touched.push('cookie'); return '' }, set() { touched.push('cookie') } });"""
    )
    page.goto(site.page("<p>hi</p>", consent=""))
    page.click("p")
    page.evaluate(
        "expost('identify', 'ann'); expost('exposure', {flag: 'f', variation: 'on'}); expost('reset')"
    )
    page.click("p")
    site.wait_for("page_view", "click", "identify", "exposure", "reset", "click")
    assert page.evaluate("touched") == []
    for batch in site.batches:
        assert batch["consent"] == "cookieless"
        assert not {"device", "session"} & batch.keys()
    assert [batch["resets"] for batch in site.batches][-1] == 1
    assert page.context.cookies() == []


def test_mode_cookieless_leaves_storage_alone_when_nobody_answers_and_the_page_is_left(
    site: Site, page: Page
):
    page.add_init_script(
        """const names = ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore'];
        for (const name of names) {
          const { get } = Object.getOwnPropertyDescriptor(window, name);
          Object.defineProperty(window, name, { get() { console.info('touched ' + name); return get.call(window) } });
        }
        Object.defineProperty(Document.prototype, 'cookie', {
          get() { console.info('touched cookie'); return '' }, set() { console.info('touched cookie') } });"""
    )
    touched: list[str] = []
    page.on("console", lambda message: touched.append(message.text) if message.type == "info" else None)
    site.answers += [(503, {})]
    page.goto(site.page("<p>hi</p>", consent="cookieless"))
    site.wait(lambda site: [request for request in site.requests if request.status == 503])
    page.click("p")
    page.evaluate(
        "expost('identify', 'ann', {plan: 'pro'}); expost('consent', 'cookieless'); expost('group', 'a', 'b')"
    )
    page.evaluate("document.dispatchEvent(new Event('visibilitychange')); history.pushState({}, '', '/next')")
    page.goto(site.origin)
    site.wait_for("page_view", "click", "identify", "group", "page_view", "page_leave", "page_view")
    assert touched == []


def test_modes_change_in_every_order_and_each_event_has_the_mode_it_happened_in(site: Site, page: Page):
    page.goto(site.page("<p>hi</p>", consent="cookieless"))
    page.wait_for_function("!!window.expost")
    kept: list[list[str]] = []
    order = ["cookieless", "full", "off", "cookieless", "off", "full", "cookieless"]
    for number, mode in enumerate(order):
        # What was not sent when consent is withdrawn is given up, so each is waited for.
        page.evaluate(f"expost('consent', '{mode}'); expost('track', '{number} {mode}')")
        if mode != "off":
            site.wait_for(*["custom"] * (number + 1 - order[:number].count("off")))
        kept.append(page.evaluate("Object.keys(localStorage)"))
    told = [
        (event["name"], event["batch"]["consent"], "device" in event["batch"]) for event in site.of("custom")
    ]
    assert told == [
        (f"{number} {mode}", mode, mode == "full") for number, mode in enumerate(order) if mode != "off"
    ]
    assert kept == [["expost"] if mode == "full" else [] for mode in order]
    first, second = {batch["device"]: None for batch in site.batches if "device" in batch}
    assert first != second
    assert {batch["consent"] for batch in site.batches} == {"full", "cookieless"}
    assert len(site.of("page_view")) == 1


def test_mode_full_knows_the_browser_again_and_counts_pages_and_sessions(site: Site, page: Page):
    page.goto(site.page("<p>hi</p>"))
    site.wait_for("page_view")
    page.goto(site.origin)
    site.wait_for("page_view", "page_view")
    page.evaluate(HALF_AN_HOUR_LATER)
    page.goto(site.origin)
    site.wait_for("page_view", "page_view", "page_view")
    batches = [view["batch"] for view in site.of("page_view")]
    assert len({batch["device"] for batch in batches}) == 1
    assert [batch["page"]["ordinal"] for batch in batches] == [1, 2, 3]
    assert [batch["session"] for batch in batches] == [1, 1, 2]
    page.wait_for_function("Object.keys(localStorage).join() === 'expost'")
    assert page.context.cookies() == []


def test_closed_storage_in_mode_full_means_that_nothing_is_known_again(site: Site, page: Page):
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw Error('closed') } })")
    page.goto(site.page("<p>hi</p>"))
    site.wait_for("page_view")
    (batch,) = site.batches
    assert batch["consent"] == "cookieless"
    assert "device" not in batch


def test_without_consent_nothing_is_sent_and_what_was_stored_is_deleted(site: Site, page: Page):
    page.goto(site.page("<p>hi</p>"))
    site.wait_for("page_view")
    page.evaluate("expost('track', 'not sent yet')")
    page.evaluate("expost('consent', 'off')")
    assert page.evaluate("Object.keys(localStorage)") == []
    page.click("p")
    page.evaluate("expost('track', 'refused'); history.pushState({}, '', '/elsewhere')")
    page.evaluate("expost('consent', 'cookieless')")
    page.click("p")
    site.wait_for("page_view", "page_view", "click")
    assert [event["type"] for event in site.events] == ["page_view", "page_view", "click"]
    assert site.events[1]["view_"]["url"].endswith("/elsewhere")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_consent_can_be_given_later_and_makes_a_device_from_then_on(site: Site, page: Page):
    page.goto(site.page("<p>hi</p>", consent="cookieless"))
    page.click("p")
    page.evaluate("expost('consent', 'full')")
    page.click("p")
    site.wait_for("page_view", "click", "click")
    first, second = site.of("click")
    assert "device" not in first["batch"]
    assert second["batch"]["device"]
    assert second["batch"]["consent"] == "full"
    assert first["batch"]["page"]["id"] == second["batch"]["page"]["id"]
    assert len(site.of("page_view")) == 1


@pytest.mark.parametrize("consent", ["off", "denied"])
def test_a_tag_that_refuses_or_says_what_we_do_not_know_sends_nothing(site: Site, page: Page, consent: str):
    page.goto(site.page("<p>hi</p>", consent=consent))
    page.click("p")
    page.evaluate("expost('consent', 'full')")
    site.wait_for("page_view")
    assert [event["type"] for event in site.events] == ["page_view"]


@pytest.mark.parametrize("signal", ["globalPrivacyControl: true", "doNotTrack: '1'"])
def test_a_browser_that_asks_not_to_be_tracked_is_not(site: Site, page: Page, signal: str):
    name, value = signal.split(": ")
    page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{name}', {{ value: {value} }})")
    page.goto(site.page("<p>hi</p>"))
    page.wait_for_function("!!window.expost")
    page.click("p")
    page.evaluate("expost('consent', 'full'); expost('track', 'x')")
    assert page.evaluate("Object.keys(localStorage)") == []
    page.goto("about:blank")
    assert [request.path for request in site.requests if request.method == "POST"] == []


TEXTS = (
    "<p class=plain>plain <b>words</b></p><button class=b>Buy <i>now</i></button>"
    "<div data-expost-text><p class=listed>listed words</p><button class=lb>Pay</button>"
    "<p class=masked data-expost-mask>masked words</p><select class=s><option>an option</option></select>"
    "<textarea>typed words</textarea><p class=e contenteditable>edited words</p></div>"
    "<p class=card>Card 4111 1111 1111 1111</p>"
)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("", {"b": "Buy now", "lb": "Pay"}),
        ("labels", {"b": "Buy now", "lb": "Pay"}),
        (
            "all",
            {"plain": "plain words", "b": "Buy now", "listed": "listed words", "lb": "Pay", "card": "Card …"},
        ),
        ("listed", {"listed": "listed words", "lb": "Pay"}),
        ("labls", {"listed": "listed words", "lb": "Pay"}),
    ],
)
def test_text_leaves_the_page_as_the_tag_allows(site: Site, page: Page, mode: str, expected: dict[str, str]):
    page.goto(site.page(TEXTS, text=mode))
    page.wait_for_function("!!window.expost")
    page.evaluate(
        "document.querySelectorAll('p,button,select,option,textarea').forEach(element => element.click())"
    )
    site.wait(lambda site: len(site.of("click")) == 10)
    texts = {event["chain"][0]["class"]: event["text"] for event in site.of("click") if event.get("text")}
    assert texts == expected
    labels = {event["label"] for event in site.of("click") if event.get("label")}
    assert labels == {"Buy now", "Pay"} & set(expected.values())
    for secret in ("masked words", "an option", "typed words", "edited words", "4111 1111"):
        assert secret not in sent(site)


def test_the_text_of_what_is_in_a_button_is_its_own_where_all_text_may_leave(site: Site, page: Page):
    page.goto(site.page(TEXTS, text="all"))
    page.click("i")
    site.wait_for("click")
    (click,) = site.of("click")
    assert (click["text"], click["label"]) == ("now", "Buy now")


@pytest.mark.parametrize(
    ("tag", "kept", "named"),
    [
        (
            {},
            {"data-sku": "s1", "title": "Title", "href": "/x?token=…"},
            ["price", "sku"],
        ),
        (
            {"clear": "sku price value"},
            {"data-sku": "s1", "title": "Title", "href": "/x?token=…", "price": "12", "sku": "…"},
            [],
        ),
        ({"attributes": "listed"}, {}, ["data-sku", "href", "price", "sku", "title"]),
        ({"attributes": "listed", "clear": "price"}, {"price": "12"}, ["data-sku", "href", "sku", "title"]),
        ({"attributes": "none"}, {}, ["data-sku", "href", "price", "sku", "title"]),
    ],
)
def test_values_of_attributes_leave_the_page_as_the_tag_allows(
    site: Site, page: Page, tag: dict[str, str], kept: dict[str, str], named: list[str]
):
    body = (
        '<a id="a" class="c" href="/x?token=1#" title="Title" data-sku="s1" price="12" sku="jane@example.com" '
        'value="never" onclick="return false">go</a><section data-expost-mask><u price="99">masked</u></section>'
    )
    page.goto(site.page(body, **tag))
    page.click("a")
    page.click("u")
    site.wait_for("click", "click")
    link, masked = (event["chain"][0] for event in site.of("click"))
    assert (link["id"], link["class"]) == ("a", "c")
    assert (
        link["attributes"] | {"href": link["attributes"].get("href", "").rstrip("#")} == {"href": ""} | kept
    )
    assert link["names"] == named
    assert (masked["attributes"], masked["names"]) == ({}, ["price"])
    assert "never" not in sent(site)


@pytest.mark.parametrize("signal", ["globalPrivacyControl: true", "doNotTrack: '1'"])
def test_a_site_may_say_that_it_captures_all_the_same(site: Site, page: Page, signal: str):
    name, value = signal.split(": ")
    page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{name}', {{ value: {value} }})")
    page.goto(site.page("<p>hi</p>", **{"do-not-track": "ignore"}))
    site.wait_for("page_view")
    page.evaluate("expost('consent', 'off')")
    assert page.evaluate("Object.keys(localStorage)") == []


@pytest.mark.parametrize("signal", [None, "globalPrivacyControl"])
def test_a_tag_without_consent_deletes_what_earlier_pages_stored(site: Site, page: Page, signal: str | None):
    page.goto(site.page("<p>hi</p>"))
    site.wait_for("page_view")
    site.is_down = True
    page.click("p")
    page.wait_for_function("Object.keys(localStorage).length === 2")
    if signal:
        page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal}', {{ value: true }})")
    page.goto(site.page("<p>hi</p>", consent="full" if signal else "off"))
    page.wait_for_function("!!window.expost")
    assert page.evaluate("Object.keys(localStorage)") == []
