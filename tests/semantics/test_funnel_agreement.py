"""Funnels of the engine and of the oracle, which tries every chain, on random stories."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.clock import from_micros, to_micros
from expost.query import row_order
from expost.query.breakdown import SEVERAL, Breakdown, ByCohort, ByColumn, ByProperty, ByTrait, Flag
from expost.query.cohort import Cohort, Did
from expost.query.funnel import FUNNEL_PERIODS, Funnel, FunnelAnswer, FunnelGroup, FunnelPeople, Stage
from expost.query.gathering import Room
from expost.query.person import PeopleAnswer
from expost.query.question import Step
from expost.query.unit import PERSON, Unit, parse_unit
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of, group_name, matcher_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_funnel import Plan, funnel
from tests.semantics.stories import FIRST, MINUTE, STEPS, agreement, stories
from tests.semantics.turns import room, told_by_arrays, turns

TEN_MINUTES = 10 * MINUTE
UNITS = ("person", "session", "device", "group:company")


@dataclass(frozen=True)
class Asked:
    """A funnel as both are asked for it; times count in tens of minutes."""

    steps: tuple[str, ...]
    within: int
    order: str
    windows: dict[int, int]
    optional: frozenset[int]
    between: tuple[str, ...]
    ends: tuple[str, ...]
    removes: tuple[str, ...]
    unit: str
    by: Breakdown | None
    start: int | None
    end: int | None
    now: int

    def question(self) -> Funnel:
        stages = tuple(self._stage(number) for number in range(len(self.steps)))
        start, end = (
            None if edge is None else from_micros(FIRST + TEN_MINUTES * edge)
            for edge in (self.start, self.end)
        )
        return Funnel(
            stages,
            timedelta(minutes=10 * self.within),
            by=self.by,
            order=self.order,
            unit=Unit("session", None, timedelta(minutes=25))
            if self.unit == "session"
            else parse_unit(self.unit),
            between=tuple(map(definition_of, self.between)),
            ends_attempt=tuple(map(definition_of, self.ends)),
            removes_unit=tuple(map(definition_of, self.removes)),
            start=start,
            end=end,
            now=from_micros(FIRST + TEN_MINUTES * self.now),
        )

    def _stage(self, number: int) -> Step | Stage:
        step, window = definition_of(self.steps[number]), self.windows.get(number)
        within = None if window is None else timedelta(minutes=10 * window)
        return Stage(step, within, optional=number in self.optional)

    def said(self, story: list[Happening]) -> dict[str, Any]:
        flag = self.by if isinstance(self.by, Flag) else None
        since = flag.exposures_from if flag else None
        assert since is None or isinstance(since, datetime)
        oracle = Oracle(
            story, unit=self.unit, gap=25 * MINUTE, exposures_from=None if since is None else to_micros(since)
        )
        plan = Plan(
            tuple(map(matcher_of, self.steps)),
            TEN_MINUTES * self.within,
            self.order,
            {number: TEN_MINUTES * window for number, window in self.windows.items()},
            self.optional,
            tuple(map(matcher_of, self.between)),
            tuple(map(matcher_of, self.ends)),
            tuple(map(matcher_of, self.removes)),
        )
        start, end = (None if edge is None else FIRST + TEN_MINUTES * edge for edge in (self.start, self.end))
        now = FIRST + TEN_MINUTES * self.now
        return funnel(
            oracle,
            plan,
            start=start,
            end=end,
            now=now,
            flag=flag.key if flag else None,
            several=flag.several if flag else "first",
            value=value_of(self.by, oracle, now),
        )


def value_of(by: Breakdown | None, oracle: Oracle, now: int) -> Callable[[Happening], Any] | None:
    """The value of an entry, as text."""
    match by:
        case ByProperty(name):
            return lambda event: _text(json.loads(event.columns["properties"]).get(name))
        case ByTrait(name, latest):
            return lambda event: _text(oracle.trait(event, name, latest=latest, now=now))
        case _:
            return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@st.composite
def asked_funnels(draw: st.DrawFn) -> Asked:
    """Every option, and combinations of them."""
    steps = tuple(draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)))
    order = draw(st.sampled_from(("ordered", "ordered", "strict", "any")))
    later = list(range(1, len(steps)))
    windows: dict[int, int] = {}
    optional: frozenset[int] = frozenset()
    if order != "any" and later:
        windows = draw(st.dictionaries(st.sampled_from(later), st.integers(1, 4), max_size=2))
    if order == "ordered" and later:
        optional = draw(st.frozensets(st.sampled_from(later), max_size=2))
    names = st.lists(st.sampled_from(STEPS), max_size=1).map(tuple)
    unit = draw(st.sampled_from(("person", "person", *UNITS)))
    since = st.none() | st.integers(0, 9).map(lambda number: from_micros(FIRST + TEN_MINUTES * number))
    flags: st.SearchStrategy[Breakdown] = st.builds(Flag, st.just("f"), st.sampled_from(SEVERAL), since)
    values: list[Breakdown] = [ByProperty("plan"), ByTrait("plan"), ByTrait("plan", latest=True)]
    return Asked(
        steps,
        draw(st.integers(1, 9)),
        order,
        windows,
        optional,
        draw(names) if order == "strict" else (),
        draw(names),
        draw(names),
        unit,
        draw(st.none() | flags | st.sampled_from(values if unit == "person" else values[:1])),
        draw(st.none() | st.integers(0, 12)),
        draw(st.none() | st.integers(0, 12)),
        draw(st.integers(0, 20)),
    )


def times_of(answer: FunnelAnswer, percentile: int) -> dict[str, list[int | None]]:
    """A percentile of the microseconds from the step before, of the total and of each group."""
    groups = (FunnelGroup("total", None, answer.steps), *answer.groups)
    return {
        group_name(group.kind, group.value): [
            None if step.times is None else round(step.times.percentiles_ms[percentile] * 1_000)
            for step in group.steps
        ]
        for group in groups
    }


@agreement
@given(stories(most=10), asked_funnels())
def test_a_funnel_is_what_trying_every_chain_finds(story: list[Happening], asked: Asked) -> None:
    answer = answer_of(story, asked.question())
    assert isinstance(answer, FunnelAnswer)
    assert_same(answer, answer_of(story, asked.question(), is_fast=False))
    said = asked.said(story)
    many = len(asked.steps)
    nobody = {name: [0] * many for name in ("steps", "complete")} | {
        name: [None] * many for name in ("medians", "ninetieths")
    }
    groups = said["groups"] if "total" in said["groups"] else {"total": nobody} | said["groups"]
    assert bars_of(answer) == {group: table["steps"] for group, table in groups.items()}
    assert bars_of(answer, complete=True) == {group: table["complete"] for group, table in groups.items()}
    assert times_of(answer, 50) == {group: table["medians"] for group, table in groups.items()}
    assert times_of(answer, 90) == {group: table["ninetieths"] for group, table in groups.items()}
    if isinstance(asked.by, Flag):
        assert answer.several_variations == said["several"]
        if not asked.removes:
            # Every unit with an entry is in exactly one group.
            assert answer.steps[0].outside_groups == 0


@agreement
@given(stories(most=10), asked_funnels(), st.data())
def test_a_list_names_those_whom_the_portable_sql_finds_behind_its_bar(
    story: list[Happening], asked: Asked, drawn: st.DataObject
) -> None:
    question = asked.question()
    answer = answer_of(story, question)
    assert isinstance(answer, FunnelAnswer)
    group = drawn.draw(st.sampled_from((FunnelGroup("total", None, answer.steps), *answer.groups)))
    step = drawn.draw(st.integers(1, len(asked.steps)))
    has_left = drawn.draw(st.booleans())
    bar = FunnelPeople(question, step, has_left, group.kind, group.value, limit=drawn.draw(st.integers(1, 3)))
    listed = answer_of(story, bar)
    assert isinstance(listed, PeopleAnswer)
    assert_same(listed, answer_of(story, bar, is_fast=False))
    if not has_left:
        assert listed.total == group.steps[step - 1].people
    for person in listed.people:
        only = replace(bar, person=person.person_id)
        assert_same(answer_of(story, only), answer_of(story, only, is_fast=False))


@agreement
@given(stories(most=10), asked_funnels())
def test_people_who_take_turns_are_counted_as_all_together(story: list[Happening], asked: Asked) -> None:
    whole = answer_of(story, asked.question())
    with patch.object(row_order, "MOST_TOGETHER", 3), patch.object(row_order, "PART_ROWS", 1):
        assert_same(answer_of(story, asked.question()), whole)
    # Of so many rows at most in memory at a time.
    with room(Room(held=6, together=3, most=6)):
        assert_same(answer_of(story, asked.question()), whole)
    with turns(), TemporaryDirectory() as folder:
        assert_same(answer_of(story, asked.question(), folder=Path(folder)), whole)


@agreement
@given(stories(most=10), asked_funnels())
def test_a_funnel_is_the_same_by_the_facts_of_a_summary(story: list[Happening], asked: Asked) -> None:
    with TemporaryDirectory() as folder:
        assert_same(
            answer_of(story, asked.question(), folder=Path(folder)), answer_of(story, asked.question())
        )


SPLITS: tuple[Breakdown | None, ...] = (
    None, Flag("f"), ByColumn("path"), ByProperty("plan"), ByTrait("plan"), ByCohort(Cohort("did A", did=(Did("A"),)))
)  # fmt: skip


@agreement
@given(stories(most=14), asked_funnels(), st.sampled_from(SPLITS), st.sampled_from((None, *FUNNEL_PERIODS)))
def test_by_a_value_at_the_entry_and_over_time_a_funnel_is_that_of_the_portable_sql(
    story: list[Happening], asked: Asked, by: Breakdown | None, over: str | None
) -> None:
    question = replace(asked.question(), by=by, over=over, unit=PERSON, time_zone="Europe/Berlin")
    portable = answer_of(story, question, is_fast=False)
    with told_by_arrays() as by_arrays:
        assert_same(answer_of(story, question), portable)
    assert by_arrays == [True]


KIOSK = read_story([
    "phone 02 10:00 A p.plan='\"own\"'", "phone 02 10:01 identify:u1", "phone 02 10:02 B",
    "kiosk 02 10:00 A p.plan='\"first\"'", "kiosk 02 10:01 identify:u1",
    "kiosk 02 10:05 A p.plan='\"before\"' seq=1", "kiosk 02 10:05 identify:u2 seq=2",
    "kiosk 02 10:05 A p.plan='\"after\"' seq=3",
    "laptop 02 10:06 identify:u3", "laptop 02 10:07 A p.plan='\"merged\"'", "laptop 02 10:08 B",
    "server 02 10:09 A user=u2 device=phone p.plan='\"server\"'", "lone 02 10:10 A p.plan='\"nobody\"'",
    "editor 02 10:11 merge:u3=u2 id=m",
])  # fmt: skip


@pytest.mark.parametrize("by", [ByProperty("plan"), ByTrait("plan")], ids=["property", "trait"])
def test_values_at_entries_are_those_of_owners_of_devices_of_whoever_shares_one_and_of_the_merged(
    by: Breakdown,
) -> None:
    steps = (definition_of("A"), definition_of("B"))
    question = Funnel(steps, timedelta(hours=1), by=by, now=from_micros(FIRST))
    with told_by_arrays() as by_arrays:
        answer = answer_of(KIOSK, question)
    assert by_arrays == [True]
    assert_same(answer, answer_of(KIOSK, question, is_fast=False))
