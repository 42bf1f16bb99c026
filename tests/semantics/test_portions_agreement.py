"""Sessions that are looked at in portions: every answer is that of the portable SQL over all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query import device_parts, path_edges, session_moments, session_portions
from expost.query.funnel import Funnel, Stage
from expost.query.measure import parse_measure
from expost.query.paths import Paths, PathsAnswer
from expost.query.question import Question
from expost.query.trend import Trend
from expost.query.unit import Unit
from tests.semantics.engine import answer_of, assert_same, definition_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.stories import FIRST, MINUTE, agreement, stories

NOW = from_micros(FIRST + 100 * MINUTE)
GAP = timedelta(minutes=25)
SESSIONS = Unit("session", None, GAP)
A, B, VIEW = map(definition_of, ("A", "B", "view:/**"))
QUESTIONS: tuple[Question, ...] = (
    Funnel((VIEW, A), timedelta(hours=1), unit=SESSIONS, over="day", now=NOW),
    Funnel((VIEW, Stage(B, optional=True), A), timedelta(hours=1), unit=SESSIONS, ends_attempt=(B,), now=NOW),
    Funnel((A, B), timedelta(hours=1), unit=SESSIONS, order="strict", removes_unit=(VIEW,), now=NOW),
    Trend(VIEW, "hour", unit=SESSIONS, measure=parse_measure("per_person"), now=NOW),
    Trend(A, "day", unit=SESSIONS, measure=parse_measure("people"), per=VIEW, now=NOW),
    Paths(VIEW, steps=3, events=(A,), groups=("/b*",), gap=GAP, now=NOW),
    Paths(A, steps=2, top=1, direction="before", gap=GAP, now=NOW),
)


@contextmanager
def small(events: int) -> Iterator[list[int]]:
    """Portions of so many events; gives a number for each portion that was looked at."""
    seen: list[int] = []

    def portions(*given: Any) -> Iterator[None]:
        for each in whole(*given):
            seen.append(len(seen))
            yield each

    whole = session_portions._portions
    with (
        patch.object(device_parts, "PART_EVENTS", events),
        patch.object(session_moments, "TURN_MOMENTS", events),
        patch.object(path_edges, "TURN_EDGES", events),
        patch.object(session_portions, "_portions", portions),
    ):
        yield seen


@settings(agreement, max_examples=12)
@given(
    story=stories(most=16),
    events=st.sampled_from((1, 2, 4)),
    start=st.none() | st.integers(0, 8),
    most_held=st.sampled_from((2, session_moments.MOST_HELD)),
)
def test_portions_of_sessions_add_up_to_what_the_portable_sql_says_of_all(
    story: list[Happening], events: int, start: int | None, most_held: int
) -> None:
    begins = None if start is None else from_micros(FIRST + 10 * MINUTE * start)
    with small(events), patch.object(session_moments, "MOST_HELD", most_held):
        for each in QUESTIONS:
            question = replace(each, start=begins)
            assert_same(answer_of(story, question), answer_of(story, question, is_fast=False))


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_each_device_is_a_portion_where_portions_are_small(question: Question) -> None:
    story = read_story(
        [f"{device} 02 10:0{at} view:/{device}" for device in ("ann", "bob", "cid") for at in "12"]
    )
    with small(1) as seen:
        answer_of(story, question)
    assert len(seen) == 3


def test_a_session_with_an_unclear_event_waits_until_it_is_told() -> None:
    story = read_story([
        "ann 02 10:00 A", "ann 02 10:00 view:/a", "ann 02 10:01 view:/b",
        "bob 02 10:00 A", "bob 02 10:01 view:/b",
        "cid 02 10:00 view:/b", "cid 02 10:01 A",
    ])  # fmt: skip
    with patch.object(device_parts, "PART_EVENTS", 1), patch.object(session_moments, "TURN_MOMENTS", 3):
        for question in QUESTIONS:
            assert_same(answer_of(story, question), answer_of(story, question, is_fast=False))


def test_a_person_with_sessions_in_several_portions_is_counted_once() -> None:
    story = read_story([
        "phone 02 10:00 identify:u1", "phone 02 10:01 A", "phone 02 10:02 view:/a",
        "laptop 02 10:00 identify:u1", "laptop 02 10:01 A", "laptop 02 10:02 view:/a",
        "phone 02 10:03 A bot=", "laptop 02 10:03 A bot=",
    ])  # fmt: skip
    with small(1) as seen:
        answer = answer_of(story, Paths(A, steps=1, gap=GAP, now=NOW))
    assert isinstance(answer, PathsAnswer)
    assert len(seen) == 2
    assert (answer.sessions, answer.people) == (2, 1)
    assert [(edge.target, edge.sessions, edge.people) for edge in answer.edges] == [("/a", 2, 1)]
    assert [(each.events, each.people) for each in answer.basis.left_out] == [(2, 1)]
