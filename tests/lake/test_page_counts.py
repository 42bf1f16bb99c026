"""What browsers say of their pages that were left becomes a row once, and bounded memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from expost.lake import page_counts
from expost.lake.page_counts import PageCounts
from tests.story import Story, click, view


def say(known: PageCounts, at: int, page: int, counts: dict[int, int], device: int = 1) -> list[Any]:
    """The pages and numbers of the rows that a batch makes."""
    return [row[2:4] for row in known.rows("shop", device, at, page, counts)]


def test_what_was_said_before_is_no_row_again() -> None:
    known = PageCounts()
    assert say(known, 1, 2, {1: 9}) == [(1, 9), (2, None)]
    assert say(known, 2, 2, {1: 9}) == []
    known.settle()
    assert say(known, 3, 3, {1: 9, 2: 4}) == [(2, 4)]
    assert say(known, 4, 3, {1: 9, 2: 4}, device=2) == [(1, 9), (2, 4), (3, None)]


def test_a_page_that_came_back_is_open_again() -> None:
    known = PageCounts()
    say(known, 1, 3, {1: 9, 2: 4})
    assert say(known, 2, 1, {2: 4}) == [(1, None)]
    assert say(known, 3, 3, {1: 12, 2: 4}) == [(1, 12)]
    assert say(known, 4, 3, {}) == [(1, None), (2, None)]


def test_a_page_that_is_forgotten_for_its_age_stays_as_it_was_told() -> None:
    known = PageCounts()
    say(known, 1, 17, dict.fromkeys(range(1, 17), 5))
    assert say(known, 2, 18, dict.fromkeys(range(2, 18), 5)) == [(17, 5)]


def test_a_batch_that_waited_says_nothing_of_what_came_after_it() -> None:
    known = PageCounts()
    say(known, 10, 3, {1: 9, 2: 4})
    assert (2, None) in say(known, 5, 2, {1: 9})
    assert say(known, 11, 3, {1: 9, 2: 4}) == []


def test_what_was_not_committed_is_new_again() -> None:
    known = PageCounts()
    first = say(known, 1, 2, {1: 9})
    known.discard()
    assert say(known, 1, 2, {1: 9}) == first


def test_browsers_that_say_nothing_take_no_memory_and_many_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_counts, "MAX_DEVICES", 10)
    known = PageCounts()
    for device in range(100):
        assert say(known, 1, 1, {}, device) == []
        say(known, 1, 2, {1: 1}, device)
        known.settle()
    assert len(known._settled) <= 10


def test_rows_of_a_story_are_those_that_are_new(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    for at in ("10:05", "10:06"):
        told = lake.capture("ann", view("/tea") if at == "10:05" else click("b"), at=at)
        lake.waiting[-1] = msgspec.structs.replace(told, counts={1: 2})
    rows = "select page_ordinal, last_seq, told_at::varchar from lake.page_counts order by page_ordinal"
    expected = [(1, 2, "2026-03-02 10:05:00+00"), (2, None, "2026-03-02 10:05:00+00")]
    assert lake.sql(rows) == expected
    again = lake.capture("ann", click("b"), at="10:07")
    lake.waiting[-1] = msgspec.structs.replace(again, counts={1: 2})
    # Another process remembers nothing of what the first one stored: a set may hold repeats.
    assert set(lake.sql(rows.replace(", told_at::varchar", ""))) == {(1, 2), (2, None)}
