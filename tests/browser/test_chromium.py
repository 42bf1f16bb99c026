from __future__ import annotations

from playwright.sync_api import Page


def test_the_browser_answers_matches(page: Page):
    page.set_content("<form class=signup><button type=submit>Join</button></form>")
    assert page.locator("button").evaluate("button => button.matches('form.signup button[type=submit]')")
