from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.snippet_site import Site

STATE = """
    window.state = 'visible';
    Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state });
"""


def views(site: Site):
    return [event["view_"]["url"].removeprefix(site.origin) for event in site.of("page_view")]


def test_a_single_page_app_is_followed_and_a_navigation_to_the_same_place_is_no_view(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>", path="/a"))
    site.wait_for("page_view")
    answers = page.evaluate(
        """[history.pushState({n: 1}, '', '/b?x=1'), history.state.n, history.pushState({n: 2}, '', '/b?x=1'),
            history.replaceState(null, '', '/c'), history.length > 2]"""
    )
    assert answers == [None, 1, None, None, True]
    page.evaluate("document.title = 'Place c'")
    page.click("p")
    page.evaluate("location.hash = 'part'")
    page.evaluate("location.hash = 'part'")
    page.go_back()
    page.wait_for_url("**/c")
    page.go_back()
    page.wait_for_url("**/b?x=1")
    page.evaluate("expost('track', 'end')")
    site.wait_for("custom")
    assert views(site) == ["/a", "/b?x=…", "/c", "/c#part", "/c", "/b?x=…"]
    (click,) = site.of("click")
    assert click["view_"]["url"].endswith("/c")
    assert click["view_"]["title"] == "Place c"
    assert len({event["batch"]["page"]["id"] for event in site.events}) == 1
    assert [event["seq"] for event in site.events] == list(range(1, 9))


def test_a_page_carries_where_it_was_come_from_without_values(site: Site, page: Page):
    page.goto(site.page('<a href="/next?to=2">on</a>', path="/") + "?from=secret")
    site.page("<p>next</p>", path="/next")
    page.click("a")
    site.wait_for("page_view", "click", "page_view")
    first, second = site.of("page_view")
    assert first["view_"]["referrer"] == ""
    assert first["t"] == 0
    # The browser's own policy keeps the address of the same origin.
    assert second["view_"]["referrer"] == site.origin + "/?from=…"
    assert second["view_"]["marks"] == ["url", "referrer"]
    assert second["batch"]["page"]["start"] > first["batch"]["page"]["start"]


def test_a_page_that_comes_back_from_the_browsers_memory_is_seen_once_more(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    # Each page is shown once without having been left: that is its load.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    site.wait_for("page_view", "page_view")
    first, left, second = site.events
    assert first["batch"]["page"] == second["batch"]["page"]
    assert [first["seq"], left["seq"], second["seq"]] == [1, 2, 3]
    assert second["t"] > 0


def turned(state: str) -> str:
    return f"state = '{state}'; document.dispatchEvent(new Event('visibilitychange'))"


def test_a_page_that_is_left_tells_how_long_it_was_to_be_seen_and_what_its_last_number_was(
    site: Site, page: Page
):
    page.goto(site.page("<p>shop</p>"))
    page.click("p")
    page.goto("about:blank")
    site.wait_for("page_leave")
    view, click, leave = site.events
    assert (view["type"], click["type"], leave["type"]) == ("page_view", "click", "page_leave")
    assert leave["seq"] == 3
    assert leave["properties"] == {"dwell_ms": round(leave["t"])}
    assert leave["t"] > click["t"]


def test_time_for_which_a_page_is_hidden_is_no_dwell_and_hiding_it_is_not_leaving(site: Site, page: Page):
    page.add_init_script(STATE)
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    hidden = page.evaluate(turned("hidden") + "; performance.now()")
    shown = page.evaluate(
        "() => new Promise(done => setTimeout(() => {"
        + turned("visible")
        + "; done(performance.now()) }, 300))"
    )
    page.evaluate(turned("hidden") + "; expost('track', 'in the background')")
    page.close(run_before_unload=True)
    site.wait_for("page_leave")
    assert [event["type"] for event in site.events] == ["page_view", "custom", "page_leave"]
    _, custom, leave = site.events
    assert shown - hidden >= 299
    # It is left when it was last to be seen, not when the tab was closed.
    assert shown < leave["t"] <= custom["t"]
    assert abs(leave["properties"]["dwell_ms"] - (leave["t"] - (shown - hidden))) < 5


def test_a_page_that_comes_back_is_left_once_more(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    away = "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}));"
    page.evaluate(away + away + turned("visible").partition(";")[2])
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.click("p")
    page.goto("about:blank")
    site.wait_for("page_leave", "page_leave")
    assert [event["type"] for event in site.events] == [
        "page_view", "page_leave", "page_view", "click", "page_leave",
    ]  # fmt: skip
    assert [event["seq"] for event in site.events] == [1, 2, 3, 4, 5]
    _, _, again, _, leave = site.events
    assert abs(leave["properties"]["dwell_ms"] - (leave["t"] - again["t"])) < 2
    assert len({event["batch"]["page"]["id"] for event in site.events}) == 1


def test_a_page_that_is_prerendered_is_no_view_until_it_is_shown(site: Site, page: Page):
    page.add_init_script(
        "window.hidden = true; Object.defineProperty(Document.prototype, 'prerendering', { get: () => window.hidden })"
    )
    page.goto(site.page("<p>shop</p>"))
    page.wait_for_function("!!window.expost")
    page.evaluate("expost('track', 'early')")
    page.goto(site.origin + "/")  # never shown: nothing of it may arrive
    page.wait_for_function("!!window.expost")
    page.evaluate(
        "expost('track', 'kept'); window.hidden = false; document.dispatchEvent(new Event('prerenderingchange'))"
    )
    site.wait_for("page_view", "custom")
    assert [event.get("name") for event in site.events] == [None, "kept"]
    assert site.events[0]["t"] > 0


def test_a_second_tag_in_the_page_changes_nothing(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>" + site.tag()))
    page.wait_for_load_state()
    page.click("p")
    site.wait_for("page_view", "click")
    assert [event["type"] for event in site.events] == ["page_view", "click"]


def test_pages_that_patch_what_we_use_go_on_working_and_are_captured(site: Site, page: Page):
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    head = """<script>
      Object.freeze(history);
      window.addEventListener('click', () => {}, true);
    </script>"""
    page.goto(site.page('<img name="title"><form name="documentElement"><p>shop</p></form>', head=head))
    page.wait_for_function("!!window.expost")
    page.evaluate(
        """window.fetch = () => { throw Error('patched') };
        Node.prototype.contains = () => { throw Error('patched') };
        Object.defineProperty(Node.prototype, 'parentNode', { get() { throw Error('patched') } });"""
    )
    page.evaluate("document.querySelector('p').click()")
    site.wait_for("page_view", "click")
    assert [element["tag"] for element in site.of("click")[0]["chain"]] == ["p", "form", "body", "html"]
    assert errors == []
