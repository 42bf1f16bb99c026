"""Sessions that are told by sorting moments are those of the portable SQL, numbers included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query import device_parts, matched, session_moments, session_portions
from expost.query.funnel import Funnel, FunnelPeople
from expost.query.paths import Paths
from expost.query.session_moments import CLEAR, Turn
from expost.query.trend import Trend
from expost.query.unit import Unit
from tests.semantics.engine import answer_of, assert_same, definition_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.stories import FIRST, MINUTE, agreement, stories

NOW = from_micros(FIRST + 600 * MINUTE)
SESSIONS = Unit("session", None, timedelta(minutes=25))
STEPS = (definition_of("A"), definition_of("type:custom"))
FUNNEL = Funnel(STEPS, timedelta(hours=2), unit=SESSIONS, now=NOW)
QUESTIONS = (
    FUNNEL,
    FunnelPeople(FUNNEL, 1),
    Trend(STEPS[1], "day", unit=SESSIONS, now=NOW),
    Paths(STEPS[1], steps=3, gap=SESSIONS.gap, now=NOW),
)


@settings(agreement, max_examples=12)
@given(
    story=stories(most=16),
    start=st.none() | st.integers(0, 12),
    most=st.sampled_from((1, 3, device_parts.PART_EVENTS)),
    few=st.sampled_from((0, session_moments.FEW_MOMENTS)),
    most_held=st.sampled_from((2, session_moments.MOST_HELD, session_moments.MOST_HELD)),
)
def test_sessions_by_sorting_are_those_of_the_portable_sql(
    story: list[Happening], start: int | None, most: int, few: int, most_held: int
) -> None:
    begins = None if start is None else from_micros(FIRST + 10 * MINUTE * start)
    with (
        patch.object(device_parts, "PART_EVENTS", most),
        patch.object(session_moments, "FEW_MOMENTS", few),
        patch.object(session_moments, "MOST_HELD", most_held),
        patch.object(session_moments, "TURN_MOMENTS", most),
    ):
        for each in QUESTIONS:
            question = replace(each, start=begins)
            if isinstance(question, FunnelPeople):
                question = replace(question, funnel=replace(FUNNEL, start=begins))
            assert_same(answer_of(story, question), answer_of(story, question, is_fast=False))


def test_what_is_unclear_may_come_before_what_is_clear() -> None:
    story = read_story(["ann 02 10:00 A", "ann 02 10:00 A", "bob 02 10:00 A", "cid 02 10:00 A"])
    with (
        patch.object(device_parts, "PART_EVENTS", 1),
        patch.object(session_moments, "TURN_MOMENTS", 1),
    ):
        for question in QUESTIONS:
            assert_same(answer_of(story, question), answer_of(story, question, is_fast=False))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: type(each).__name__)
def test_it_is_sorting_that_tells_them(question: Funnel) -> None:
    asked: list[Turn] = []

    def turns(*given: Any) -> Iterator[Turn]:
        for each in session_moments.turns(*given):
            asked.append(each)
            yield each

    with patch.object(matched, "turns", turns), patch.object(session_portions, "turns", turns):
        answer_of(read_story(["ann 02 10:00 A", "ann 02 10:30 A"]), question)
    assert [each.unclear for each in asked] == [CLEAR]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: type(each).__name__)
def test_without_any_event_there_is_no_session(question: Funnel) -> None:
    assert_same(answer_of([], question), answer_of([], question, is_fast=False))
