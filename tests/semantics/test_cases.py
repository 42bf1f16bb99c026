"""Every conformance case, asked of the engine; funnels, retention and trends also of the oracle."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from expost.query import event_rows
from expost.query.answer import Answer
from expost.query.breakdown import Breakdown, Flag, parse_breakdown
from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.definition import Alternative, Definition, definition, in_force_of
from expost.query.duration import parse_duration
from expost.query.form import form_of
from expost.query.form_cohort import cohort_of
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople, Stage
from expost.query.interval import Interval
from expost.query.lifecycle import Lifecycle, LifecycleAnswer
from expost.query.measure import parse_measure
from expost.query.paths import Paths, PathsAnswer
from expost.query.person import PeopleAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.retention import Retention, RetentionAnswer, parse_brackets
from expost.query.stickiness import Stickiness, StickinessAnswer
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import parse_unit
from expost.state.sites import ALL_ENVIRONMENTS, Site
from tests.semantics import oracle_funnel, oracle_paths, oracle_retention, oracle_stickiness, oracle_trend
from tests.semantics.engine import (
    answer_of,
    assert_same,
    bars_of,
    definition_of,
    matcher_of,
    medians_of,
    table_of,
)
from tests.semantics.happening import SITE, Happening, moment, read_story
from tests.semantics.oracle import Counted, Oracle
from tests.semantics.oracle_cohort import members

NOW = datetime(2026, 4, 1, tzinfo=UTC)
HERE = Path(__file__).parent
CASES = [
    pytest.param(case, id=f"{file.stem}-{number}")
    for file in sorted(HERE.glob("*.toml"))
    for number, case in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["case"], 1)
]


def test_there_are_cases_for_every_section() -> None:
    assert len(CASES) >= 100
    rules = [
        rule
        for file in HERE.glob("*.toml")
        for rule in re.findall(r'^rule = "([1-7, ]+):', file.read_text(), re.MULTILINE)
    ]
    sections = {part.strip() for rule in rules for part in rule.split(",")}
    assert sections >= {"1", "2", "3", "4", "5", "6"}


@pytest.mark.parametrize("case", CASES)
def test_the_answer_follows_the_rule(case: dict[str, Any]) -> None:
    story = read_story(case["events"])
    for kind, check in (
        ("funnel", _funnel),
        ("retention", _retention),
        ("trend", _trend),
        ("preview", _preview),
        ("cohort", _cohort),
        ("stickiness", _stickiness),
        ("lifecycle", _lifecycle),
        ("paths", _paths),
    ):
        if kind in case:
            check(case, case[kind], story)
            return
    raise AssertionError(f"The case asks nothing: {case['rule']}")


def _funnel(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    now, zone = _now(case), ZoneInfo(asked.get("tz", "UTC"))
    start, end = _day(asked.get("from")), _day(asked.get("to"))
    within = parse_duration(asked["within"])
    steps = tuple(
        Stage(
            definition_of(step),
            parse_duration(windows[str(number)])
            if str(number) in (windows := asked.get("windows", {}))
            else None,
            optional=number in asked.get("optional", ()),
        )
        for number, step in enumerate(asked["steps"], 1)
    )
    question = Funnel(
        steps,
        within,
        by=_by(asked),
        order=asked.get("order", "ordered"),
        unit=parse_unit(asked.get("unit", "person")),
        between=tuple(map(definition_of, asked.get("between", ()))),
        ends_attempt=tuple(map(definition_of, asked.get("ends", ()))),
        removes_unit=tuple(map(definition_of, asked.get("removes", ()))),
        start=start,
        end=end,
        now=now,
        time_zone=zone.key,
        **_says(case),
    )
    answer = answer_of(story, question, _site(case))
    assert isinstance(answer, FunnelAnswer)
    assert_same(answer, answer_of(story, question, _site(case), is_fast=False))
    with pytest.MonkeyPatch.context() as few:
        few.setattr(event_rows, "MOST_MOMENTS", 0)
        assert_same(answer, answer_of(story, question, _site(case)))
    last = FunnelPeople(question, len(steps))
    listed = answer_of(story, last, _site(case))
    assert isinstance(listed, PeopleAnswer)
    assert_same(listed, answer_of(story, last, _site(case), is_fast=False))
    assert listed.total == answer.steps[-1].people
    assert bars_of(answer) == case["expect"], case["rule"]
    if "complete" in case:
        assert bars_of(answer, complete=True) == case["complete"], case["rule"]
    if "outside" in case:
        assert [step.outside_groups for step in answer.steps] == case["outside"], case["rule"]
    if "several" in case:
        assert answer.several_variations == case["several"], case["rule"]
    if "medians" in case:
        found = medians_of(answer)
        for group, seconds in case["medians"].items():
            assert found[group][1:] == [each * 1_000_000 for each in seconds], case["rule"]
    _left_out(case, answer)
    if case.get("oracle", True):
        said = oracle_funnel.funnel(
            _oracle(case, story, asked.get("unit", "person")),
            _plan(asked),
            start=_micros(start),
            end=_micros(end),
            now=moment(now.replace(tzinfo=None).isoformat()),
            flag=asked.get("by"),
            several=asked.get("several", "first"),
        )
        groups = said["groups"] or {"total": {"steps": [0] * len(steps)}}
        assert {group: table["steps"] for group, table in groups.items()} == case["expect"], case["rule"]


def _retention(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    now, zone = _now(case), ZoneInfo(asked.get("tz", "UTC"))
    start, end = _day(asked.get("from")), _day(asked.get("to"))
    question = Retention(
        definition_of(asked["begins"]),
        definition_of(asked["returns"]),
        asked["period"],
        None if "brackets" in asked else asked["periods"],
        by=_by(asked),
        entry=asked.get("entry", "first_in_range"),
        mode=asked.get("mode", "on"),
        rolling=asked.get("rolling", False),
        brackets=parse_brackets(asked["brackets"]) if "brackets" in asked else (),
        unit=parse_unit(asked.get("unit", "person")),
        start=start,
        end=end,
        now=now,
        time_zone=zone.key,
        **_says(case),
    )
    answer = answer_of(story, question, _site(case), week_start=asked.get("week_start", 0))
    assert isinstance(answer, RetentionAnswer)
    week_start = asked.get("week_start", 0)
    assert_same(answer, answer_of(story, question, _site(case), week_start=week_start, is_fast=False))
    shown = _by_text(table_of(answer))
    assert shown == case["expect"], case["rule"]
    if "complete" in case:
        complete = {
            cohort.start.isoformat(): [cell.complete for cell in cohort.periods] for cohort in answer.cohorts
        }
        assert complete == case["complete"], case["rule"]
    if "sizes" in case:
        sizes = {
            cohort.start.isoformat(): [cell.size for cell in cohort.periods] for cohort in answer.cohorts
        }
        assert sizes == case["sizes"], case["rule"]
    if "pooled" in case:
        assert [[row.people, row.size] for row in answer.pooled] == case["pooled"], case["rule"]
    _left_out(case, answer)
    said = oracle_retention.retention(
        _oracle(case, story, asked.get("unit", "person")),
        oracle_retention.Plan(
            matcher_of(asked["begins"]),
            matcher_of(asked["returns"]),
            asked["period"],
            question.cells,
            zone,
            week_start=asked.get("week_start", 0),
            entry=question.entry,
            mode=question.mode,
            rolling=question.rolling,
        ),
        now=moment(now.replace(tzinfo=None).isoformat()),
        start=_micros(start),
        end=_micros(end),
        flag=asked.get("by"),
        several=asked.get("several", "first"),
    )
    by_hand = {
        group: {
            day.isoformat(): [cohort["size"], *(people for people, _, _ in cohort["cells"])]
            for day, cohort in cohorts.items()
        }
        for group, cohorts in said.items()
    }
    for group, cohorts in shown.items():
        for day, row in cohorts.items():
            assert by_hand[group][day][: len(row)] == row, case["rule"]


def _by(asked: dict[str, Any]) -> Breakdown | None:
    if "split" in asked:
        return parse_breakdown(asked["split"])
    return Flag(asked["by"], asked.get("several", "first")) if "by" in asked else None


def _plan(asked: dict[str, Any]) -> oracle_funnel.Plan:
    """The same funnel for the oracle."""
    return oracle_funnel.Plan(
        tuple(map(matcher_of, asked["steps"])),
        _length(asked["within"]),
        asked.get("order", "ordered"),
        {int(number) - 1: _length(text) for number, text in asked.get("windows", {}).items()},
        frozenset(number - 1 for number in asked.get("optional", ())),
        tuple(map(matcher_of, asked.get("between", ()))),
        tuple(map(matcher_of, asked.get("ends", ()))),
        tuple(map(matcher_of, asked.get("removes", ()))),
    )


def _length(text: str) -> int:
    return parse_duration(text) // timedelta(microseconds=1)


def _trend(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    zone = ZoneInfo(asked.get("tz", "UTC"))
    question = Trend(
        definition_of(asked["of"]),
        asked["period"],
        by=_by(asked),
        measure=parse_measure(asked.get("measure", "events")),
        per=definition_of(asked["per"]) if "per" in asked else None,
        per_measure=parse_measure(asked["per_measure"]) if "per_measure" in asked else None,
        start=_day(asked.get("from")),
        end=_day(asked.get("to")),
        now=_now(case),
        time_zone=zone.key,
        **_says(case),
    )
    answer = answer_of(story, question, _site(case))
    assert isinstance(answer, TrendAnswer)
    _left_out(case, answer)
    if "measured" in case:
        _measured(case, asked, story, answer)
        return
    assert _by_text(table_of(answer)) == case["expect"], case["rule"]
    said = _oracle(case, story).trend(
        matcher_of(asked["of"]), asked["period"], zone=zone, flag=asked.get("by")
    )
    assert _by_text(said) == case["expect"], case["rule"]


def _measured(
    case: dict[str, Any], asked: dict[str, Any], story: list[Happening], answer: TrendAnswer
) -> None:
    """The measure of each period where there is one, and of the whole range."""
    zone = ZoneInfo(asked.get("tz", "UTC"))
    found = {
        point.start.astimezone(zone).date().isoformat(): point.value for point in answer.points if point.value
    }
    assert found == {day: value for day, value in case["measured"].items() if value}, case["rule"]
    assert answer.value == case["whole"], case["rule"]
    measured = [(matcher_of(asked["of"]), asked["measure"])]
    if "per" in asked:
        measured.append((matcher_of(asked["per"]), asked.get("per_measure", asked["measure"])))
    said = oracle_trend.trend(
        Oracle(story, _counted(case)), oracle_trend.Plan(measured, asked["period"], zone)
    )["total"]
    assert float(said.pop(None) or 0) == case["whole"], case["rule"]
    by_hand = {day.isoformat(): float(value) for day, value in said.items() if day and value is not None}
    assert by_hand == case["measured"], case["rule"]


def _preview(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    if "versions" in case:
        asked_of = _versions(case["versions"], asked.get("version"))
    elif "types" in asked:
        text = definition("shared", text=asked["text"]).alternatives[0].text if "text" in asked else None
        asked_of = Definition("asked", (Alternative(types=tuple(asked["types"]), text=text),))
    else:
        given = dict(asked)
        if "query" in given:
            given["query"] = {name: value or None for name, value in given["query"].items()}
        asked_of = definition("asked", **given)
    answer = answer_of(story, Preview(asked_of, now=_now(case), **_says(case)), _site(case))
    assert isinstance(answer, PreviewAnswer)
    assert {"events": answer.events, "people": answer.people} == case["expect"], case["rule"]
    if "unknown" in case:
        assert answer.unknown == case["unknown"], case["rule"]
    if "counted" in case:
        [used] = answer.basis.definitions
        counted = [[each.version, each.counted_from, each.counted_until] for each in used.versions]
        assert [[version, *map(str, sides)] for version, *sides in counted] == case["counted"], case["rule"]
    _left_out(case, answer)


def _versions(versions: list[dict[str, Any]], pinned: int | None) -> Definition:
    """A saved definition with these versions, followed or pinned."""
    saved, over = [], []
    for number, version in enumerate(versions[:pinned], 1):
        given = dict(version)
        sides = [given.pop(side, None) for side in ("valid_from", "valid_until")]
        if given.pop("starts_over", False):
            over.append(number)
        interval = Interval(*(moment(*side.split()) if side else None for side in sides))
        saved.append(replace(definition("asked", **given), version=number, interval=interval))
    return in_force_of(saved, frozenset(over))


def _stickiness(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    zone, start = ZoneInfo(asked.get("tz", "UTC")), _day(asked.get("from"))
    answer = answer_of(
        story,
        Stickiness(
            definition_of(asked["of"]), asked["period"], start=start, now=_now(case), time_zone=zone.key
        ),
    )
    assert isinstance(answer, StickinessAnswer)
    assert list(answer.people) == case["people"], case["rule"]
    _left_out(case, answer)
    plan = oracle_trend.Plan([(matcher_of(asked["of"]), "people")], asked["period"], zone)
    said = oracle_stickiness.stickiness(
        Oracle(story), plan, now=_asked_at(case), start=_micros(start), end=None
    )["total"]
    assert [said[number] for number in range(1, max(said) + 1)] == case["people"], case["rule"]


def _lifecycle(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    start = _day(asked.get("from"))
    answer = answer_of(
        story, Lifecycle(definition_of(asked["of"]), asked["period"], start=start, now=_now(case))
    )
    assert isinstance(answer, LifecycleAnswer)
    found = {
        each.start.isoformat(): [each.new, each.returning, each.resurrecting, each.dormant]
        for each in answer.periods
    }
    assert found == case["periods"], case["rule"]
    plan = oracle_trend.Plan([(matcher_of(asked["of"]), "people")], asked["period"], ZoneInfo("UTC"))
    days = [each.start for each in answer.periods]
    said = oracle_stickiness.lifecycle(Oracle(story), plan, days, now=_asked_at(case), end=None)
    assert {day.isoformat(): counts for day, counts in said.items()} == case["periods"], case["rule"]


def _paths(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    direction, steps = asked.get("direction", "after"), asked.get("steps", 4)
    answer = answer_of(
        story, Paths(definition_of(asked["of"]), direction, steps=steps, now=_now(case)), _site(case)
    )
    assert isinstance(answer, PathsAnswer)
    found = [
        [edge.step, edge.source or "", "(end)" if edge.kind == "end" else edge.target, edge.sessions]
        for edge in answer.edges
    ]
    assert found == case["edges"], case["rule"]
    said = oracle_paths.paths(
        Oracle(story, _counted(case), "session"),
        matcher_of(asked["of"]),
        [],
        str,
        is_after=direction == "after",
        steps=steps,
        start=None,
        end=None,
        now=_asked_at(case),
    )
    by_hand = [
        [step, source or "", target or "(end)", sessions] for (step, source, target), sessions in said.items()
    ]
    assert sorted(by_hand) == sorted(case["edges"]), case["rule"]


def _asked_at(case: dict[str, Any]) -> int:
    return moment(_now(case).replace(tzinfo=None).isoformat())


def _cohort(case: dict[str, Any], asked: dict[str, Any], story: list[Happening]) -> None:
    pairs = [
        (name, each) for name, said in asked.items() for each in ([said] if isinstance(said, str) else said)
    ]
    cohort = cohort_of("asked", form_of(pairs))
    answer = answer_of(story, CohortSize(cohort, now=_now(case), **_says(case)), _site(case))
    assert isinstance(answer, CohortAnswer)
    assert (answer.people, answer.everyone) == (case["people"], case["everyone"]), case["rule"]
    found = members(Oracle(story, _counted(case)), cohort, _asked_at(case), matcher_of)
    assert len(found) == case["people"], case["rule"]


def _left_out(case: dict[str, Any], answer: Answer) -> None:
    if "left_out" in case:
        assert {each.reason: each.events for each in answer.basis.left_out} == case["left_out"], case["rule"]
    if "because" in case:
        assert {each.reason: each.because for each in answer.basis.left_out} == case["because"], case["rule"]
    if "notes" in case:
        assert set(case["notes"]) <= set(answer.notes), case["rule"]


def _site(case: dict[str, Any]) -> Site:
    """The story's site: what it counts unless the question says otherwise."""
    return Site(SITE, SITE, **_with_tuples(case.get("site", {})))


def _says(case: dict[str, Any]) -> dict[str, Any]:
    """What the question itself says about who counts."""
    as_of = {"as_of": _as_of(case)} if "as_of" in case else {}
    return _with_tuples(case.get("says", {})) | as_of


def _as_of(case: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(case["as_of"]).replace(tzinfo=UTC)


def _with_tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _counted(case: dict[str, Any]) -> Counted:
    """The same for the oracle."""
    site, says = case.get("site", {}), case.get("says", {})
    named = says.get("environment", site.get("environments", ["production"]))
    listed = [named] if isinstance(named, str) else named
    return Counted(
        says.get("bots", site.get("count_bots", False)),
        says.get("internal", site.get("count_internal", False)),
        () if listed == [ALL_ENVIRONMENTS] else tuple(listed),
    )


def _oracle(case: dict[str, Any], story: list[Happening], unit: str = "person") -> Oracle:
    as_of = moment(case["as_of"]) if "as_of" in case else None
    return Oracle(story, _counted(case), unit, as_of=as_of)


def _now(case: dict[str, Any]) -> datetime:
    if "now" in case:
        return datetime.fromisoformat(case["now"]).replace(tzinfo=UTC)
    return _as_of(case) if "as_of" in case else NOW


def _day(text: str | None) -> date | None:
    return None if text is None else date(2026, 3, 1) + timedelta(days=int(text) - 1)


def _micros(day: date | None) -> int | None:
    return None if day is None else moment(f"{day.isoformat()}T00:00")


def _by_text(table: dict[str, dict[date, Any]]) -> dict[str, dict[str, list[int]]]:
    return {group: {day.isoformat(): list(row) for day, row in days.items()} for group, days in table.items()}
