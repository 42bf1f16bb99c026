"""Who is behind a number is as many as the number says, and explanations give what the other question would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros, to_micros
from expost.query.breakdown import ByProperty, Flag
from expost.query.explanation import Explanation, ExplanationAnswer
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.person import PeopleAnswer
from expost.query.retention import Retention, RetentionAnswer, RetentionPeople
from expost.query.trend import Trend, TrendAnswer, TrendPeople
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
