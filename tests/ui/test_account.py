"""From the first account to the last login, in a real browser without scripts, against a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Serving, make_site
from tests.ui.test_browser import FAINT, TOO_WIDE, complaints_of

PASSWORD = "four words make one"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    make_site(tmp_path / "data")
    with Serving(tmp_path / "data") as running:
        yield running


def address(serving: Serving) -> str:
    return f"http://localhost:{serving.port}"


def token_of(serving: Serving) -> str:
    [said] = [found for line in serving.said if (found := re.search(r"setup token (\S+)", line))]
    return said[1]


def look(page: Page) -> None:
    """Whatever is shown fits and can be read, on a desk and on a phone, in the light and in the dark."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 820})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(TOO_WIDE) <= 0, (page.url, width)
            assert page.evaluate(FAINT) == [], (page.url, scheme)


def make_account(page: Page, serving: Serving) -> None:
    page.goto(f"{address(serving)}/setup-account")
    page.get_by_label("Setup token").fill(token_of(serving))
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")


def test_the_first_account_is_made_and_used_without_scripts(chromium: Browser, serving: Serving) -> None:
    here = chromium.new_context(java_script_enabled=False)
    page = here.new_page()
    page.goto(f"{address(serving)}/account")
    expect(page.get_by_role("heading", name="Nobody has to log in yet")).to_be_visible()
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Setup token").fill("setup-wrong")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_contain_text("expost accounts token")
    expect(page.get_by_label("Name")).to_have_value("ann")
    make_account(page, serving)

    elsewhere = chromium.new_context(java_script_enabled=False, user_agent=FIREFOX)
    other = elsewhere.new_page()
    other.goto(f"{address(serving)}/definitions?archived=yes")
    other.get_by_label("Name").fill("ann")
    other.get_by_label("Password").fill("not this one")
    other.get_by_role("button", name="Log in").click()
    expect(other.get_by_role("alert")).to_contain_text("do not go together")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Log in").click()
    assert other.url == f"{address(serving)}/definitions?archived=yes"

    page.goto(f"{address(serving)}/account")
    page.get_by_role("button", name="Log out Firefox on Linux").click()
    expect(page.get_by_role("status")).to_have_text("That browser is logged out.")
    other.goto(f"{address(serving)}/live")
    expect(other.get_by_role("heading", level=1)).to_have_text("Log in")

    page.goto(f"{address(serving)}/audit")
    expect(page.locator("#audit tbody tr").first).to_contain_text("login ended")
    page.goto(f"{address(serving)}/account")
    page.get_by_role("button", name="Log out", exact=True).click()
    page.goto(f"{address(serving)}/live")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    here.close()
    elsewhere.close()


def test_every_page_of_access_fits_and_can_be_read(chromium: Browser, serving: Serving) -> None:
    context = chromium.new_context()
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto(f"{address(serving)}/setup-account")
    look(page)
    make_account(page, serving)
    look(page)
    page.get_by_label("For").fill("nightly report")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("status")).to_contain_text("not shown again")
    look(page)
    page.goto(f"{address(serving)}/audit")
    look(page)
    page.goto(f"{address(serving)}/account")
    page.get_by_role("button", name="Log out", exact=True).click()
    look(page)
    assert complaints == []
    context.close()


def test_a_page_of_another_site_changes_nothing_with_the_cookie_of_a_login(
    chromium: Browser, serving: Serving, tmp_path: Path
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    make_account(page, serving)
    forged = tmp_path / "forged.html"
    action = f"{address(serving)}/definitions"
    forged.write_text(
        f'<form method="post" action="{action}"><input name="name" value="Forged"><input name="view" value="/**">'
        "</form>"
        "<script>document.forms[0].submit()</script>"
    )
    page.goto(forged.as_uri())
    expect(page.get_by_role("alert")).to_contain_text("page of another site")
    page.goto(f"{address(serving)}/definitions")
    expect(page.locator("main")).not_to_contain_text("Forged")
    context.close()
