"""People who take turns, because memory does not hold the rows of all: every answer is that of all together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.errors import QueryLimit
from expost.query import rows_aside
from expost.query.answer import Answer
from expost.query.breakdown import Flag
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.gathering import Room
from expost.query.question import Question
from expost.query.retention import Retention
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of, table_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.stories import agreement, stories
from tests.semantics.turns import room, told_by_arrays, turns

NOW = from_micros(moment("2026-04-20T00:00"))
FUNNEL = Funnel((definition_of("A"), definition_of("B")), timedelta(days=1), now=NOW)
RETENTION = Retention(definition_of("A"), definition_of("B"), "week", 1, now=NOW)
KIOSK = """
kiosk 02 10:00 identify:u1
kiosk 02 10:01 A
phone 02 10:02 identify:u1
kiosk 02 10:10 identify:u2
kiosk 02 10:11 A
laptop 02 10:12 identify:u2
phone 02 10:20 B
laptop 02 10:21 B
phone 09 10:20 B
laptop 09 10:21 B
"""
AT_A_LOGIN = """
kiosk 02 10:00 identify:u1
kiosk 02 10:10 A
kiosk 02 10:10 identify:u2
phone 02 10:02 identify:u1
phone 02 10:20 B
phone 09 10:20 B
"""


def told(text: str) -> list[Happening]:
    return read_story(text.strip().splitlines())


@contextmanager
def most_rows(many: int) -> Iterator[list[bool]]:
    """Of so many rows at most in memory at a time; gives whether each answer came from arrays."""
    with told_by_arrays() as by_arrays, room(Room(many, many // 2, many)) as came:
        yield by_arrays
    assert came
    assert all(each <= many for each in came)


def asked(story: list[Happening], question: Question) -> Iterator[Answer]:
    """The answers by events, and by the facts of a summary."""
    yield answer_of(story, question)
    with TemporaryDirectory() as folder:
        yield answer_of(story, question, folder=Path(folder))


@pytest.mark.parametrize("together", [1, 5])
def test_people_who_share_a_device_keep_their_chains_when_they_take_turns(together: int) -> None:
    portable = answer_of(told(KIOSK), FUNNEL, is_fast=False)
    assert isinstance(portable, FunnelAnswer)
    assert bars_of(portable)["total"] == [2, 2]
    with turns(together) as came:
        for answer in asked(told(KIOSK), FUNNEL):
            assert_same(answer, portable)
    assert len(came) > 2


@pytest.mark.parametrize("together", [1, 5])
def test_people_who_share_a_device_come_back_when_they_take_turns(together: int) -> None:
    portable = answer_of(told(KIOSK), RETENTION, is_fast=False)
    assert next(iter(table_of(portable)["total"].values()))[:3] == [2, 2, 2]  # type: ignore[arg-type]
    with turns(together) as came:
        for answer in asked(told(KIOSK), RETENTION):
            assert_same(answer, portable)
    assert len(came) > 2


@pytest.mark.parametrize("question", [FUNNEL, RETENTION], ids=["funnel", "retention"])
def test_an_event_at_the_moment_of_a_login_is_in_the_turn_of_whom_the_whole_order_says(
    question: Question,
) -> None:
    """By its time alone the event is the second user's; its page says that it came before the login."""
    portable = answer_of(told(AT_A_LOGIN), question, is_fast=False)
    with turns(1):
        for answer in asked(told(AT_A_LOGIN), question):
            assert_same(answer, portable)


@pytest.mark.parametrize("question", [FUNNEL, RETENTION], ids=["funnel", "retention"])
def test_where_neither_memory_nor_disk_has_room_the_question_ends_in_its_limit(question: Question) -> None:
    with (
        turns(),
        patch.object(rows_aside, "free_bytes", lambda _: 17),
        pytest.raises(QueryLimit, match="more of the 17 free bytes"),
    ):
        answer_of(told(KIOSK), question)


@settings(agreement, max_examples=8)
@given(
    story=stories(most=14),
    together=st.integers(1, 6),
    by=st.none() | st.just(Flag("f")),
)
def test_whoever_shares_devices_is_counted_in_turns_as_by_the_portable_sql(
    story: list[Happening], together: int, by: Flag | None
) -> None:
    for question in (
        Funnel((definition_of("A"), definition_of("type:custom")), timedelta(hours=2), by=by, now=NOW),
        Retention(definition_of("A"), definition_of("type:custom"), "day", 2, by=by, now=NOW),
    ):
        portable = answer_of(story, question, is_fast=False)
        with turns(together):
            for answer in asked(story, question):
                assert_same(answer, portable)


@pytest.mark.parametrize("extra", ["", " bot="], ids=["counted", "left out"])
@pytest.mark.parametrize("device", ["d1", "d2", "d3"])
def test_somebody_alone_with_too_many_rows_is_left_to_the_portable_sql_in_whichever_turn(
    device: str, extra: str
) -> None:
    story = told(
        "\n".join([*(f"{device} 02 10:{minute} A{extra}" for minute in range(10, 30)), "d4 02 11:00 A"])
    )
    with most_rows(8) as by_arrays:
        answers = list(asked(story, FUNNEL))
    assert by_arrays == [False, False]
    for answer in answers:
        assert_same(answer, answer_of(story, FUNNEL, is_fast=False))


def test_events_of_nobody_take_turns_as_well() -> None:
    """A retention counts the starts of all, those of nobody among them."""
    story = told(
        "\n".join(
            f"server {2 + number % 20:02} 10:{10 + number}:{number * 7 % 60:02} A" for number in range(30)
        )
    )
    with most_rows(16) as by_arrays:
        answers = list(asked(story, FUNNEL))
    assert by_arrays == [True, True]
    for answer in answers:
        assert_same(answer, answer_of(story, FUNNEL, is_fast=False))
    portable = answer_of(story, RETENTION, is_fast=False)
    with turns(4):
        for answer in asked(story, RETENTION):
            assert_same(answer, portable)
