"""Rows that memory does not hold come back from the disk as they were, and leave nothing there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from expost.errors import Cancelled, FolderError, QueryLimit
from expost.query import funnel_arrays, gathering, rows_aside
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.event_rows import EventRows, joined
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.gathering import Room
from expost.query.person_map import NOBODY
from expost.query.rows_aside import EVERYBODY, PLACE_BITS, RowsAside, Stretch

MANY = 5_000


def made(seed: int = 0, many: int = MANY, roles: type[np.unsignedinteger] = np.uint8) -> EventRows:
    chance = np.random.default_rng(seed)
    person = chance.integers(-(1 << 62), 1 << 62, 500)[chance.integers(0, 500, many)]
    marks = chance.choice(np.array([0, 1, 4, 8], np.uint8), many)
    return EventRows(
        person, chance.integers(0, 1 << 50, many), chance.integers(1, 200, many).astype(roles), marks
    )


def told(rows: EventRows) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in rows.columns), strict=True))


FUNNEL = Funnel((definition("Viewed", view="/**"), definition("Paid", track="Paid")), timedelta(days=1))


@pytest.fixture
def aside(tmp_path: Path) -> Iterator[RowsAside]:
    with closing(RowsAside(tmp_path)) as found:
        yield found


@pytest.mark.parametrize("roles", [np.uint8, np.uint32])
def test_rows_come_back_as_they_were_and_a_person_s_together(
    aside: RowsAside, monkeypatch: pytest.MonkeyPatch, roles: type[np.unsignedinteger]
) -> None:
    monkeypatch.setattr(rows_aside, "RUN_ROWS", 2 * MANY)
    batches = [made(seed, roles=roles) for seed in range(5)]
    for each in batches:
        aside.put(each)
    aside.write()
    stretches = list(aside.stretches(MANY))
    parts = [aside.between(stretch) for stretch in stretches]
    assert len(parts) > 4
    assert told(joined(parts)) == told(joined(batches))
    assert all(len(part) == stretch.many <= MANY for part, stretch in zip(parts, stretches, strict=True))
    persons = [set(part.person.tolist()) for part in parts]
    assert sum(map(len, persons)) == len(set().union(*persons))
    # What is read again from the lake belongs to the same people.
    assert [told(stretch.of(joined(batches))) for stretch in stretches] == list(map(told, parts))


def test_stretches_are_all_places_whatever_lies_there(aside: RowsAside) -> None:
    whole = Stretch(0, 1 << PLACE_BITS, 0)
    assert list(aside.stretches(10)) == [whole] == [EVERYBODY]
    assert len(aside.between(whole)) == 0
    one = made(many=1)
    for _ in range(3):
        aside.put(one)
    aside.write()
    found = list(aside.stretches(2))
    assert [each.many for each in found if each.many] == [3]
    assert [each.first for each in found[1:]] == [each.last for each in found[:-1]]
    assert (found[0].first, found[-1].last) == (0, 1 << PLACE_BITS)


def test_rows_of_nobody_are_parted_by_their_moments(aside: RowsAside) -> None:
    nobody = (
        np.zeros(MANY, np.int64),
        np.arange(MANY),
        np.ones(MANY, np.uint8),
        np.full(MANY, NOBODY, np.uint8),
    )
    aside.put(EventRows(*nobody))
    aside.write()
    assert max(each.many for each in aside.stretches(MANY // 8)) <= MANY // 8


def test_nothing_is_left_in_the_folder_not_even_by_a_process_that_is_killed(tmp_path: Path) -> None:
    text = f"""
import sys
from pathlib import Path
from tests.query.test_rows_aside import made
from expost.query.rows_aside import RowsAside
aside = RowsAside(Path({str(tmp_path)!r}))
aside.put(made())
aside.write()
print(aside.written, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == MANY * 18
        child.kill()
    assert list(tmp_path.iterdir()) == []


def test_where_the_disk_is_full_the_question_ends_with_a_hint(tmp_path: Path) -> None:
    with (
        patch.object(rows_aside, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b", buffering=0)),
        closing(RowsAside(tmp_path)) as aside,
    ):
        aside.put(made())
        with pytest.raises(QueryLimit, match="No space left") as caught:
            aside.write()
    assert "query_memory" in caught.value.hint


def test_no_question_takes_more_of_a_disk_than_it_leaves_to_others(tmp_path: Path) -> None:
    disk, others = 36 * MANY + 17, 0
    with closing(RowsAside(tmp_path)) as aside:
        with patch.object(rows_aside, "free_bytes", lambda _: disk - others - aside.written):
            aside.put(made())
            aside.write()
            aside.put(made(1))
            with pytest.raises(QueryLimit, match=f"after {18 * MANY:,} bytes"):
                aside.write()
        others = disk // 3
        with closing(RowsAside(tmp_path)) as second:
            with patch.object(rows_aside, "free_bytes", lambda _: disk - others - second.written):
                second.put(made())
                with pytest.raises(QueryLimit, match="than it leaves"):
                    second.write()
            assert second.written < disk // 3


def test_what_is_free_is_what_the_disk_says(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    assert rows_aside.free_bytes(tmp_path) == pytest.approx(status.f_bavail * status.f_frsize, rel=0.01)


def test_rows_that_the_disk_lost_are_said_to_be_lost(aside: RowsAside) -> None:
    aside.put(made())
    aside.write()
    os.ftruncate(aside._file.fileno(), 100)
    with pytest.raises(FolderError, match="cannot be read back"):
        aside.between(next(aside.stretches(MANY)))


def test_a_folder_that_cannot_be_written_to_ends_the_question(tmp_path: Path) -> None:
    with pytest.raises(QueryLimit, match="No such file"):
        RowsAside(tmp_path / "gone")


def test_a_question_that_is_cancelled_while_its_rows_lie_aside_gives_the_disk_its_room_back(
    analysis: Analysis,
) -> None:
    """No statement runs between two portions: only the question itself can notice."""
    is_wanted, opened = [True], []
    is_told = threading.Event()

    def look(_: float | None) -> bool:
        if not is_wanted[0]:
            is_told.set()
        return is_wanted[0]

    class Watched(RowsAside):
        def between(self, stretch: Stretch) -> EventRows:
            opened.append(self)
            assert len(opened) == 1, "it goes on though nobody waits for it"
            is_wanted[0] = False
            assert is_told.wait(10)
            return super().between(stretch)

    analysis.look = look
    with (
        patch.object(funnel_arrays, "room_of", lambda _: Room(0, 1, 1_000)),
        patch.object(gathering, "RowsAside", Watched),
        pytest.raises(Cancelled),
    ):
        analysis.ask(FUNNEL)
    assert [each._file.closed for each in opened] == [True]
    assert list(analysis.folder.spill.iterdir()) == []
    analysis.look = None
    answer = analysis.ask(FUNNEL)
    assert isinstance(answer, FunnelAnswer)
    assert [step.people for step in answer.steps] == [3, 1]
