"""Every conformance case, asked of the engine, and of the oracle what the oracle knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from expost.query import tied
from expost.query.answer import Answer
from expost.query.cohort import Cohort
from expost.query.cohort_size import CohortSize
from expost.query.duration import parse_duration
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.lifecycle import LifecycleAnswer
from expost.query.paths import Paths
from expost.query.person import PeopleAnswer
from expost.query.retention import Retention, RetentionAnswer
from expost.state.sites import ALL_ENVIRONMENTS
from tests.semantics import oracle_funnel, oracle_paths, oracle_retention, oracle_stickiness, oracle_trend
from tests.semantics.cases import (
    HERE,
    Case,
    cohort_said,
    day_of,
    kind_of,
    micros_of,
    now_of,
    question_of,
    read_cases,
    site_of,
    week_start_of,
)
from tests.semantics.engine import answer_of, assert_same, matcher_of, table_of
from tests.semantics.figures import differences, figures_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.oracle import Counted, Oracle
from tests.semantics.oracle_cohort import members
from tests.semantics.turns import turns

CASES = [pytest.param(case, id=name) for name, case in read_cases().items()]
ASKED_TWICE = ("funnel", "retention", "trend")
"""What passes over arrays may answer, and the portable SQL."""


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
def test_the_answer_follows_the_rule(case: Case) -> None:
    kind, story = kind_of(case), read_story(case["events"])
    answer = _ask(case, story)
    assert not differences(case, figures_of(answer)), case["rule"]
    if kind in ASKED_TWICE:
        assert_same(answer, _ask(case, story, is_fast=False))
        with TemporaryDirectory() as folder:
            assert_same(answer, _ask(case, story, folder=Path(folder)))
        with turns():
            assert_same(answer, _ask(case, story))
    if kind == "funnel":
        _same_people(case, story, answer)
        with pytest.MonkeyPatch.context() as few:
            few.setattr(tied, "MOST_MOMENTS", 0)
            assert_same(answer, _ask(case, story))
    if kind in ORACLES and case.get("oracle", True):
        ORACLES[kind](case, case[kind], story, answer)


def _same_people(case: Case, story: list[Happening], answer: Answer) -> None:
    """The people behind the last bar are as many as it says, whichever way they are found."""
    assert isinstance(answer, FunnelAnswer)
    assert isinstance(answer.question, Funnel)
    last = FunnelPeople(answer.question, len(answer.steps))
    listed = answer_of(story, last, site_of(case))
    assert isinstance(listed, PeopleAnswer)
    assert_same(listed, answer_of(story, last, site_of(case), is_fast=False))
    assert listed.total == answer.steps[-1].people


def _ask(case: Case, story: list[Happening], **ways: Any) -> Answer:
    return answer_of(story, question_of(case), site_of(case), week_start=week_start_of(case), **ways)


def _funnel(case: Case, asked: Mapping[str, Any], story: list[Happening], _answer: Answer) -> None:
    start, end = _edge(asked, "from"), _edge(asked, "to")
    own = _among(case, story, asked.get("cohort"))
    assert _bars(case, asked, own, start, end) == case["expect"], case["rule"]
    beside = asked.get("compare")
    if beside == "previous":
        assert start is not None
        assert end is not None
        assert _bars(case, asked, own, 2 * start - end, start) == case["compared"], case["rule"]
    elif beside is not None:
        others = _among(case, story, beside)
        assert _bars(case, asked, others, start, end) == case["compared"], case["rule"]
        both = _oracle(case, story, asked)
        both.people = {person: events for person, events in own.people.items() if person in others.people}
        assert _bars(case, asked, both, start, end)["total"][0] == case["shared"], case["rule"]


def _bars(
    case: Case, asked: Mapping[str, Any], oracle: Oracle, start: int | None, end: int | None
) -> dict[str, list[int]]:
    said = oracle_funnel.funnel(
        oracle,
        _plan(asked),
        start=start,
        end=end,
        now=micros_of(now_of(case)),
        flag=asked.get("by"),
        several=asked.get("several", "first"),
    )
    groups = said["groups"] or {"total": {"steps": [0] * len(asked["steps"])}}
    return {group: table["steps"] for group, table in groups.items()}


def _among(case: Case, story: list[Happening], cohort: Mapping[str, Any] | None) -> Oracle:
    """The oracle that knows the people of a cohort alone; without one everybody."""
    oracle = _oracle(case, story, case[kind_of(case)])
    if cohort is not None:
        found = members(oracle, cohort_said("asked", cohort), micros_of(now_of(case)), matcher_of)
        oracle.people = {person: events for person, events in oracle.people.items() if person in found}
    return oracle


def _retention(case: Case, asked: Mapping[str, Any], story: list[Happening], answer: Answer) -> None:
    assert isinstance(answer, RetentionAnswer)
    start, end = _edge(asked, "from"), _edge(asked, "to")
    own = _among(case, story, asked.get("cohort"))
    _same_cohorts(case, asked, answer, own, start, end)
    if answer.compared is None:
        return
    beside = asked["compare"]
    if beside == "previous":
        assert start is not None
        assert end is not None
        _same_cohorts(case, asked, answer.compared, own, 2 * start - end, start)
    else:
        others = _among(case, story, beside)
        _same_cohorts(case, asked, answer.compared, others, start, end)
        both = _oracle(case, story, asked)
        both.people = {person: events for person, events in own.people.items() if person in others.people}
        tables = [_retained(case, asked, answer, alone, start, end) for alone in _each_alone(both)]
        assert sum(bool(table.get("total")) for table in tables) == case["shared"], case["rule"]


def _each_alone(oracle: Oracle) -> Iterator[Oracle]:
    for person, events in oracle.people.items():
        alone = copy(oracle)
        alone.people = {person: events}
        yield alone


def _same_cohorts(
    case: Case,
    asked: Mapping[str, Any],
    answer: RetentionAnswer,
    oracle: Oracle,
    start: int | None,
    end: int | None,
) -> None:
    said = _retained(case, asked, answer, oracle, start, end)
    by_hand = {
        group: {
            day: [cohort["size"], *(people for people, _, _ in cohort["cells"])]
            for day, cohort in cohorts.items()
        }
        for group, cohorts in said.items()
    }
    for group, cohorts in table_of(answer).items():
        for day, row in cohorts.items():
            assert by_hand[group][day][: len(row)] == row, case["rule"]


def _retained(
    case: Case,
    asked: Mapping[str, Any],
    answer: RetentionAnswer,
    oracle: Oracle,
    start: int | None,
    end: int | None,
) -> Mapping[str, Any]:
    question = answer.question
    assert isinstance(question, Retention)
    return oracle_retention.retention(
        oracle,
        oracle_retention.Plan(
            matcher_of(asked["begins"]),
            matcher_of(asked["returns"]),
            asked["period"],
            question.cells,
            ZoneInfo(asked.get("tz", "UTC")),
            week_start=week_start_of(case),
            entry=question.entry,
            mode=question.mode,
            rolling=question.rolling,
        ),
        now=micros_of(now_of(case)),
        start=start,
        end=end,
        flag=asked.get("by"),
        several=asked.get("several", "first"),
    )


def _plan(asked: Mapping[str, Any]) -> oracle_funnel.Plan:
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


def _trend(case: Case, asked: Mapping[str, Any], story: list[Happening], _answer: Answer) -> None:
    if "measured" in case:
        _measured(case, asked, story)
        return
    zone = ZoneInfo(asked.get("tz", "UTC"))
    said = _oracle(case, story, asked).trend(
        matcher_of(asked["of"]), asked["period"], zone=zone, flag=asked.get("by")
    )
    by_day = {
        group: {day.isoformat(): list(row) for day, row in days.items()} for group, days in said.items()
    }
    assert by_day == case["expect"], case["rule"]


def _measured(case: Case, asked: Mapping[str, Any], story: list[Happening]) -> None:
    """The measure of each period where there is one, and of the whole range."""
    measured = [(matcher_of(asked["of"]), asked["measure"])]
    if "per" in asked:
        measured.append((matcher_of(asked["per"]), asked.get("per_measure", asked["measure"])))
    plan = oracle_trend.Plan(measured, asked["period"], ZoneInfo(asked.get("tz", "UTC")))
    said = oracle_trend.trend(Oracle(story, _counted(case)), plan)["total"]
    assert float(said.pop(None) or 0) == case["whole"], case["rule"]
    by_hand = {day.isoformat(): float(value) for day, value in said.items() if day and value is not None}
    assert by_hand == case["measured"], case["rule"]


def _stickiness(case: Case, asked: Mapping[str, Any], story: list[Happening], _answer: Answer) -> None:
    zone = ZoneInfo(asked.get("tz", "UTC"))
    plan = oracle_trend.Plan([(matcher_of(asked["of"]), "people")], asked["period"], zone)
    start, now = _edge(asked, "from"), micros_of(now_of(case))
    said = oracle_stickiness.stickiness(Oracle(story), plan, now=now, start=start, end=None)["total"]
    assert [said[number] for number in range(1, max(said) + 1)] == case["people"], case["rule"]


def _lifecycle(case: Case, asked: Mapping[str, Any], story: list[Happening], answer: Answer) -> None:
    assert isinstance(answer, LifecycleAnswer)
    plan = oracle_trend.Plan([(matcher_of(asked["of"]), "people")], asked["period"], ZoneInfo("UTC"))
    days = [each.start for each in answer.periods]
    said = oracle_stickiness.lifecycle(Oracle(story), plan, days, now=micros_of(now_of(case)), end=None)
    assert {day.isoformat(): counts for day, counts in said.items()} == case["periods"], case["rule"]


def _paths(case: Case, asked: Mapping[str, Any], story: list[Happening], answer: Answer) -> None:
    question = answer.question
    assert isinstance(question, Paths)
    said = oracle_paths.paths(
        Oracle(story, _counted(case), "session"),
        matcher_of(asked["of"]),
        [],
        str,
        is_after=question.direction == "after",
        steps=question.steps,
        start=_edge(asked, "from"),
        end=_edge(asked, "to"),
        now=micros_of(now_of(case)),
    )
    by_hand = [
        [step, source or "", target or "(end)", sessions] for (step, source, target), sessions in said.items()
    ]
    assert sorted(by_hand) == sorted(case["edges"]), case["rule"]


def _cohort(case: Case, _asked: Mapping[str, Any], story: list[Happening], answer: Answer) -> None:
    question = answer.question
    assert isinstance(question, CohortSize)
    assert isinstance(question.of, Cohort)
    found = members(Oracle(story, _counted(case)), question.of, micros_of(now_of(case)), matcher_of)
    assert len(found) == case["people"], case["rule"]


ORACLES: dict[str, Callable[[Case, Mapping[str, Any], list[Happening], Answer], None]] = {
    "funnel": _funnel,
    "retention": _retention,
    "trend": _trend,
    "cohort": _cohort,
    "stickiness": _stickiness,
    "lifecycle": _lifecycle,
    "paths": _paths,
}


def _counted(case: Case) -> Counted:
    """What counts, for the oracle."""
    site, says = case.get("site", {}), case.get("says", {})
    named = says.get("environment", site.get("environments", ["production"]))
    listed = [named] if isinstance(named, str) else named
    return Counted(
        says.get("bots", site.get("count_bots", False)),
        says.get("internal", site.get("count_internal", False)),
        () if listed == [ALL_ENVIRONMENTS] else tuple(listed),
    )


def _oracle(case: Case, story: list[Happening], asked: Mapping[str, Any]) -> Oracle:
    as_of = moment(case["as_of"]) if "as_of" in case else None
    gap = _length(asked.get("gap", "30min"))
    since = None
    if "exposures_from" in asked:
        local = datetime.fromisoformat(asked["exposures_from"]).replace(
            tzinfo=ZoneInfo(asked.get("tz", "UTC"))
        )
        since = micros_of(local.astimezone(UTC))
    return Oracle(story, _counted(case), asked.get("unit", "person"), gap, as_of, since)


def _edge(asked: Mapping[str, Any], side: str) -> int | None:
    day = day_of(asked.get(side))
    return None if day is None else moment(f"{day.isoformat()}T00:00")
