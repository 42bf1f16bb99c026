"""From a number down to its people and events, and the rules that decided, through every door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.door import Lake
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.explanation import Explanation
from expost.query.form import form_of
from expost.query.form_funnel import funnel_people_of
from expost.query.form_proof import explanation_of
from expost.query.form_retention import retention_people_of
from expost.query.form_trend import trend_people_of
from expost.query.retention import Retention
from expost.state.sites import Site, add_site
from tests.story import Story, identify, track

NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Ann buys at her second look, bob only looks; both come back a week later, bob to buy."""
    story = Story(empty_folder, "shop")
    story.capture("k", identify("ann"), track("Looked"), at="10:00")
    story.capture("k", track("Looked"), track("Bought"), at="2026-03-03 12:00")
    story.capture("l", track("Looked"), at="10:00")
    story.capture("k", track("Looked"), at="2026-03-10 12:00")
    story.capture("l", track("Bought"), at="2026-03-10 12:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    opened = Lake(analysis)
    opened.define("Looked", track="Looked")
    opened.define("Bought", track="Bought")
    yield opened
    analysis.close()


def test_the_events_of_a_person_are_those_of_the_attempt_that_is_shown(lake):
    answer = lake.funnel("Looked", "Bought", within="1 day", now=NOW)
    [ann] = answer.people(2).people
    assert ann.name == "ann"
    assert answer.events(ann.person_id) == ann.events
    assert [each.step for each in ann.events] == ["Looked", "Bought"]
    assert answer.events("12") == ()


def test_an_explanation_says_what_would_be_under_the_other_rules(lake):
    told = lake.funnel("Looked", "Bought", within="1 day", now=NOW).explain()
    assert told.groups[0].people == (2, 1)
    others = {(each.rule, each.setting): each.groups[0] for each in told.others}
    # Ann's first look was a day and more before she bought.
    assert others["re-entry", "first entry only"].people == (2, 0)
    assert others["re-entry", "first entry only"].difference == (0, -1)
    assert others["order", "any"].people == (2, 1)
    assert set(told.in_force) == {"order", "window", "re-entry", "ties"}
    kept = lake.retention("Looked", "Bought", period="week", periods=1, now=NOW).explain()
    assert kept.columns == ("began", "week 0", "week 1")
    assert kept.groups[0].people == (2, 1, 1)
    assert {(each.rule, each.setting) for each in kept.others} == {
        ("entry", "first_ever"), ("entry", "recurring"), ("mode", "on_or_after"), ("periods", "rolling"),
    }  # fmt: skip


def test_a_cell_and_a_point_open_to_their_people(lake):
    answer = lake.retention("Looked", "Bought", period="week", periods=1, now=NOW)
    week = date(2026, 3, 2)
    assert answer.people(week).total == 2
    [bob] = answer.people(week, period=1).people
    assert [(each.step, each.time.day) for each in bob.events] == [("Looked", 2), ("Bought", 10)]
    trend = lake.trend("Looked", now=NOW)
    assert trend.behind(date(2026, 3, 2)).total == 2
    [ann] = trend.behind(date(2026, 3, 3)).people
    assert (ann.name, len(ann.events)) == ("ann", 1)
    assert trend.behind().total == trend.people
    with pytest.raises(InvalidInput, match="no period 9"):
        answer.people(week, period=9)


def test_the_proof_stands_in_the_json_and_the_command_line_opens_what_it_says(lake):
    folder = str(lake.analysis.folder.path)

    def said(*words: str) -> Any:
        ended = CliRunner().invoke(main, [*words, "--data", folder, "--json"])
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.output)

    funnel = ("funnel", "Looked", "Bought", "--within", "1d")
    proof = said(*funnel)["proof"]
    assert {"rules", "definitions", "snapshot", "sql_sha256", "opens"} == set(proof)
    assert [each["version"] for each in proof["definitions"]] == [1, 1]
    assert len(proof["sql_sha256"]) == 64
    assert said(*funnel)["proof"] == proof
    assert "--people" in proof["opens"]["command"]
    assert said(*funnel, "--people", "2")["total"] == 1
    assert said(*funnel, "--people", "1", "--dropped-off")["total"] == 1
    assert said(*funnel, "--explain")["groups"][0]["people"] == [2, 1]
    kept = ("retention", "--start-event", "Looked", "--return-event", "Bought")
    assert said(*kept, "--people", "2026-03-02", "--at", "1")["total"] == 1
    assert said(*kept, "--explain")["others"]
    assert said("trend", "Looked", "--people", "2026-03-02")["total"] == 2


def test_addresses_name_what_is_opened():
    pairs = [
        ("step", "A"),
        ("step", "B"),
        ("by", "flag:f"),
        ("at", "2"),
        ("dropped_off", "yes"),
        ("kind", "variation"),
        ("value", "on"),
    ]
    people = funnel_people_of(form_of(pairs))
    assert (people.step, people.dropped_off, people.kind, people.value) == (2, True, "variation", "on")
    cell = retention_people_of(
        form_of([("start_event", "A"), ("cohort_day", "2026-03-02"), ("at", "1"), ("limit", "5")])
    )
    assert (cell.cohort_day, cell.period, cell.limit) == (date(2026, 3, 2), 1, 5)
    assert trend_people_of(form_of([("name", "A"), ("at", "2026-03-02")])).period == date(2026, 3, 2)
    with pytest.raises(InvalidInput, match="Which cohort"):
        retention_people_of(form_of([("start_event", "A")]))
    assert isinstance(explanation_of(form_of([("start_event", "A")])), Explanation)
    assert isinstance(explanation_of(form_of([("start_event", "A")])).of, Retention)
