"""A page of Expost and one of a site that is pointed at, with real ends, and what tests of the definer do with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Frame, Page, expect

import expost
from expost.collector.script import hash_of
from tests.browser.snippet_site import SNIPPET, Site, spelled_out
from tests.serving import Relay, Serving, events_in_lake

AT = {
    name: f"/expost-{hash_of((SNIPPET / f'expost-{name}.js').read_bytes())}.js"
    for name in ("more", "definer")
}
STRICT = (
    "default-src 'self'; script-src 'nonce-n0nce'; connect-src {collector}; base-uri 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
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

    for _ in range(800):
        if (frame := found()) is not None:
            return frame
        page.wait_for_timeout(25)
    raise AssertionError("the definer did not come")


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
