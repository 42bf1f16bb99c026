"""What the tag takes from the page it stands in: nothing that delays a click, a farewell or a way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from expost.demo.chromium import FLAGS
from tests.browser.snippet_site import Site

# Whatever makes a browser compute styles or lay the page out when it is read, watched wherever it is defined. `clientX`
# and `clientY` of an event do not; `offsetX`, `layerX` and `pageX` do.
WATCH = """
    const SIDES = /^(offset|client|scroll)(Width|Height|Top|Left)$|^(offset|page|layer)[XY]$|^offsetParent$/;
    const SCROLL = /^scroll(X|Y|To|By|IntoView|IntoViewIfNeeded|ingElement)?$|^page[XY]Offset$|^visualViewport$/;
    const TEXT = /^(inner|outer)(Text|Width|Height)$|^(isContentEditable|focus|select|checkVisibility|width|height)$/;
    const ASK = /^get(ComputedStyle|BoundingClientRect|ClientRects|BBox|CTM|ScreenCTM)$|FromPoint$|^computed/;
    const OWNER = /^((Mouse|Pointer|UI)?Event|Document|Node|Element|Range|Selection|(HTML|SVG|MathML)\\w*Element)$/;
    const isRead = name => [SIDES, SCROLL, TEXT, ASK].some(words => words.test(name));
    const names = Object.getOwnPropertyNames(window).filter(name => OWNER.test(name));
    const owners = names.map(name => window[name].prototype);
    window.watched = [];
    window.reads = [];
    for (const owner of [window, ...owners]) for (const name of Object.getOwnPropertyNames(owner).filter(isRead)) {
      const own = Object.getOwnPropertyDescriptor(owner, name);
      const seen = work => function (...given) { reads.push(name); return work.apply(this, given) };
      if (!own.configurable || !(own.get || typeof own.value === 'function')) continue;
      watched.push(name);
      Object.defineProperty(owner, name, own.get ? { ...own, get: seen(own.get) } : { ...own, value: seen(own.value) });
    }
"""

PAGE = (
    """<section><ul><li>one</li><li>two <button id=buy data-n=1>
    <svg viewBox="0 0 9 9"><path d="M0 0h9v9H0z"/></svg> Buy <b>now</b></button></li></ul>
    <form><label>name <input name=q value=x></label><select><option>a</option></select></form><table><tbody>"""
    + "<tr><td>a<td>b" * 300
    + "</table></section>"
)


def test_a_click_reads_nothing_that_is_styled_or_laid_out(site: Site, page: Page):
    page.add_init_script(WATCH)
    page.goto(site.page(PAGE))
    page.wait_for_function("!!window.expost")
    watched = set(page.evaluate("watched"))
    assert watched >= {
        "getComputedStyle", "getBoundingClientRect", "getClientRects", "offsetWidth", "offsetTop", "offsetParent",
        "clientWidth", "clientTop", "scrollTop", "scrollWidth", "scrollY", "innerText", "innerWidth", "outerText",
        "elementFromPoint", "isContentEditable", "offsetX", "layerX", "pageX", "getBBox",
    }  # fmt: skip
    reads = page.evaluate(
        """() => {
            reads.length = 0;
            document.body.offsetWidth;
            const own = reads.splice(0);
            const at = { bubbles: true, cancelable: true, composed: true, clientX: 5, clientY: 6 };
            for (const element of document.querySelectorAll('body, body *'))
              for (const type of ['click', 'auxclick', 'change'])
                element.dispatchEvent(new MouseEvent(type, at));
            return [own, [...reads]];
        }"""
    )
    assert reads == [["offsetWidth"], []]
    site.wait(lambda site: len(site.of("click")) > 300)


def test_nothing_is_asked_of_the_page_when_it_is_unloaded(site: Site, page: Page):
    page.add_init_script(
        """window.heard = [];
        const { addEventListener } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (type, ...given) {
          heard.push(type);
          return addEventListener.call(this, type, ...given);
        };"""
    )
    page.goto(site.page("<p>shop</p>"))
    page.click("p")
    site.wait_for("page_view", "click")
    heard = page.evaluate("heard")
    assert {"click", "visibilitychange", "pagehide"} <= set(heard)
    assert not {"unload", "beforeunload"} & set(heard)
    assert page.evaluate("[onunload, onbeforeunload, document.body.onunload]") == [None, None, None]


@pytest.fixture
def remembering(chromium: Browser, chromium_path: Path) -> Iterator[Browser]:
    """A browser that keeps pages in memory for the way back, as people's browsers do and Playwright's does not."""
    browser = chromium.browser_type.launch(
        executable_path=chromium_path,
        args=[flag for flag in FLAGS if not flag.startswith("--remote-debugging")],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


def test_a_page_comes_back_from_the_browsers_memory_with_what_was_sent_and_unsent(
    site: Site, remembering: Browser
):
    page = remembering.new_page()
    page.add_init_script(
        "shows = 0; addEventListener('pageshow', event => { window.persisted = event.persisted; shows++ })"
    )
    site.page("<p>next</p>", path="/next")
    page.goto(site.page('<p id=shop>shop</p><a href="/next">on</a>'))
    site.wait_for("page_view")
    page.click("#shop")
    page.click("a")
    page.wait_for_url("**/next")
    page.evaluate("history.back()")
    # Shown again, or loaded again: whichever it is.
    loaded = "performance.getEntriesByType('navigation')[0]"
    page.wait_for_function(f"shows === 2 || shows && {loaded}.type === 'back_forward'")
    assert page.evaluate("persisted") is True, page.evaluate(f"JSON.stringify({loaded}.notRestoredReasons)")
    page.click("#shop")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom", "page_leave")
    first = site.of("page_view")[0]["batch"]["page"]["id"]
    told = [event["type"] for event in site.events if event["batch"]["page"]["id"] == first]
    assert told == ["page_view", "click", "click", "page_leave", "page_view", "click", "custom"]
    assert [event["seq"] for event in site.events if event["batch"]["page"]["id"] == first] == list(
        range(1, 8)
    )
