from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.snippet_site import Site


def posts(site: Site):
    return [request for request in site.requests if request.method == "POST"]


def test_one_script_is_all_that_is_asked_for_before_the_first_event(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    assert [(request.method, request.path) for request in site.requests] == [
        ("GET", "/"), ("GET", "/expost.js"), ("POST", "/e?k=wk_test"),
    ]  # fmt: skip
    (post,) = posts(site)
    assert post.headers["content-type"] == "text/plain"
    assert "cookie" not in post.headers
    assert post.batch is not None
    assert post.batch["v"] == 1
    assert post.batch["sent_at"] >= post.batch["page"]["start"]


def test_what_the_collector_could_not_take_comes_again_with_the_same_ids(site: Site, page: Page):
    site.answers += [(503, {}), (429, {"Retry-After": "1"}), (500, {})]
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    refused, limited, failed, taken, *_ = posts(site)
    assert [request.status for request in posts(site)][:4] == [503, 429, 500, 204]
    batches = [request.batch for request in (refused, limited, failed, taken) if request.batch]
    assert len({batch["events"][0]["id"] for batch in batches}) == 1
    sent_at = [batch.pop("sent_at") for batch in batches]
    assert sent_at == sorted(set(sent_at))
    assert sent_at[2] - sent_at[1] >= 1_000
    assert all(batch == batches[0] for batch in batches)
    page.click("p")
    site.wait_for("page_view", "click")
    assert [event["seq"] for event in site.events] == [1, 2]


def test_what_the_collector_refuses_for_good_is_not_sent_again(site: Site, page: Page):
    site.answers += [(400, {})]
    page.goto(site.page("<p>shop</p>"))
    site.wait(lambda site: len(posts(site)) == 1)
    page.click("p")
    site.wait_for("click")
    assert [request.status for request in posts(site)] == [400, 204]
    assert [event["type"] for event in site.events] == ["click"]


def test_a_click_that_leaves_the_page_arrives(site: Site, page: Page):
    site.page("<p>next</p>", path="/next")
    page.goto(site.page('<a href="/next">go</a>'))
    site.wait_for("page_view")
    page.click("a")
    site.wait_for("page_view", "click")
    (click,) = site.of("click")
    assert click["label"] == "go"
    (post,) = [request for request in posts(site) if request.batch and click["id"] in request.raw.decode()]
    assert post.headers["content-type"].startswith("text/plain")
    assert "OPTIONS" not in {request.method for request in site.requests}


def test_clicks_of_a_tab_that_is_closed_arrive(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 50; n++) document.querySelector('p').click()")
    page.close(run_before_unload=True)
    site.wait_for_count(52)
    assert [event["seq"] for event in site.events] == list(range(1, 53))


def test_a_burst_is_split_below_what_browsers_let_go_at_once(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 30; n++) expost('track', 'Big', {text: 'é'.repeat(3000), n})")
    site.wait(lambda site: len(site.of("custom")) == 30)
    assert [event["properties"]["n"] for event in site.of("custom")] == list(range(30))
    assert len(posts(site)) > 3
    assert all(len(request.raw) < 64 * 1024 for request in posts(site))


def test_many_events_leave_without_waiting(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 300; n++) document.querySelector('p').click()")
    site.wait(lambda site: len(site.of("click")) == 300)
    assert [event["seq"] for event in site.events] == list(range(1, 302))


def test_larger_bodies_are_packed(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.evaluate("for (let n = 0; n < 20; n++) document.querySelector('p').click()")
    site.wait(lambda site: len(site.of("click")) == 20)
    last = posts(site)[-1]
    assert int(last.headers["content-length"]) < len(last.raw) / 3


def test_a_beacon_goes_again_when_the_page_is_shown_again(site: Site, page: Page):
    page.add_init_script(
        "window.state = 'visible'; Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state })"
    )
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    site.answers += [(503, {})]
    page.click("p")
    page.evaluate("state = 'hidden'; document.dispatchEvent(new Event('visibilitychange'))")
    site.wait(lambda site: len(posts(site)) == 2)
    assert site.of("click") == []
    page.evaluate("state = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    site.wait_for("click")
    ids = [request.batch["events"][0]["id"] for request in posts(site)[1:] if request.batch]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_what_happened_while_the_network_was_away_arrives_when_it_is_back(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.click("p")
    page.context.set_offline(False)
    page.click("p")
    site.wait_for("click", "click")
    assert [event["seq"] for event in site.events] == [1, 2, 3]
