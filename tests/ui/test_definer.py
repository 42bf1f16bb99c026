"""Pointing at a page of the site in a real browser: from a click to a saved definition with its past."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

import expost
from expost.collector.script import hash_of
from expost.demo.shop_server import ShopServer
from tests.browser.snippet_site import SNIPPET, Site, running_site, spelled_out
from tests.serving import Relay, Serving, events_in_lake, make_site

AT = {
    name: f"/expost-{hash_of((SNIPPET / f'expost-{name}.js').read_bytes())}.js"
    for name in ("more", "definer")
}
STRICT = (
    "default-src 'self'; script-src 'nonce-n0nce'; connect-src {collector}; base-uri 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HOSTILE = """<style nonce=n0nce>* { all: unset !important; z-index: 2147483647 !important; opacity: 0.1 !important }
div, iframe, [popover] { display: none !important; pointer-events: none !important; transform: scale(0) !important }
body, main, button { display: block !important; position: relative !important }</style>"""
# Everything that the page hears of people's hands, at the first place that hears it and before any other script.
EARS = """
window.heard = [];
for (const type of ["pointerdown", "pointerup", "mousedown", "mouseup", "click", "auxclick", "dblclick", "contextmenu",
                    "keydown", "keyup", "keypress", "input", "change", "submit", "beforeinput"])
  for (const at of [window, document])
    at.addEventListener(type, (event) => {
      heard.push(type);
      if (window.stops) event.stopImmediatePropagation();
    }, true);
"""
BODY = """<main><form class="signup"><button type="button" data-testid="sign-up"><b>Sign up</b></button></form>
<button class="other">Something else</button><a class="other" href="#more">More</a></main>"""


@dataclass
class Bench:
    """A page of Expost and a page of the site, each with real ends: a server, a relay that logs, a site."""

    context: BrowserContext
    serving: Serving
    relay: Relay
    site: Site
    data: Path
    desk: Page

    def tag(self, **data: str) -> str:
        more = "".join(f' data-{name}="{value}"' for name, value in data.items())
        return self.relay.tag(self.serving.tag).replace(" data-key=", f" nonce=n0nce{more} data-key=")

    def put_up(self, body: str = BODY, *, head: str = "", path: str = "/", **data: str) -> str:
        asked = {"also": "definer", "ui": self.serving.url} | data
        self.site.pages[path] = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>'
            f"<script nonce=n0nce>{EARS}</script>{head}{self.tag(**asked)}</head><body>{body}</body></html>"
        )
        return str(self.site.origin) + path

    def visit(self, address: str, act: Callable[[Page], None]) -> None:
        """What happened before anybody pointed: a visitor of the page, in which the second file has begun."""
        visitor = self.context.browser.new_context()  # type: ignore[union-attr]
        page = visitor.new_page()
        open_with_more(page, address)
        act(page)
        self.leave(page)
        visitor.close()

    def leave(self, page: Page) -> None:
        """Leaves a page; returns once its last word was acknowledged, which carries what was not sent before."""
        before = len(self.happened("page_leave"))
        page.goto("about:blank")
        wait_until(lambda: len(self.happened("page_leave")) > before)

    def settle(self) -> None:
        """Returns once everything that was acknowledged is in the lake."""
        events_in_lake(
            self.data, {event["id"] for batch in self.relay.acknowledged for event in batch["events"]}
        )

    def open(self, address: str) -> tuple[Page, Frame]:
        """The page of the site as Expost opens it, and the definer in it."""
        self.desk.goto(f"{self.serving.url}/point")
        self.desk.get_by_label("Address").fill(address)
        with self.context.expect_page() as opening:
            self.desk.get_by_role("button", name="Open it and point").click()
        page = opening.value
        expect(self.desk.locator("#pointing")).to_contain_text("The page is here", timeout=15_000)
        return page, definer_in(page)

    def past(self, name: str) -> int:
        return expost.open(self.data).preview(name).events

    def happened(self, *types: str) -> list[dict[str, Any]]:
        """What the collector acknowledged of these types, with their chains."""
        return [
            spelled_out(event, batch)
            for batch in self.relay.acknowledged
            for event in batch["events"]
            if event["type"] in types
        ]


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Returns once something is so that happens in another process."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)


def open_with_more(page: Page, address: str) -> None:
    """Opens a page of the site; returns once the second file has begun in it."""
    with page.expect_response(lambda response: response.url.endswith(AT["more"])) as second:
        page.goto(address)
    begun = "address => import(address).then(() => new Promise(done => setTimeout(done)))"
    page.evaluate(begun, second.value.url)


def definer_in(page: Page) -> Frame:
    """The frame of the definer: the only one without an address whose element no script of the page can find."""
    page.locator("[data-expost-ignore][popover]").wait_for(state="attached")

    def found() -> Frame | None:
        for frame in page.frames:
            if frame != page.main_frame and frame.url == "about:blank" and frame.locator(".panel").count():
                return frame
        return None

    for _ in range(200):
        if (frame := found()) is not None:
            return frame
        page.wait_for_timeout(25)
    raise AssertionError("the definer did not come")


@pytest.fixture(scope="module")
def ends(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Serving, Relay]]:
    data = tmp_path_factory.mktemp("definer") / "data"
    make_site(data, count_bots=True, count_internal=True)
    with Serving(data) as serving, Relay(serving.url) as relay:
        yield data, serving, relay


@pytest.fixture
def bench(chromium: Browser, ends: tuple[Path, Serving, Relay]) -> Iterator[Bench]:
    data, serving, relay = ends
    context = chromium.new_context(viewport={"width": 1280, "height": 820})
    with running_site() as site:
        yield Bench(context, serving, relay, site, data, context.new_page())
    context.close()


def centre(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def point_and_save(page: Page, definer: Frame, selector: str, name: str) -> None:
    """Points at the middle of an element, names it and saves."""
    at = centre(page, selector)
    page.mouse.move(*at)
    page.mouse.click(*at)
    definer.get_by_label("Name", exact=True).fill(name)
    expect(definer.locator("dd").first).to_be_visible()
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text(f"Saved: “{name}”")


def test_from_a_click_on_the_page_to_a_saved_definition_with_its_past_in_two_interactions(
    bench: Bench,
) -> None:
    address = bench.put_up(path="/first")
    clicks = 4

    def act(page: Page) -> None:
        for selector in [*clicks * ["b"], ".other"]:
            page.click(selector)

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, "b"))
    expect(definer.get_by_label("Selector")).to_have_value('[data-testid="sign-up"]')
    expect(definer.locator("dd").first).to_have_text(str(clicks))
    page.mouse.click(*centre(page, "b"))
    expect(definer.get_by_label("Name", exact=True)).to_have_value("Clicked Sign up")
    expect(definer.locator("dd").first).to_have_text(str(clicks))
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text(f"Its past: {clicks} events of 1 person")
    expect(bench.desk.get_by_role("link", name="Clicked Sign up")).to_be_visible()
    assert bench.past("Clicked Sign up") == clicks


def test_the_page_hears_nothing_of_it_and_nothing_of_it_arrives(bench: Bench) -> None:
    address = bench.put_up(path="/unheard")
    page, definer = bench.open(address)
    before = len(bench.happened("click", "auxclick", "change", "submit"))
    point_and_save(page, definer, "b", "Unheard")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, "a.other"), button="right")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.evaluate("heard") == []
    assert page.evaluate("location.hash") == ""
    # In the small window it is the page's turn: that click is one, those on our panel are none.
    page.mouse.click(*centre(page, ".other"))
    definer.get_by_role("button", name="Point").click()
    assert page.evaluate("heard.filter((type) => type === 'click').length") == 2
    bench.leave(page)
    bench.settle()
    assert len(bench.happened("click", "auxclick", "change", "submit")) == before + 1


def test_who_points_at_the_site_is_one_of_its_own_people(bench: Bench) -> None:
    address = bench.put_up(path="/own")
    bench.visit(address, lambda page: page.click(".other"))
    page, definer = bench.open(address)
    definer.get_by_role("button", name="Use the page").click()
    page.mouse.click(*centre(page, ".other"))
    bench.leave(page)
    bench.settle()
    lake = expost.open(bench.data)
    marks = lake.sql(
        "select is_internal from events where path = '/own' and type = 'click' order by time"
    ).rows()
    assert [row["is_internal"] for row in marks] == [False, True]


def test_its_host_says_to_capture_that_nothing_in_it_is_an_event(bench: Bench) -> None:
    page, _ = bench.open(bench.put_up(path="/ignored"))
    before = len(bench.happened("click"))
    # As if a browser let an event of the frame out.
    page.evaluate("document.querySelector('[popover]').click()")
    page.evaluate("document.querySelector('main').click()")
    bench.leave(page)
    bench.settle()
    assert [event["chain"][0]["tag"] for event in bench.happened("click")[before:]] == ["main"]


def test_under_the_strictest_policy_of_scripts_styles_and_markup(bench: Bench) -> None:
    bench.site.headers["Content-Security-Policy"] = STRICT.format(collector=bench.relay.url)
    refused: list[str] = []
    bench.context.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    address = bench.put_up(path="/strict")
    bench.visit(address, lambda page: page.click("b"))
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, ".other"))
    expect(definer.get_by_label("Selector")).to_have_value("button.other")
    colour = definer.locator(".box.mine").evaluate("box => getComputedStyle(box).borderTopColor")
    assert colour == "rgb(194, 65, 12)"
    point_and_save(page, definer, ".other", "Strict")
    assert [text for text in refused if "favicon" not in text and "404" not in text] == []


def test_where_every_style_of_the_page_is_against_it(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/hostile", head=HOSTILE))
    point_and_save(page, definer, ".other", "Hostile")
    width = definer.evaluate("innerWidth")
    assert width == 1280
    panel = definer.locator(".panel")
    assert panel.evaluate("panel => getComputedStyle(panel).opacity") == "1"


def test_a_page_that_stops_every_event_at_its_window(bench: Bench) -> None:
    page, definer = bench.open(
        bench.put_up(path="/stops", head="<script nonce=n0nce>window.stops = true</script>")
    )
    point_and_save(page, definer, ".other", "Stopped")
    assert page.evaluate("heard") == []


def test_in_a_frame_of_the_same_origin(bench: Bench) -> None:
    bench.site.pages["/inner"] = (
        "<!doctype html><body style='margin:0'><button class=inner>In the frame</button>"
    )
    body = '<p>Around it</p><iframe src="/inner" style="margin: 40px; border: 7px solid" width=300 height=120></iframe>'
    address = bench.put_up(body, path="/frames", also="definer frames")

    def act(page: Page) -> None:
        for _ in range(2):
            page.frame_locator("iframe").locator(".inner").click()

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    box = page.frame_locator("iframe").locator(".inner").bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    expect(definer.get_by_label("Selector")).to_have_value("button.inner")
    expect(definer.locator("dd").first).to_have_text("2")
    outline = definer.locator(".box.mine").bounding_box()
    assert outline
    assert (outline["x"], outline["y"]) == (box["x"] - 2, box["y"] - 2)
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    definer.get_by_label("Name", exact=True).fill("In a frame")
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("2 events")


SHADOW = """<shop-rating></shop-rating><script nonce=n0nce>
  const star = (name) => Object.assign(document.createElement("button"), { className: name, textContent: name });
  const root = document.querySelector("shop-rating").attachShadow({ mode: "open" });
  root.append(star("star"), star("plain"));
</script>"""


def test_in_an_open_shadow_root(bench: Bench) -> None:
    address = bench.put_up(SHADOW, path="/shadow")

    def act(page: Page) -> None:
        for selector in [".star", ".star", ".star", ".plain"]:
            page.click(selector)

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, ".star"))
    expect(definer.get_by_label("Selector")).to_have_value("button.star")
    expect(definer.locator("dd").first).to_have_text("3")
    page.mouse.click(*centre(page, ".star"))
    definer.get_by_role("button", name="shop-rating").click()
    expect(definer.get_by_label("Selector")).to_have_value("shop-rating")
    expect(definer.locator("dd").first).to_have_text("4")


def test_by_keyboard_alone(bench: Bench) -> None:
    address = bench.put_up(path="/keys")
    page, definer = bench.open(address)
    page.bring_to_front()
    selector = definer.get_by_label("Selector")
    page.keyboard.press("Tab")
    expect(selector).to_have_value("form.signup")
    page.keyboard.press("Tab")
    expect(selector).to_have_value('[data-testid="sign-up"]')
    page.keyboard.press("ArrowDown")
    expect(selector).to_have_value('[data-testid="sign-up"] b')
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(selector).to_have_value("button.other")
    expect(definer.locator("dd").first).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(definer.get_by_role("status")).to_contain_text("Saved: “By keyboard”")
    page.keyboard.press("Enter")
    expect(definer.get_by_role("status")).to_be_hidden()
    page.keyboard.press("Escape")
    assert page.evaluate("heard") == []


def test_a_page_that_renders_itself_anew_and_takes_away_what_it_does_not_know(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/anew"))
    page.mouse.click(*centre(page, "b"))
    expect(definer.get_by_role("button", name="Save")).to_be_visible()
    page.evaluate("document.querySelector('main').replaceChildren()")
    expect(definer.get_by_role("button", name="Save")).to_be_hidden()
    page.evaluate(
        "document.querySelector('[popover]').remove(); document.body.innerHTML = '<p class=new>New</p>'"
    )
    definer = definer_in(page)
    point_and_save(page, definer, "p.new", "After all that")


def test_over_a_modal_dialog_of_the_page(bench: Bench) -> None:
    body = "<dialog class=offer><button class=take>Take it</button></dialog>"
    page, _ = bench.open(bench.put_up(body, path="/modal"))
    page.evaluate("document.querySelector('dialog').showModal()")
    page.wait_for_function("document.querySelector('dialog > [popover]')")
    definer = definer_in(page)
    point_and_save(page, definer, "button.take", "In a dialog")


def test_a_name_that_is_taken_is_not_given_another_meaning(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/taken"))
    point_and_save(page, definer, "b", "Taken")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, ".other"))
    definer.get_by_label("Name", exact=True).fill("  taken ")
    expect(definer.locator("dd").first).to_be_visible()
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("A definition is called 'Taken' already.")
    (meant,) = [each for each in expost.open(bench.data).definitions() if each.name == "Taken"]
    assert meant.version == 1


def test_what_the_page_and_the_past_say_is_compared(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up("<button class=fresh>New here</button>", path="/compared"))
    page.mouse.click(*centre(page, ".fresh"))
    expect(definer.locator(".notes")).to_contain_text("it matches here, and no past event matches")
    definer.get_by_label("Selector").fill("button.fresh:hover")
    expect(definer.get_by_role("status")).to_contain_text("where the pointer or the focus was")
    definer.get_by_label("Selector").fill("a.gone")
    expect(definer.locator(".notes")).to_contain_text("does not match what you pointed at")
    definer.get_by_label("Selector").fill("a[")
    expect(definer.locator(".notes")).to_contain_text("This browser does not read the selector")


def test_an_opener_of_another_origin_sees_no_definer_and_gets_no_word(bench: Bench) -> None:
    address = bench.put_up(path="/elsewhere")
    with running_site() as other:
        other.pages["/"] = (
            "<!doctype html><script>words = []; addEventListener('message', (event) => words.push(event.data))</script>"
        )
        stranger = bench.context.new_page()
        stranger.goto(other.origin + "/")
        with bench.context.expect_page() as opening:
            stranger.evaluate("address => void open(address, 'expost-definer')", address)
        page = opening.value
        with page.expect_response(lambda response: response.url.endswith(AT["definer"])) as third:
            pass
        page.evaluate(
            "address => import(address).then(() => new Promise(done => setTimeout(done)))", third.value.url
        )
        assert page.evaluate("document.querySelectorAll('[popover]').length") == 0
        assert stranger.evaluate("words") == []


def test_the_page_of_expost_listens_to_the_window_and_the_origin_it_opened(bench: Bench) -> None:
    hello = "to => to.postMessage({ expost: 'definer' }, '*', [new MessageChannel().port2])"
    with running_site() as other:
        other.pages["/"] = "<!doctype html><title>Another</title>"
        bench.desk.goto(f"{bench.serving.url}/point")
        bench.desk.get_by_label("Address").fill(bench.put_up("<p>no definer", path="/quiet", also=""))
        with bench.context.expect_page() as opening:
            bench.desk.get_by_role("button", name="Open it and point").click()
        page = opening.value
        status = bench.desk.locator("#pointing")
        expect(status).to_contain_text("Waiting for the page")
        # Not the window: a frame of the right origin in the page of Expost itself.
        bench.desk.evaluate("window.postMessage({ expost: 'definer' }, '*', [new MessageChannel().port2])")
        expect(status).to_contain_text("Waiting for the page")
        # The window, but somewhere else by now.
        page.goto(other.origin + "/")
        page.evaluate(f"({hello})(opener)")
        expect(status).to_contain_text(f"a page of {other.origin} now")


def open_cut_off(bench: Bench, address: str) -> Page:
    """The window that Expost opens on a page that cuts it off, and then again with a token."""
    bench.desk.goto(f"{bench.serving.url}/point")
    bench.desk.get_by_label("Address").fill(address)
    with bench.context.expect_page() as opening:
        bench.desk.get_by_role("button", name="Open it and point").click()
    expect(bench.desk.locator("#pointing")).to_contain_text("its page cut itself off from this one")
    opening.value.close()
    bench.desk.get_by_role("button", name="Make a token").click()
    with bench.context.expect_page() as opening:
        bench.desk.get_by_role("link", name="Open the page with the token").click()
    return opening.value


def test_a_page_that_cuts_its_opener_off_is_pointed_at_with_a_token_and_saved_in_expost(
    bench: Bench, pictures: Path
) -> None:
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    bench.site.headers["Content-Security-Policy"] = STRICT.format(
        collector=f"{bench.relay.url} {bench.serving.url}"
    )
    address = bench.put_up("<button class=cut-off><i>Cut off</i></button>", path="/cut")
    bench.visit(address, lambda page: page.click("i"))
    bench.settle()
    page = open_cut_off(bench, address)
    definer = definer_in(page)
    assert page.evaluate("window.opener") is None
    page.mouse.click(*centre(page, "i"))
    expect(definer.locator("dd").first).to_have_text("1")
    expect(definer.locator(".handed")).to_contain_text("name it and save it there")
    expect(definer.get_by_role("button", name="Save")).to_be_hidden()
    expect(bench.desk.locator("#chosen code")).to_have_text("click button that says “Cut off”")
    bench.desk.get_by_label("Name", exact=True).fill("Cut off")
    page.screenshot(path=pictures / "definer-token-page.png")
    bench.desk.screenshot(path=pictures / "definer-token.png")
    bench.desk.locator("#chosen").get_by_role("button", name="Save").click()
    expect(bench.desk.locator("#pointed")).to_contain_text("Saved: Cut off (1 past event")
    assert bench.past("Cut off") == 1
    assert page.evaluate("heard") == []


MENU = "<nav><span><a class=entry href='#'>Prices</a></span><span><a class=entry href='#'>{}</a></span></nav>"


def visit_menu(bench: Bench, path: str, second: str) -> str:
    """A menu whose entries only their words and places tell apart: of the second, two clicks, of the first one."""
    address = bench.put_up(MENU.format(second), path=path)

    def act(page: Page) -> None:
        for words in (second, "Prices", second):
            page.get_by_text(words).click()

    bench.visit(address, act)
    bench.settle()
    return address


def test_the_words_of_an_element_are_asked_for_beside_a_selector_that_gathers_others_too(
    bench: Bench,
) -> None:
    page, definer = bench.open(visit_menu(bench, "/menu", "About us"))
    page.mouse.click(*centre(page, "span:nth-child(2) a"))
    suggested = definer.get_by_role("radio", name="the text “About us”").first
    suggested.click()
    expect(definer.get_by_label("Its text")).to_have_value("About us")
    expect(definer.locator(".here")).to_have_text("On this page now: 1 element")
    expect(definer.locator("dd").first).to_have_text("2")
    definer.get_by_label("Its text").fill("Prices")
    expect(definer.locator("dd").first).to_have_text("1")
    definer.get_by_label("Its text").fill("About us")
    expect(definer.locator("dd").first).to_have_text("2")
    definer.get_by_label("Name", exact=True).fill("Read about us")
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("Its past: 2 events")
    assert "text is:About us" in str(expost.open(bench.data).analysis.definition("Read about us"))


def test_with_a_token_history_is_asked_too_and_what_is_chosen_is_saved_with_its_text(bench: Bench) -> None:
    address = visit_menu(bench, "/cut-menu", "Contact")
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    page = open_cut_off(bench, address)
    definer = definer_in(page)
    page.mouse.click(*centre(page, "span:nth-child(2) a"))
    definer.get_by_role("radio", name="the text “Contact”").first.click()
    expect(bench.desk.locator("#chosen code")).to_contain_text("that says “Contact”")
    expect(bench.desk.locator("#chosen output")).to_have_text("2 past events, 1 person")
    bench.desk.get_by_label("Name", exact=True).fill("Contact, by token")
    bench.desk.locator("#chosen").get_by_role("button", name="Save").click()
    expect(bench.desk.locator("#pointed")).to_contain_text("Saved: Contact, by token (2 past events")


def test_the_token_in_an_address_is_not_captured_and_opens_no_second_page(bench: Bench) -> None:
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    router = "<script nonce=n0nce>const came = location.href; location.replace('#/home')</script>"
    page = open_cut_off(bench, bench.put_up(path="/spent", head=router))
    definer_in(page)
    address = page.evaluate("came")
    token = address.partition("#expost-definer=")[2]
    assert token.startswith("xp_")
    again = bench.context.new_page()
    again.goto(address)
    expect(definer_in(again).locator(".result")).to_have_text(re.compile("was used already"))
    for each in (page, again):
        bench.leave(each)
    bench.settle()
    views = [event for event in bench.happened("page_view") if "/spent" in event["view_"]["url"]]
    assert {event["view_"]["url"].partition("#")[2] for event in views} == {"/home"}
    assert token not in json.dumps(bench.relay.acknowledged)


def test_everything_that_the_selector_matches_is_outlined_and_the_breadcrumb_widens_it(bench: Bench) -> None:
    rows = "".join(f"<li class=row><b>Row {number}</b></li>" for number in range(5))
    page, definer = bench.open(bench.put_up(f"<ul class=rows>{rows}</ul>", path="/rows"))
    page.mouse.click(*centre(page, "li.row"))
    definer.get_by_role("button", name="li.row").click()
    expect(definer.locator(".here")).to_have_text("On this page now: 5 elements")
    expect(definer.locator(".box")).to_have_count(5)
    expect(definer.locator(".box.mine")).to_have_count(1)
    definer.get_by_role("button", name="ul.rows").click()
    expect(definer.locator(".here")).to_have_text("On this page now: 1 element")
    expect(definer.get_by_label("Selector")).to_have_value("ul.rows")


def test_the_wheel_moves_what_is_under_the_glass_and_the_outline_goes_along(bench: Bench) -> None:
    inside = "<p style='height:150px'>a<p class=deep>b<p style='height:900px'>"
    body = f"<div class=box style='height:200px;overflow:auto'>{inside}</div>"
    page, definer = bench.open(bench.put_up(body, path="/wheel"))
    page.mouse.move(*centre(page, "p.deep"))
    mine = definer.locator(".box.mine")
    expect(mine).to_be_visible()
    before = mine.bounding_box()
    page.mouse.wheel(0, 40)
    page.wait_for_function("document.querySelector('.box').scrollTop === 40")
    assert page.evaluate("scrollY") == 0
    assert before
    top = f"{before['y'] - 40}px"
    definer.wait_for_function("top => document.querySelector('.box.mine')?.style.top === top", arg=top)


def test_it_comes_again_on_the_next_page_of_the_site(bench: Bench) -> None:
    bench.put_up("<button class=next>There</button>", path="/next")
    page, definer = bench.open(bench.put_up('<a class=on href="/next">Next page</a>', path="/from"))
    definer.get_by_role("button", name="Use the page").click()
    page.click("a.on")
    page.wait_for_url("**/next")
    point_and_save(page, definer_in(page), "button.next", "On the next page")
    expect(bench.desk.get_by_role("link", name="On the next page")).to_be_visible()


def test_a_page_that_nobody_pointed_at_loads_no_definer(bench: Bench) -> None:
    asked: list[str] = []
    page = bench.context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    open_with_more(page, bench.put_up(path="/visitor"))
    assert [url for url in asked if url.endswith(AT["definer"])] == []


def test_on_the_demo_shop_the_past_is_what_counting_by_hand_gives(bench: Bench) -> None:
    tag = bench.relay.tag(bench.serving.tag).replace(
        " data-key=", f' data-also="definer" data-ui="{bench.serving.url}" data-key='
    )
    with ShopServer(tag=tag) as shop:

        def act(page: Page) -> None:
            for _ in range(3):
                page.locator("button.add").first.click()
            page.locator("h1").click()

        bench.visit(f"{shop.url}/product/sencha", act)
        bench.settle()
        by_hand = sum(
            any(
                level["tag"] == "button" and "add" in (level["class"] or "").split()
                for level in event["chain"]
            )
            for event in bench.happened("click")
        )
        assert by_hand == 3
        page, definer = bench.open(f"{shop.url}/product/sencha")
        point_and_save(page, definer, "button.add", "Added a tea")
        assert bench.past("Added a tea") == by_hand
        bench.desk.goto(f"{bench.serving.url}/funnel?step=Added+a+tea&within=7d")
        expect(bench.desk.locator(".step-head p")).to_contain_text("1 person")
