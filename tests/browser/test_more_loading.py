"""How the second file comes: late, only where it was asked for, and under any policy that lets the first in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.second_file import AT, open_with_more, requests_of
from tests.browser.snippet_site import Site


def test_a_page_that_asks_for_nothing_more_never_asks_for_it(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    page.click("p")
    site.wait_for("page_view", "click")
    assert [request.path for request in site.requests if request.method == "GET"] == ["/", "/expost.js"]


def test_it_comes_after_the_first_batch_and_once(site: Site, page: Page):
    open_with_more(site, page, "<p>shop</p>", also="copy")
    page.click("p")
    site.wait_for("click")
    assert [(request.method, request.path) for request in site.requests] == [
        ("GET", "/"), ("GET", "/expost.js"), ("POST", "/e?k=wk_test"), ("GET", AT["more"]), ("POST", "/e?k=wk_test"),
    ]  # fmt: skip


def test_the_library_of_the_web_vitals_comes_only_for_them(site: Site, page: Page):
    open_with_more(site, page, "<p>shop</p>", also="copy scroll-depth downloads frames dead-clicks")
    assert requests_of(site, "vitals") == []
    page.goto(site.page("<p>shop</p>", path="/vitals", also="web-vitals"))
    site.wait(lambda site: requests_of(site, "vitals"))


def test_a_page_goes_on_where_it_does_not_come(site: Site, page: Page):
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.on("console", lambda message: errors.append(message.text) if "Uncaught" in message.text else None)
    page.route(f"**{AT['more']}", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.goto(site.page("<p>shop</p>", also="dead-clicks copy"))
    page.click("p")
    site.wait_for("page_view", "click")
    assert errors == []


POLICY = (
    "default-src 'self'; script-src 'nonce-n0nce'; connect-src 'self' http://127.0.0.1:*; "
    "require-trusted-types-for 'script'"
)


@pytest.mark.parametrize("policy", [POLICY, POLICY + "; trusted-types 'none'"])
def test_a_page_with_a_nonce_and_trusted_types_lets_it_in(site: Site, page: Page, policy: str):
    site.headers["Content-Security-Policy"] = policy
    address = site.page("<p>shop</p>", also="dead-clicks web-vitals")
    site.pages["/"] = site.pages["/"].replace("<script ", "<script nonce=n0nce ")
    page.goto(address)
    site.wait(lambda site: requests_of(site, "vitals"))
    page.click("p")
    site.wait_for("click")
    (click,) = site.of("click")
    assert click["properties"] == {"reaction": "none", "waited_ms": 1_000}


def test_words_it_does_not_know_and_events_without_end_change_nothing(site: Site, page: Page):
    open_with_more(
        site,
        page,
        "<input>",
        also="mousemove pointermove scroll wheel keydown input drag beforeunload page_view reset custom click <b>",
    )
    page.mouse.move(30, 30)
    page.mouse.wheel(0, 100)
    page.fill("input", "typed")
    page.press("input", "Tab")
    page.click("input")
    page.goto("about:blank")
    site.wait_for("page_leave")
    assert [event["type"] for event in site.events] == ["page_view", "change", "click", "page_leave"]
