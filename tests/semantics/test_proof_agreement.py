"""Who is behind a number is as many as the number says, and explanations give what the other question would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros, to_micros
from expost.query.answer import Answer
from expost.query.breakdown import ByProperty, Flag
from expost.query.duration import parse_duration
from expost.query.explanation import CountsOf, Explanation, ExplanationAnswer
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.lifecycle import Lifecycle, LifecycleAnswer
from expost.query.paths import Paths, PathsAnswer
from expost.query.person import PeopleAnswer
from expost.query.question import Question
from expost.query.retention import Retention, RetentionAnswer, RetentionPeople
from expost.query.sessions import Sessions, SessionsAnswer
from expost.query.stickiness import Stickiness, StickinessAnswer
from expost.query.trend import Trend, TrendAnswer, TrendPeople
from expost.query.unit import Unit
from tests.semantics.engine import answer_of, definition_of, matcher_of
from tests.semantics.happening import Happening
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_funnel import DAY
from tests.semantics.stories import FIRST, HOUR, STEPS, agreement, stories

GRAIN = 9 * HOUR
NOW = from_micros(FIRST + 80 * GRAIN)
few = settings(agreement, max_examples=8)
breakdowns = st.none() | st.just(Flag("f")) | st.just(ByProperty("plan"))


@few
@given(
    story=stories(grain=GRAIN, span=30),
    returns=st.sampled_from(STEPS),
    mode=st.sampled_from(("on", "on_or_after")),
    rolling=st.booleans(),
    brackets=st.sampled_from(((), ((0, 0), (1, 3)))),
    entry=st.sampled_from(("first_in_range", "recurring")),
    by=breakdowns,
)
def test_behind_each_cell_are_as_many_as_it_says(
    story: list[Happening],
    returns: str,
    mode: str,
    rolling: bool,
    brackets: tuple[tuple[int, int], ...],
    entry: Literal["first_in_range", "recurring"],
    by: Flag | ByProperty | None,
) -> None:
    question = Retention(
        definition_of("type:custom"),
        definition_of(returns),
        "day",
        None if brackets and mode == "on" else 3,
        by=by,
        mode=mode,
        rolling=rolling,
        entry=entry,
        brackets=brackets if mode == "on" else (),
        now=NOW,
    )
    answer = answer_of(story, question)
    assert isinstance(answer, RetentionAnswer)
    groups = [
        ("total", None, answer.cohorts),
        *((each.kind, each.value, each.cohorts) for each in answer.groups),
    ]
    for kind, value, cohorts in groups:
        for cohort in cohorts[:1]:
            whole = answer_of(story, RetentionPeople(question, cohort.start, kind=kind, value=value))
            assert isinstance(whole, PeopleAnswer)
            assert whole.total == len(whole.people) == cohort.size
            for cell in cohort.periods[:3]:
                behind = answer_of(story, RetentionPeople(question, cohort.start, cell.period, kind, value))
                assert isinstance(behind, PeopleAnswer)
                assert behind.total == cell.people
                for person in behind.people:
                    began, back = person.events
                    assert began.time <= back.time


@few
@given(story=stories(grain=GRAIN, span=20), by=breakdowns, period=st.sampled_from(("day", "week")))
def test_behind_each_point_are_as_many_as_it_says(
    story: list[Happening], by: Flag | ByProperty | None, period: str
) -> None:
    question = Trend(definition_of("type:custom"), period, by=by, now=NOW)
    answer = answer_of(story, question)
    assert isinstance(answer, TrendAnswer)
    whole = answer_of(story, TrendPeople(question))
    assert isinstance(whole, PeopleAnswer)
    assert whole.total == answer.people
    groups = [
        ("total", None, answer.points),
        *((each.kind, each.value, each.points) for each in answer.groups),
    ]
    for kind, value, points in groups:
        for point in [each for each in points if each.events][:2]:
            behind = answer_of(story, TrendPeople(question, point.start, kind, value))
            assert isinstance(behind, PeopleAnswer)
            assert behind.total == point.people
            assert sum(len(person.events) for person in behind.people) <= point.events


@few
@given(
    story=stories(span=10, most=14),
    steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=3),
    within=st.integers(1, 8),
    by=st.none() | st.just(Flag("f")),
)
def test_an_explanation_gives_what_the_other_question_would(
    story: list[Happening], steps: list[str], within: int, by: Flag | None
) -> None:
    window = within * 10 * 60_000_000
    question = Funnel(tuple(map(definition_of, steps)), timedelta(microseconds=window), by=by, now=NOW)
    answer = answer_of(story, question)
    told = answer_of(story, Explanation(question))
    assert isinstance(answer, FunnelAnswer)
    assert isinstance(told, ExplanationAnswer)
    assert told.groups[0].people == tuple(each.people for each in answer.steps)
    others = {(each.rule, each.setting): each for each in told.others}
    for order in ("strict", "any"):
        same = answer_of(story, replace(question, order=order))
        assert isinstance(same, FunnelAnswer)
        people = tuple(each.people for each in same.steps)
        total = others["order", order].groups[0]
        assert total.people == people
        assert total.difference == tuple(
            now - own for now, own in zip(people, told.groups[0].people, strict=True)
        )
    assert others["re-entry", "first entry only"].groups[0].people == first_entries(story, steps, window)
    for person in told_people(story, question):
        only = answer_of(story, FunnelPeople(question, 1, person=person, limit=1))
        assert isinstance(only, PeopleAnswer)
        assert [each.person_id for each in only.people] == [person]


@few
@given(
    story=stories(span=6, most=14),
    steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=3),
    within=st.integers(1, 8),
    order=st.sampled_from(("ordered", "any")),
    by=st.none() | st.just(Flag("f")),
)
def test_an_explanation_by_arrays_says_what_the_portable_sql_says(
    story: list[Happening], steps: list[str], within: int, order: Literal["ordered", "any"], by: Flag | None
) -> None:
    """Its ties as well: events of one moment are frequent in these stories."""
    defined = tuple(map(definition_of, steps))
    window = timedelta(microseconds=within * 10 * 60_000_000)
    for question in (
        Funnel(defined, window, order=order, by=by, now=NOW),
        Funnel((defined[0], defined[-1]), window, removes_unit=(defined[1],), by=by, now=NOW),
        Retention(defined[0], defined[-1], "day", 3, by=by, now=NOW),
    ):
        fast = answer_of(story, Explanation(question))
        slow = answer_of(story, Explanation(question), is_fast=False)
        assert isinstance(fast, ExplanationAnswer)
        assert isinstance(slow, ExplanationAnswer)
        assert (fast.tied_events, fast.tied_people) == (slow.tied_events, slow.tied_people)
        assert (fast.groups, fast.others, fast.in_force) == (slow.groups, slow.others, slow.in_force)
        assert fast.sql == slow.sql


def told_people(story: list[Happening], question: Funnel) -> list[str]:
    """The first of those who entered."""
    behind = answer_of(story, FunnelPeople(question, 1, limit=1))
    assert isinstance(behind, PeopleAnswer)
    return [each.person_id for each in behind.people]


def first_entries(story: list[Happening], steps: list[str], window: int) -> tuple[int, ...]:
    """People per step where nobody enters but at the first entry: each next step is then the earliest that fits."""
    oracle = Oracle(story)
    counts = [0] * len(steps)
    now = to_micros(NOW)
    for events in oracle.people.values():
        entries = [
            event
            for event in events
            if matcher_of(steps[0])(event)
            and event.at <= now
            and not (oracle.is_daily(event) and (event.at + window) // DAY > event.at // DAY)
        ]
        last = entries[0] if entries else None
        for place, step in enumerate(steps):
            if place and last is not None:
                after = [each for each in events if matcher_of(step)(each) and each.order > last.order]
                last = next((each for each in after if each.at - entries[0].at <= window), None)
            if last is not None:
                counts[place] += 1
    return tuple(counts)


def asked_otherwise(question: Question, rule: str, setting: str) -> Question:
    """The question that follows the other rule, as anybody would ask it."""
    said: dict[str, Any] = {
        "bots": {"bots": True},
        "internal": {"internal": True},
        "environment": {"environment": "all"},
        "unit": {"unit": Unit("device")},
        "gap": {"gap": parse_duration(setting) if rule == "gap" else None},
        "time_zone": {"time_zone": setting},
        "week_start": {"week_start": 6},
        "several variations": {"by": Flag("f", setting) if rule == "several variations" else None},  # type: ignore[arg-type]
    }
    return replace(question, **said[rule])


def counted(answer: Answer) -> dict[str, int]:
    """What an answer counts of everybody, without what counts nobody."""
    match answer:
        case TrendAnswer():
            found = {"events": answer.events, "people": answer.people}
        case StickinessAnswer():
            found = {
                f"in {n} {answer.period}{'s' * (n > 1)}": each for n, each in enumerate(answer.people, 1)
            }
        case LifecycleAnswer():
            lives = ("new", "returning", "resurrecting", "dormant")
            found = {life: sum(getattr(each, life) for each in answer.periods) for life in lives}
        case PathsAnswer():
            found = {"sessions": answer.sessions, "people": answer.people}
            for edge in answer.edges:
                if edge.target is not None or edge.kind == "other":
                    found[f"step {edge.step}"] = found.get(f"step {edge.step}", 0) + edge.sessions
        case SessionsAnswer(figures=figures):
            found = {
                "sessions": figures.sessions, "people": figures.people, "events": figures.events,
                "page views": figures.page_views, "bounces": figures.bounces,
            }  # fmt: skip
        case _:
            raise AssertionError(answer)
    return {name: count for name, count in found.items() if count}


BOUGHT = definition_of("type:custom")
LOCAL: dict[str, Any] = {"time_zone": "America/New_York", "now": NOW}
OTHERWISE: dict[str, tuple[Question, set[str]]] = {
    "trend": (Trend(BOUGHT, by=Flag("f"), **LOCAL), {"unit", "several variations"}),
    "stickiness": (Stickiness(BOUGHT, "week", **LOCAL), {"unit", "time_zone", "week_start"}),
    "lifecycle": (Lifecycle(BOUGHT, "day", **LOCAL), {"unit", "time_zone"}),
    "paths": (Paths(BOUGHT, steps=2, gap=timedelta(hours=10), **LOCAL), {"gap"}),
    "sessions": (Sessions(gap=timedelta(hours=10), **LOCAL), {"gap"}),
}


@pytest.mark.parametrize("kind", OTHERWISE)
@settings(agreement, max_examples=4)
@given(story=stories(grain=GRAIN, span=30))
def test_every_kind_of_explanation_gives_what_the_other_question_would(
    kind: str, story: list[Happening]
) -> None:
    question, rules = OTHERWISE[kind]
    told = answer_of(story, Explanation(question))
    assert isinstance(told, ExplanationAnswer)
    assert (told.tied_events, told.tied_people) == (None, None)
    answer = answer_of(story, question, is_fast=False)
    left_out = {each.reason for each in answer.basis.left_out}
    assert {each.rule for each in told.others} == rules | (left_out & {"bots", "internal", "environment"})

    def figures(groups: tuple[CountsOf, ...]) -> dict[str, int]:
        numbers = zip(told.columns, groups[0].people, strict=True)
        return {name: count for name, count in numbers if count}

    assert figures(told.groups) == counted(answer)
    for other in told.others:
        asked = asked_otherwise(question, other.rule, other.setting)
        assert figures(other.groups) == counted(
            answer_of(story, asked, is_fast=False, week_start=asked.week_start or 0)
        ), (
            other.rule,
            other.setting,
        )
