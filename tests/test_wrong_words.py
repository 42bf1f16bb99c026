"""A wrong word is answered by a sentence with the nearest known one, at every door, and nothing is taken silently."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

import expost
from expost.cli import main
from expost.errors import ExpostError, InvalidInput, UnknownVersion
from expost.query.form import form_of
from expost.query.form_cohort import cohort_of
from expost.state.sites import Site, add_site
from tests.doors import app_over
from tests.story import Story, click, track, view

REFUSALS = ("InvalidInput", "NotBuilt")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[expost.Lake]:
    story = Story(tmp_path_factory.mktemp("words") / "expost-data")
    story.capture(
        "ann", view("/"), click("form.cart button.buy", label="Buy"), track("Paid", plan="pro"), at="10:00"
    )
    opened = expost.open(story.path)
    add_site(opened.analysis.state, Site("shop", "Shop"))
    opened.define("Viewed", view="/**")
    opened.define("Bought", click="button.buy")
    opened.define("Paid", track="Paid")
    yield opened
    opened.analysis.close()


@pytest.fixture(scope="module")
def client(lake: expost.Lake) -> Iterator[TestClient]:
    with TestClient(app_over(lake.analysis)) as opened:
        yield opened


def run(lake: expost.Lake, *arguments: str) -> str:
    found = CliRunner().invoke(main, [*arguments, "--data", str(lake.analysis.folder.path)])
    return found.output + (found.stderr if found.exit_code else "")


@pytest.mark.parametrize(
    ("method", "path", "body", "message", "hint"),
    [
        ("GET", "/preview?klick=a", None, "'klick'", "'click'"),
        ("GET", "/funnel/people?step=Bought&kind=on", None, "'on' is asked for", "Say by"),
        ("GET", "/trend/people?name=Bought&by=path&kind=path", None, "the kind 'path'", "no value"),
        ("GET", "/funnel?step=Bought&ends=Viewed", None, "'ends'", "'ends_attempt'"),
        ("GET", "/retention?start=Bought", None, "'start'", "'start_event'"),
        ("GET", "/definitions?archive=yes", None, "'archive'", "'archived'"),
        ("GET", "/definitions/Bought?version=2", None, "'version'", "site"),
        ("GET", "/live?lates=3", None, "'lates'", "'latest'"),
        ("GET", "/cohorts?sit=shop", None, "'sit'", "'site'"),
        ("GET", "/trend?name=Bought&period=dy", None, "'dy'", "'day'"),
        ("PUT", "/definitions/x", {"klick": "a"}, "'klick'", "'click'"),
        ("PUT", "/definitions/x", {"click": 5}, "click is 5, where text", '{"click": "form.signup button"}'),
        ("PUT", "/definitions/x", {"click": ["a", 5]}, "click is 5", '{"click"'),
        (
            "PUT",
            "/definitions/x",
            {"click": "a", "pierce": "yes"},
            "neither true nor false",
            '{"pierce": true}',
        ),
        ("PATCH", "/definitions/Bought", {"archived": "yes"}, "neither true nor false", '{"archived": true}'),
        ("POST", "/definitions/Bought/rollback", {"version": True}, "version is True", '{"version": 1}'),
        ("POST", "/definitions/Bought/rollback", {}, "Which version", '{"version": 1}'),
        ("POST", "/sql", {"quary": "select 1"}, "'quary'", "'query'"),
        ("POST", "/sql", {"query": "select 1", "limit": True}, "limit is True", '{"limit": 100}'),
        ("PUT", "/cohorts/x", {"did": "Bought", "time": "1=2"}, "'time'", "'times'"),
        ("POST", "/erasures", {"usr": "ann"}, "'usr'", "'user'"),
        ("POST", "/people/merge", {"user": "a", "into": "b", "force": 1}, "neither true nor false", "true"),
        ("POST", "/people/undo", {"edges": []}, "0 edges", "people"),
    ],
)
def test_http_names_the_wrong_word_and_the_right_one(
    client: TestClient, method: str, path: str, body: Any, message: str, hint: str
) -> None:
    answer = client.request(method, f"/api/v1{path}", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400, answer.text
    assert message in error["message"], error
    assert hint in error["hint"], error


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (lambda lake: lake.preview(klick="a"), "'klick'", "'click'"),
        (lambda lake: lake.preview(click="a", pathh="/"), "'pathh'", "'path'"),
        (lambda lake: lake.define("x", klick="a"), "'klick'", "'click'"),
        (lambda lake: lake.preview(click=5), "click is 5, where text", "form.signup button"),
        (lambda lake: lake.preview(path=5), "path is 5", "/shop/**"),
        (lambda lake: lake.define("\ud800", click="a"), "U+D800", "look the same"),
        (lambda lake: lake.preview(text="\ud83d"), "half of a character", "whole character"),
        (lambda lake: lake.funnel("Bought", ends="Viewed"), "'ends'", "'ends_attempt'"),
        (
            lambda lake: lake.funnel("Bought", order="wild"),
            "The order of a funnel cannot be 'wild'",
            "strict",
        ),
        (lambda lake: lake.funnel(), "1 to 20 steps; this one has 0", "in order"),
        (lambda lake: lake.funnel("Bought", start="yesterday"), "'yesterday'", "2026-11-02"),
        (lambda lake: lake.funnel("Bought", start=5), "start is 5", "2026-11-02"),
        (lambda lake: lake.funnel("Bought", now="2026-11-02"), "no moment of a day", "T08:00"),
        (lambda lake: lake.funnel("Bought", last=30), "last is 30", "'30d'"),
        (lambda lake: lake.funnel("Bought", time_zone=5), "time_zone is 5", "Europe/Berlin"),
        (lambda lake: lake.retention("Bought", week_start="frogday"), "week_start is 'frogday'", "sunday"),
        (lambda lake: lake.retention("Bought", time_zone="-1"), "time_zone is '-1', which is no", "UTC"),
        (lambda lake: lake.retention("Bought", week_start=7), "not 7", "whole number"),
        (lambda lake: lake.funnel("Bought", bots="perhaps"), "bots is 'perhaps'", "True or False"),
        (lambda lake: lake.funnel("Bought", internal=1), "internal is 1", "True or False"),
        (lambda lake: lake.funnel("Bought", environment=5), "environment is 5", "'all'"),
        (lambda lake: lake.funnel("Bought", cohort=5), "cohort is 5", "lake.cohorts()"),
        (lambda lake: lake.funnel("Bought", by=5), "by is 5", "flag:new-checkout"),
        (lambda lake: lake.funnel("Bought", several="exclude"), "there is no flag", "flag:KEY"),
        (lambda lake: lake.funnel("Bought", by="path", several="exclude"), "'path' is no flag", "flag:KEY"),
        (lambda lake: lake.funnel("Bought", exposures_from="2026-03-02"), "there is no flag", "flag:KEY"),
        (
            lambda lake: lake.funnel("Bought", by="path", exposures_from="2026-03-02"),
            "'path' is no flag",
            "flag:KEY",
        ),
        (
            lambda lake: lake.funnel("Bought", by="flag:f", exposures_from=5),
            "exposures_from is 5",
            "2026-11-02",
        ),
        (lambda lake: lake.retention("Bought", brackets=5), "brackets is 5", "0,1-3,4-7"),
        (lambda lake: lake.trend("Bought", measure=5), "5 is no measure", "sum:NAME"),
        (lambda lake: lake.sql("select 1", limit="a"), "The limit is 'a'", "Between 1"),
        (lambda lake: lake.funnel("Bought").people(step="2"), "no step '2'", "1 to 1"),
        (lambda lake: lake.funnel("Bought").people(1, value="on"), "'on' is asked for", "Say by"),
        (lambda lake: lake.funnel("Bought", by="path").people(1, kind="path"), "the kind 'path'", "no value"),
        (
            lambda lake: lake.funnel("Bought", by="flag:f").people(1, kind="not exposed", value="on"),
            "has no value 'on'",
            "'variation'",
        ),
        (lambda lake: lake.retention("Bought").people("someday"), "'someday'", "2026-11-02"),
        (lambda lake: lake.retention("Bought", periods="x"), "0 to 400 periods, not 'x'", "whole number"),
        (lambda lake: lake.retention("Bought", periods=100_000), "not 100000", "whole number"),
        (
            lambda lake: lake.retention("Bought", brackets="0,1-3", periods=2),
            "Brackets say which",
            "Leave periods",
        ),
        (lambda lake: lake.funnel("Bought", gap="5min"), "what is counted is people", "unit=session"),
        (
            lambda lake: lake.trend("Bought", unit="device", gap=timedelta(minutes=5)),
            "is devices",
            "unit=session",
        ),
        (lambda lake: lake.live(lates=5), "'lates'", "'latest'"),
        (lambda lake: lake.preview(click="button["), "[", "[type=submit]"),
    ],
)
def test_python_names_the_wrong_word_and_the_right_one(
    lake: expost.Lake, asked: Callable[[expost.Lake], Any], message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(lake)
    assert message in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("funnel", "Bought", "--gap", "5min"), "what is counted is people"),
        (("funnel", "Bought", "--dropped-off"), "--dropped-off chooses among the people behind a number"),
        (("retention", "--start-event", "Bought", "--limit", "5"), "--limit chooses among the people"),
        (
            ("retention", "--start-event", "Bought", "--brackets", "0,1-3", "--periods", "2"),
            "Brackets say which",
        ),
        (
            ("cohorts", "save", "x", "--did", "Bought", "--did-where", "plan=pro"),
            "names none of what was done",
        ),
        (("preview", "--click", "button["), "refused at '[':"),
        (("definitions", "diff", "somewhere", "--samples", "3"), "no versions are named"),
        (
            ("definitions", "diff", "Bought", "1", "9"),
            "'Bought' has no version 9: it has version 1 alone.",
        ),
    ],
)
def test_the_command_line_takes_nothing_silently(
    lake: expost.Lake, arguments: tuple[str, ...], says: str
) -> None:
    assert says in " ".join(run(lake, *arguments).split())


def test_the_gap_of_sessions_is_heard_in_python(lake: expost.Lake) -> None:
    asked = lake.funnel("Viewed", "Bought", unit="session", gap="5 min").question
    assert str(asked.unit) == "session"  # type: ignore[attr-defined]
    assert asked.unit.gap == timedelta(minutes=5)  # type: ignore[attr-defined]


def test_dates_in_words_are_dates_in_python(lake: expost.Lake) -> None:
    answer = lake.trend("Bought", start="2026-03-01", end="2026-03-03")
    assert [f"{point.start:%d}" for point in answer.points] == ["01", "02"]


def test_yes_and_no_in_words_are_heard_in_python(lake: expost.Lake) -> None:
    asked = lake.retention(
        "Bought", internal="no", bots="yes", cache="off", rolling="yes", week_start="Sunday"
    ).question
    said = (asked.internal, asked.bots, asked.cache, asked.rolling, asked.week_start)  # type: ignore[attr-defined]
    assert said == (False, True, False, True, 6)


def test_what_several_variations_mean_is_said_beside_the_flag_in_python(lake: expost.Lake) -> None:
    for by in ("flag:f", expost.flag("f")):
        assert lake.funnel("Bought", by=by, several="exclude").question.by == expost.flag("f", "exclude")  # type: ignore[attr-defined]


def test_from_when_on_exposures_count_is_said_beside_the_flag_or_with_it(lake: expost.Lake) -> None:
    flag = expost.flag("f", "exclude", exposures_from="2026-03-02")
    beside = lake.funnel("Bought", by=expost.flag("f", "exclude"), exposures_from="2026-03-02")
    assert beside.question == lake.funnel("Bought", by=flag).question
    assert "Exposures before 2026-03-02 count as if they had never been." in beside.proof.rules


def test_what_was_done_with_a_property_names_which_of_it() -> None:
    with pytest.raises(InvalidInput, match="did_where is 'plan=pro'") as refused:
        cohort_of("x", form_of([("did", "Paid"), ("did_where", "plan=pro")]))
    assert "1:plan=pro" in refused.value.hint


def test_a_version_that_is_none_is_told_which_there_are(lake: expost.Lake) -> None:
    for name in ("b", "c"):
        lake.define("Tab", click=f"a.{name}")
    with pytest.raises(UnknownVersion, match="'Tab' has no version 9: it has versions 1 to 2"):
        lake.difference("tab", 1, 9)
    with pytest.raises(UnknownVersion):
        lake.roll_back("Tab", 3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("left\u202eright", "U+202E RIGHT-TO-LEFT OVERRIDE, at place 5"),
        ("a\u200bb", "U+200B ZERO WIDTH SPACE, at place 2"),
        ("a\tb", "U+0009"),
        ("x" * 201, "cannot be called"),
        ("  ", "cannot be"),
    ],
)
def test_a_name_of_what_nobody_sees_is_refused_by_name(lake: expost.Lake, name: str, says: str) -> None:
    for save in (
        lambda: lake.define(name, click="a"),
        lambda: lake.save_cohort(name, did="Bought"),
    ):
        with pytest.raises(InvalidInput) as refused:
            save()
        assert says in str(refused.value)
        assert refused.value.hint


def test_a_name_is_trimmed_and_one_that_renames_says_so(lake: expost.Lake, client: TestClient) -> None:
    assert lake.define(" Menu ", click="a.menu").name == "Menu"
    assert lake.define("MENU", click="a.menu").renamed_from is None  # the same meaning is the same version
    renamed = lake.define("ＭＥＮＵ", click="a.other")
    assert (renamed.version, renamed.renamed_from) == (2, "Menu")
    said = run(lake, "define", "menu", "--click", "a.third", "--json")
    assert '"renamed_from": "ＭＥＮＵ"' in said
    body = client.put("/api/v1/definitions/Menu", json={"click": "a.fourth"}).json()
    assert body["renamed_from"] == "menu"
    back = lake.roll_back("Menu", 1)
    assert back.name == "Menu"
    known = {"known_name": "Menu", "known_version": str(back.version)}
    page = client.post("/definitions", data={"name": "mEnU", "click": "a.fifth", "site": "shop"} | known)
    assert "Until now it was shown as" in page.text


def test_a_name_that_is_taken_or_archived_is_said_where_it_is_saved(
    lake: expost.Lake, client: TestClient
) -> None:
    first = run(lake, "define", "Basket", "--click", "a.basket")
    assert "already" not in first
    assert "already" not in run(lake, "define", "Basket", "--click", "a.basket")
    again = run(lake, "define", "Basket", "--click", "a.other")
    assert '"version": 2' in again
    assert "'Basket' was defined already: version 1 was click on a.basket" in again
    form = {"name": "Basket", "click": "a.third", "site": "shop"}
    told = client.get("/define", params=form).text
    assert re.search(
        r"exists since [^,]*, now in version 2: .*Saving makes version 3 of it\.", told, re.DOTALL
    )
    assert "exists since" not in client.get("/define", params=form | {"name": "New"}).text
    held = client.post("/definitions", data=form)
    assert (held.status_code, "Nothing is saved yet. Saving makes version 3" in held.text) == (409, True)
    page = client.post("/definitions", data=form | {"known_name": "basket", "known_version": "2"})
    assert "It was defined already: version 2 was" in page.text
    assert "It is archived" not in page.text
    lake.describe("Basket", archived=True)
    assert "is archived: expost definitions unarchive Basket" in run(
        lake, "define", "Basket", "--click", "a.fourth"
    )
    known = {"known_name": "Basket", "known_version": "3"}
    assert client.post("/definitions", data=form | known).status_code == 409
    assert "It is archived" in client.post("/definitions", data=form | known | {"known_version": "4"}).text
    assert ", and is archived: " in client.get("/define", params=form).text


def test_every_refusal_says_what_to_do_next() -> None:
    without = []
    for folder in ("query", "expost", "state", "ui", "lake"):
        for path in sorted((ROOT / folder).glob("*.py")):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in REFUSALS:
                    continue
                if not any(each.arg == "hint" for each in call.keywords):
                    without.append(f"{path.name}:{call.lineno}")
    assert without == []


@pytest.mark.parametrize(
    ("ask", "note"),
    [
        (
            lambda lake: lake.funnel("Viewed", "Bought", unit="group:company"),
            "group of the type 'company'; known types",
        ),
        (lambda lake: lake.retention("Viewed", unit="group:company"), "group of the type 'company'"),
        (
            lambda lake: lake.funnel("Viewed", by="trait:zzz"),
            "Nobody has the trait 'zzz'; known traits: none",
        ),
        (
            lambda lake: lake.funnel("Viewed", by="property:zzz"),
            "has the property 'zzz'; known properties: 'plan'",
        ),
        (lambda lake: lake.trend("Paid", by="property:zzz"), "has the property 'zzz'"),
        (lambda lake: lake.preview(track="Payed"), "No event is called 'Payed'; known names: 'Paid'"),
        (
            lambda lake: lake.preview(on="wibble"),
            "No event of the type 'wibble' has arrived; known types: 'click'",
        ),
        (lambda lake: lake.preview(click="a", properties={"size": "L"}), "No event has the property 'size'"),
    ],
)
def test_what_is_asked_for_and_never_came_is_said(
    lake: expost.Lake, ask: Callable[[expost.Lake], Any], note: str
) -> None:
    notes = ask(lake).notes
    assert any(note in each for each in notes), notes


def test_a_step_that_nothing_narrowed_is_like_says_so(client: TestClient) -> None:
    notes = client.get("/api/v1/funnel?step=Viewed&step=Bought&where=2:x=1").json()["notes"]
    assert any("No event of 'Bought' has property x is 1" in each for each in notes), notes


def test_what_is_there_is_not_said_to_be_missing(lake: expost.Lake) -> None:
    for answer in (
        lake.funnel("Viewed", "Paid", by="property:plan"),
        lake.preview(track="Paid", properties={"plan": "pro"}),
        lake.preview(click="a.nothing"),
    ):
        assert not [note for note in answer.notes if note.startswith(("No event", "None of", "Nobody"))]


def test_a_definition_of_a_type_that_nothing_sends_says_so_when_it_is_saved(lake: expost.Lake) -> None:
    assert "No event of the type 'wibble' has arrived" in run(
        lake, "define", "Odd", "--on", "wibble", "--json"
    )


@pytest.mark.parametrize("unit", ["session", "device"])
def test_the_terminal_says_what_is_counted(lake: expost.Lake, unit: str) -> None:
    from rich.console import Console

    from expost.terminal import show

    for answer in (
        lake.funnel("Viewed", "Bought", unit=unit, within="3650 days"),
        lake.retention("Viewed", unit=unit),
        lake.trend("Viewed", unit=unit),
        lake.stickiness("Viewed", unit=unit),
        lake.lifecycle("Viewed", unit=unit),
    ):
        console = Console(width=100, record=True, file=StringIO())
        show(console, answer)
        said = console.export_text()
        assert f"{unit}s" in said, said
        assert "people entered" not in said


def test_the_pages_say_what_is_counted(client: TestClient) -> None:
    page = client.get("/funnel?step=Viewed&step=Bought&unit=session").text
    assert "<strong>1</strong> session ·" in page
    assert ">Sessions</th>" in page
    assert ">Devices</th>" in client.get("/retention?start_event=Viewed&unit=device").text
    assert (
        "The sessions behind this number" in client.get("/funnel/people?step=Viewed&unit=session&at=1").text
    )


def test_an_error_of_ours_is_never_bare(lake: expost.Lake) -> None:
    for ask in (
        lambda: lake.preview(click=[None]),
        lambda: lake.funnel("Bought", unit=5),  # type: ignore[arg-type]
        lambda: lake.preview(5),  # type: ignore[arg-type]
    ):
        with pytest.raises(ExpostError):
            ask()


def test_every_door_says_which_word_was_to_be_a_time_zone(lake: expost.Lake, client: TestClient) -> None:
    said = "time_zone is '-1', which is no time zone."
    assert said in run(lake, "trend", "Bought", "--tz=-1")
    assert client.get("/api/v1/trend?name=Bought&time_zone=-1").json()["error"]["message"] == said
    page = client.get("/trend?name=Bought&time_zone=-1")
    assert (page.status_code, said in html.unescape(page.text)) == (400, True)
    with pytest.raises(InvalidInput) as refused:
        add_site(lake.analysis.state, Site("other", "Other", time_zone="-1"))
    assert str(refused.value) == said
