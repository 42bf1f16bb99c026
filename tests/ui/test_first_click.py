"""From a line pasted into a file to a named event with its past, in a real browser, without typing a selector."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.serving import Serving, make_site

LIVE_SECONDS = 8
CLICKS = 3
SHOP = """<!doctype html><meta charset="utf-8"><title>Shop</title>{tag}
<main><form class="signup" onsubmit="return false"><button class="go"><b>Sign up</b></button></form>
<button class="other">Something else</button></main>"""


def test_a_first_click_becomes_a_named_event_with_its_past(chromium: Browser, tmp_path: Path) -> None:
    # Headless Chromium says of itself that it is one, and this site counts bots.
    make_site(tmp_path / "data", count_bots=True)
    with Serving(tmp_path / "data") as serving:
        shop_file = tmp_path / "shop.html"
        shop_file.write_text(SHOP.format(tag=serving.tag), "utf-8")
        desk, shop = chromium.new_page(), chromium.new_page()
        desk.goto(f"http://localhost:{serving.port}/setup")
        expect(desk.get_by_role("heading", name="Waiting for the first event")).to_be_visible()
        expect(desk.locator("#tag-line")).to_have_text(serving.tag)

        shop.goto(shop_file.as_uri())
        _wait_for_snippet(shop)
        for _ in range(CLICKS):
            shop.locator("b").click()
        clicked_at = time.monotonic()
        shop.locator(".other").click()

        expect(desk.get_by_role("heading", name="Events are arriving")).to_be_visible(timeout=10_000)
        desk.goto(f"http://localhost:{serving.port}/live?type=click")
        sign_up = desk.locator("#live").get_by_role("link", name="Sign up")
        expect(sign_up).to_have_count(CLICKS, timeout=10_000)
        assert time.monotonic() - clicked_at < LIVE_SECONDS

        sign_up.first.click()
        desk.get_by_role("link", name="form.signup interactive").click()
        expect(desk.locator("#past dd").first).to_have_text(str(CLICKS))
        desk.get_by_label("Name", exact=True).fill("Signed up")
        desk.get_by_role("button", name="Save definition").click()
        expect(desk.get_by_role("heading", level=1)).to_have_text("Signed up")
        expect(desk.locator("#past dd").first).to_have_text(str(CLICKS))

        desk.goto(f"http://localhost:{serving.port}/funnel?step=Signed+up&within=7d")
        expect(desk.locator(".step-head p")).to_contain_text("1 person")
        desk.close()
        shop.close()


def _wait_for_snippet(page: Page) -> None:
    page.wait_for_function("typeof window.expost === 'function'")
