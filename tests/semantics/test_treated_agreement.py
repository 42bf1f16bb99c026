"""The variation that somebody had seen last: a pass over arrays tells it as the portable SQL does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.breakdown import Flag
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.question import Question
from expost.query.retention import Retention
from expost.query.trend import Trend
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.stories import FIRST, MINUTE, agreement, stories
from tests.semantics.turns import told_by_arrays, turns

NOW = from_micros(moment("2026-04-20T00:00"))
TREATED = Flag("f", "as_treated")
A, B, CUSTOM, VIEW = map(definition_of, ("A", "B", "type:custom", "view:/**"))
FUNNEL = Funnel((A, B), timedelta(days=1), by=TREATED, now=NOW)
QUESTIONS: tuple[Question, ...] = (
    FUNNEL,
    Funnel((VIEW, CUSTOM), timedelta(hours=2), by=TREATED, now=NOW),
    Funnel((A, B), timedelta(hours=2), by=TREATED, order="any", now=NOW),
    FunnelPeople(FUNNEL, 1),
    Retention(CUSTOM, CUSTOM, "day", 2, by=TREATED, entry="recurring", now=NOW),
    Trend(CUSTOM, "hour", by=TREATED, now=NOW),
    Trend(VIEW, "day", per=A, by=TREATED, now=NOW),
    Trend(CUSTOM, "day", by=replace(TREATED, exposures_from=from_micros(FIRST + 50 * MINUTE)), now=NOW),
)


@settings(agreement, max_examples=12)
@given(story=stories(grain=MINUTE, span=200, most=16), together=st.none() | st.integers(1, 4))
def test_what_was_seen_last_is_told_as_by_the_portable_sql(
    story: list[Happening], together: int | None
) -> None:
    for question in QUESTIONS:
        portable = answer_of(story, question, is_fast=False)
        assert_same(answer_of(story, question), portable)
        with TemporaryDirectory() as folder:
            assert_same(answer_of(story, question, folder=Path(folder)), portable)
        if together is not None:
            with turns(together):
                assert_same(answer_of(story, question), portable)


SEEN = (
    "ann 02 10:00 exposure:f=red",
    "ann 02 11:00 exposure:f=blue",
    "ann 02 12:00 A",
    "ann 02 13:00 exposure:f=red",
    "bob 02 10:00 exposure:f=red",
    "bob 02 10:30 A",
    "bob 02 11:00 exposure:f=blue",
    "cid 02 09:00 A",
    "cid 02 10:00 exposure:f=blue",
)


def test_arrays_tell_who_is_in_which_group_of_what_was_seen_last() -> None:
    with told_by_arrays() as by_arrays:
        answer = answer_of(read_story(SEEN), FUNNEL)
    assert by_arrays == [True]
    assert isinstance(answer, FunnelAnswer)
    assert bars_of(answer) == {
        "total": [3, 0],
        "variation blue": [1, 0],
        "variation red": [1, 0],
        "before exposure": [1, 0],
    }


@pytest.mark.parametrize("question", [FUNNEL, Trend(A, "day", by=TREATED, now=NOW)], ids=["funnel", "trend"])
@pytest.mark.parametrize(
    "line",
    ["ann 02 12:00 exposure:f=red", "ann 02 11:00 exposure:f=green"],
    ids=["at the entry", "two at once"],
)
def test_an_exposure_at_the_moment_that_decides_is_left_to_the_whole_order(
    question: Question, line: str
) -> None:
    story = read_story([*SEEN, line])
    with told_by_arrays() as by_arrays:
        answer = answer_of(story, question)
    assert by_arrays == [False]
    assert_same(answer, answer_of(story, question, is_fast=False))


def test_a_second_exposure_at_the_moment_of_the_entry_to_what_was_seen_already_decides_nothing() -> None:
    story = read_story([*SEEN, "ann 02 12:00 exposure:f=blue"])
    with told_by_arrays() as by_arrays:
        answer = answer_of(story, FUNNEL)
    assert by_arrays == [True]
    assert_same(answer, answer_of(story, FUNNEL, is_fast=False))
