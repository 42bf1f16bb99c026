"""Frames of the page's own origin, with `data-also="frames"`."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Frame, Page

from tests.browser.second_file import open_with_more, until_more
from tests.browser.snippet_site import Site

SHADOW_CHILD, ROOT = 1, 4
QUIRKS = 32


def path(event: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    return [(element["tag"], element["id"], element["flags"]) for element in event["chain"]]


def frame_of(page: Page, end: str) -> Frame:
    page.wait_for_function("end => [...document.querySelectorAll('iframe')].length", arg=end)
    (found,) = [frame for frame in page.frames if frame.url.endswith(end)]
    return found


def test_what_happens_in_a_frame_goes_on_through_it_to_the_page(site: Site, page: Page):
    site.pages["/inner"] = (
        "<!doctype html><html id=inner><body><form><button id=b>Buy <i>now</i></button><input id=q></form>"
        "<script>document.forms[0].onsubmit = () => false</script>"
    )
    open_with_more(site, page, '<main><iframe id=f src="/inner"></iframe></main>', also="frames focusin")
    inner = frame_of(page, "/inner")
    inner.click("i")
    inner.fill("#q", "typed")
    inner.press("#q", "Tab")
    site.wait_for("click", "submit", "change", "focusin")
    (click,) = site.of("click")
    assert path(click) == [
        ("i", None, 0), ("button", "b", 0), ("form", None, 0), ("body", None, 0),
        ("html", "inner", SHADOW_CHILD | ROOT), ("iframe", "f", 0), ("main", None, 0), ("body", None, 0),
        ("html", None, ROOT),
    ]  # fmt: skip
    assert click["label"] == "Buy now"
    assert click["x"] > 0
    told = [(event["type"], event["chain"][0]["id"]) for event in site.events if "el" in event]
    assert ("submit", None) in told
    assert ("change", "q") in told
    assert "typed" not in "".join(request.raw.decode() for request in site.requests)


def test_frame_and_page_each_say_whether_they_themselves_are_in_quirks_mode(site: Site, page: Page):
    site.pages["/quirks"] = "<html><body><p>no doctype</p></body></html>"
    site.pages["/standards"] = "<!doctype html><html><body><p>doctype</p></body></html>"
    open_with_more(site, page, '<iframe src="/quirks"></iframe>', also="frames")
    frame_of(page, "/quirks").click("p")
    site.wait_for("click")
    site.pages["/old"] = site.pages["/"].removeprefix("<!doctype html>").replace("/quirks", "/standards")
    page.goto(site.origin + "/old")
    # The second file begins in this page once its own first batch was answered for.
    site.wait_for("page_view", "page_view")
    until_more(site, page)
    frame_of(page, "/standards").click("p")
    site.wait_for("click", "click")
    told = [[bool(element["state"] & QUIRKS) for element in click["chain"]] for click in site.of("click")]
    frame, around = 3, 3  # p, body, html; iframe, body, html
    assert told == [[True] * frame + [False] * around, [False] * frame + [True] * around]


def test_frames_that_come_later_go_elsewhere_or_stand_in_frames_are_followed(site: Site, page: Page):
    site.pages["/outer"] = '<!doctype html><p id=outer>outer</p><iframe id=nested src="/first"></iframe>'
    site.pages["/first"] = "<!doctype html><p id=first>first</p>"
    site.pages["/second"] = "<!doctype html><p id=second>second</p>"
    open_with_more(site, page, "<p>page</p>", also="frames")
    page.evaluate(
        """new Promise(done => document.body.append(Object.assign(document.createElement('iframe'),
            {id: 'later', src: '/outer', onload: done})))"""
    )
    frame_of(page, "/outer").click("p")
    frame_of(page, "/first").click("p")
    frame_of(page, "/first").goto(site.origin + "/second")
    frame_of(page, "/second").click("p")
    site.wait_for("click", "click", "click")
    told = [[identity for _, identity, _ in path(event) if identity] for event in site.of("click")]
    assert told == [["outer", "later"], ["first", "nested", "later"], ["second", "nested", "later"]]


def test_frames_of_others_and_frames_with_a_tag_of_their_own_are_left_alone(site: Site, page: Page):
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    site.pages["/plain"] = "<!doctype html><p>plain</p>"
    site.page("<p id=own>own</p>", path="/own")
    body = (
        f'<iframe src="http://127.0.0.1:{site.port}/plain"></iframe>'
        '<iframe src="/plain" sandbox="allow-scripts"></iframe><iframe src="/own"></iframe>'
    )
    open_with_more(site, page, body, also="frames")
    site.wait_for("page_view", "page_view")
    for frame in page.frames[1:]:
        frame.click("p")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom", "click")
    assert [(path(event)[0][1], len(event["chain"])) for event in site.of("click")] == [("own", 3)]
    assert errors == []


def test_what_the_page_ignores_and_masks_holds_in_its_frames(site: Site, page: Page):
    site.pages["/inner"] = '<!doctype html><button title="secret-title">secret-label</button>'
    body = (
        '<div data-expost-ignore><iframe name=ignored src="/inner"></iframe></div>'
        '<div data-expost-mask><iframe name=masked src="/inner"></iframe></div>'
    )
    open_with_more(site, page, body, also="frames")
    for name in ("ignored", "masked"):
        frame = page.frame(name)
        assert frame is not None
        frame.click("button")
    site.wait_for("click")
    (click,) = site.of("click")
    assert (click["chain"][0]["attributes"], click["chain"][0]["names"]) == ({}, ["title"])
    assert "secret-" not in "".join(request.raw.decode() for request in site.requests)


def test_a_click_in_a_frame_gets_its_reaction_from_the_frame(site: Site, page: Page):
    site.pages["/inner"] = (
        "<!doctype html><button onclick=\"this.className = 'open'\">Buy</button><p>text</p>"
    )
    open_with_more(site, page, '<iframe src="/inner"></iframe>', also="frames dead-clicks downloads")
    inner = frame_of(page, "/inner")
    inner.click("button")
    inner.click("p")
    site.wait_for("click", "click")
    assert [event["properties"]["reaction"] for event in site.of("click")] == ["mutation", "none"]


def test_frames_are_left_alone_unless_the_tag_asks(site: Site, page: Page):
    site.pages["/inner"] = "<!doctype html><p>inner</p>"
    open_with_more(site, page, '<iframe src="/inner"></iframe>', also="copy")
    frame_of(page, "/inner").click("p")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom")
    assert site.of("click") == []


def test_what_is_typed_into_a_frame_that_is_an_editor_stays_there(site: Site, page: Page):
    site.pages["/editor"] = (
        "<!doctype html><button>dear diary</button><script>document.designMode = 'on'</script>"
    )
    open_with_more(
        site, page, '<p>page</p><iframe src="/editor"></iframe>', also="frames focusin", text="all"
    )
    frame_of(page, "/editor").click("button")
    page.click("p")
    site.wait_for("click")
    assert [click["chain"][0]["tag"] for click in site.of("click")] == ["p"]
    assert "dear" not in "".join(request.raw.decode() for request in site.requests)


def test_a_frame_whose_own_script_comes_late_is_captured_once(site: Site, page: Page):
    site.pages["/late"] = "<!doctype html><p id=inner>inner</p>"
    open_with_more(site, page, '<iframe src="/late"></iframe>', also="frames")
    inner = frame_of(page, "/late")
    inner.click("p")
    site.wait_for("click")
    inner.evaluate("window.expost = () => {}")  # as its own tag does, which captures from now on
    inner.click("p")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom")
    assert len(site.of("click")) == 1
