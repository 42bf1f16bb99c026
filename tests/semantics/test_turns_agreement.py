"""People who take turns, because memory does not hold the rows of all: every answer is that of all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query import funnel_arrays, funnel_counts, gathering, retention_arrays
from expost.query.answer import Answer
from expost.query.breakdown import Flag
from expost.query.event_rows import Turn
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.gathering import Gathered
from expost.query.question import Question
from expost.query.reading import Reading
from expost.query.retention import Retention
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of, table_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.stories import agreement, stories

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
BITS = 2


def told(text: str) -> list[Happening]:
    return read_story(text.strip().splitlines())


@contextmanager
def turns(bits: int) -> Iterator[None]:
    """People take so many turns, however few they are."""

    def in_turns(_: Reading, look: Callable[[Turn, int], None]) -> None:
        for number in range(1 << bits):
            look(Turn(number, bits), 1_000_000)

    with (
        patch.object(funnel_arrays, "in_turns", in_turns),
        patch.object(retention_arrays, "in_turns", in_turns),
    ):
        yield


@contextmanager
def most_rows(many: float) -> Iterator[list[bool]]:
    """Of so many rows at most in memory at a time; gives whether each answer came from arrays."""
    by_arrays: list[bool] = []

    def gather(*given: object) -> Gathered:
        found = gathering.gather(*given)  # type: ignore[arg-type]
        assert sum(map(len, (*found.rows, found.left_out, found.nobody))) <= many
        return found

    def by_arrays_or_none(reading: Reading, find: Callable[[], object]) -> object:
        found = gathering.by_arrays_or_none(reading, find)
        by_arrays.append(found is not None)
        return found

    with ExitStack() as stack:
        stack.enter_context(patch.object(gathering, "SHARE", (many + 0.5) * gathering.ROW_BYTES))
        stack.enter_context(patch.object(gathering, "_memory_bytes", lambda _: 1))
        stack.enter_context(patch.object(funnel_arrays, "gather", gather))
        stack.enter_context(patch.object(funnel_counts, "by_arrays_or_none", by_arrays_or_none))
        yield by_arrays


def asked(story: list[Happening], question: Question) -> Iterator[Answer]:
    """The answers by events, and by the facts of a summary."""
    yield answer_of(story, question)
    with TemporaryDirectory() as folder:
        yield answer_of(story, question, folder=Path(folder))


@pytest.mark.parametrize("bits", [1, BITS])
def test_people_who_share_a_device_keep_their_chains_when_they_take_turns(bits: int) -> None:
    portable = answer_of(told(KIOSK), FUNNEL, is_fast=False)
    assert isinstance(portable, FunnelAnswer)
    assert bars_of(portable)["total"] == [2, 2]
    with turns(bits):
        for answer in asked(told(KIOSK), FUNNEL):
            assert_same(answer, portable)


@pytest.mark.parametrize("bits", [1, BITS])
def test_people_who_share_a_device_come_back_when_they_take_turns(bits: int) -> None:
    portable = answer_of(told(KIOSK), RETENTION, is_fast=False)
    assert next(iter(table_of(portable)["total"].values()))[:3] == [2, 2, 2]  # type: ignore[arg-type]
    with turns(bits):
        for answer in asked(told(KIOSK), RETENTION):
            assert_same(answer, portable)


@pytest.mark.parametrize("question", [FUNNEL, RETENTION], ids=["funnel", "retention"])
def test_an_event_at_the_moment_of_a_login_is_in_the_turn_of_whom_the_whole_order_says(
    question: Question,
) -> None:
    """By its time alone the event is the second user's; its page says that it came before the login."""
    portable = answer_of(told(AT_A_LOGIN), question, is_fast=False)
    with turns(BITS):
        for answer in asked(told(AT_A_LOGIN), question):
            assert_same(answer, portable)


@settings(agreement, max_examples=8)
@given(
    story=stories(most=14),
    bits=st.integers(1, 3),
    by=st.none() | st.just(Flag("f")),
)
def test_whoever_shares_devices_is_counted_in_turns_as_by_the_portable_sql(
    story: list[Happening], bits: int, by: Flag | None
) -> None:
    for question in (
        Funnel((definition_of("A"), definition_of("type:custom")), timedelta(hours=2), by=by, now=NOW),
        Retention(definition_of("A"), definition_of("type:custom"), "day", 2, by=by, now=NOW),
    ):
        portable = answer_of(story, question, is_fast=False)
        with turns(bits):
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
    with turns(2):
        for answer in asked(story, RETENTION):
            assert_same(answer, portable)
