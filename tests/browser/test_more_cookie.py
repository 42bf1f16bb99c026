"""What is known of a browser, in a cookie that all hosts of a domain see: `data-cookie`."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page

from tests.browser.second_file import until_more
from tests.browser.snippet_site import Site

DOMAIN = "shop.localhost"
TOUCHED = """
  const own = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  window.touched = [];
  Object.defineProperty(document, 'cookie', {
    get() { touched.push('read'); return own.get.call(document); },
    set(text) { touched.push(text); own.set.call(document, text); },
  });
"""
INTERVALS = "window.every = []; window.setInterval = (work) => every.push(work)"


def at(site: Site, host: str) -> str:
    return f"http://{host}.{DOMAIN}:{site.port}/"


def start(site: Site, page: Page, host: str = "www", **data: str) -> None:
    site.page("<p>shop</p>", **({"cookie": DOMAIN} | data))
    page.goto(at(site, host))
    until_more(site, page)


def cookie(page: Page) -> dict[str, object] | None:
    """What our cookie holds, once it is there or gone."""
    found = [each for each in page.context.cookies() if each.get("name") == "expost"]
    return json.loads(unquote(found[0].get("value", ""))) if found else None


def devices(site: Site) -> list[str | None]:
    return [event["batch"].get("device") for event in site.of("page_view")]


def test_hosts_of_a_domain_know_the_same_browser(site: Site, page: Page):
    start(site, page)
    site.wait_for("page_view")
    page.evaluate("expost('exposure', {flag: 'f', variation: 'on'})")
    site.wait_for("exposure")
    page.goto(at(site, "help"))
    site.wait(lambda site: len(site.of("page_view")) == 2)
    first, second = devices(site)
    assert first == second
    assert [event["batch"]["page"]["ordinal"] for event in site.of("page_view")] == [1, 2]
    assert {event["batch"]["session"] for event in site.of("page_view")} == {1}
    page.evaluate("expost('exposure', {flag: 'f', variation: 'on'}); expost('track', 'end')")
    site.wait_for("custom")
    assert len(site.of("exposure")) == 1


def test_the_cookie_is_one_of_the_domain_for_thirteen_months(site: Site, page: Page):
    start(site, page)
    site.wait_for("page_view")
    (found,) = page.context.cookies()
    assert (found.get("domain"), found.get("path"), found.get("sameSite")) == (f".{DOMAIN}", "/", "Lax")
    lasts = page.evaluate("expires => expires - Date.now() / 1000", found.get("expires"))
    assert 12 * 30 * 86_400 < lasts < 14 * 31 * 86_400


def test_without_the_name_of_a_domain_it_is_this_hosts_alone(site: Site, page: Page):
    site.pages["/"] = f"<!doctype html><head>{site.tag(cookie='HERE')}</head><p>shop</p>".replace("HERE", "")
    page.goto(at(site, "www"))
    until_more(site, page)
    site.wait_for("page_view")
    (found,) = page.context.cookies()
    assert found.get("domain") == f"www.{DOMAIN}"


@pytest.mark.parametrize("consent", ["cookieless", "off"])
def test_without_consent_no_cookie_is_written(site: Site, page: Page, consent: str):
    page.add_init_script(TOUCHED)
    site.page("<p>shop</p>", cookie=DOMAIN, consent=consent)
    page.goto(at(site, "www"))
    page.wait_for_function("!!window.expost && Object.hasOwn(expost.q, 'push')")
    page.evaluate("() => new Promise(done => setTimeout(done, 50))")
    touched = page.evaluate("touched")
    assert page.context.cookies() == []
    # Off deletes what there may be, without a look at it.
    assert [each.split(";")[0] for each in touched] == ([] if consent == "cookieless" else ["expost="])


def test_consent_at_run_time_finds_the_browser_that_another_host_knew(site: Site, page: Page):
    start(site, page)
    site.wait_for("page_view")
    start(site, page, "help", consent="cookieless")
    site.wait(lambda site: len(site.of("page_view")) == 2)
    page.evaluate("expost('consent', 'full'); expost('track', 'known again')")
    site.wait_for("custom")
    first, without = devices(site)
    assert without is None
    assert site.of("custom")[0]["batch"]["device"] == first


@pytest.mark.parametrize("mode", ["off", "cookieless"])
def test_who_takes_consent_back_leaves_no_cookie(site: Site, page: Page, mode: str):
    start(site, page)
    site.wait_for("page_view")
    assert cookie(page)
    page.evaluate("mode => expost('consent', mode)", mode)
    assert page.context.cookies() == []


def test_a_cookie_never_grows_beyond_what_browsers_keep(site: Site, page: Page):
    start(site, page)
    site.wait_for("page_view")
    page.evaluate(
        "for (let n = 0; n < 300; n++) expost('exposure', {flag: 'a-flag-with-quite-a-long-name-' + n, variation: 'ä'})"
    )
    kept = cookie(page)
    assert kept
    told = kept["told"]
    assert isinstance(told, list)
    assert 5 < len(told) < 300
    assert "name-299" in told[-1]


@pytest.mark.parametrize("call", ["'consent', 'cookieless'", "'internal'", "'reset'"])
def test_calls_that_wait_do_not_make_a_page_without_consent_touch_the_cookie(
    site: Site, page: Page, call: str
):
    stub = "window.expost = (...call) => expost.q.push([performance.now(), call]); expost.q = [];"
    page.add_init_script(TOUCHED)
    site.page(
        "<p>shop</p>", cookie=DOMAIN, consent="cookieless", head=f"<script>{stub} expost({call})</script>"
    )
    page.goto(at(site, "www"))
    until_more(site, page)
    site.wait_for("page_view")
    assert page.evaluate("touched") == []


def test_off_after_cookieless_deletes_what_another_host_wrote(site: Site, page: Page):
    start(site, page)
    site.wait_for("page_view")
    start(site, page, "help", consent="cookieless")
    site.wait(lambda site: len(site.of("page_view")) == 2)
    assert cookie(page)
    page.evaluate("expost('consent', 'off')")
    assert page.context.cookies() == []


def test_a_tab_that_goes_on_does_not_write_the_cookie_that_another_deleted(site: Site, page: Page):
    page.add_init_script(INTERVALS)
    start(site, page)
    site.wait_for("page_view")
    other = page.context.new_page()
    other.add_init_script(INTERVALS)
    other.goto(at(site, "www"))
    until_more(site, other)
    # The other tab has written what it had to write at its start.
    other.wait_for_function("decodeURIComponent(document.cookie).includes('\"pages\":2')")
    page.evaluate("expost('consent', 'off')")
    # Another process hears of it a moment later.
    other.wait_for_function("localStorage.expost === undefined")
    other.evaluate("every.forEach((work) => work()); expost('track', 'goes on')")
    site.wait_for("custom")
    other.evaluate("every.forEach((work) => work())")
    assert page.context.cookies() == []


def test_a_cookie_that_was_written_as_another_tab_deleted_it_goes_again(site: Site, page: Page):
    page.add_init_script(INTERVALS)
    start(site, page)
    site.wait_for("page_view")
    until_more(site, page)
    assert cookie(page)
    page.evaluate("delete localStorage.expost; every.forEach((work) => work())")
    assert page.context.cookies() == []
