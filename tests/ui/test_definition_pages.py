"""The pages of definitions: their versions, names, validity, health, and the form that gives them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from expost.query.calendar import Calendar, interval_of
from expost.state.details import Details
from tests.ui.stand_in import SITE, StandIn, client, soup


def test_the_difference_of_two_versions_opens_to_the_events_that_change_sides() -> None:
    page = soup(client().get("/definition/difference?name=Added+to+basket&old=1&new=2").text)
    rows = [
        [cell.text for cell in row.select("th, td")] for row in page.select("table")[0].select("tbody tr")
    ]
    assert [row[0] for row in rows] == [
        "Only version 1",
        "Only version 2",
        "Both",
        "Unknown: either cannot say",
    ]
    assert [row[1] for row in rows] == ["36", "492", "10,800", "12"]
    assert len(page.select("table a[href^='/events/']")) == 12
    assert client().get("/definition/difference.json?name=x&old=1&new=2").json()["samples"]
    assert client().get("/definition/difference?name=x&old=1").status_code == 400


def test_what_is_said_of_a_definition_is_kept_from_its_page() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    path = "/definition?name=Viewed+a+tea"
    said = {"name": "Viewed a tea", "owner": "ann", "tags": "a, b ,,", "note": "<b>"}
    assert web.post("/definition/details", data=said, follow_redirects=False).status_code == 303
    assert stand_in.told == Details("ann", ("a", "b"), "<b>")
    page = soup(web.get(path).text)
    assert [field["value"] for field in page.select("#owner, #tags, #note")] == ["ann", "a, b", "<b>"]
    web.post("/definition/details", data={"name": "Viewed a tea", "archived": "yes"})
    assert stand_in.told.archived
    assert "Take it back from the archive" in web.get(path).text


def test_a_version_is_compared_with_the_one_in_use_and_gone_back_to() -> None:
    stand_in = StandIn(versions=2)
    web = client(stand_in)
    page = soup(web.get("/definition?name=Viewed+a+tea").text)
    [compared] = page.select("a[href*='/definition/difference']")
    assert compared["href"] == "/definition/difference?name=Viewed+a+tea&old=1&new=2"
    [back] = page.select("form[action='/definition/rollback']")
    sent = {field["name"]: field["value"] for field in back.select("input")}
    answer = web.post("/definition/rollback", data=sent, follow_redirects=False)
    assert answer.status_code == 303
    assert ("roll_back", "Viewed a tea", 1) in stand_in.asked
    assert web.post("/definition/rollback", data={"name": "x", "version": "two"}).status_code == 400


def test_a_definition_is_saved_for_a_part_of_time() -> None:
    stand_in = StandIn()
    said = {"name": "Clicked", "click": "a", "valid_from": "2026-03-01"}
    assert client(stand_in).post("/definitions", data=said, follow_redirects=False).status_code == 303
    assert stand_in.validity == {"valid_from": date(2026, 3, 1), "valid_until": None}


def test_the_archive_is_a_list_of_its_own() -> None:
    assert 'href="/definitions?archived=yes"' in client().get("/definitions").text
    page = soup(client().get("/definitions?archived=yes").text)
    assert "Nothing is archived" in page.get_text()
    assert page.select_one("h1").get_text() == "Archived definitions"  # type: ignore[union-attr]


def test_an_archived_definition_says_so_before_anything_else() -> None:
    path = "/definition?name=Viewed+a+tea"
    assert "It is archived" not in client().get(path).text
    page = client(StandIn(told=Details(archived=True))).get(path).text
    assert page.index("It is archived") < page.index("Its past")


def test_a_broken_definition_is_repaired_by_one_button_from_the_day_of_the_redesign_on() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    page = web.get("/definition-health").text
    assert "<strong>2</strong> of 5 definitions should be looked at. 2 are too rare to tell." in page
    sent = dict(
        re.findall(r'<input type="hidden" name="(name|click|text|valid_from)" value="([^"]*)">', page)
    )
    assert sent == {
        "name": "Bought", "click": ".box button.purchase", "text": "is:Buy now", "valid_from": "2026-11-19",
    }  # fmt: skip
    assert web.post("/definitions", data=sent, follow_redirects=False).status_code == 303
    assert str(stand_in.saved[-1]) == "click on .box button.purchase and text is:Buy now"
    assert web.get("/definition-health.json").json()["states"][0]["state"] == "broken"


def test_without_definitions_health_says_what_to_do() -> None:
    assert "No event has a name yet" in client(StandIn(is_empty=True)).get("/definition-health").text


def test_a_click_with_another_button_is_named_by_events_of_its_own_type() -> None:
    page = client(StandIn(said={"type": "auxclick"})).get("/events/seen").text
    [form] = soup(page).select(".naming form.save")
    sent = {str(each["name"]): str(each.get("value", "")) for each in form.select("input")}
    assert sent["on"].startswith("auxclick ")
    assert "click" not in sent
    assert sent["name"].startswith("Right- or middle-clicked ")


def sent_by(form: Any) -> dict[str, str]:
    return {str(each["name"]): str(each.get("value", "")) for each in form.select("input")}


def test_a_taken_name_is_warned_of_before_anything_is_saved_and_another_one_is_a_link() -> None:
    stand_in = StandIn(versions=4)
    web = client(stand_in)
    before = list(stand_in.saved)
    said = {"name": "VIEWED a tea", "click": "a", "valid_from": "2026-03-01"}
    held = web.post("/definitions", data=said, follow_redirects=False)
    assert held.status_code == 409
    assert stand_in.saved == before
    page = soup(held.text)
    assert "exists since 20 Nov 2026, now in version 4" in page.select_one(".taken").get_text()  # type: ignore[union-attr]
    [link] = page.select(".taken a[data-take]")
    assert link["data-take"] == "VIEWED a tea 2"
    other = web.get(str(link["href"]))
    assert "exists since" not in other.text
    [saving] = soup(other.text).select("form.save")
    assert (sent_by(saving)["name"], sent_by(saving)["valid_from"]) == ("VIEWED a tea 2", "2026-03-01")
    [form] = page.select("form.save")
    sent = sent_by(form)
    assert (sent["valid_from"], sent["known_version"]) == ("2026-03-01", "4")
    assert web.post("/definitions", data=sent, follow_redirects=False).status_code == 303


def test_who_was_told_of_one_taken_name_is_told_of_another_that_is_in_the_same_version() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    first, second, *_ = before = list(stand_in.saved)
    held = web.post("/definitions", data={"name": first.name, "click": "a"})
    [form] = soup(held.text).select("form.save")
    again = web.post("/definitions", data=sent_by(form) | {"name": second.name}, follow_redirects=False)
    assert again.status_code == 409
    assert stand_in.saved == before
    [form] = soup(again.text).select("form.save")
    assert web.post("/definitions", data=sent_by(form), follow_redirects=False).status_code == 303


def test_a_definition_that_is_changed_keeps_when_it_counts_and_another_time_is_another_version() -> None:
    stand_in = StandIn(versions=2)
    first, *others = stand_in.saved
    counts = interval_of(Calendar(ZoneInfo(SITE.time_zone)), date(2026, 11, 20), None)
    stand_in.saved = [replace(first, interval=counts), *others]
    web = client(stand_in)
    page = soup(web.get("/definition", params={"name": first.name}).text)
    assert "It then counts from 20 Nov 2026, 00:00:00; outside, what counts now goes on." in page.get_text()
    [change] = [link for link in page.select("a.button") if link.get_text() == "Change"]
    form = soup(web.get(str(change["href"])).text)
    assert "saving changes nothing" in form.get_text()
    conditions, saving = (sent_by(form.select_one(each)) for each in ("form.conditions", "form.save"))
    assert conditions["valid_from"] == saving["valid_from"] == "2026-11-20"
    told = web.get("/define/name", params=saving | {"valid_from": "2026-11-21"}).text
    assert "Saving makes version 3" in told
    assert "from 20 Nov 2026" in told
    assert "Saving makes version 3" in web.get("/define/name", params=saving | {"valid_from": ""}).text


def test_what_a_name_means_already_is_saved_again_without_a_word() -> None:
    stand_in = StandIn()
    said = {"name": stand_in.saved[0].name, "view": "/tea/*"}
    told = client(stand_in).get("/define/name", params=said).text
    assert "saving changes nothing" in told
    assert client(stand_in).post("/definitions", data=said, follow_redirects=False).status_code == 303


def test_a_column_is_chosen_from_a_list_and_comes_back_as_it_was_chosen() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    asked = [
        ("click", "a"),
        ("column", "country"),
        ("column_value", "DE"),
        ("column", ""),
        ("column_value", ""),
    ]
    page = soup(web.get("/define", params=asked).text)
    chosen = [row.select_one("option[selected]") for row in page.select(".row.column")]
    assert [each and each["value"] for each in chosen] == ["country", None]
    [form] = page.select("form.save")
    web.post("/definitions", data=sent_by(form) | {"name": "From Germany"})
    assert "country" in str(stand_in.saved[-1])
    again = soup(web.get("/definition?name=From+Germany").text).find("a", string="Change")
    assert again
    page = soup(web.get(str(again["href"])).text)
    [value, _] = page.select("input[name=column_value]")
    assert value["value"] == "DE"
    assert [each["value"] for each in page.select(".conditions input[name=property]")] == [""]


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        ({"label": "Buy now"}, "Clicked Buy now"),
        ({"label": "1"}, "Clicked button 1 in tea card"),
        ({"label": "×"}, "Clicked button × in tea card"),
    ],
)
def test_a_name_is_offered_that_tells_something_by_itself(said: dict[str, str], offered: str) -> None:
    page = soup(client(StandIn(said=said)).get("/events/x?level=2").text)
    [field] = page.select(".naming input[name=name]")
    assert str(field["value"]).startswith(offered)


def test_a_name_that_something_has_is_not_offered() -> None:
    stand_in = StandIn()
    web = client(stand_in)
    web.post("/definitions", data={"name": "clicked add TO basket", "view": "/x"})
    [field] = soup(web.get("/events/x").text).select(".naming input[name=name]")
    assert str(field["value"]).startswith("Clicked Add to basket ")
