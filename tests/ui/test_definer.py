"""Pointing at a page of the site in a real browser: from a click to a saved definition with its past."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

import expost
from expost.demo.shop_server import ShopServer
from tests.ui.pointing_bench import (
    Bench,
    centre,
    definer_in,
    point_and_save,
    visit_menu,
)


def test_from_a_click_on_the_page_to_a_saved_definition_with_its_past_in_two_interactions(
    bench: Bench,
) -> None:
    address = bench.put_up(path="/first")
    clicks = 4

    def act(page: Page) -> None:
        for selector in [*clicks * ["b"], ".other"]:
            page.click(selector)

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, "b"))
    expect(definer.get_by_label("Selector")).to_have_value('[data-testid="sign-up"]')
    expect(definer.locator("dd").first).to_have_text(str(clicks))
    page.mouse.click(*centre(page, "b"))
    expect(definer.get_by_label("Name", exact=True)).to_have_value("Clicked Sign up")
    expect(definer.locator("dd").first).to_have_text(str(clicks))
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text(f"Its past: {clicks} events of 1 person")
    expect(bench.desk.get_by_role("link", name="Clicked Sign up")).to_be_visible()
    assert bench.past("Clicked Sign up") == clicks


def test_the_page_hears_nothing_of_it_and_nothing_of_it_arrives(bench: Bench) -> None:
    address = bench.put_up(path="/unheard")
    page, definer = bench.open(address)
    before = len(bench.happened("click", "auxclick", "change", "submit"))
    point_and_save(page, definer, "b", "Unheard")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, "a.other"), button="right")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.evaluate("heard") == []
    assert page.evaluate("location.hash") == ""
    # In the small window it is the page's turn: that click is one, those on our panel are none.
    page.mouse.click(*centre(page, ".other"))
    definer.get_by_role("button", name="Point").click()
    assert page.evaluate("heard.filter((type) => type === 'click').length") == 2
    bench.leave(page)
    bench.settle()
    assert len(bench.happened("click", "auxclick", "change", "submit")) == before + 1


def test_who_points_at_the_site_is_one_of_its_own_people(bench: Bench) -> None:
    address = bench.put_up(path="/own")
    bench.visit(address, lambda page: page.click(".other"))
    page, definer = bench.open(address)
    definer.get_by_role("button", name="Use the page").click()
    page.mouse.click(*centre(page, ".other"))
    bench.leave(page)
    bench.settle()
    lake = expost.open(bench.data)
    marks = lake.sql(
        "select is_internal from events where path = '/own' and type = 'click' order by time"
    ).rows()
    assert [row["is_internal"] for row in marks] == [False, True]


def test_its_host_says_to_capture_that_nothing_in_it_is_an_event(bench: Bench) -> None:
    page, _ = bench.open(bench.put_up(path="/ignored"))
    before = len(bench.happened("click"))
    # As if a browser let an event of the frame out.
    page.evaluate("document.querySelector('[popover]').click()")
    page.evaluate("document.querySelector('main').click()")
    bench.leave(page)
    bench.settle()
    assert [event["chain"][0]["tag"] for event in bench.happened("click")[before:]] == ["main"]


def test_by_keyboard_alone(bench: Bench) -> None:
    address = bench.put_up(path="/keys")
    page, definer = bench.open(address)
    page.bring_to_front()
    selector = definer.get_by_label("Selector")
    page.keyboard.press("Tab")
    expect(selector).to_have_value("form.signup")
    page.keyboard.press("Tab")
    expect(selector).to_have_value('[data-testid="sign-up"]')
    page.keyboard.press("ArrowDown")
    expect(selector).to_have_value('[data-testid="sign-up"] b')
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(selector).to_have_value("button.other")
    expect(definer.locator("dd").first).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(definer.get_by_role("status")).to_contain_text("Saved: “By keyboard”")
    page.keyboard.press("Enter")
    expect(definer.get_by_role("status")).to_be_hidden()
    page.keyboard.press("Escape")
    assert page.evaluate("heard") == []


def test_what_the_page_and_the_past_say_is_compared(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up("<button class=fresh>New here</button>", path="/compared"))
    page.mouse.click(*centre(page, ".fresh"))
    expect(definer.locator(".notes")).to_contain_text("it matches here, and no past event matches")
    definer.get_by_label("Selector").fill("button.fresh:hover")
    expect(definer.get_by_role("status")).to_contain_text("where the pointer or the focus was")
    definer.get_by_label("Selector").fill("a.gone")
    expect(definer.locator(".notes")).to_contain_text("does not match what you pointed at")
    definer.get_by_label("Selector").fill("a[")
    expect(definer.locator(".notes")).to_contain_text("This browser does not read the selector")


def test_the_words_of_an_element_are_asked_for_beside_a_selector_that_gathers_others_too(
    bench: Bench,
) -> None:
    page, definer = bench.open(visit_menu(bench, "/menu", "About us"))
    page.mouse.click(*centre(page, "span:nth-child(2) a"))
    suggested = definer.get_by_role("radio", name="the text “About us”").first
    suggested.click()
    expect(definer.get_by_label("Its text")).to_have_value("About us")
    expect(definer.locator(".here")).to_have_text(re.compile("On this page now: 1 element"))
    expect(definer.locator("dd").first).to_have_text("2")
    definer.get_by_label("Its text").fill("Prices")
    expect(definer.locator("dd").first).to_have_text("1")
    definer.get_by_label("Its text").fill("About us")
    expect(definer.locator("dd").first).to_have_text("2")
    definer.get_by_label("Name", exact=True).fill("Read about us")
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("Its past: 2 events")
    assert "text is:About us" in str(expost.open(bench.data).analysis.definition("Read about us"))


def test_everything_that_the_selector_matches_is_outlined_and_the_breadcrumb_widens_it(bench: Bench) -> None:
    rows = "".join(f"<li class=row><b>Row {number}</b></li>" for number in range(5))
    page, definer = bench.open(bench.put_up(f"<ul class=rows>{rows}</ul>", path="/rows"))
    page.mouse.click(*centre(page, "li.row"))
    definer.get_by_role("button", name="li.row").click()
    expect(definer.locator(".here")).to_have_text(re.compile("On this page now: 5 elements"))
    expect(definer.locator(".box")).to_have_count(5)
    expect(definer.locator(".box.mine")).to_have_count(1)
    definer.get_by_role("button", name="ul.rows").click()
    expect(definer.locator(".here")).to_have_text(re.compile("On this page now: 1 element"))
    expect(definer.get_by_label("Selector")).to_have_value("ul.rows")


def test_it_comes_again_on_the_next_page_of_the_site(bench: Bench) -> None:
    bench.put_up("<button class=next>There</button>", path="/next")
    page, definer = bench.open(bench.put_up('<a class=on href="/next">Next page</a>', path="/from"))
    definer.get_by_role("button", name="Use the page").click()
    page.click("a.on")
    page.wait_for_url("**/next")
    point_and_save(page, definer_in(page), "button.next", "On the next page")
    expect(bench.desk.get_by_role("link", name="On the next page")).to_be_visible()


def test_on_the_demo_shop_the_past_is_what_counting_by_hand_gives(bench: Bench) -> None:
    tag = bench.relay.tag(bench.serving.tag).replace(
        " data-key=", f' data-also="definer" data-ui="{bench.serving.url}" data-key='
    )
    with ShopServer(tag=tag) as shop:

        def act(page: Page) -> None:
            for _ in range(3):
                page.locator("button.add").first.click()
            page.locator("h1").click()

        bench.visit(f"{shop.url}/product/sencha", act)
        bench.settle()
        by_hand = sum(
            any(
                level["tag"] == "button" and "add" in (level["class"] or "").split()
                for level in event["chain"]
            )
            for event in bench.happened("click")
        )
        assert by_hand == 3
        page, definer = bench.open(f"{shop.url}/product/sencha")
        point_and_save(page, definer, "button.add", "Added a tea")
        assert bench.past("Added a tea") == by_hand
        bench.desk.goto(f"{bench.serving.url}/funnel?step=Added+a+tea&within=7d")
        expect(bench.desk.locator(".step-head p")).to_contain_text("1 person")
