"""What the collector has not answered for outlives the page, in mode full."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Page

from tests.browser.snippet_site import Site

STATE = """
    window.state = 'visible';
    Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state });
"""
KEPT = "Object.keys(localStorage).filter(name => name.startsWith('expost:'))"
HIDE = "state = 'hidden'; document.dispatchEvent(new Event('visibilitychange'));"
# The id of an event of so many hours ago, and a batch that nobody has written but that comes as it is.
KEEP = """([hours, name, size]) => {
  const time = Math.floor(Date.now() - hours * 3600e3).toString(16).padStart(12, '0');
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${name.padStart(12, '0')}`;
  const [view] = [{url: 'http://shop.example/', title: 'x'.repeat(size)}];
  localStorage['expost:wk_test:' + id] = JSON.stringify({page: {id, start: 1}, consent: 'full', views: [view],
    sets: [], descriptors: [], elements: [], events: [{id, type: 'custom', t: 0, seq: 1, name}]});
}"""


def elsewhere(site: Site) -> str:
    """A page of the site without the tag."""
    site.pages["/elsewhere"] = "<p>elsewhere</p>"
    return site.origin + "/elsewhere"


def close(page: Page) -> None:
    page.close(run_before_unload=True)


def until_nothing_is_kept(page: Page) -> None:
    page.wait_for_function(KEPT + ".length === 0")


def names(site: Site) -> Counter[str]:
    """How often each event of KEEP has come."""
    return Counter(
        event["name"] for batch in site.batches for event in batch["events"] if event["type"] == "custom"
    )


@pytest.mark.parametrize(
    "answer", [(503, {}), (429, {"Retry-After": "60"}), None], ids=["503", "429", "down"]
)
def test_what_a_collector_in_trouble_missed_comes_when_the_visitor_is_back(site: Site, page: Page, answer):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    context = page.context
    site.is_down = answer is None
    site.answers += [answer] * 50 if answer else []
    for _ in range(3):
        page.click("p")
    close(page)
    back = context.new_page()
    back.goto(elsewhere(site))
    assert len(back.evaluate(KEPT)) == 1
    assert site.of("click") == []
    site.is_down = False
    site.answers.clear()
    back.goto(site.origin)
    site.wait_for("click", "click", "click", "page_leave", "page_view", "page_view")
    assert [event["seq"] for event in site.events] == [1, 2, 3, 4, 5, 1]
    until_nothing_is_kept(back)


def test_what_happened_offline_comes_when_the_visitor_is_back(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    context = page.context
    context.set_offline(True)
    page.click("p")
    close(page)
    back = context.new_page()
    context.set_offline(False)
    back.goto(site.origin)
    site.wait_for("click", "page_leave", "page_view", "page_view")
    until_nothing_is_kept(back)


def test_a_beacon_is_kept_until_a_later_page_has_an_answer_for_it(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.click("p")
    page.goto(elsewhere(site))
    site.wait_for("click", "page_leave")
    assert len(page.evaluate(KEPT)) == 1
    page.goto(site.origin)
    until_nothing_is_kept(page)
    batches = [[event["type"] for event in batch["events"]] for batch in site.batches]
    assert batches == [["page_view"], ["click", "page_leave"], ["page_view"], ["click", "page_leave"]]


def test_three_hundred_clicks_and_an_immediate_close_all_arrive(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>", consent="cookieless"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 300; n++) document.querySelector('p').click()")
    close(page)
    site.wait_for_count(302)
    assert [event["seq"] for event in site.events] == list(range(1, 303))


def test_of_more_than_beacons_can_carry_the_rest_comes_when_the_visitor_is_back(site: Site, page: Page):
    cells = "".join(f'<li data-note="note {n} {"of many words " * 10}"><b>{n}</b></li>' for n in range(300))
    page.goto(site.page(f"<ul>{cells}</ul>"))
    site.wait_for("page_view")
    context = page.context
    page.evaluate("document.querySelectorAll('b').forEach(b => b.click())")
    close(page)
    back = context.new_page()
    back.goto(site.page("<p>back</p>", path="/back"))
    site.wait(lambda site: len(site.of("click")) == 300)
    until_nothing_is_kept(back)


def test_of_fifty_clicks_that_close_or_leave_the_page_none_is_lost(site: Site, page: Page):
    site.page("<p>next</p>", path="/next", consent="off")
    address = site.page('<a href="/next">go</a>', consent="cookieless")
    context = page.context
    for _ in range(25):
        page.goto(address)
        page.wait_for_function("!!window.expost")
        page.click("a")
        page.wait_for_url("**/next")
    for _ in range(25):
        tab = context.new_page()
        tab.goto(address)
        tab.wait_for_function("!!window.expost")
        tab.evaluate("document.querySelector('a').addEventListener('click', event => event.preventDefault())")
        tab.click("a")
        close(tab)
    site.wait(lambda site: len(site.of("page_leave")) == 50 and len(site.of("click")) == 50)


def test_one_tab_at_a_time_sends_what_is_kept(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    # The lock first: the page itself would send what is kept with the answer to its view.
    page.evaluate(
        """new Promise(held => navigator.locks.request('expost', () => new Promise(free => {
          window.free = free; held();
        })))"""
    )
    page.evaluate(KEEP, [1, "kept", 10])
    other = page.context.new_page()
    other.goto(site.origin)
    other.click("p")
    site.wait_for("page_view", "page_view", "click")
    assert len(page.evaluate(KEPT)) == 1
    page.evaluate("free()")
    page.wait_for_function("navigator.locks.query().then(({held}) => held.length === 0)")
    other.click("p")
    until_nothing_is_kept(other)
    assert names(site) == {"kept": 1}


def test_a_page_that_is_hidden_lets_go_of_what_it_had_claimed(site: Site, page: Page):
    page.add_init_script(STATE)
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate(KEEP, [1, "kept", 10])
    site.answers += [(204, {}), (503, {"Retry-After": "60"})]
    page.click("p")
    held = "navigator.locks.query().then(({held}) => held.length === %d)"
    page.wait_for_function(held % 1)
    page.evaluate(HIDE)
    page.wait_for_function(held % 0)


def test_what_is_older_than_two_days_or_more_than_256_kb_is_given_up(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    for hours, name, size in (
        (49, "old", 10), (47, "pushed out", 100_000), (40, "large", 100_000), (1, "new", 100_000),
    ):  # fmt: skip
        page.evaluate(KEEP, [hours, name, size])
    page.evaluate("localStorage['expost:wk_other:x'] = localStorage.expostulate = 'of another'")
    page.click("p")
    page.wait_for_function(KEPT + ".length === 1")
    assert names(site) == {"large": 1, "new": 1}
    page.evaluate("expost('consent', 'off')")
    assert page.evaluate("Object.keys(localStorage)") == ["expostulate"]


@pytest.mark.parametrize("mode", ["off", "cookieless"])
def test_who_takes_consent_back_leaves_nothing_kept(site: Site, page: Page, mode: str):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    site.is_down = True
    page.click("p")
    page.wait_for_function(KEPT + ".length === 1")
    page.evaluate(f"expost('consent', '{mode}')")
    assert page.evaluate("Object.keys(localStorage)") == []
    site.is_down = False
    page.evaluate("expost('consent', 'cookieless'); expost('track', 'afterwards')")
    site.wait_for("custom")
    assert len(site.of("click")) == (mode == "cookieless")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_mode_cookieless_keeps_nothing_in_the_browser_whatever_fails(site: Site, page: Page):
    page.add_init_script(
        STATE
        + """window.written = [];
        Storage.prototype.setItem = name => written.push(name);
        Object.defineProperty(window, 'localStorage', { get() { written.push('opened'); throw Error('closed') } });"""
    )
    site.answers += [(503, {}), (429, {"Retry-After": "1"})]
    page.goto(site.page("<p>shop</p>", consent="cookieless"))
    page.click("p")
    page.evaluate(HIDE)
    page.evaluate("state = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    site.wait_for("page_view", "click")
    assert page.evaluate("written") == []
