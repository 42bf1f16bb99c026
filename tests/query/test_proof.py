"""From a number down to its people and events, and the rules that decided, through every door."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from expost.cli import main
from expost.door import Lake
from expost.errors import InvalidInput, NotBuilt
from expost.query.analysis import Analysis
from expost.query.answer import plain
from expost.query.cohort import Did
from expost.query.definition import definition
from expost.query.explanation import ExplainedAnswer, Explanation
from expost.query.form import form_of
from expost.query.form_funnel import funnel_people_of
from expost.query.form_proof import explaining
from expost.query.form_retention import retention_of, retention_people_of
from expost.query.form_trend import trend_people_of
from expost.query.live import Live
from expost.query.retention import Retention
from expost.state.sites import Site, add_site
from expost.terminal import show
from tests.doors import Api, printed, run
from tests.story import Story, expose, identify, track

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
    assert set(told.in_force) == {"order", "window", "re-entry", "ties", "unit", "counted"}
    assert others["unit", "device"].people == (2, 1)
    kept = lake.retention("Looked", "Bought", period="week", periods=1, now=NOW).explain()
    assert kept.columns == ("began", "week 0", "week 1")
    assert kept.groups[0].people == (2, 1, 1)
    assert {(each.rule, each.setting) for each in kept.others} == {
        ("entry", "first_ever"), ("entry", "recurring"), ("mode", "on_or_after"), ("periods", "rolling"),
        ("unit", "device"),
    }  # fmt: skip


def test_an_explanation_says_what_would_be_if_exposures_counted_whenever_they_were(empty_folder):
    story = Story(empty_folder, "shop")
    story.capture("k", expose("f", "on"), track("Looked"), at="10:00")
    story.capture("k", expose("f", "off"), track("Looked"), at="2026-03-10 12:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    lake = Lake(analysis)
    lake.define("Looked", track="Looked")
    told = lake.funnel("Looked", by="flag:f", exposures_from="2026-03-05", now=NOW).explain()
    assert told.in_force["exposures"] == "Exposures before 2026-03-05 count as if they had never been."
    [ever] = [each for each in told.others if each.rule == "exposures"]
    assert {each.value for each in told.groups} == {None, "off"}
    assert {(each.value, each.people) for each in ever.groups} >= {("on", (1,))}
    analysis.close()


SAID: tuple[tuple[tuple[str, ...], str, Callable[[Lake], ExplainedAnswer]], ...] = (
    (("trend", "Looked"), "trend?name=Looked", lambda lake: lake.trend("Looked")),
    (("stickiness", "Looked"), "stickiness?name=Looked", lambda lake: lake.stickiness("Looked")),
    (("lifecycle", "Looked"), "lifecycle?name=Looked", lambda lake: lake.lifecycle("Looked")),
    (
        ("paths", "Looked", "--gap", "2d"),
        "paths?name=Looked&gap=2d",
        lambda lake: lake.paths("Looked", gap="2d"),
    ),
    (("sessions", "--last", "900d"), "sessions?last=900d", lambda lake: lake.sessions(last="900d")),
)


@pytest.mark.parametrize(("command", "address", "ask"), SAID, ids=[command[0] for command, _, _ in SAID])
def test_every_kind_of_question_is_explained_at_every_door(lake, command, address, ask):
    folder = lake.analysis.folder
    told = plain(ask(lake).explain().to_json()["others"])
    assert told
    assert printed(folder.path, *command, "--explain")["others"] == told
    assert "proof" in printed(folder.path, *command)
    assert "are not kept" in run(folder.path, *command, "--explain", "--save", "X").stderr
    client = Api(folder, "viewer").client
    kind, _, query = address.partition("?")
    for door in (f"/api/v1/{kind}/explanation?{query}", f"/{kind}/explanation.json?{query}"):
        assert client.get(door).json()["others"] == told, door
    page = client.get(f"/{kind}/explanation?{query}").text
    assert all(each["says"] in unescape(page) for each in told)
    assert f"/{kind}/explanation?" in client.get(f"/{address}").text
    with Console(width=200, record=True, file=io.StringIO()) as console:
        show(console, ask(lake).explain())
    assert "if it were" in console.export_text()


def test_a_cohort_is_explained_by_what_each_of_its_conditions_does(lake):
    lake.save_cohort(
        "Few",
        did=[Did("Looked", 2, timedelta(days=9_000)), Did("Bought")],
        did_not=Did("Looked", 3),
        start=date(2026, 3, 3),
    )
    told = lake.cohort("Few", now=NOW).explain()
    # Ann looked three times, twice of them since the third; bob once, before it.
    assert (told.columns, told.groups[0].people) == (("in it", "of all"), (1, 2))
    others = {(each.rule, each.setting): each.groups[0].people[0] for each in told.others}
    assert others == {
        ("condition", "without: did 'Looked' at least 2 times within 9000d"): 2,
        ("condition", "without: did 'Bought'"): 1,
        ("condition", "without: did not 'Looked' at least 3 times"): 1,
        ("did 'Looked' at least 2 times within 9000d", "once"): 1,
        ("did 'Looked' at least 2 times within 9000d", "ever"): 1,
        ("did not 'Looked' at least 3 times", "once"): 0,
        ("days", "all"): 0,
        ("bots", "counted"): 1,
        ("internal", "counted"): 1,
        ("environment", "counted"): 1,
    }
    lake.save_cohort("Buyers", did="Bought")
    [*_, internal, environment] = lake.cohort("Buyers").explain().others
    assert (internal.rule, environment.rule) == ("internal", "environment")
    folder = lake.analysis.folder
    said = printed(folder.path, "cohorts", "show", "Few", "--explain")["others"]
    assert said == plain(lake.cohort("Few").explain().to_json()["others"])
    client = Api(folder, "viewer").client
    assert client.get("/api/v1/cohorts/few/explanation").json()["others"] == said
    assert client.get("/cohort/explanation.json?name=Few").json()["others"] == said
    assert "/cohort/explanation?name=Few" in client.get("/cohort?name=Few").text
    assert client.get("/api/v1/cohorts/nobody/explanation").status_code == 404
    opens = printed(folder.path, "cohorts", "show", "Few")["proof"]["opens"]
    assert lake.sql('select * from "cohort_Few"').rows()[0]["user"] == "ann"
    assert "cohort_Few" in opens["command"]


def test_what_is_left_out_is_said_by_what_would_be_counted(empty_folder):
    story = Story(empty_folder, "shop")
    story.capture("k", track("Looked"), at="10:00")
    story.capture("l", track("Looked"), at="10:00", environment="staging")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop", environments=("production",)))
    lake = Lake(analysis)
    told = lake.trend(definition("Looked", track="Looked")).explain()
    assert [(each.rule, each.groups[0].difference) for each in told.others] == [
        ("unit", (0, 0)), ("environment", (1, 1)),
    ]  # fmt: skip
    assert (
        told.in_force["counted"] == "All but bots, internal devices and environments other than production."
    )
    with pytest.raises(NotBuilt, match="A Live is not explained"):
        analysis.ask(Explanation(Live()))
    analysis.close()


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
    explained = explaining(retention_of)(form_of([("start_event", "A"), ("site", "shop")]))
    assert isinstance(explained, Explanation)
    assert (isinstance(explained.of, Retention), explained.site) == (True, "shop")
