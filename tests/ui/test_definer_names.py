"""What the definer would call something, and names that something has already."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Route, expect

import expost
from tests.ui.pointing_bench import (
    Bench,
    centre,
    point_and_save,
)


def test_a_name_that_is_taken_is_not_given_another_meaning(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/taken"))
    point_and_save(page, definer, "b", "Taken")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, ".other"))
    definer.get_by_label("Name", exact=True).fill("  taken ")
    expect(definer.locator("dd").first).to_be_visible()
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("A definition is called 'Taken' already.")
    (meant,) = [each for each in expost.open(bench.data).definitions() if each.name == "Taken"]
    assert meant.version == 1


def test_a_taken_name_is_said_while_it_is_written_with_a_free_one_and_the_way_to_its_next_version(
    bench: Bench,
) -> None:
    page, definer = bench.open(bench.put_up(path="/warned"))
    point_and_save(page, definer, "b", "Warned")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, ".other"))
    definer.get_by_label("Name", exact=True).fill("warned")
    expect(definer.locator(".taken")).to_contain_text("“Warned” exists since")
    expect(definer.locator(".taken")).to_contain_text("this can become its version 2")
    change = bench.desk.get_by_role("link", name="make it version 2 of “Warned”")
    expect(change).to_have_attribute("href", re.compile(r"/define\?click=button.*&name=warned"))
    definer.get_by_role("button", name="Take “warned 2”").click()
    expect(definer.locator(".taken")).to_be_hidden()
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("Saved: “warned 2”")
    bench.desk.goto(f"{bench.serving.url}/define?click=button.other&name=Warned")
    expect(bench.desk.locator(".taken")).to_contain_text("Saving makes version 2 of it")
    bench.desk.get_by_role("button", name="Save definition").click()
    expect(bench.desk.get_by_role("status").first).to_contain_text("Saved as version 2")


def test_a_taken_name_that_is_written_before_the_server_found_a_selector_is_said_when_it_has(
    bench: Bench,
) -> None:
    expost.open(bench.data).define("Early", click="a.typed")
    page, definer = bench.open(bench.put_up(path="/early"))
    held: list[Route] = []
    bench.desk.route("**/point/selectors.json*", lambda route: held.append(route))
    with bench.desk.expect_request("**/point/selectors.json*"):
        page.mouse.click(*centre(page, ".other"))
    definer.get_by_label("Name", exact=True).fill("early")
    # Longer than a pause in typing, after which a name is asked about.
    page.evaluate("new Promise(done => setTimeout(done, 500))")
    expect(definer.locator(".taken")).to_be_hidden()
    held[0].continue_()
    expect(definer.locator(".taken")).to_contain_text("“Early” exists since")


SECTION = """<h2>Far away</h2><section><h3>Green teas</h3>
<nav><a class=page href='#'>1</a><a class=page href='#'>2</a></nav>
<label>How many <input name=many></label><button>Add</button></section>"""


def test_what_is_offered_tells_something_by_itself_and_is_nobodys_name(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(SECTION, path="/named"))
    name = definer.get_by_label("Name", exact=True)
    for selector, offered in (
        ("a.page", "Clicked link 1 in Green teas"),
        ("input", "Changed How many"),
        ("button", "Clicked Add"),
    ):
        page.mouse.click(*centre(page, selector))
        expect(name).to_have_value(offered)
        page.keyboard.press("Escape")
    point_and_save(page, definer, "button", "clicked ADD")
    definer.get_by_role("button", name="Point at more").click()
    page.mouse.click(*centre(page, "button"))
    expect(name).to_have_value("Clicked Add in Green teas")


PRIVATE = """<h1>Orders of <b data-expost-mask>Ann Smith</b></h1><a class=plain href='#'></a>
<section><h2>Notes <textarea>Dear Bob</textarea><script type=text/x>let secret</script></h2>
<a class=typed href='#'></a></section>
<div data-expost-mask><i id=who>Cleo</i></div><a class=masked aria-labelledby=who href='#'></a>
<section><h3>Form</h3><label>Of <s data-expost-ignore>Dora</s> <input></label></section>
<div id=shadow data-expost-mask></div>"""
SHADOW = """() => {
  const root = document.getElementById("shadow").attachShadow({ mode: "open" });
  root.innerHTML = "<h4>Erna</h4><a class=inner title='For Fay' href='#'>x</a>";
}"""


def test_what_is_masked_or_typed_is_no_part_of_a_name(bench: Bench) -> None:
    address = bench.put_up(
        f"<style nonce=n0nce>a {{ display: block; width: 40px; height: 20px }}</style>{PRIVATE}",
        path="/private",
    )
    page, definer = bench.open(address)
    page.evaluate(SHADOW)
    name = definer.get_by_label("Name", exact=True)
    for selector, told in (
        ("a.plain", {"words": "", "heading": ""}),
        ("a.typed", {"words": "", "heading": "Notes"}),
        ("a.masked", {"words": "", "heading": "Notes"}),
        ("input", {"words": "", "heading": "Form"}),
        ("a.inner", {"words": "", "heading": "Form"}),
    ):
        with bench.desk.expect_request("**/point/names.json*") as asked:
            page.mouse.click(*centre(page, selector))
        sent = json.loads(asked.value.post_data or "")
        assert {field: sent[field] for field in told} == told, selector
        assert "For Fay" not in (asked.value.post_data or "")
        expect(name).not_to_have_value("")
        page.keyboard.press("Escape")


def test_a_name_that_is_typed_and_saved_at_once_is_not_taken_for_the_one_before(bench: Bench) -> None:
    for each in ("Before", "After"):
        expost.open(bench.data).define(each, click="a.typed")
    desk = bench.desk
    desk.goto(f"{bench.serving.url}/define?click=button.other")
    name = desk.get_by_label("Name", exact=True)
    name.fill("Before")
    expect(desk.locator(".taken")).to_contain_text("Before exists since")
    desk.route("**/define/name*", lambda route: route.abort())
    name.fill("After")
    name.press("Enter")
    expect(desk.locator(".taken")).to_contain_text("Nothing is saved yet.")
    expect(desk.locator(".taken")).to_contain_text("After exists since")


def test_in_the_form_a_taken_name_is_said_while_it_is_typed(bench: Bench) -> None:
    expost.open(bench.data).define("Typed", click="a.typed")
    desk = bench.desk
    desk.goto(f"{bench.serving.url}/define?click=button.other")
    desk.get_by_label("Name", exact=True).fill("typed")
    expect(desk.locator(".taken")).to_contain_text("Typed exists since")
    desk.get_by_role("link", name="take the name “typed 2”").click()
    expect(desk.get_by_label("Name", exact=True)).to_have_value("typed 2")
    expect(desk.locator(".taken")).to_have_text("")
    desk.get_by_label("Name", exact=True).fill("Typed")
    expect(desk.locator(".taken")).to_contain_text("Saving makes version 2 of it")
    desk.get_by_role("button", name="Save definition").click()
    expect(desk.get_by_role("status").first).to_contain_text("Saved as version 2")
