"""Further types of event, downloads, scroll depth and web vitals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.second_file import open_with_more, until_more
from tests.browser.snippet_site import Site


def test_a_type_that_the_tag_names_is_captured_as_a_click_is(site: Site, page: Page):
    body = (
        "<main><p>Card <b>4111 1111 1111 1111</b></p><details><summary>More</summary></details>"
        "<video></video><input class=q></main>"
    )
    open_with_more(site, page, body, also="copy focusin toggle play dragend ionChange")
    page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('b')); document.execCommand('copy')"
    )
    page.evaluate(
        "() => { window.toggled = new Promise("
        "done => document.querySelector('details').addEventListener('toggle', () => done())) }"
    )
    page.click("summary")
    page.evaluate("toggled")
    page.focus("input")
    page.evaluate(
        "document.querySelector('video').dispatchEvent(new Event('play'));"
        "document.querySelector('b').dispatchEvent(new DragEvent('dragend', {bubbles: true, clientX: 7, clientY: 9}));"
        "document.querySelector('main').dispatchEvent(new CustomEvent('ionChange', {detail: {value: 'typed'}}))"
    )
    site.wait_for("copy", "click", "toggle", "focusin", "play", "dragend", "ionChange")
    told = [
        (event["type"], event["chain"][0]["tag"]) for event in site.events if event["type"] != "page_view"
    ]
    # A summary that is clicked gets the focus first.
    assert told == [
        ("copy", "b"), ("focusin", "summary"), ("click", "summary"), ("toggle", "details"), ("focusin", "input"),
        ("play", "video"), ("dragend", "b"), ("ionChange", "main"),
    ]  # fmt: skip
    (drag,) = site.of("dragend")
    (copy,) = site.of("copy")
    assert (drag["x"], drag["y"], drag["trusted"]) == (7, 9, False)
    assert not {"x", "y"} & copy.keys()
    sent = "".join(request.raw.decode() for request in site.requests)
    assert not re.search("4111 1111|typed", sent)


def test_a_type_is_heard_in_shadow_trees_and_what_the_page_ignores_is_no_event(site: Site, page: Page):
    body = (
        "<shop-box></shop-box><section data-expost-ignore><input class=secret></section>"
        "<script>document.querySelector('shop-box').attachShadow({mode: 'open'}).innerHTML ="
        " '<button>b</button><details><summary>s</summary></details>'</script>"
    )
    open_with_more(site, page, body, also="toggle focusin")
    page.focus("button")
    page.evaluate("document.querySelector('shop-box').shadowRoot.querySelector('details').open = true")
    page.focus(".secret")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom", "toggle")
    told = [
        (event["type"], [element["tag"] for element in event["chain"]][:2])
        for event in site.of("focusin", "toggle")
    ]
    assert told == [("focusin", ["button", "shop-box"]), ("toggle", ["details", "shop-box"])]


def test_nothing_is_captured_without_consent(site: Site, page: Page):
    open_with_more(site, page, "<input>", also="focusin scroll-depth downloads dead-clicks web-vitals")
    page.evaluate("expost('consent', 'off')")
    page.focus("input")
    page.click("input")
    page.goto("about:blank")
    page.goto(site.page("<p>end</p>", path="/end", consent="cookieless"))
    site.wait(lambda site: any(event["view_"]["url"].endswith("/end") for event in site.events))
    assert not site.of("focusin", "click", "page_leave")


LINKS = {
    '<a href="/files/report.PDF?token=abc#page=2">': {"extension": "pdf"},
    '<a href="/export" download>': {},
    '<a href="/export" download="people.csv">': {"extension": "csv"},
    '<a href="/tool.tar.gz">': {"extension": "gz"},
    '<span data-expost-mask><a href="/secret.pdf">': {},
    '<a href="/page.html">': None,
    '<a href="/about">': None,
    '<a href="https://shop.example/v1.2">': None,
    '<a name="x">': None,
}


@pytest.mark.parametrize("link", LINKS)
def test_a_click_on_a_link_to_a_file_is_a_download_besides(site: Site, page: Page, link: str):
    open_with_more(site, page, f"{link}<b>get</b></a></span>", also="downloads")
    page.evaluate("addEventListener('click', event => event.preventDefault())")
    page.click("b")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom")
    told = [
        (event["type"], event["chain"][0]["tag"], event.get("properties", {}))
        for event in site.events
        if "el" in event
    ]
    expected = LINKS[link]
    assert told == [("click", "b", {}), ("download", "a", expected)][: 1 if expected is None else 2]


def test_a_link_that_is_followed_from_the_keyboard_or_into_a_new_tab_is_a_download_too(
    site: Site, page: Page
):
    open_with_more(site, page, '<a href="/report.pdf">get</a>', also="downloads")
    page.evaluate(
        "for (const type of ['click', 'auxclick']) addEventListener(type, event => event.preventDefault())"
    )
    page.focus("a")
    page.keyboard.press("Enter")
    page.click("a", button="middle")
    page.click("a", button="right")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom")
    told = [event["type"] for event in site.events if "el" in event]
    assert told == ["click", "download", "auxclick", "download", "auxclick"]


def scroll(page: Page, top: str) -> None:
    """Scrolls, and returns when the page has heard of it."""
    page.evaluate(
        f"new Promise(done => {{ addEventListener('scroll', done, {{once: true}}); scrollTo(0, {top}) }})"
    )


def depth(site: Site) -> list[int | None]:
    return [event["properties"].get("scroll_depth") for event in site.of("page_leave")]


def test_a_page_that_is_left_says_how_far_it_was_seen(site: Site, page: Page):
    height = page.viewport_size["height"]  # type: ignore[index]
    open_with_more(
        site, page, f"<style>body {{ margin: 0; height: {height * 4}px }}</style>", also="scroll-depth"
    )
    scroll(page, "innerHeight * 2")
    scroll(page, "0")
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert depth(site) == [75]
    assert site.of("page_leave")[0]["properties"].keys() == {"dwell_ms", "scroll_depth"}


def test_a_page_that_nobody_scrolled_was_seen_as_far_as_it_was_shown(site: Site, page: Page):
    height = page.viewport_size["height"]  # type: ignore[index]
    open_with_more(
        site, page, f"<style>body {{ margin: 0; height: {height * 2}px }}</style>", also="scroll-depth"
    )
    page.evaluate("new Promise(done => requestIdleCallback(done, {timeout: 1_000}))")
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert depth(site) == [50]


def test_each_view_of_a_single_page_app_is_scrolled_anew(site: Site, page: Page):
    height = page.viewport_size["height"]  # type: ignore[index]
    open_with_more(
        site, page, f"<style>body {{ margin: 0; height: {height * 4}px }}</style>", also="scroll-depth"
    )
    scroll(page, "1e6")
    page.evaluate("history.pushState({}, '', '/next')")
    scroll(page, "innerHeight")
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert depth(site) == [50]


def test_web_vitals_are_told_when_they_are_final_and_leave_with_the_page(site: Site, page: Page):
    page.add_init_script(
        "window.state = 'visible';"
        "Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state });"
        # Chromium without a window is only idle between frames.
        "window.idle = () => new Promise(done => {"
        "  let isIdle = false;"
        "  requestIdleCallback(() => requestIdleCallback(() => done(isIdle = true)));"
        "  const frame = () => isIdle || requestAnimationFrame(frame);"
        "  frame();"
        "})"
    )
    open_with_more(
        site,
        page,
        "<h1>Shop</h1><button onclick=\"document.body.prepend(Object.assign(document.createElement('div'),"
        " {style: 'height: 400px'}))\">Buy</button>",
        also="web-vitals",
    )
    until_more(site, page, "vitals")
    page.click("button")
    page.evaluate(
        "new Promise(done => new PerformanceObserver(done).observe({type: 'first-input', buffered: true}))"
        ".then(idle)"
    )
    page.evaluate("state = 'hidden'; document.dispatchEvent(new Event('visibilitychange'))")
    site.wait_for(*["web_vital"] * 5)
    vitals = {event["properties"]["metric"]: event["properties"] for event in site.of("web_vital")}
    assert vitals.keys() == {"TTFB", "FCP", "LCP", "CLS", "INP"}
    assert len(site.of("web_vital")) == 5
    for vital in vitals.values():
        assert vital.keys() == {"metric", "value", "rating"}
        assert vital["rating"] in {"good", "needs-improvement", "poor"}
    assert 0 < vitals["TTFB"]["value"] <= vitals["FCP"]["value"] <= vitals["LCP"]["value"]


def test_web_vitals_leave_with_a_page_that_is_really_left(site: Site, page: Page):
    shift = "document.body.prepend(Object.assign(document.createElement('div'), {style: 'height: 400px'}))"
    open_with_more(site, page, f'<h1>Shop</h1><button onclick="{shift}">Buy</button>', also="web-vitals")
    until_more(site, page, "vitals")
    page.evaluate(f"() => {{ {shift} }}")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.goto("about:blank")
    site.wait(lambda site: any(event["properties"]["metric"] == "CLS" for event in site.of("web_vital")))


def test_the_file_with_the_library_keeps_its_notice():
    dist = Path(__file__).parents[2] / "snippet" / "dist"
    notice = (dist / "expost-vitals.js").read_text().splitlines()[0]
    assert re.fullmatch(r"/\*! web-vitals [\d.]+, Copyright Google LLC, Apache-2.0, https://\S+ \*/", notice)
