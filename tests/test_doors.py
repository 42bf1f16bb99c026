"""The same answer through every door: Python, the command line, the HTTP API and the pages' twins."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rich.console import Console

import expost
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.timeline import Timeline, TimelineAnswer
from expost.terminal_people import show_timeline
from tests.doors import app_over, printed, run
from tests.story import Story, small_rich_lake

# The moment of asking and how long it took are not the answer.
PASSING = ("elapsed_ms", "now", "parameters")


@pytest.fixture(scope="module")
def data(rich_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(rich_shop, tmp_path_factory.mktemp("doors") / "expost-data")


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[TestClient]:
    with TestClient(app_over(Analysis(data))) as opened:
        yield opened


def lasting(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in PASSING}


FUNNEL = ("funnel", "Viewed page", "Bought", "--within", "7d", "--by", "flag:new-checkout")
RETENTION = (
    "retention",
    "--start-event",
    "Bought",
    "--return-event",
    "Viewed page",
    "--period",
    "week",
    "--periods",
    "2",
)
EVENT = "019cadfd-98a0-7000-8000-000000000007"
"""Ann's click on "Buy now"."""
TREND = ("trend", "Bought", "--period", "day", "--by", "flag:new-checkout")


@pytest.mark.parametrize(
    ("command", "path", "ask"),
    [
        (FUNNEL, "/funnel?step=Viewed page&step=Bought&within=7d&by=flag:new-checkout",
         lambda lake: lake.funnel("Viewed page", "Bought", within="7 days", by=expost.flag("new-checkout"))),
        (RETENTION, "/retention?start_event=Bought&return_event=Viewed page&period=week&periods=2",
         lambda lake: lake.retention("Bought", "Viewed page", period="week", periods=2)),
        (TREND, "/trend?name=Bought&period=day&by=flag:new-checkout",
         lambda lake: lake.trend("Bought", period="day", by="flag:new-checkout")),
        (("trend", "Viewed page", "--measure", "per_person", "--per", "Bought"),
         "/trend?name=Viewed page&measure=per_person&per=Bought",
         lambda lake: lake.trend("Viewed page", measure="per_person", per="Bought")),
        (("stickiness", "Viewed page", "--period", "week"), "/stickiness?name=Viewed page&period=week",
         lambda lake: lake.stickiness("Viewed page", period="week")),
        (("lifecycle", "Viewed page", "--unit", "device"), "/lifecycle?name=Viewed page&unit=device",
         lambda lake: lake.lifecycle("Viewed page", unit="device")),
        (("paths", "Bought", "--direction", "before", "--group", "/**", "--event", "Bought", "--gap", "1h"),
         "/paths?name=Bought&direction=before&group=/**&event=Bought&gap=1h",
         lambda lake: lake.paths("Bought", direction="before", groups=["/**"], events=["Bought"], gap="1h")),
        (("unnamed", "--limit", "5", "--from", "2026-03-01"), "/unnamed?limit=5&from=2026-03-01",
         lambda lake: lake.unnamed(5, start=date(2026, 3, 1))),
        (("suggest", EVENT), f"/suggestions?event={EVENT}", lambda lake: lake.suggest(EVENT)),
        (("suggest", EVENT, "--level", "1"), f"/suggestions?event={EVENT}&level=1",
         lambda lake: lake.suggest(EVENT, level=1)),
        (("preview", "--click", "form.cart button.buy"), "/preview?click=form.cart button.buy",
         lambda lake: lake.preview(lake.event("preview", click="form.cart button.buy"))),
        (("preview", "Bought"), "/preview?name=Bought", lambda lake: lake.preview("Bought")),
        (("preview", "--on", "click form.cart button.buy"), "/preview?on=click form.cart button.buy",
         lambda lake: lake.preview(lake.event("preview", on="click form.cart button.buy"))),
        (("losses", "--by", "page"), "/losses?by=page", lambda lake: lake.losses(by="page")),
        (("losses", "--from", "2026-03-02"), "/losses?from=2026-03-02",
         lambda lake: lake.losses(start=date(2026, 3, 2))),
        (("rejected", "--limit", "5"), "/rejected?limit=5", lambda lake: lake.rejected(limit=5)),
        (("flags",), "/flags", lambda lake: lake.flags()),
        (("trend", "Bought", "--internal", "yes", "--environment", "production", "--environment", "staging"),
         "/trend?name=Bought&internal=yes&environment=production&environment=staging",
         lambda lake: lake.trend("Bought", internal=True, environment=("production", "staging"))),
    ],
)  # fmt: skip
def test_every_door_gives_the_same_answer(data, client, command, path, ask):
    in_python = lasting(ask(expost.open(data)).to_json())
    assert in_python["sql"].startswith(("with", "create", "--", "select"))
    assert lasting(printed(data, *command)) == in_python
    over_http = client.get(f"/api/v1{path}")
    assert over_http.status_code == 200, over_http.text
    assert lasting(over_http.json()) == in_python
    if command[0] in ("funnel", "retention", "trend", "losses", "rejected", "unnamed"):
        twin = client.get(path.replace("?", ".json?", 1))
        assert lasting(twin.json()) == in_python


def test_the_funnel_by_variation_has_the_promised_shape(data):
    answer = printed(data, *FUNNEL)
    assert [step["name"] for step in answer["steps"]] == ["Viewed page", "Bought"]
    # Ann, Bob and Cyd; the crawler, the colleague and the tester are left out.
    assert [step["people"] for step in answer["steps"]] == [3, 2]
    groups = {
        (group["kind"], group["value"]): [s["people"] for s in group["steps"]] for group in answer["groups"]
    }
    assert groups["variation", "control"] == [1, 1]
    assert groups["variation", "treatment"] == [1, 1]
    assert groups["not exposed", None] == [1, 0]
    assert {each["reason"]: each["events"] for each in answer["left_out"] if each["events"]}


def test_the_people_of_a_step_open_with_the_events_that_decided(data):
    answer = expost.open(data).funnel("Viewed page", "Bought")
    people = answer.people(step=2)
    assert people.total == 2
    assert {person.name for person in people.people} == {"ann@shop.example", "bob@shop.example"}
    assert all(
        [event.step for event in person.events] == ["Viewed page", "Bought"] for person in people.people
    )
    assert answer.to_polars()["people"].to_list() == [3, 2]


def test_the_people_of_the_period_before_open_as_well(data):
    answer = expost.open(data).funnel(
        "Viewed page", "Bought", compare="previous", start="2026-03-03", end="2026-03-04"
    )
    assert answer.compared is not None
    assert answer.compared.people(step=2).total == answer.compared.steps[1].people > 0


def test_the_people_of_a_group_open_at_every_door(data, client):
    answer = expost.open(data).funnel(
        "Viewed page", "Bought", within="7 days", by=expost.flag("new-checkout")
    )
    people = answer.people(step=2, value="control")
    assert [(person.kind, person.value) for person in people.people] == [("variation", "control")]
    [who] = [person.person_id for person in people.people]
    assert answer.events(who, value="control") == people.people[0].events
    on_the_command_line = printed(data, *FUNNEL, "--people", "2", "--value", "control", "--limit", "1")
    over_http = client.get(
        "/api/v1/funnel/people?step=Viewed page&step=Bought&within=7d&by=flag:new-checkout&at=2&value=control"
    ).json()
    for body in (on_the_command_line, over_http):
        assert (body["total"], [person["person_id"] for person in body["people"]]) == (1, [who])


def test_the_people_of_a_day_open_in_words_in_python(data):
    lake = expost.open(data)
    kept = lake.retention("Viewed page", period="week")
    week = kept.cohorts[0].start
    assert kept.people(str(week)).people == kept.people(week).people != ()
    trend = lake.trend("Viewed page")
    first = trend.points[0].start.date()
    assert trend.behind(str(first)).total == trend.behind(first).total == trend.points[0].people


def test_a_timeline_says_which_variation_was_shown(data):
    timeline = expost.open(data).analysis.ask(Timeline("ann@shop.example"))
    assert isinstance(timeline, TimelineAnswer)
    seen = [each for session in timeline.sessions for each in session.events if each.type == "exposure"]
    out = io.StringIO()
    show_timeline(Console(file=out, width=160), timeline)
    assert seen
    assert all(f"{each.flag} = {each.variation}" in out.getvalue() for each in seen)


def test_the_text_of_the_sql_comes_last_in_json(data):
    assert list(printed(data, *FUNNEL))[-3:] == ["proof", "parameters", "sql"]


def test_rows_that_are_cut_are_said_to_be_cut_at_every_door(data, client):
    query = "select event_id from events"
    cut = run(data, "sql", query, "--limit", "2", "--json")
    assert len(json.loads(cut.stdout)) == 2
    assert "more rows than these 2: select fewer, or raise --limit" in cut.stderr
    assert run(data, "sql", query, "--json").stderr == ""
    for accept in ("application/json", "text/csv", "application/vnd.apache.parquet"):
        headers = {"accept": accept}
        few = client.post("/api/v1/sql", json={"query": query, "limit": 2}, headers=headers)
        assert few.headers["x-expost-cut"] == "true"
        assert (
            "x-expost-cut" not in client.post("/api/v1/sql", json={"query": query}, headers=headers).headers
        )


def test_python_previews_conditions_like_define(data):
    lake = expost.open(data)
    by_conditions = lake.preview(click="form.cart button.buy", bots=True)
    assert by_conditions.events == lake.preview("Bought", bots=True).events == 2
    for asked in (lambda: lake.preview("Bought", click="a"), lambda: lake.preview()):
        with pytest.raises(InvalidInput):
            asked()


def test_a_window_without_a_unit_is_refused_in_python_too(data):
    with pytest.raises(InvalidInput, match="7") as refused:
        expost.open(data).funnel("Viewed page", "Bought", within=7)  # type: ignore[arg-type]
    assert "7 days" in refused.value.hint


def test_a_cohort_is_saved_asked_and_forgotten_over_http_and_on_the_command_line(data, client):
    saved = client.put(
        "/api/v1/cohorts/Buyers", json={"did": ["Bought"], "times": ["1"], "did_not": ["Viewed page"]}
    )
    assert saved.status_code == 200, saved.text
    assert saved.json()["meaning"] == "did 'Bought', did not 'Viewed page'"
    assert client.put("/api/v1/cohorts/X", json={}).json()["error"]["code"] == "invalid_input"
    assert (
        client.put("/api/v1/cohorts/X", json={"did": ["Bougt"]}).json()["error"]["code"]
        == "unknown_definition"
    )
    again = run(data, "cohorts", "save", "Buyers", "--did", "Bought", "--json")
    assert json.loads(again.stdout)["version"] == 2
    assert [each["name"] for each in client.get("/api/v1/cohorts").json()] == ["Buyers"]
    size = client.get("/api/v1/cohorts/Buyers").json()
    assert size["people"] == printed(data, "cohorts", "show", "Buyers")["people"] == 2
    asked = client.get("/api/v1/trend?name=Viewed page&cohort=Buyers").json()
    assert asked["people"] == printed(data, "trend", "Viewed page", "--cohort", "Buyers")["people"] == 2
    assert printed(data, "preview", "--view", "/**", "--not-cohort", "Buyers")["people"] == 1
    past = client.get("/api/v1/preview?view=/**&cohort=Buyers").json()
    assert (past["people"], past["events"]) == (2, 5)
    assert {each["person"] for each in client.get("/api/v1/live?cohort=Buyers").json()["events"]} == {
        "ann@shop.example", "bob@shop.example",
    }  # fmt: skip
    assert lasting(past) == lasting(expost.open(data).preview(view="/**", cohort="Buyers").to_json())
    shown = client.get("/live?cohort=Buyers").text
    assert "ann@shop.example" in shown
    assert "Refunded" not in shown
    assert "would go" in run(data, "cohorts", "remove", "Buyers").stdout
    assert client.delete("/api/v1/cohorts/Buyers").status_code == 200
    assert client.get("/api/v1/cohorts/Buyers").json()["error"]["code"] == "unknown_cohort"
    assert run(data, "cohorts", "remove", "Buyers", "--yes").exit_code == 2


def test_the_door_shows_its_public_names_only():
    assert dir(expost) == ["Lake", "did", "flag", "open", "stage"]
    assert all(callable(getattr(expost, name)) for name in dir(expost))


def test_rows_of_sql_are_a_list(data):
    rows = printed(data, "sql", "select type, count(*) as n from events group by 1 order by 1")
    assert {row["type"]: row["n"] for row in rows}["page_view"] == 9
    assert printed(data, "sql", "select count(*) as n from people") == [{"n": 6}]
    assert printed(data, "sql", "select count(*) > 5 as some from elements") == [{"some": True}]


def test_the_doctor_finds_a_healthy_folder_healthy_and_names_what_is_missing(data, tmp_path):
    well = run(data, "doctor", "--json")
    assert well.exit_code == 0, well.output
    told = json.loads(well.stdout)
    assert not [finding for finding in told["findings"] if finding["is_wrong"] or "hint" in finding]
    assert {"setting": "port", "value": "8000", "from": "default"} in told["settings"]
    [metered] = [finding["says"] for finding in told["findings"] if finding["part"] == "losses"]
    assert metered.startswith("shop, last 7 days: ")
    assert "events whose placement is missing: 0" in [finding["says"] for finding in told["findings"]]

    story = Story(tmp_path / "broken")
    small_rich_lake(story).store()
    next((story.path / "lake" / "events").glob("*.parquet")).unlink()
    ill = run(story.path, "doctor", "--json")
    assert ill.exit_code == 1
    assert any(
        "missing" in finding["says"] for finding in json.loads(ill.stdout)["findings"] if finding["is_wrong"]
    )


def test_the_loss_meter_is_a_view_beside_the_others(data):
    rows = json.loads(run(data, "sql", "select * from losses", "--json").stdout)
    assert len(rows) == 9
    told = {(row["missing"], row["missing_pages"], row["is_exact"]) for row in rows}
    assert told == {(0, 0, False)}
    assert "losses" in run(data, "sql", "select * from loss").stderr
