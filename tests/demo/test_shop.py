"""The shop by itself: every page is there and carries the tag; a real hand in a real browser can use it."""

import re
from http.client import HTTPConnection

import pytest

from expost.demo.actions import PAGES, perform
from expost.demo.behaviour import variation_of
from expost.demo.chromium import Chromium
from expost.demo.shop_server import CATEGORIES, PRODUCTS, ShopServer, render_page

TAG = '<script async src="http://127.0.0.1:1/expost.js" data-key="xw_test" data-consent="full"></script>'
PATHS = sorted(
    {page.path.partition("?")[0] for page in PAGES.values()} | {"/account/wishlist", "/account/settings"}
)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_carries_the_tag_once(path):
    status, html = render_page(path, TAG)
    assert status == 200
    assert html.count(TAG) == 1


def test_a_page_that_is_not_there_says_so_and_still_carries_the_tag():
    status, html = render_page("/nowhere", TAG)
    assert status == 404
    assert TAG in html


def test_links_inside_the_shop_lead_somewhere():
    links = {
        link
        for path in PATHS
        for link in re.findall(r'(?:href|data-href)="(/[^"?#]*)', render_page(path, "")[1])
    }
    pages = {link for link in links if not link.startswith("/static/")}
    assert {f"/product/{slug}" for slug in PRODUCTS} | {f"/category/{slug}" for slug in CATEGORIES} <= pages
    assert [link for link in pages if render_page(link, "")[0] != 200] == []


def test_files_are_served_by_name_only():
    with ShopServer(tag="") as shop:
        connection = HTTPConnection("127.0.0.1", shop.port)
        answers = {}
        for path in ("/static/shop.css", "/static/../products.json", "/static/nothing.js", "/products.json"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            answers[path] = answer.status
        connection.close()
    assert answers == {
        "/static/shop.css": 200, "/static/../products.json": 404, "/static/nothing.js": 404, "/products.json": 200,
    }  # fmt: skip


@pytest.fixture
def browser(chromium_path):
    with Chromium(chromium_path) as browser:
        yield browser


@pytest.mark.browser
def test_a_visitor_keeps_the_variation_that_python_computes_for_their_key(browser):
    with ShopServer(tag="") as shop:
        tab = browser.open_tab()
        tab.go(f"{shop.url}/checkout")
        for key in ("a", "b", "5f0c2e9a-0000-4000-8000-000000000000", "ümlaut"):
            assert tab.value_of(f"variationOf({key!r})") == variation_of(key)
        shown = tab.value_of("document.querySelector('form.checkout').classList[1]")
        key = tab.value_of("JSON.parse(localStorage.visitor)")
        assert shown == {"control": "classic", "treatment": "stepped"}[variation_of(key)]


@pytest.mark.browser
def test_a_wish_in_the_address_decides_the_variation_from_then_on(browser):
    with ShopServer(tag="") as shop:
        tab = browser.open_tab()
        for wished, form in (("treatment", "stepped"), ("control", "classic")):
            tab.go(f"{shop.url}/?variation={wished}")
            tab.go(f"{shop.url}/checkout")
            assert tab.value_of("document.querySelector('form.checkout').className") == f"checkout {form}"


@pytest.mark.browser
def test_what_a_hand_does_is_trusted_and_reaches_into_shadow_roots(browser):
    with ShopServer(tag="") as shop:
        tab = browser.open_tab()
        tab.run_first(
            "window.seen = []; for (const type of ['click', 'change', 'submit']) addEventListener(type, (event) => "
            "seen.push(`${type} ${event.composedPath()[0].localName} ${event.isTrusted}`), true)"
        )
        product = PAGES["product-sencha"]
        tab.go(shop.url + product.path)
        for name in ("size-250", "rate", "add"):
            perform(product.action(name), tab)
        assert tab.value_of("seen") == [
            "click input true", "change input true", "click path true", "click span true",
        ]  # fmt: skip
        assert tab.value_of("document.getElementById('cart-count').textContent") == "1"


@pytest.mark.browser
def test_no_form_puts_what_was_typed_into_an_address(browser):
    with ShopServer(tag="") as shop:
        tab = browser.open_tab()
        signup = PAGES["signup"]
        tab.go(shop.url + signup.path)
        for name in ("name", "email", "password", "terms", "sign-up"):
            perform(signup.action(name), tab)
        assert tab.value_of("location.pathname + location.search") == "/account/orders"
        assert tab.value_of("document.getElementById('member-name').textContent") == ", A. Visitor"
