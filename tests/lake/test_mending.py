"""A lake that lost a file or an entry of its log goes on, and has again what the journal still holds."""

from __future__ import annotations

import errno
import json
import shutil
import threading
from collections import deque
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.clock import wall_clock
from expost.lake.broken import noted_broken, why_broken
from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import sealed_segments
from expost.lake.mending import find_damage, mend_lake
from expost.lake.quarantine import verify_some
from expost.lake.rebuilding import drain
from expost.lake.schema import TABLES
from expost.lake.segment import SEALED, OpenSegment, read_segment, segment_number
from expost.lake.sink_life import run
from expost.lake.snapshot import find_snapshot
from expost.lake.stored_segments import stored_segments
from expost.lake.writer import Writer, lost_segments
from tests.lake.test_sink import wait_until
from tests.lake.test_stored_segments import fill, rows


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = open_folder(tmp_path_factory.mktemp("filled") / "data", create=True)
    fill(folder)
    aside = folder.path / "aside"
    aside.mkdir()
    waiting = [path.rename(aside / path.name) for path in sealed_segments(folder.journal)]
    # One commit each, so that there are several files and several entries.
    for path in waiting:
        path.rename(folder.journal / path.name)
        with Writer(folder) as writer:
            drain(folder, writer)
    return folder


@pytest.fixture
def folder(filled: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(filled.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def live(folder: Folder, table: str) -> list[Path]:
    snapshot = find_snapshot(folder.lake / table)
    assert snapshot is not None
    return [Path(file) for file in snapshot.files]


def send_again(folder: Folder) -> Path:
    """A segment that waits, with all that the last stored one holds."""
    last = stored_segments(folder.journal)[-1]
    payloads = [payload for _, payload in read_segment(last)]
    segment = OpenSegment(folder.journal, segment_number(last) + 1, wall_clock(), Disk())
    segment.append(payloads)
    segment.sync()
    segment.close()
    return segment.path.rename(segment.path.with_suffix(SEALED))


def whole(folder: Folder) -> dict[str, list[tuple[object, ...]]]:
    """All rows but what browsers said of their pages, which may be said twice."""
    found = rows(folder)
    found.pop("page_counts")
    return found


def test_a_sound_lake_has_no_damage_and_mending_changes_nothing(folder: Folder) -> None:
    before = rows(folder)
    assert find_damage(folder) == []
    mended = mend_lake(folder)
    assert (mended.files, mended.entries, mended.segments, mended.rows) == (0, 0, 0, {})
    assert rows(folder) == before


@pytest.mark.parametrize("table", ["events", "elements", "identities"])
@pytest.mark.parametrize("how", ["flipped", "cut short", "gone"])
def test_a_damaged_file_is_set_aside_and_its_rows_come_back(folder: Folder, table: str, how: str) -> None:
    before = whole(folder)
    path = live(folder, table)[0]
    data = bytearray(path.read_bytes())
    if how == "flipped":
        # The footer begins in the last quarter, so that this is in it or in a page, and is found by reading.
        data[-20] ^= 0xFF
        path.write_bytes(data)
    elif how == "cut short":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.unlink()
    [damage] = find_damage(folder)
    assert (damage.table, list(damage.files)) == (table, [path.name])
    assert mend_lake(folder).files == 1
    assert find_damage(folder) == []
    assert whole(folder) == before
    kept = list(folder.quarantine.iterdir())
    assert [each.name for each in kept] == ([] if how == "gone" else [f"{table}-{path.name}"])


def test_a_log_that_lost_its_last_entry_gets_its_segments_again(folder: Folder) -> None:
    before = whole(folder)
    max((folder.lake / "events" / "_delta_log").glob("*.json")).unlink()
    assert len(whole(folder)["events"]) == 10
    assert mend_lake(folder).segments == 1
    assert whole(folder) == before


def test_a_log_with_a_gap_ends_before_it_and_is_filled_up(folder: Folder) -> None:
    before = whole(folder)
    log = folder.lake / "events" / "_delta_log"
    sorted(log.glob("*.json"))[-2].unlink()
    [damage] = find_damage(folder)
    assert (damage.table, len(damage.after_gap)) == ("events", 1)
    assert mend_lake(folder).entries == 1
    assert find_damage(folder) == []
    assert whole(folder) == before


@pytest.mark.parametrize("place", [1, -2])
def test_a_log_with_an_entry_that_cannot_be_read_ends_before_it_and_is_filled_up(
    folder: Folder, place: int
) -> None:
    before = whole(folder)
    entries = sorted((folder.lake / "events" / "_delta_log").glob("*.json"))
    torn = entries[place]
    torn.write_bytes(torn.read_bytes()[:-5])
    [damage] = find_damage(folder)
    assert damage.after_gap[0] == torn
    assert mend_lake(folder).entries == len(entries) - entries.index(torn)
    assert find_damage(folder) == []
    assert whole(folder) == before


def forget_last_entry(folder: Folder, table: str) -> None:
    max((folder.lake / table / "_delta_log").glob("*.json")).unlink()


NOT_EVENTS = [name for name in TABLES if name not in ("events", "page_counts", "groups")]


@pytest.mark.parametrize("table", NOT_EVENTS)
def test_the_last_entry_of_any_log_is_missed_and_its_rows_come_back(folder: Folder, table: str) -> None:
    before = whole(folder)
    forget_last_entry(folder, table)
    [damage] = find_damage(folder)
    assert damage.table == table
    assert damage.behind is not None
    assert (damage.behind.was, damage.behind.is_at) == (3, 2)
    assert mend_lake(folder).behind == [table]
    assert find_damage(folder) == []
    assert whole(folder) == before


@pytest.mark.parametrize("tables", [["events"], ["traits"], ["identities", "elements", "events"]])
def test_a_sink_begins_with_what_logs_have_lost(folder: Folder, tables: list[str]) -> None:
    before = whole(folder)
    for table in tables:
        forget_last_entry(folder, table)
    stop = threading.Event()
    sink = threading.Thread(target=run, args=(folder, stop, deque()))
    sink.start()
    try:
        wait_until(lambda: whole(folder) == before)
    finally:
        stop.set()
        sink.join()


def test_a_group_of_repeats_alone_is_not_taken_for_one_that_was_lost(folder: Folder) -> None:
    again = send_again(folder)
    before = whole(folder)
    with Writer(folder) as writer:
        drain(folder, writer)
        assert writer.committed == segment_number(again)
    assert lost_segments(folder) == []
    assert whole(folder) == before


def test_a_file_whose_columns_are_called_otherwise_than_when_it_was_written_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"device_id": [1, 2]}), path, write_page_checksum=True)
    whole_file = path.read_bytes()
    assert why_broken(path) is None
    first = whole_file.index(b"device_id")
    for flipped in (0x01, 0x80):
        data = bytearray(whole_file)
        data[first + 6] ^= flipped
        path.write_bytes(data)
        assert why_broken(path) is not None


def test_every_file_is_read_to_its_last_byte_within_a_week_and_once_a_day(folder: Folder) -> None:
    assert [verify_some(folder, day) for day in range(7)] == [[]] * 7
    path = live(folder, "events")[0]
    column = pq.read_metadata(path).row_group(0).column(0)
    data = bytearray(path.read_bytes())
    # Near the end of the first column's values: only a checksum knows.
    data[column.data_page_offset + column.total_compressed_size - 5] ^= 1
    path.write_bytes(data)
    found = [verify_some(folder, day) for day in range(7, 14)]
    assert sorted(map(len, found)) == [0] * 6 + [1]
    assert list(noted_broken(folder).values()) == [path]
    day = next(day for day, bad in enumerate(found, 7) if bad) + 7
    assert (verify_some(folder, day), verify_some(folder, day)) == ([path], [])


def test_a_file_that_the_disk_fails_to_read_is_said_and_not_taken_for_a_broken_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("expost.lake.quarantine.why_broken", fail)
    assert [verify_some(folder, day) for day in range(7)] == [[]] * 7
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert sorted(each["file"] for each in said) == sorted(
        path.name for table in TABLES for path in live(folder, table)
    )
    assert {each["event"] for each in said} == {"not verified"}
    assert noted_broken(folder) == {}


def test_a_repeat_that_waits_is_known_as_one_when_the_first_was_lost(folder: Folder) -> None:
    before = whole(folder)
    send_again(folder)
    for path in live(folder, "events"):
        path.unlink()
    mend_lake(folder)
    assert whole(folder) == before


def test_a_mending_that_was_killed_is_finished_by_the_next_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Folder) -> None:
        raise KeyboardInterrupt

    before = whole(folder)
    live(folder, "events")[0].unlink()
    with monkeypatch.context() as patched:
        patched.setattr("expost.lake.mending.rebuild_at_rest", killed)
        with pytest.raises(KeyboardInterrupt):
            mend_lake(folder)
    assert mend_lake(folder).rows
    assert whole(folder) == before
