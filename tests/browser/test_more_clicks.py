"""What becomes of a click, with `data-also="dead-clicks"`."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.second_file import open_with_more
from tests.browser.snippet_site import Site

NONE = {"reaction": "none", "waited_ms": 1_000}


def outcome(site: Site, page: Page, body: str, selector: str = "button", script: str = "") -> dict[str, Any]:
    """The properties that a click on the element gets."""
    open_with_more(site, page, body, also="dead-clicks")
    if script:
        page.evaluate(script)
    page.click(selector, force=True)  # disabled ones too
    site.wait_for("click")
    return dict(site.of("click")[-1].get("properties", {}))


REACTIONS = {
    "a text that changes": ("<button onclick=\"this.firstChild.data = 'Sold'\">Buy</button>", "mutation"),
    "a class that changes": ("<button onclick=\"this.className = 'open'\">Buy</button>", "mutation"),
    "an element that comes later": (
        "<button onclick=\"setTimeout(() => document.body.append('Sold'), 300)\">Buy</button>",
        "mutation",
    ),
    "another route": ("<button onclick=\"history.pushState({}, '', '/next')\">Buy</button>", "navigation"),
    "another part of the page": ('<a href="#part">Part</a><p id="part">', "navigation"),
    "a way up": (
        "<p style='height: 3000px'><button style='margin-top: 2000px' onclick='window.scrollTo(0, 0)'>Up</button></p>",
        "scroll",
    ),
    "a request": ("<button onclick=\"fetch('/api')\">Buy</button>", "request"),
    "a form that is sent": ("<form action=/next target=_blank><button>Send</button></form>", "navigation"),
    "a form with a field left out": ("<form><input required><button>Send</button></form>", "field"),
    "a dialog": (
        "<button onclick=\"document.querySelector('dialog').showModal()\">Ask</button><dialog>?</dialog>",
        "focus",
    ),
    "a popover": ("<button popovertarget=p>Ask</button><div popover id=p>?</div>", "toggle"),
    "a film": (
        "<button onclick=\"document.querySelector('video').dispatchEvent(new Event('play'))\">Play</button><video>",
        "media",
    ),
    "a copy": ("<button onclick=\"document.execCommand('copy')\">Copy</button>", "copy"),
    "a field that gets the caret": (
        "<button onclick=\"document.querySelector('input').focus()\">Search</button><input>",
        "focus",
    ),
}


@pytest.mark.parametrize("case", REACTIONS)
def test_a_click_tells_what_the_page_did_first_and_when(site: Site, page: Page, case: str):
    body, expected = REACTIONS[case]
    selector = "a" if body.startswith("<a") else "button"
    told = outcome(site, page, body, selector)
    assert told["reaction"] == expected
    assert told.keys() == {"reaction", "reaction_ms"}
    late = 300 if "setTimeout" in body else 0
    assert late <= told["reaction_ms"] < 1_000


ANSWERED = {
    "a field": ("<input>", "input", "field"),
    "a label": ("<label>Name <input></label>", "label", "field"),
    "a box to tick": ("<input type=checkbox>", "input", "field"),
    "a list": ("<select><option>1</option></select>", "select", "field"),
    "an editable place": ("<div contenteditable>text</div>", "div", "field"),
    "a player": ("<video controls>", "video", "media"),
    "a mail": ('<a href="mailto:ann@shop.example">Mail</a>', "a", "navigation"),
    "a new tab": ('<a href="/next" target="_blank">Next</a>', "a", "navigation"),
    "a file": ('<a href="data:,x" download="x.txt">File</a>', "a", "navigation"),
    "details": ("<details><summary>More</summary>text</details>", "summary", "mutation"),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_what_the_browser_itself_answers_is_not_dead(site: Site, page: Page, case: str):
    body, selector, expected = ANSWERED[case]
    told = outcome(site, page, body, selector)
    assert told["reaction"] == expected


DEAD = {
    "an inert element": ("<p>text</p>", "p"),
    "a button that does nothing": ("<button>Buy</button>", "button"),
    "a link to nowhere": ('<a href="javascript:void 0">Buy</a>', "a"),
    "a link whose script keeps it from leading on": ('<a href="/next" onclick="return false">Buy</a>', "a"),
    "a field that is disabled": ("<label>Name <input disabled></label>", "label"),
}


@pytest.mark.parametrize("case", DEAD)
def test_a_click_that_nothing_answers_says_how_long_it_waited(site: Site, page: Page, case: str):
    body, selector = DEAD[case]
    assert outcome(site, page, body, selector) == NONE


def test_what_we_send_ourselves_is_no_reaction_and_no_request(site: Site, page: Page):
    script = "const button = document.querySelector('button');button.onclick = () => expost('track', 'x')"
    assert outcome(site, page, "<button>Buy</button>", script=script) == NONE
    site.wait_for("custom")


def test_a_request_that_is_answered_late_counts_from_when_it_began(site: Site, page: Page):
    site.slow["/api"] = 1.5
    told = outcome(site, page, "<button onclick=\"fetch('/api')\">Buy</button>")
    assert told["reaction"] == "request"
    assert told["reaction_ms"] < 1_000


def test_a_menu_that_opens_when_the_button_goes_down_is_a_reaction(site: Site, page: Page):
    body = "<button onpointerdown=\"document.body.append('menu')\">Menu</button>"
    assert outcome(site, page, body) == {"reaction": "mutation", "reaction_ms": 0}


def test_text_that_was_selected_is_not_judged(site: Site, page: Page):
    open_with_more(site, page, "<p>some long text</p>", also="dead-clicks")
    page.click("p", click_count=2)
    site.wait_for("click", "click")
    page.mouse.click(300, 200)
    site.wait_for("click", "click", "click")
    *selected, elsewhere = site.of("click")
    assert [event.get("properties") for event in selected] == [None, None]
    assert elsewhere["properties"] == NONE


def test_a_page_that_is_left_before_says_nothing_of_the_click(site: Site, page: Page):
    open_with_more(site, page, "<p>text</p>", also="dead-clicks")
    page.click("p")
    page.goto("about:blank")
    site.wait_for("click", "page_leave")
    (click,) = site.of("click")
    assert "properties" not in click
    assert [event["seq"] for event in site.events] == [1, 2, 3]


def test_a_change_in_a_shadow_tree_is_seen_by_a_click_in_it(site: Site, page: Page):
    body = (
        "<shop-box></shop-box><script>document.querySelector('shop-box').attachShadow({mode: 'open'}).innerHTML ="
        ' `<button onclick="this.className = 1">Buy</button>`</script>'
    )
    assert outcome(site, page, body)["reaction"] == "mutation"


def test_what_the_visitor_allows_changes_after_the_click_that_says_so(site: Site, page: Page):
    body = "<button onclick=\"expost('consent', 'full')\">Accept</button>"
    open_with_more(site, page, body, also="dead-clicks", consent="cookieless")
    page.click("button")
    page.click("button")
    site.wait_for("click", "click")
    assert [event["batch"]["consent"] for event in site.of("click")] == ["cookieless", "full"]


def test_a_click_before_consent_is_taken_back_goes_under_the_old_one_and_nothing_later(
    site: Site, page: Page
):
    open_with_more(site, page, "<p>text</p>", also="dead-clicks", consent="cookieless")
    page.click("p")
    page.evaluate("expost('consent', 'off')")
    page.click("p")
    page.goto("about:blank")
    assert {batch["consent"] for batch in site.batches} == {"cookieless"}
    assert len(site.of("click")) <= 1


def test_nothing_watches_the_page_while_no_click_waits(site: Site, page: Page):
    page.add_init_script(
        """window.watched = 0;
        const { observe, disconnect } = MutationObserver.prototype;
        MutationObserver.prototype.observe = function (...given) { watched++; return observe.apply(this, given) };
        MutationObserver.prototype.disconnect = function () { watched = 0; return disconnect.call(this) };"""
    )
    open_with_more(site, page, '<button onclick="this.className = 1">Buy</button>', also="dead-clicks")
    assert page.evaluate("watched") == 0
    page.evaluate("document.querySelector('button').click()")
    assert page.evaluate("watched") == 0  # the reaction came at once
    page.mouse.click(300, 200)
    assert page.evaluate("watched") > 0
    page.wait_for_function("watched === 0")


def test_clicks_are_not_judged_unless_the_tag_asks(site: Site, page: Page):
    open_with_more(site, page, "<button>Buy</button>", also="copy")
    page.click("button")
    site.wait_for("click")
    assert "properties" not in site.of("click")[0]


def test_a_click_that_waits_goes_with_the_rest_when_the_page_is_hidden(site: Site, page: Page):
    page.add_init_script(
        "window.state = 'visible'; Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state })"
    )
    open_with_more(site, page, "<p>text</p>", also="dead-clicks")
    page.evaluate(
        "document.querySelector('p').click(); state = 'hidden'; document.dispatchEvent(new Event('visibilitychange'));"
        "window.setTimeout = () => {}"
    )
    site.wait_for("click")


def test_a_click_from_before_somebody_called_themselves_internal_is_not_marked(site: Site, page: Page):
    open_with_more(site, page, "<p>text</p>", also="dead-clicks")
    page.evaluate("document.querySelector('p').click(); expost('internal'); expost('track', 'inside')")
    site.wait_for("click", "custom")
    told = {event["type"]: event["batch"].get("internal") for event in site.of("click", "custom")}
    assert told == {"click": None, "custom": True}


def test_what_comes_of_the_visitors_next_click_is_no_reaction_to_the_last(site: Site, page: Page):
    open_with_more(site, page, "<button>dead</button><input>", also="dead-clicks")
    page.click("button")
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    page.click("input")
    site.wait_for("click", "click")
    dead, field = [click["properties"] for click in site.of("click")]
    assert dead["reaction"] == "none"
    assert 50 < dead["waited_ms"] < 1_000
    assert field["reaction"] != "none"
