"""Retention of the engine and of the oracle, which walks everybody's events, on random stories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from expost.clock import from_micros, to_micros
from expost.query.breakdown import SEVERAL, Breakdown, ByProperty, Flag
from expost.query.person import PeopleAnswer
from expost.query.retention import ENTRIES, Retention, RetentionAnswer, RetentionGroup, RetentionPeople
from expost.query.unit import Unit, parse_unit
from tests.semantics.engine import answer_of, assert_same, definition_of, group_name, matcher_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_retention import Plan, retention
from tests.semantics.stories import FIRST, HOUR, STEPS, ZONES, agreement, stories
from tests.semantics.test_funnel_agreement import UNITS, value_of

Table = dict[str, dict[date, tuple[int, list[tuple[int, int, int, bool]]]]]
GRAIN = 9 * HOUR
NIGHTLY = ("A", "A", "A", "B", "exposure:f=red", "exposure:f=blue")


def cells_of(answer: RetentionAnswer) -> Table:
    """Per group and cohort its size and its cells: first period, people, of how many, complete."""
    tables = [
        ("total", None, answer.cohorts),
        *((each.kind, each.value, each.cohorts) for each in answer.groups),
    ]
    return {
        group_name(kind, value): {
            cohort.start: (
                cohort.size,
                [(cell.period, cell.people, cell.size, cell.complete) for cell in cohort.periods],
            )
            for cohort in cohorts
        }
        for kind, value, cohorts in tables
        if cohorts
    }


def said_cells(said: dict[str, dict[date, dict[str, Any]]], plan: Plan, now: int) -> Table:
    """The oracle's table without the cells that are not shown: they have not begun, or are over for nobody."""
    return {
        group: {
            day: (
                cohort["size"],
                [
                    (low, people, size, complete)
                    for (low, _), (people, size, complete) in zip(plan.cells, cohort["cells"], strict=True)
                    if (size if plan.rolling else has_begun(plan, day, low, now))
                ],
            )
            for day, cohort in cohorts.items()
        }
        for group, cohorts in said.items()
    }


def behind(question: Retention, group: RetentionGroup) -> Iterator[tuple[RetentionPeople, int]]:
    """Who began in the last cohort and who is in its last cell, and how many that are."""
    for cohort in group.cohorts[-1:]:
        of_cohort = RetentionPeople(question, cohort.start, None, group.kind, group.value, limit=2)
        yield of_cohort, cohort.size
        for cell in cohort.periods[-1:]:
            yield replace(of_cohort, period=cell.period), cell.people


def has_begun(plan: Plan, day: date, period: int, now: int) -> bool:
    """Whether a calendar period after that of `day` has begun."""
    today = plan.first_day(now)
    if plan.period == "month":
        return (today.year - day.year) * 12 + today.month - day.month >= period
    return (today - day) // timedelta(days=7 if plan.period == "week" else 1) >= period


@agreement
@given(
    story=stories(grain=GRAIN, span=60),
    begins=st.sampled_from(STEPS),
    returns=st.sampled_from(STEPS),
    period=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from(ZONES),
    edges=st.tuples(st.none() | st.integers(0, 60), st.none() | st.integers(0, 60)),
    now=st.integers(0, 200),
    by=st.none()
    | st.sampled_from(SEVERAL).map(lambda several: Flag("f", several))
    | st.just(ByProperty("plan")),
    entry=st.sampled_from(("first_in_range", "first_ever", "recurring")),
    mode=st.sampled_from(("on", "on", "on_or_after")),
    rolling=st.booleans(),
    brackets=st.sampled_from(((), ((0, 0), (1, 2), (4, 6)), ((1, 3),))),
    unit=st.sampled_from(("person", "person", *UNITS)),
)
def test_retention_is_what_walking_everybody_finds(
    story: list[Happening],
    begins: str,
    returns: str,
    period: str,
    zone: str,
    edges: tuple[int | None, int | None],
    now: int,
    by: Breakdown | None,
    entry: Literal["first_in_range", "first_ever", "recurring"],
    mode: str,
    rolling: bool,
    brackets: tuple[tuple[int, int], ...],
    unit: str,
) -> None:
    start, end = (None if edge is None else FIRST + GRAIN * edge for edge in edges)
    asked_at = FIRST + GRAIN * now
    question = Retention(
        definition_of(begins),
        definition_of(returns),
        period,
        3 if mode != "on" or not brackets else None,
        by=by,
        entry=entry,
        mode=mode,
        rolling=rolling,
        brackets=brackets if mode == "on" else (),
        unit=Unit("session", None, timedelta(hours=20)) if unit == "session" else parse_unit(unit),
        start=None if start is None else from_micros(start),
        end=None if end is None else from_micros(end),
        now=from_micros(asked_at),
        time_zone=zone,
    )
    assert_agreement(story, question, begins, returns)


@agreement
@given(
    night=st.lists(
        st.tuples(st.sampled_from(("d1", "d2")), st.integers(0, 11), st.sampled_from(NIGHTLY)), min_size=4
    ),
    begins=st.sampled_from(("A", "type:custom")),
    returns=st.sampled_from(("A", "B")),
    period=st.sampled_from(("day", "month")),
    by=st.none() | st.sampled_from(SEVERAL[:2]).map(lambda several: Flag("f", several)),
    entry=st.sampled_from(ENTRIES),
    mode=st.sampled_from(("on", "on_or_after")),
    brackets=st.sampled_from(((), ((0, 0), (1, 2)))),
)
def test_clocks_that_are_put_back_over_midnight_bring_the_day_before_once_more(
    night: list[tuple[str, int, str]],
    begins: str,
    returns: str,
    period: str,
    by: Breakdown | None,
    entry: Literal["first_in_range", "first_ever", "recurring"],
    mode: str,
    brackets: tuple[tuple[int, int], ...],
) -> None:
    # In Goose Bay clocks went back at 03:01 UTC, from one minute past midnight of the first to 23:01 of October.
    story = read_story(
        f"{device} 2009-11-01T0{2 + tens // 6}:{tens % 6}0:30 {what}" for device, tens, what in night
    )
    question = Retention(
        definition_of(begins),
        definition_of(returns),
        period,
        2 if mode != "on" or not brackets else None,
        by=by,
        entry=entry,
        mode=mode,
        brackets=brackets if mode == "on" else (),
        now=datetime(2009, 11, 3, tzinfo=UTC),
        time_zone="America/Goose_Bay",
    )
    assert_agreement(story, question, begins, returns)


def assert_agreement(story: list[Happening], question: Retention, begins: str, returns: str) -> None:
    """Arrays, the portable SQL, events in a file and the oracle say the same, and as many people are behind a cell."""
    answer = answer_of(story, question)
    assert isinstance(answer, RetentionAnswer)
    assert_same(answer, answer_of(story, question, is_fast=False))
    with TemporaryDirectory() as folder:
        assert_same(answer, answer_of(story, question, folder=Path(folder)))
    for group in (RetentionGroup("total", None, answer.cohorts, ()), *answer.groups[-1:]):
        for asked, people in behind(question, group):
            listed = answer_of(story, asked)
            assert isinstance(listed, PeopleAnswer)
            assert listed.total == people
            assert_same(listed, answer_of(story, asked, is_fast=False))
    assert question.time_zone is not None
    start, end, now = (
        to_micros(each) if isinstance(each, datetime) else None
        for each in (question.start, question.end, question.now)
    )
    assert now is not None
    oracle = Oracle(story, unit=str(question.unit), gap=20 * HOUR)
    plan = Plan(
        matcher_of(begins),
        matcher_of(returns),
        question.period,
        question.cells,
        ZoneInfo(question.time_zone),
        entry=question.entry,
        mode=question.mode,
        rolling=question.rolling,
    )
    flag = question.by if isinstance(question.by, Flag) else None
    said = retention(
        oracle,
        plan,
        now=now,
        start=start,
        end=end,
        flag=flag.key if flag else None,
        several=flag.several if flag else "first",
        value=value_of(question.by, oracle, now),
    )
    assert cells_of(answer) == said_cells(said, plan, now)
    if question.mode == "on_or_after":
        assert answer.pooled == ()
        return
    for row, (low, _) in zip(answer.pooled, question.cells, strict=True):
        cells = [
            cell
            for _, shown in cells_of(answer).get("total", {}).values()
            for cell in shown
            if cell[0] == low and (question.rolling or cell[3])
        ]
        assert (row.people, row.size) == (sum(cell[1] for cell in cells), sum(cell[2] for cell in cells))
