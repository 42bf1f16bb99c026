"""The second file of the snippet, for tests that need it to have begun."""

from __future__ import annotations

from playwright.sync_api import Page

from expost.collector.script import hash_of
from tests.browser.snippet_site import SNIPPET, Request, Site

AT = {
    name: f"/expost-{hash_of((SNIPPET / f'expost-{name}.js').read_bytes())}.js" for name in ("more", "vitals")
}


def requests_of(site: Site, name: str) -> list[Request]:
    return [request for request in site.requests if request.path == AT[name]]


def open_with_more(site: Site, page: Page, body: str, **data: str) -> None:
    """Opens a page with the tag, once the second file has begun in it."""
    page.goto(site.page(body, **data))
    until_more(site, page)


def until_more(site: Site, page: Page, name: str = "more") -> None:
    """Returns once the second file has begun in the page that is open."""
    before = len(site.of("page_view"))
    site.wait(lambda site: len(site.of("page_view")) >= max(before, 1) and requests_of(site, name))
    # The same module a second time is there when it was there the first time.
    address = f"http://127.0.0.1:{site.port}{AT[name]}"
    page.evaluate("address => import(address).then(() => new Promise(done => setTimeout(done)))", address)
