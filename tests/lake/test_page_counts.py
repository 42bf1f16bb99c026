"""What browsers say of their pages that were left becomes a row once, and bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.lake import page_counts
from expost.lake.page_counts import PageCounts
from tests.story import Story, click, view


def say(
    known: PageCounts, at: int, page: int, counts: dict[int, int], device: int = 1, is_new: bool = False
) -> list[Any]:
    """The pages and numbers of the rows that a batch makes."""
    return [row[2:4] for row in known.rows("shop", device, at, page, counts, is_new)]


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


def test_a_word_that_waited_is_known_to_be_out_of_date() -> None:
    known = PageCounts()
    say(known, 10, 30, {29: 4}, is_new=True)
    late = known.rows("shop", 1, 5, 29, {28: 9, 7: 3})
    assert [row[2:] for row in late if row[2] == 28] == [(28, 9, 5), (28, None, 10)]
    # Of a page that is forgotten for its age, nothing was said at ten.
    assert [row[2:] for row in late if row[2] == 7] == [(7, 3, 5)]


def test_a_word_without_news_is_later_than_one_that_waited() -> None:
    known = PageCounts()
    say(known, 10, 2, {}, is_new=True)
    assert say(known, 50, 2, {}) == []
    assert [row[2:] for row in known.rows("shop", 1, 40, 2, {1: 9})] == [(1, 9, 40), (1, None, 50)]


def test_a_browser_that_is_not_remembered_says_all_again_and_the_first_page_of_a_new_one_is_no_row() -> None:
    known = PageCounts()
    assert say(known, 1, 3, {}, device=1) == [(1, None), (2, None), (3, None)]
    assert say(known, 1, 3, {}, device=2, is_new=True) == [(1, None), (2, None)]
    assert say(known, 1, 1, {}, device=3, is_new=True) == []
    known.settle()
    assert say(known, 2, 3, {}, device=1) == say(known, 2, 3, {}, device=2) == []


def test_a_word_from_before_all_were_heard_is_not_taken_for_the_latest() -> None:
    known = PageCounts(began_at=10)
    assert say(known, 5, 2, {}) == [(1, None), (2, None)]
    known.settle()
    assert say(known, 11, 2, {}) == [(1, None), (2, None)]
    known.settle()
    assert say(known, 12, 2, {}) == []


def test_the_browsers_that_spoke_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_counts, "MAX_DEVICES", 10)
    known = PageCounts()
    for device in range(100):
        say(known, device, 2, {1: 1}, device)
        say(known, device, 2, {1: 2}, 0)
        known.settle()
    remembered = [device for device in range(100) if not say(known, 100, 2, {1: 1 if device else 2}, device)]
    assert remembered == [0, *range(91, 100)]
    known.discard()
    # What the forgotten said last, nobody knows: a word from before is not remembered in its place.
    say(known, 50, 2, {}, device=60)
    assert say(known, 100, 2, {}, device=60) != []


def test_rows_of_a_story_are_those_that_are_new(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    for at in ("10:05", "10:06"):
        told = lake.capture("ann", view("/tea") if at == "10:05" else click("b"), at=at)
        lake.waiting[-1] = msgspec.structs.replace(told, counts={1: 2})
    rows = "select page_ordinal, last_seq, told_at::varchar from lake.page_counts order by page_ordinal"
    assert lake.sql(rows) == [(1, 2, "2026-03-02 10:05:00+00")]
    again = lake.capture("ann", click("b"), at="10:07")
    lake.waiting[-1] = msgspec.structs.replace(again, counts={1: 2})
    # Another process remembers nothing of what the first one stored: a set may hold repeats.
    assert set(lake.sql(rows.replace(", told_at::varchar", ""))) == {(1, 2), (2, None)}


@dataclass(frozen=True)
class Word:
    """What a browser says at a moment, and what befell the writer before it arrived."""

    counts: dict[int, int]
    is_new_writer: bool
    is_forgotten: bool


OWN = 3  # the page whose batches these are; it tells of those before it
PAGES = (1, 2)
WORDS = st.lists(
    st.builds(
        Word,
        st.dictionaries(st.sampled_from(PAGES), st.integers(1, 2), max_size=2),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(words=WORDS, delays=st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_whatever_befalls_the_writer_the_latest_row_of_a_page_is_what_was_said_last(
    words: list[Word], delays: list[int]
) -> None:
    known, rows = PageCounts(), []
    # Late words are tried apart: one that comes after its browser was forgotten may be the latest or not.
    is_remembered = not any(word.is_new_writer or word.is_forgotten for word in words)
    moments = sorted(range(len(words)), key=lambda place: place + delays[place] * is_remembered)
    newest = 0
    with patch.object(page_counts, "MAX_DEVICES", 1):
        for place, moment in enumerate(moments):
            word, told_at = words[moment], 10 * moment
            if word.is_new_writer:
                known = PageCounts(began_at=newest + 5)
            if word.is_forgotten:
                known.rows("shop", 2, newest + 5, OWN, {1: place}, False)
                known.settle()
            rows += known.rows("shop", 1, told_at, OWN, word.counts, place == 0)
            known.settle()
            newest = max(newest, told_at)
    last_said = words[max(moments)].counts
    for page in PAGES:
        found = [(told_at, last or 0) for _, _, of, last, told_at in rows if of == page]
        assert max(found, default=(0, 0))[1] == last_said.get(page, 0)
