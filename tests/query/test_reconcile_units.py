"""Ids of browsers and of groups that converted: each is counted, or absent with exactly one cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from expost.door import Lake
from expost.query.analysis import Analysis
from expost.query.funnel import Funnel
from expost.query.reconcile import Reconcile, ReconcileAnswer
from expost.query.unit import parse_unit
from expost.state.sites import Site, add_site
from tests.doors import Api, printed
from tests.story import Story, group, identify, track

NOW = datetime(2026, 4, 1, tzinfo=UTC)
FUNNEL = Funnel(
    ("Looked", "Bought"), timedelta(hours=2), start=date(2026, 3, 2), end=date(2026, 3, 3), now=NOW
)
LOOKED = track("Looked")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    path = tmp_path_factory.mktemp("reconciled") / "data"
    path.mkdir()
    story = Story(path)

    def bought(order: str) -> Any:
        return track("Bought", order=order)

    # Browsers. On one of them a family looks and buys, which is enough for the browser.
    story.capture(
        "ann's", identify("ann"), group("company", "acme"), LOOKED, bought("1"), at="10:00", apart=60
    )
    story.capture("ann's", bought("2"), at="10:30")
    story.capture("shared", identify("mum"), LOOKED, at="10:00")
    story.capture("shared", identify("kid"), bought("3"), at="10:10")
    story.capture("slow", LOOKED, bought("4"), at="10:00", apart=3 * 3_600)
    story.capture("staged", LOOKED, bought("5"), at="10:00", environment="staging")
    story.capture("daily", LOOKED, bought("6"), at="23:00", consent="cookieless")
    story.capture("looker", identify("lou"), group("company", "lookers"), LOOKED, at="10:00")
    story.capture("", bought("7"), identify("caller"), at="10:30", on_server=True)
    # Groups. Two of a team share the way; one looks before they join theirs; one moves on between.
    story.capture("t1", identify("tim"), group("company", "team"), LOOKED, at="10:00")
    story.capture("t2", identify("tom"), group("company", "team"), bought("8"), at="10:20")
    story.capture("j", identify("jo"), LOOKED, group("company", "joined"), bought("9"), at="10:00", apart=60)
    story.capture(
        "e", identify("eli"), group("company", "early"), LOOKED, bought("10"), at="2026-03-01 10:00"
    )
    story.capture("b", identify("bo"), group("company", "buyers"), bought("11"), at="10:00")
    story.capture("h", identify("house"), group("household", "acme"), at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    lake = Lake(opened)
    lake.define("Looked", track="Looked")
    lake.define("Bought", track="Bought")
    yield opened
    opened.close()


def reconciled(analysis: Analysis, unit: str, *ids: str, property: str | None = None) -> ReconcileAnswer:  # noqa: A002
    answer = analysis.ask(Reconcile(replace(FUNNEL, unit=parse_unit(unit)), ids, property))
    assert isinstance(answer, ReconcileAnswer)
    assert sum(each.ids for each in answer.causes) == len(answer.ids)
    return answer


def causes(answer: ReconcileAnswer) -> dict[str, str]:
    return {each.id: each.cause for each in answer.ids}


BROWSERS = {
    "ann's": "counted", "shared": "counted", "slow": "outside_window", "staged": "other_environment",
    "looker": "step_missing", "b": "entry_missing", "t2": "entry_missing", "nobody's": "never_captured",
}  # fmt: skip
GROUPS = {
    "acme": "counted", "team": "counted", "joined": "other_group", "early": "out_of_range", "lookers": "step_missing",
    "buyers": "entry_missing", "nobody's": "never_captured",
}  # fmt: skip


def test_each_browser_has_the_cause_of_its_story(analysis):
    answer = reconciled(analysis, "device", *BROWSERS)
    assert causes(answer) == BROWSERS
    # Of the three that converted nobody names that of jo.
    assert (answer.counted, answer.people, answer.unlisted) == (2, 3, 1)
    assert {each.id: each.person for each in answer.ids if each.person} == {
        name: name for name, cause in BROWSERS.items() if cause != "never_captured"
    }
    assert any(note.startswith("An id stands for a browser.") for note in answer.notes)


def test_each_group_has_the_cause_of_its_story(analysis):
    answer = reconciled(analysis, "group:company", *GROUPS)
    assert causes(answer) == GROUPS
    assert (answer.counted, answer.people, answer.unlisted) == (2, 2, 0)
    # A group of another type is another group.
    assert causes(reconciled(analysis, "group:household", "acme")) == {"acme": "entry_missing"}
    assert reconciled(analysis, "group:company", "acme").ids[0].person == "acme"


def test_a_type_of_group_that_nobody_has_is_said_with_those_that_are_known(analysis):
    answer = reconciled(analysis, "group:compny", "acme")
    assert causes(answer) == {"acme": "never_captured"}
    assert (
        "Nobody belongs to a group of the type 'compny'; known types of groups: 'company', 'household'."
        in answer.notes
    )
    assert not any("Nobody belongs" in note for note in reconciled(analysis, "group:company", "acme").notes)


def test_orders_are_those_of_the_browser_or_of_the_group_that_made_them(analysis):
    orders = [str(number) for number in range(1, 12)]
    answer = reconciled(analysis, "device", *orders, property="order")
    assert causes(answer) == {
        "1": "counted", "2": "same_person", "3": "counted", "4": "outside_window", "5": "other_environment",
        "6": "consent", "7": "not_identified", "8": "entry_missing", "9": "counted", "10": "out_of_range",
        "11": "entry_missing",
    }  # fmt: skip
    says = {each.cause: each.says for each in answer.causes}
    assert says["same_person"] == "the same browser as an id before it, which is counted once"
    assert says["not_identified"] == "what names it was done on no browser"
    answer = reconciled(analysis, "group:company", *orders, property="order")
    assert causes(answer) == {
        "1": "counted", "2": "same_person", "3": "not_identified", "4": "not_identified", "5": "not_identified",
        "6": "not_identified", "7": "not_identified", "8": "counted", "9": "other_group", "10": "out_of_range",
        "11": "entry_missing",
    }  # fmt: skip
    assert {each.cause: each.says for each in answer.causes}["not_identified"] == (
        "whoever did what names it was in no group of this type then"
    )


def test_every_door_reconciles_them_and_none_leads_to_a_person(analysis, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.write_text("acme\njoined\n")
    steps = ("--step", "Looked", "--step", "Bought", "--within", "2h", "--unit", "group:company")
    folder = analysis.folder
    said = printed(folder.path, "reconcile", *steps, "--ids", str(ids))
    assert [each["cause"] for each in said["ids"]] == ["counted", "other_group"]
    client = Api(folder, "editor").client
    asked = {"step": ["Looked", "Bought"], "within": "2h", "unit": "group:company"}
    assert (
        client.post("/api/v1/reconcile", json=asked | {"ids": ["acme", "joined"]}).json()["ids"]
        == said["ids"]
    )
    lake = Lake(analysis)
    funnel = lake.funnel("Looked", "Bought", within="2h", unit="group:company")
    assert [each.cause for each in lake.reconcile(funnel, ["acme", "joined"]).ids] == [
        "counted",
        "other_group",
    ]
    client.put("/api/v1/reports/Teams", json={"kind": "funnel"} | asked)
    page = client.post(
        "/reconcile?site=shop", data={"report": "Teams", "ids": "acme\njoined", "site": "shop"}
    ).text
    assert "Groups at the last step" in page
    assert "/person?" not in page.partition('id="answer"')[2]
