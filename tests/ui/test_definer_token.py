"""Pointing at a page that cuts itself off from the window that opened it, with a token."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.ui.pointing_bench import (
    STRICT,
    Bench,
    centre,
    definer_in,
    visit_menu,
)


def open_cut_off(bench: Bench, address: str) -> Page:
    """The window that Expost opens on a page that cuts it off, and then again with a token."""
    bench.desk.goto(f"{bench.serving.url}/point")
    bench.desk.get_by_label("Address").fill(address)
    with bench.context.expect_page() as opening:
        bench.desk.get_by_role("button", name="Open it and point").click()
    expect(bench.desk.locator("#pointing")).to_contain_text("its page cut itself off from this one")
    opening.value.close()
    bench.desk.get_by_role("button", name="Make a token").click()
    with bench.context.expect_page() as opening:
        bench.desk.get_by_role("link", name="Open the page with the token").click()
    return opening.value


def test_a_page_that_cuts_its_opener_off_is_pointed_at_with_a_token_and_saved_in_expost(
    bench: Bench, pictures: Path
) -> None:
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    bench.site.headers["Content-Security-Policy"] = STRICT.format(
        collector=f"{bench.relay.url} {bench.serving.url}"
    )
    address = bench.put_up("<button class=cut-off><i>Cut off</i></button>", path="/cut")
    bench.visit(address, lambda page: page.click("i"))
    bench.settle()
    page = open_cut_off(bench, address)
    definer = definer_in(page)
    assert page.evaluate("window.opener") is None
    page.mouse.click(*centre(page, "i"))
    expect(definer.locator("dd").first).to_have_text("1")
    expect(definer.locator(".handed")).to_contain_text("name it and save it there")
    expect(definer.get_by_role("button", name="Save")).to_be_hidden()
    expect(bench.desk.locator("#chosen code")).to_have_text("click button that says “Cut off”")
    bench.desk.get_by_label("Name", exact=True).fill("Cut off")
    expect(definer.get_by_text("Asking history…")).to_be_hidden()
    page.screenshot(path=pictures / "definer-token-page.png")
    bench.desk.screenshot(path=pictures / "definer-token.png")
    bench.desk.locator("#chosen").get_by_role("button", name="Save").click()
    expect(bench.desk.locator("#pointed")).to_contain_text("Saved: Cut off (1 past event")
    assert bench.past("Cut off") == 1
    assert page.evaluate("heard") == []


def test_with_a_token_history_is_asked_too_and_what_is_chosen_is_saved_with_its_text(bench: Bench) -> None:
    address = visit_menu(bench, "/cut-menu", "Contact")
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    page = open_cut_off(bench, address)
    definer = definer_in(page)
    page.mouse.click(*centre(page, "span:nth-child(2) a"))
    definer.get_by_role("radio", name="the text “Contact”").first.click()
    expect(bench.desk.locator("#chosen code")).to_contain_text("that says “Contact”")
    expect(bench.desk.locator("#chosen output")).to_have_text("2 past events, 1 person")
    bench.desk.get_by_label("Name", exact=True).fill("Contact, by token")
    bench.desk.locator("#chosen").get_by_role("button", name="Save").click()
    expect(bench.desk.locator("#pointed")).to_contain_text("Saved: Contact, by token (2 past events")


def test_the_token_in_an_address_is_not_captured_and_opens_no_second_page(bench: Bench) -> None:
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    router = "<script nonce=n0nce>const came = location.href; location.replace('#/home')</script>"
    page = open_cut_off(bench, bench.put_up(path="/spent", head=router))
    definer_in(page)
    address = page.evaluate("came")
    token = address.partition("#expost-definer=")[2]
    assert token.startswith("xp_")
    again = bench.context.new_page()
    again.goto(address)
    expect(definer_in(again).locator(".result")).to_have_text(re.compile("was used already"))
    for each in (page, again):
        bench.leave(each)
    bench.settle()
    views = [event for event in bench.happened("page_view") if "/spent" in event["view_"]["url"]]
    assert {event["view_"]["url"].partition("#")[2] for event in views} == {"/home"}
    assert token not in json.dumps(bench.relay.acknowledged)
