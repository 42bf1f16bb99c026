"""Measures of trends by the engine and by the oracle, on random stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.answer import Answer
from expost.query.breakdown import ByProperty, Flag
from expost.query.measure import parse_measure
from expost.query.trend import TREND_PERIODS, Trend, TrendAnswer
from expost.query.unit import Unit, parse_unit
from tests.semantics.engine import answer_of, assert_same, definition_of, group_name, matcher_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_trend import Plan, said, trend
from tests.semantics.stories import FIRST, HOUR, STEPS, ZONES, agreement, stories
from tests.semantics.test_funnel_agreement import UNITS
from tests.semantics.turns import told_by_arrays, turns

MEASURES = (
    "events", "people", "per_person", "sum:plan", "mean:plan", "min:plan", "max:plan", "p50:plan", "p90:plan",
)  # fmt: skip
GRAIN = 9 * HOUR


@agreement
@given(
    story=stories(grain=GRAIN, span=30),
    measured=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(MEASURES)), min_size=1, max_size=2),
    period=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from(ZONES),
    edges=st.tuples(st.none() | st.integers(0, 14), st.none() | st.integers(15, 30)),
    is_split=st.booleans(),
    unit=st.sampled_from(("person", "person", *UNITS)),
)
def test_a_measure_is_what_walking_all_events_finds(
    story: list[Happening],
    measured: list[tuple[str, str]],
    period: str,
    zone: str,
    edges: tuple[int | None, int | None],
    is_split: bool,
    unit: str,
) -> None:
    start, end = (None if edge is None else FIRST + GRAIN * edge for edge in edges)
    (of, what), *per = measured
    question = Trend(
        definition_of(of),
        period,
        by=ByProperty("plan") if is_split else None,
        unit=Unit("session", None, timedelta(hours=20)) if unit == "session" else parse_unit(unit),
        measure=parse_measure(what),
        per=definition_of(per[0][0]) if per else None,
        per_measure=parse_measure(per[0][1]) if per else None,
        start=None if start is None else from_micros(start),
        end=None if end is None else from_micros(end),
        now=from_micros(FIRST + GRAIN * 31),
        time_zone=zone,
    )
    answer = answer_of(story, question)
    assert isinstance(answer, TrendAnswer)
    expected = trend(
        Oracle(story, unit=unit, gap=20 * HOUR),
        Plan([(matcher_of(step), what) for step, what in measured], period, ZoneInfo(zone)),
        start=start,
        end=end,
        group_of=(lambda event: group_of(event)) if is_split else None,
    )
    series: list[Any] = [("total", None, answer.points, answer.value)]
    series += [(each.kind, each.value, each.points, each.measured) for each in answer.groups]
    assert {group_name(kind, value) for kind, value, *_ in series} == {"total", *expected}
    for kind, value, points, whole in series:
        said_here = expected.get(group_name(kind, value), {})
        found = {point.start.astimezone(ZoneInfo(zone)).date(): point.value for point in points}
        for day, figure in said_here.items():
            assert (whole if day is None else found.pop(day)) == near(figure)
        # Where nothing happened, counts and sums are 0, and what is computed of something is nothing.
        nothing = 0 if not per and what.partition(":")[0] in ("events", "people", "sum") else None
        assert set(found.values()) <= {nothing}


@settings(agreement, max_examples=25)
@given(
    story=stories(grain=HOUR // 2, span=120),
    measured=st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(("events", "people", "per_person"))),
        min_size=1,
        max_size=2,
    ),
    period=st.sampled_from(TREND_PERIODS),
    zone=st.sampled_from(ZONES),
    edges=st.tuples(st.none() | st.integers(0, 60), st.none() | st.integers(61, 120)),
    by=st.sampled_from((None, Flag("f"), Flag("f", "exclude"))),
    compare=st.none() | st.just("previous"),
    together=st.integers(1, 6),
)
def test_arrays_count_what_the_portable_sql_counts(
    story: list[Happening],
    measured: list[tuple[str, str]],
    period: str,
    zone: str,
    edges: tuple[int | None, int | None],
    by: Flag | None,
    compare: str | None,
    together: int,
) -> None:
    start, end = (None if edge is None else from_micros(FIRST + HOUR // 2 * edge) for edge in edges)
    (of, what), *per = measured
    question = Trend(
        definition_of(of),
        period,
        by=by,
        measure=parse_measure(what),
        per=definition_of(per[0][0]) if per else None,
        per_measure=parse_measure(per[0][1]) if per else None,
        compare=compare if start is not None and end is not None else None,
        start=start,
        end=end,
        now=from_micros(FIRST + HOUR * 61),
        time_zone=zone,
    )
    portable = answer_of(story, question, is_fast=False)
    with told_by_arrays() as by_arrays:
        assert_same_trends(answer_of(story, question), portable)
        with TemporaryDirectory() as folder:
            assert_same_trends(answer_of(story, question, folder=Path(folder)), portable)
        with turns(together):
            assert_same_trends(answer_of(story, question), portable)
    assert by_arrays
    assert all(by_arrays)


def test_whoever_acts_on_both_sides_of_a_midnight_that_comes_twice_is_one_person_of_the_day_before() -> None:
    # In St. John's clocks went back at 02:31 UTC, from one minute past midnight to 23:01 of the sixth.
    story = read_story([f"d1 2010-11-07T{time} A" for time in ("02:10", "02:30:30", "02:45")])
    now = datetime(2010, 11, 9, tzinfo=UTC)
    question = Trend(definition_of("A"), "day", now=now, time_zone="America/St_Johns")
    with told_by_arrays() as by_arrays:
        answer = answer_of(story, question)
    assert by_arrays == [True]
    assert isinstance(answer, TrendAnswer)
    assert [(each.events, each.people) for each in answer.points] == [(2, 1), (1, 1), (0, 0)]
    assert_same_trends(answer, answer_of(story, question, is_fast=False))


def assert_same_trends(fast: Answer, portable: Answer) -> None:
    """Both say the same, of the time before as well."""
    assert isinstance(fast, TrendAnswer)
    assert isinstance(portable, TrendAnswer)
    assert_same(replace(fast, compared=None), replace(portable, compared=None))
    assert (fast.compared is None) == (portable.compared is None)
    if fast.compared is not None and portable.compared is not None:
        assert_same(fast.compared, portable.compared)


def group_of(event: Happening) -> str:
    """The group of an event by its property."""
    plan = said(event, "plan")
    return "no value" if plan is None else f"value {plan}"


def near(figure: Fraction | None) -> object:
    """The figure as a floating point number holds it."""
    return None if figure is None else pytest.approx(float(figure), rel=1e-12)
