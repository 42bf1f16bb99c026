"""Stickiness and lifecycle of the engine and of the oracle, on random stories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.breakdown import ByProperty, Flag
from expost.query.lifecycle import Lifecycle, LifecycleAnswer
from expost.query.stickiness import Stickiness, StickinessAnswer
from expost.query.unit import Unit, parse_unit
from tests.semantics.engine import answer_of, definition_of, group_name, matcher_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_stickiness import lifecycle, stickiness
from tests.semantics.oracle_trend import Plan
from tests.semantics.stories import FIRST, HOUR, STEPS, ZONES, agreement, stories
from tests.semantics.test_funnel_agreement import UNITS, value_of

GRAIN = 9 * HOUR


@agreement
@given(
    story=stories(grain=GRAIN, span=40),
    step=st.sampled_from(STEPS),
    period=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from(ZONES),
    edges=st.tuples(st.none() | st.integers(0, 19), st.none() | st.integers(20, 40)),
    now=st.integers(20, 60),
    unit=st.sampled_from(("person", "person", *UNITS)),
    is_split=st.booleans(),
)
def test_who_comes_stays_and_leaves_is_what_walking_everybody_finds(
    story: list[Happening],
    step: str,
    period: str,
    zone: str,
    edges: tuple[int | None, int | None],
    now: int,
    unit: str,
    is_split: bool,
) -> None:
    start, end = (None if edge is None else FIRST + GRAIN * edge for edge in edges)
    moment = FIRST + GRAIN * now
    by = ByProperty("plan") if is_split else None
    counted = Unit("session", None, timedelta(hours=20)) if unit == "session" else parse_unit(unit)
    oracle = Oracle(story, unit=unit, gap=20 * HOUR)
    plan = Plan([(matcher_of(step), "people")], period, ZoneInfo(zone))
    edges_of: dict[str, Any] = {
        "start": None if start is None else from_micros(start),
        "end": None if end is None else from_micros(end),
        "now": from_micros(moment),
    }
    sticky = answer_of(
        story, Stickiness(definition_of(step), period, by=by, unit=counted, time_zone=zone, **edges_of)
    )
    assert isinstance(sticky, StickinessAnswer)
    said = stickiness(
        oracle, plan, now=moment, start=start, end=end, value=value_of(by, oracle, moment) if by else None
    )
    bars = {"total": sticky.people} | {
        group_name(each.kind, each.value): each.people for each in sticky.groups
    }
    assert {
        group: {number: people for number, people in enumerate(counts, 1) if people}
        for group, counts in bars.items()
        if any(counts)
    } == said

    life = answer_of(story, Lifecycle(definition_of(step), period, unit=counted, time_zone=zone, **edges_of))
    assert isinstance(life, LifecycleAnswer)
    expected = lifecycle(oracle, plan, [each.start for each in life.periods], now=moment, end=end)
    assert {
        each.start: [each.new, each.returning, each.resurrecting, each.dormant] for each in life.periods
    } == expected
    everyone = stickiness(oracle, plan, now=moment, start=None, end=end)
    if start is None and life.periods:
        assert sum(each.new for each in life.periods) == sum(everyone.get("total", {}).values())
    assert [each.complete for each in life.periods] == [
        each.start != plan.first_day(moment) for each in life.periods
    ]


def test_stickiness_by_flag_counts_in_a_variation_what_came_from_the_exposure_on() -> None:
    story = read_story([
        "ann 01 10:00 A", "ann 02 11:00 exposure:f=red", "ann 02 12:00 A", "ann 03 10:00 A",
        "bob 02 10:00 A",
        "eve 02 10:00 A", "eve 02 11:00 exposure:f=red",
    ])  # fmt: skip
    answer = answer_of(
        story, Stickiness(definition_of("A"), "day", by=Flag("f"), now=from_micros(FIRST + 9 * GRAIN))
    )
    assert isinstance(answer, StickinessAnswer)
    assert answer.people == (2, 0, 1)
    assert {group_name(each.kind, each.value): each.people for each in answer.groups} == {
        "variation red": (0, 1, 0),
        "not exposed": (1, 0, 0),
        "before exposure": (1, 0, 0),
    }
