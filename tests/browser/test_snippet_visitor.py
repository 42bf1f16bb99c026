"""What the snippet knows of a browser and says of it with every batch."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.snippet_site import Site

CHANGE = """changes => {
  const entry = JSON.parse(localStorage.expost);
  for (const [name, by] of Object.entries(changes)) entry[name] += by;
  localStorage.expost = JSON.stringify(entry);
}"""
SEEN = """ago => {
  const entry = JSON.parse(localStorage.expost);
  localStorage.expost = JSON.stringify({ ...entry, seen: Date.now() - ago });
}"""
HOUR = 3_600_000
WRITES = """
  window.writes = 0;
  const own = Object.getOwnPropertyDescriptor(window, 'localStorage').get.call(window);
  const counted = new Proxy(own, {
    get: (_, name) => { const value = own[name]; return typeof value === 'function' ? value.bind(own) : value; },
    set: (_, name, value) => { if (name === 'expost') writes++; own[name] = value; return true; },
  });
  Object.defineProperty(window, 'localStorage', { value: counted });
"""


def sessions(site: Site) -> list[int]:
    return [event["batch"]["session"] for event in site.of("custom")]


def say(site: Site, page: Page, name: str) -> None:
    count = len(site.of("custom"))
    page.evaluate("name => expost('track', name)", name)
    site.wait(lambda site: len(site.of("custom")) > count)


def test_a_session_ends_after_half_an_hour_without_events_or_after_a_day(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    say(site, page, "first")
    page.evaluate(CHANGE, {"seen": -29 * HOUR / 60})
    say(site, page, "still there")
    page.evaluate(CHANGE, {"seen": -31 * HOUR / 60})
    say(site, page, "back after half an hour")
    page.evaluate(CHANGE, {"since": -23.9 * HOUR})
    say(site, page, "busy for nearly a day")
    page.evaluate(CHANGE, {"since": -0.2 * HOUR})
    say(site, page, "busy for more than a day")
    assert sessions(site) == [1, 1, 2, 2, 3]


def test_two_tabs_are_one_session_of_one_device_on_two_pages(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    other = page.context.new_page()
    other.goto(site.origin)
    site.wait_for("page_view", "page_view")
    say(site, other, "other")
    say(site, page, "one")
    batches = site.batches
    assert len({batch["device"] for batch in batches}) == 1
    assert {batch["session"] for batch in batches} == {1}
    assert sorted({batch["page"]["ordinal"] for batch in batches}) == [1, 2]


def test_a_visitor_who_stays_is_written_down_every_five_seconds_at_most(site: Site, page: Page):
    page.add_init_script(WRITES)
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 50; n++) expost('exposure', {flag: 'f', variation: 'on'})")
    page.evaluate(SEEN, 0)
    written = page.evaluate("writes")
    say(site, page, "a moment later")
    assert page.evaluate("writes") == written
    assert written <= 4  # at the start, the exposure, and ours; one more on a very slow machine
    page.evaluate(SEEN, 6_000)
    say(site, page, "later")
    assert page.evaluate("writes") == written + 2


def test_every_batch_says_which_text_was_answered(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>", **{"consent": "cookieless", "consent-version": "2026-10"}))
    site.wait_for("page_view")
    page.evaluate("expost('consent', 'full', '2026-11')")
    say(site, page, "after the answer")
    # Who says the same again keeps the version.
    page.evaluate("expost('consent', 'full')")
    say(site, page, "later")
    assert [(batch["consent"], batch["consent_version"]) for batch in site.batches] == [
        ("cookieless", "2026-10"), ("full", "2026-11"), ("full", "2026-11"),
    ]  # fmt: skip


def test_consent_that_was_given_before_the_script_came_brings_its_version(site: Site, page: Page):
    stub = "window.expost = (...call) => expost.q.push([performance.now(), call]); expost.q = [];"
    head = f"<script>{stub} expost('consent', 'full', '2026-12');</script>"
    page.goto(site.page("<p>shop</p>", head=head, consent="cookieless"))
    site.wait_for("page_view")
    (batch,) = site.batches
    assert (batch["consent"], batch["consent_version"]) == ("full", "2026-12")


def test_somebody_of_the_sites_own_is_known_again_and_can_stop_being_it(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("expost('internal')")
    say(site, page, "inside")
    page.evaluate("expost('reset')")
    site.wait_for("reset")
    page.reload()
    site.wait(lambda site: len(site.of("page_view")) == 2)
    page.evaluate("expost('internal', false)")
    say(site, page, "outside")
    told = [
        (event["type"], event["batch"].get("internal"))
        for event in site.events
        if event["type"] != "page_leave"
    ]
    assert told == [
        ("page_view", None), ("custom", True), ("reset", True), ("page_view", True), ("custom", False),
    ]  # fmt: skip


def test_a_later_page_tells_the_last_numbers_of_those_that_were_left(site: Site, page: Page):
    site.page("<p>next</p>", path="/next")
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.click("p")
    page.goto(site.origin + "/next")
    site.wait(lambda site: len(site.of("page_view")) == 2)
    (last,) = {batch["page"]["ordinal"] for batch in site.batches} - {1}
    of_next = [batch for batch in site.batches if batch["page"]["ordinal"] == last]
    assert of_next[0]["counts"] == {"1": 3}  # view, click, leave
    assert site.of("page_leave")[0]["seq"] == 3


def test_a_page_that_is_shown_again_has_no_last_number_until_it_is_left_again(site: Site, page: Page):
    page.add_init_script(
        "window.state = 'visible'; Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state })"
    )
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    counts = "JSON.parse(localStorage.expost).counts"
    page.evaluate("state = 'hidden'; document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate(counts) == {"1": 1}
    page.evaluate("state = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    say(site, page, "goes on")
    assert page.evaluate(counts) == {}


def test_numbers_of_the_latest_sixteen_pages_are_kept(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate(
        """() => {
          const entry = JSON.parse(localStorage.expost);
          entry.pages = 100;
          for (let page = 80; page <= 100; page++) entry.counts[page] = 2;
          localStorage.expost = JSON.stringify(entry);
        }"""
    )
    page.goto(site.origin)
    site.wait(lambda site: len(site.of("page_view")) == 2)
    page.goto("about:blank")
    site.wait(lambda site: len(site.of("page_leave")) == 2)
    page.goto(site.origin)
    site.wait(lambda site: len(site.of("page_view")) == 3)
    newest = max(site.batches, key=lambda batch: batch["page"]["ordinal"])
    assert sorted(map(int, newest["counts"])) == list(range(86, 102))


def test_a_reset_takes_the_last_numbers_of_another_device_along(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.goto(site.origin)
    site.wait(lambda site: len(site.of("page_view")) == 2)
    page.evaluate("expost('reset')")
    say(site, page, "somebody else")
    assert site.batches[-1]["counts"] == {}
    # Nor has that device ever had this page's number.
    page.goto("about:blank")
    site.wait(lambda site: len(site.of("page_leave")) == 2)
    page.goto(site.origin)
    site.wait(lambda site: len(site.of("page_view")) == 3)
    assert page.evaluate("JSON.parse(localStorage.expost).counts") == {}


def test_a_failure_is_told_once_and_the_page_does_not_notice(site: Site, page: Page):
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("expost('exposure'); expost('group', 'account'); expost('exposure', null)")
    site.wait_for("snippet_error")
    say(site, page, "goes on")
    (failure,) = site.of("snippet_error")
    assert failure["name"].startswith("TypeError")
    assert errors == []


@pytest.mark.parametrize("before", ["off", "cookieless"])
def test_of_what_was_said_before_the_script_came_the_last_word_holds_and_nothing_else(
    site: Site, page: Page, before: str
):
    stub = "window.expost = (...call) => expost.q.push([performance.now(), call]); expost.q = [];"
    head = f"<script>{stub} expost('consent', '{before}'); expost('consent', 'full');</script>"
    page.goto(site.page("<p>shop</p>", head=head, consent="off"))
    site.wait_for("page_view")
    page.goto(site.origin)
    site.wait(lambda site: len(site.of("page_view")) == 2)
    first, second = [event["batch"] for event in site.of("page_view")]
    assert first["device"] == second["device"]
    assert [batch["page"]["ordinal"] for batch in (first, second)] == [1, 2]


@pytest.mark.parametrize("mode", ["off", "cookieless"])
def test_what_one_tab_deleted_no_other_writes_again(site: Site, page: Page, mode: str):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    other = page.context.new_page()
    other.goto(site.origin)
    site.wait_for("page_view", "page_view")
    page.evaluate("mode => expost('consent', mode)", mode)
    say(site, other, "in the other tab")
    assert site.of("custom")[0]["batch"]["consent"] == "cookieless"
    assert "device" not in site.of("custom")[0]["batch"]
    other.goto("about:blank")
    site.wait(lambda site: any(event["batch"]["consent"] == "cookieless" for event in site.of("page_leave")))
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_page_is_not_counted_for_a_device_that_another_tab_drew_anew(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    other = page.context.new_page()
    other.goto(site.origin)
    site.wait_for("page_view", "page_view")
    page.evaluate("expost('reset')")
    site.wait_for("reset")
    other.goto("about:blank")
    site.wait_for("page_leave")
    assert page.evaluate("JSON.parse(localStorage.expost).counts") == {}
