"""The order of events at one moment as summaries tell it: that of the portable SQL, without a look at events."""

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
from expost.query.breakdown import Flag
from expost.query.funnel import Funnel, FunnelAnswer, Stage
from expost.query.latest_start import Numbers
from expost.query.ordering import Ordering
from expost.query.question import Step
from expost.query.tied import TiedRows
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.stories import agreement

NOW = from_micros(moment("2026-04-20T00:00"))
A, B, C = map(definition_of, "ABC")
FUNNEL = Funnel((A, B), timedelta(hours=1), now=NOW)
BY_FLAG = Funnel((A, B), timedelta(hours=1), by=Flag("f"), now=NOW)

TOLD = {
    "the page says": ("ann 02 10:00 A page=p1", "ann 02 10:00 B page=p2"),
    "the number says": ("ann 02 10:00 B page=p seq=2", "ann 02 10:00 A page=p seq=1"),
    "it is not so": ("ann 02 10:00 A page=p seq=2", "ann 02 10:00 B page=p seq=1"),
    "one matches both": ("ann 02 10:00 A page=p seq=1", "ann 02 10:00 A page=p seq=2", "ann 02 10:00 B page=p seq=3"),
    "others lie between": ("ann 02 10:00 A page=p seq=1", "ann 02 10:00 X page=p seq=2", "ann 02 10:00 B page=p seq=3"),
    "a user's device": ("ann 02 09:00 identify:u", "ann 02 10:00 A seq=1", "ann 02 10:00 B seq=2"),
    "of bots nothing": ("ann 02 10:00 A seq=1", "ann 02 10:00 A bot= seq=2", "ann 02 10:00 B seq=3"),
}  # fmt: skip
NOT_TOLD = {
    "two devices of one user": (
        "ann 02 09:00 identify:u", "eve 02 09:00 identify:u", "ann 02 10:00 A page=p1", "eve 02 10:00 B page=p2",
    ),
    "neither page nor number say it": ("ann 02 10:00 B page=p seq=1 id=b", "ann 02 10:00 A page=p seq=1 id=a"),
    "a server's beside a device's": (
        "ann 02 09:00 identify:u", "ann 02 10:00 B page=p seq=1", "server 02 10:00 A user=u",
    ),
    "a device that several had": (
        "ann 02 09:00 identify:u", "ann 02 11:00 identify:v", "ann 02 10:00 A seq=5", "ann 02 10:00 B seq=6",
    ),
}  # fmt: skip
AT_EXPOSURES = {
    "before it": ("ann 02 10:00 A seq=1", "ann 02 10:00 exposure:f=red seq=2", "ann 02 10:05 B seq=3"),
    "after it": ("ann 02 10:00 A seq=3", "ann 02 10:00 exposure:f=red seq=2", "ann 02 10:05 B seq=4"),
    "of another flag": (
        "ann 02 10:00 exposure:g=on seq=1", "ann 02 10:00 A seq=2", "ann 02 10:00 exposure:f=red seq=3",
    ),
    "two of one variation": (
        "ann 02 10:00 exposure:f=red seq=1", "ann 02 10:00 A seq=2", "ann 02 10:00 exposure:f=red seq=3",
    ),
    "two variations": (
        "ann 02 10:00 exposure:f=red seq=3", "ann 02 10:00 A seq=2", "ann 02 10:00 exposure:f=blue seq=1",
    ),
    "on another device": (
        "ann 02 09:00 identify:u", "eve 02 09:00 identify:u", "ann 02 10:00 A page=p2",
        "eve 02 10:00 exposure:f=red page=p1",
    ),
}  # fmt: skip


@contextmanager
def reads() -> Iterator[list[int]]:
    """How many moments were read again, each time that some were."""
    read: list[int] = []
    again = Ordering.read_again

    def counted(lake: Ordering, moments: Numbers, of: Numbers | None = None, *, by_flag: bool) -> TiedRows:
        read.append(len(moments))
        return again(lake, moments, of, by_flag=by_flag)

    with patch.object(Ordering, "read_again", counted):
        yield read


def asked(story: list[Happening], question: Funnel, folder: Path) -> tuple[FunnelAnswer, list[int]]:
    """The answer by facts, which is that of the portable SQL; and what it read again."""
    with reads() as read:
        answer = answer_of(story, question, folder=folder)
    assert isinstance(answer, FunnelAnswer)
    assert_same(answer, answer_of(story, question, is_fast=False))
    return answer, read


@pytest.mark.parametrize("lines", TOLD.values(), ids=TOLD)
def test_a_summary_knows_the_order_on_one_device(lines: tuple[str, ...], tmp_path: Path) -> None:
    answer, read = asked(read_story(lines), FUNNEL, tmp_path)
    assert bars_of(answer)["total"] == ([1, 0] if lines is TOLD["it is not so"] else [1, 1])
    assert not read


@pytest.mark.parametrize("lines", NOT_TOLD.values(), ids=NOT_TOLD)
def test_what_no_summary_knows_is_read_again(lines: tuple[str, ...], tmp_path: Path) -> None:
    answer, read = asked(read_story(lines), FUNNEL, tmp_path)
    assert bars_of(answer)["total"] == [1, 1]
    assert read


def test_only_moments_of_which_summaries_do_not_know_all_are_read_again(tmp_path: Path) -> None:
    known = ("kim 02 10:30 A seq=1", "kim 02 10:30 B seq=2", *TOLD["a user's device"])
    unknown = (line.replace("ann", "kai").replace(":u", ":w") for line in NOT_TOLD["two devices of one user"])
    answer, read = asked(read_story((*known, *unknown)), FUNNEL, tmp_path)
    assert bars_of(answer)["total"] == [3, 3]
    assert read == [1]


@pytest.mark.parametrize("lines", AT_EXPOSURES.values(), ids=AT_EXPOSURES)
def test_a_summary_knows_whether_an_event_is_after_the_exposure_at_its_moment(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    _, read = asked(read_story(lines), BY_FLAG, tmp_path)
    is_known = lines in [AT_EXPOSURES[each] for each in ("before it", "after it", "of another flag")]
    assert bool(read) != is_known


@settings(agreement, max_examples=12)
@given(st.data())
def test_however_many_events_share_a_moment_the_answer_is_that_of_the_portable_sql(
    data: st.DataObject,
) -> None:
    lines = []
    for number in range(data.draw(st.integers(4, 14))):
        device = data.draw(st.sampled_from(("ann", "ann", "eve", "server")))
        whats = ("A", "B", "C", "exposure:f=red", "exposure:f=blue", "identify:u")
        what = data.draw(st.sampled_from(whats[: 5 if device == "server" else 6]))
        at, page, sequence = (data.draw(st.integers(0, most)) for most in (2, 1, 300))
        extra = "user=u" if device == "server" else f"page=p{page}-{device} seq={sequence}"
        lines.append(f"{device} 02 10:0{at} {what} {extra} id=e{9 - number % 7}{number:02}")
    chains: list[tuple[Step | Stage, ...]] = [(A, B, C), (A, Stage(B, optional=True), C), (A, C, A)]
    steps = data.draw(st.sampled_from(chains))
    by = data.draw(st.sampled_from((None, Flag("f"), Flag("f", "exclude"))))
    question = Funnel(steps, timedelta(minutes=data.draw(st.integers(1, 3))), by=by, now=NOW)
    with TemporaryDirectory() as folder:
        asked(read_story(lines), question, Path(folder))
