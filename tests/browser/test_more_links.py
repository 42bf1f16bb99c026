"""A site on two domains, with `data-domains`."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.second_file import until_more
from tests.browser.snippet_site import Site

DOMAINS = "one.localhost two.localhost"
TOKEN = r"_xp=[0-9a-z]+\.[0-9a-f-]{36}\.[0-9a-z]+-[0-9a-z]+"
HREFS = """window.hrefs = [];
  for (const type of ['click', 'auxclick']) addEventListener(type, event => {
    const link = event.composedPath().find(node => node.href);
    if (link) hrefs.push(link.getAttribute('href'));
    event.preventDefault();
  });"""


def at(site: Site, domain: str, path: str = "/") -> str:
    return f"http://{domain}.localhost:{site.port}{path}"


def start(site: Site, page: Page, body: str, **data: str) -> None:
    site.page(body, **({"domains": DOMAINS} | data))
    page.goto(at(site, "one"))
    until_more(site, page)


def devices(site: Site) -> list[str | None]:
    return [event["batch"].get("device") for event in site.of("page_view")]


def test_who_follows_a_link_to_another_domain_stays_the_same_device(site: Site, page: Page):
    site.page("<p>two</p>", path="/two", domains=DOMAINS)
    start(site, page, f'<a href="{at(site, "two", "/two?plan=pro#top")}">two</a>')
    page.click("a")
    page.wait_for_url(re.compile("/two"))
    site.wait_for("page_view", "page_view", "click", "page_leave")
    assert devices(site)[0] == devices(site)[1]
    assert devices(site)[0]
    # Nobody sees what was handed over: neither in the address nor in what was sent.
    page.wait_for_url(at(site, "two", "/two?plan=pro#top"))
    assert "_xp" not in "".join(request.raw.decode() for request in site.requests)
    handed = [request.path for request in site.requests if request.path.startswith("/two")]
    assert re.fullmatch(rf"/two\?plan=pro&{TOKEN}", handed[0])
    page.evaluate("history.replaceState(null, '', location.href); expost('track', 'end')")
    site.wait_for("custom")
    assert len(site.of("page_view")) == 2


def test_a_link_carries_the_device_only_while_it_is_followed(site: Site, page: Page):
    href = at(site, "two", "/two")
    start(site, page, f'<a class=away href="{href}">two</a><a class=home href="/x">x</a>')
    page.evaluate(HREFS)
    page.hover(".away")
    page.mouse.down()
    assert page.get_attribute(".away", "href") == href
    page.mouse.up()
    page.wait_for_function("href => document.querySelector('.away').getAttribute('href') === href", arg=href)
    page.focus(".away")
    page.keyboard.press("Enter")
    page.click(".away", button="middle")
    page.click(".away", button="right")
    page.click(".home")
    told = page.evaluate("hrefs")
    assert [bool(re.search(TOKEN, href)) for href in told] == [True, True, True, False, False]
    assert page.get_attribute(".away", "href") == href
    site.wait_for("click", "click", "click")
    assert all("_xp" not in str(event["chain"]) for event in site.events)


FOREIGN = [
    "http://shop.example/",
    "mailto:ann@two.localhost",
    "http://two.localhost.example/",
    "http://xtwo.localhost/",
]


@pytest.mark.parametrize("href", FOREIGN)
def test_nobody_else_is_handed_a_device(site: Site, page: Page, href: str):
    start(site, page, f'<a href="{href}">away</a>')
    page.evaluate(HREFS)
    page.click("a")
    assert page.evaluate("hrefs") == [href]


def test_subdomains_are_of_the_site_too(site: Site, page: Page):
    start(site, page, f'<a href="{at(site, "shop.two")}">away</a>')
    page.evaluate(HREFS)
    page.click("a")
    assert re.search(TOKEN, page.evaluate("hrefs")[0])


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_form_that_is_sent_to_another_domain_hands_it_over_too(site: Site, page: Page, method: str):
    site.page("<p>two</p>", path="/two", domains=DOMAINS)
    action = at(site, "two", "/two")
    start(
        site,
        page,
        f'<form action="{action}" method={method} target=out><input name=action value=q><button>go</button></form>',
    )
    page.context.route("**/two*", lambda route: route.fulfill(body="two"))
    with page.context.expect_event("request", lambda request: "/two" in request.url) as sent:
        page.click("button")
    assert re.search(TOKEN, sent.value.url)
    assert page.get_attribute("form", "action") == action
    assert page.locator("input").count() == 1


def test_without_a_device_nothing_is_handed_over(site: Site, page: Page):
    href = at(site, "two", "/two")
    start(site, page, f'<a href="{href}">two</a>', consent="cookieless")
    page.evaluate(HREFS)
    page.click("a")
    assert page.evaluate("hrefs") == [href]


def handed_over(site: Site, page: Page) -> str:
    """A token of a page on the first domain."""
    start(site, page, f'<a href="{at(site, "two", "/two")}">two</a>')
    page.evaluate(HREFS)
    page.click("a")
    found = re.search(TOKEN, page.evaluate("hrefs")[0])
    assert found
    return found[0]


CHANGES = {
    "of another key": lambda token: (token, {"key": "wk_other"}),
    "that was changed": lambda token: (re.sub(r"\.[0-9a-f]", ".f", token, count=1), {}),
    "that is broken": lambda _token: ("_xp=x", {}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_token_is_not_taken(site: Site, page: Page, change: str):
    token, data = CHANGES[change](handed_over(site, page))
    site.page("<p>two</p>", path="/two", **({"domains": DOMAINS} | data))
    page.goto(at(site, "two", f"/two?{token}"))
    site.wait_for("page_view", "page_view")
    assert len(set(devices(site))) == 2
    page.wait_for_url(at(site, "two", "/two"))


def test_a_token_that_is_older_than_two_minutes_is_not_taken(site: Site, page: Page):
    token = handed_over(site, page)
    site.page("<p>two</p>", path="/two", domains=DOMAINS)
    page.add_init_script("const { now } = Date; Date.now = () => now() + 121e3")
    page.goto(at(site, "two", f"/two?{token}"))
    site.wait_for("page_view", "page_view")
    assert len(set(devices(site))) == 2


def test_a_browser_that_is_known_here_keeps_its_device(site: Site, page: Page):
    site.page("<p>two</p>", path="/two", domains=DOMAINS)
    page.goto(at(site, "two", "/two"))
    site.wait_for("page_view")
    known = devices(site)[0]
    token = handed_over(site, page)
    page.goto(at(site, "two", f"/two?{token}"))
    site.wait_for("page_view", "page_view", "page_view")
    assert devices(site)[-1] == known


def test_consent_that_waits_does_not_hinder_the_handover(site: Site, page: Page):
    stub = "window.expost = (...call) => expost.q.push([performance.now(), call]); expost.q = [];"
    head = f"<script>{stub} expost('consent', 'full')</script>"
    site.page("<p>two</p>", path="/two", domains=DOMAINS, consent="cookieless", head=head)
    start(site, page, f'<a class=away href="{at(site, "two", "/two")}">two</a>')
    page.click("a")
    page.wait_for_url(re.compile("two.localhost.*/two$"))
    site.wait_for("page_view", "page_view")
    assert devices(site)[0] == devices(site)[1]
    page.evaluate("history.replaceState(null, '', location.href); expost('track', 'end')")
    site.wait_for("custom")
    assert len(site.of("page_view")) == 2
    assert "_xp" not in "".join(request.raw.decode() for request in site.requests)
