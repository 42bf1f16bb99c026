from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.snippet_site import Site, running_site

REMEMBER = """async () => {
  window.name = localStorage.a = sessionStorage.a = 'a';
  document.cookie = 'a=a; domain=shop.localhost';
  await new Promise((done) => (indexedDB.open('a').onsuccess = done));
}"""
REMEMBERED = """async () => [
  window.name, document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
]"""


@pytest.fixture(scope="module")
def one_site() -> Iterator[Site]:
    """A page that browsers may keep, at the same address for all tests of this file."""
    with running_site() as site:
        site.pages["/"] = "<!doctype html><title>Shop</title>"
        site.headers["Cache-Control"] = "max-age=3600"
        yield site


def test_the_browser_answers_matches(page: Page):
    page.set_content("<form class=signup><button type=submit>Join</button></form>")
    assert page.locator("button").evaluate("button => button.matches('form.signup button[type=submit]')")


def times_asked(site: Site) -> int:
    return [request.path for request in site.requests].count("/")


@pytest.mark.parametrize("which", ["first", "next"])
def test_a_tab_finds_nothing_of_the_test_before_it(one_site: Site, page: Page, which: str):
    # Its own, and the one that stays blank.
    assert [tab.url for tab in page.context.pages] == ["about:blank", "about:blank"]
    asked = times_asked(one_site)
    page.goto(f"http://www.shop.localhost:{one_site.port}/")
    assert times_asked(one_site) == asked + 1
    assert page.evaluate(REMEMBERED) == ["", "", 0, 0, 0]
    page.evaluate(REMEMBER)
    assert page.evaluate(REMEMBERED) == ["a", "a=a", 1, 1, 1]
    page.context.new_page().goto(one_site.origin)
    page.context.set_offline(True)
    page.context.route("**/*", lambda route: route.abort())
