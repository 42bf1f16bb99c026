"""Segments are kept for a day after their events are in the lake, and a lake that lost rows is filled up from them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import wall_clock
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.quarantine import replay_stored
from expost.lake.reader import connect
from expost.lake.rebuilding import drain
from expost.lake.stored_segments import KEPT_SECONDS, forget_stored, keep_stored, stored_segments, unstore
from expost.lake.writer import Writer
from tests.story import Story, click, expose, identify, track, view

DAY = 1_800_000_000.0
TABLES = ("events", "identities", "traits", "page_counts", "devices", "users", "elements", "descriptors")


def made(folder: Folder, ages: list[float], size_bytes: int = 100) -> list[Path]:
    for number, age in enumerate(ages, 1):
        path = folder.journal / f"{number:020}.sealed"
        path.write_bytes(b"x" * size_bytes)
        keep_stored([path], DAY - age)
    return stored_segments(folder.journal)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "data", create=True)


def fill(folder: Folder, segments: int = 3) -> None:
    """A journal of a few sealed segments, with people and elements in each."""
    story = Story(folder.path)
    for number in range(segments):
        story.capture(
            f"device {number}",
            view("/"),
            click(f"main a.more{number}"),
            identify(f"user {number}", plan="pro"),
            expose("tea", "green"),
            track("Paid", amount=number),
            at="10:00",
            counts={3: number + 1},
        )
        journal = Journal(folder, wall_clock)
        for accepted in story.waiting:
            recent = msgspec.structs.replace(accepted, received_at=wall_clock())
            journal.write(msgspec.msgpack.encode(recent))
        story.waiting.clear()
        journal.close()


def rows(folder: Folder) -> dict[str, list[tuple[object, ...]]]:
    with connect(folder.path) as connection:
        return {
            name: connection.execute(f"select * from lake.{name} order by all").fetchall() for name in TABLES
        }


def test_what_is_in_the_lake_is_kept_for_a_day(folder: Folder) -> None:
    found = made(folder, [KEPT_SECONDS + 1, KEPT_SECONDS - 1, 0])
    assert forget_stored(folder.journal, DAY) == found[:1]
    assert stored_segments(folder.journal) == found[1:]


def test_of_what_takes_more_room_than_is_free_the_oldest_go(folder: Folder) -> None:
    found = made(folder, [30, 20, 10])
    forget_stored(folder.journal, DAY, free_bytes=250)
    assert stored_segments(folder.journal) == found[1:]
    forget_stored(folder.journal, DAY, free_bytes=0)
    assert stored_segments(folder.journal) == []


def test_the_sink_keeps_what_it_moved_and_numbers_go_on_behind(folder: Folder) -> None:
    fill(folder)
    with Writer(folder) as writer:
        drain(folder, writer)
    assert sealed_segments(folder.journal) == []
    numbers = [int(path.stem) for path in stored_segments(folder.journal)]
    assert len(numbers) == 3
    fill(folder, 1)
    assert [int(path.stem) > max(numbers) for path in sealed_segments(folder.journal)] == [True]


def test_a_stored_segment_that_comes_again_changes_nothing(folder: Folder) -> None:
    fill(folder)
    with Writer(folder) as writer:
        drain(folder, writer)
        before = rows(folder)
        unstore(stored_segments(folder.journal))
        drain(folder, writer)
    assert rows(folder) == before
    assert len(stored_segments(folder.journal)) == 3


def test_a_replay_of_a_sound_lake_adds_nothing(folder: Folder) -> None:
    fill(folder)
    with Writer(folder) as writer:
        drain(folder, writer)
        assert replay_stored(folder, writer) == {}


@pytest.mark.parametrize("hours", [1, 30, 6 * 24])
def test_what_was_sent_again_is_not_doubled_by_a_replay_that_has_only_the_repeat(
    folder: Folder, hours: int
) -> None:
    story = Story(folder.path)
    story.capture("ann", view("/"), identify("ann", plan="pro"), track("Paid"), at="10:00")
    [first] = story.waiting
    repeat = msgspec.structs.replace(first, received_at=first.received_at + hours * 3_600_000_000)
    with Writer(folder, lambda: repeat.received_at) as writer:
        writer.ingest(1, [first])
        assert writer.ingest(2, [repeat]).stored == 0
        before = rows(folder)
        assert writer.replay([repeat]) == {}
    assert rows(folder) == before


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = open_folder(tmp_path_factory.mktemp("filled") / "data", create=True)
    fill(folder)
    with Writer(folder) as writer:
        drain(folder, writer)
    return folder


@given(lost=st.sets(st.sampled_from(TABLES), min_size=1))
@settings(max_examples=6, deadline=None)
def test_whatever_tables_were_lost_a_replay_brings_their_rows_back(
    filled: Folder, tmp_path_factory: pytest.TempPathFactory, lost: set[str]
) -> None:
    before = rows(filled)
    path = tmp_path_factory.mktemp("lost") / "data"
    shutil.copytree(filled.path, path)
    folder = open_folder(path)
    for name in lost:
        shutil.rmtree(folder.lake / name)
    with Writer(folder) as writer:
        replay_stored(folder, writer)
    after = rows(folder)
    # What a browser said of its pages may be said again: it is as true the second time.
    said, said_before = after.pop("page_counts"), before.pop("page_counts")
    assert set(said_before) <= set(said)
    assert after == before
    shutil.rmtree(path)


def test_times_of_files_say_since_when_a_segment_is_in_the_lake(folder: Folder) -> None:
    path = folder.journal / f"{1:020}.sealed"
    path.write_bytes(b"x")
    os.utime(path, (1, 1))
    keep_stored([path], DAY)
    assert stored_segments(folder.journal)[0].stat().st_mtime == DAY
