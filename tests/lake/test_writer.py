"""Exactly once: whatever moment the writer ends, every event is in the lake one time after the next run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from expost.clock import wall_clock
from expost.errors import FolderError
from expost.ids import uuid7
from expost.lake import table as table_module
from expost.lake.batch import Accepted, Event
from expost.lake.contents import Contents, checksums
from expost.lake.folder import Folder, open_folder
from expost.lake.moment import DAY
from expost.lake.part import PartWriter
from expost.lake.reader import connect
from expost.lake.schema import TABLES
from expost.lake.snapshot import find_snapshot
from expost.lake.table import Table
from expost.lake.writer import Ingested, Writer, ingest, last_segment
from tests.story import Story, click, group, identify, track, view

NEW = "0197e0a0-0000-7000-8000-00000000abcd"


class Killed(BaseException):
    """Stands for the end of the process."""


def told(tmp_path: Path, count: int = 3) -> list[Accepted]:
    """A few batches in which every table gets rows."""
    story = Story(tmp_path / "told")
    for number in range(count):
        who = identify(f"user {number}", plan="pro")
        story.capture(f"device {number}", view("/"), click(f"a#n{number}"), who, group("company", "acme", seats=2),
                      track("Paid"), at=f"10:{number:02}", counts={1: 5})  # fmt: skip
    return story.waiting


def counts(folder: Folder) -> dict[str, int]:
    with connect(folder.path) as connection:
        return {name: len(connection.execute(f"from lake.{name}").fetchall()) for name in TABLES}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "data", create=True)


def test_a_segment_is_stored_once_however_often_it_comes(folder: Folder, tmp_path: Path) -> None:
    batches = told(tmp_path)

    def ingest_now(number: int) -> Ingested:
        return ingest(folder, number, batches, clock=lambda: batches[-1].received_at)

    assert ingest_now(1).stored == 15
    before = counts(folder)
    assert before == {"descriptors": 5, "elements": 5, "placements": 5, "devices": 3, "users": 3, "groups": 1,
                      "identities": 3, "traits": 6, "page_counts": 3, "events": 15}  # fmt: skip
    assert ingest_now(1).stored == 0
    again = ingest_now(2)
    assert (again.stored, again.duplicates) == (0, 15)
    assert counts(folder) == before
    assert last_segment(folder) == 2


def steps() -> Iterator[tuple[str, str]]:
    """Each moment at which the process can end inside a segment's commits."""
    for table in TABLES:
        for moment in ("before", "after the file", "after the commit"):
            yield table, moment


@pytest.mark.parametrize(("table", "moment"), list(steps()))
def test_an_end_at_any_step_neither_loses_nor_doubles(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, moment: str
) -> None:
    batches = told(tmp_path)
    append, commit = Table.append, Table._commit

    def is_it(self: Table) -> bool:
        return self.path.name == table

    def dying_append(self, rows, application, number, *also):
        if is_it(self) and moment == "before":
            raise Killed
        append(self, rows, application, number, *also)
        if is_it(self) and moment == "after the commit":
            raise Killed

    def dying_commit(self, actions, *transactions):
        if is_it(self) and moment == "after the file":
            raise Killed
        commit(self, actions, *transactions)

    with monkeypatch.context() as patch:
        patch.setattr(Table, "append", dying_append)
        patch.setattr(Table, "_commit", dying_commit)
        with pytest.raises(Killed):
            ingest(folder, 3, batches)
    with Writer(folder) as writer:
        assert writer.begun in (-1, 3)
        writer.ingest(3, batches)
    assert counts(folder) == {"descriptors": 5, "elements": 5, "placements": 5, "devices": 3, "users": 3, "groups": 1,
                              "identities": 3, "traits": 6, "page_counts": 3, "events": 15}  # fmt: skip


def test_repeats_are_known_after_a_restart_and_inside_a_batch(folder: Folder, tmp_path: Path) -> None:
    first, second, third = told(tmp_path)
    ingest(folder, 1, [first, first])
    with Writer(folder, clock=lambda: first.received_at) as writer:
        mixed = writer.ingest(2, [second, first, second])
        assert (mixed.stored, mixed.duplicates) == (5, 10)
        assert writer.ingest(3, [third, second]).stored == 5
    assert counts(folder)["events"] == 15


OTHERWISE: dict[str, Any] = {
    "type": "change", "name": "b", "t": 2.0, "time": 3.0, "seq": 4, "text": "b", "label": "b", "x": 5, "y": 6,
    "user": "b", "group_type": "b", "group": "b", "traits": {"b": 1}, "properties": {"b": 1}, "flag": "b",
    "variation": "b", "flag_version": "b", "rule": "b", "marks": ["text"], "trusted": False,
}  # fmt: skip
ELSEWHERE: dict[str, Any] = {"view": 1, "el": 1, "set": 1}


def test_all_that_an_event_says_by_itself_tells_it_from_another(tmp_path: Path) -> None:
    event = told(tmp_path, 1)[0].events[0]
    assert {*OTHERWISE, *ELSEWHERE, "id"} == set(Event.__struct_fields__)
    [said] = checksums([event])
    for name, value in OTHERWISE.items():
        assert checksums([replace(event, **{name: value})]) != [said], name
    for name, value in (ELSEWHERE | {"id": NEW}).items():
        assert checksums([replace(event, **{name: value})]) == [said], name


def test_a_repeat_that_says_something_else_is_a_conflict_and_the_first_stays(
    folder: Folder, tmp_path: Path
) -> None:
    [batch] = told(tmp_path, 1)
    *same, last = batch.events
    other = replace(batch, events=[*same, replace(last, properties={"price": 7})])
    # Sent again in a batch of other ones: where it stands in the tables of that is no other content.
    elsewhere = replace(batch, events=[replace(last, view=0, set=-1)])
    with Writer(folder, clock=lambda: batch.received_at) as writer:
        assert writer.ingest(1, [batch]).conflicts == 0
        again = writer.ingest(2, [batch, other, elsewhere])
        assert (again.stored, again.duplicates, again.conflicts) == (0, 11, 1)
        first, second = (replace(other, events=[replace(last, id=NEW, name=name)]) for name in ("one", "two"))
        assert (mixed := writer.ingest(3, [first, second])).conflicts == 1
        assert (mixed.stored, mixed.duplicates) == (1, 1)
    with connect(folder.path) as connection:
        sql = "select name from lake.events where event_id = ?"
        assert connection.execute(sql, [NEW]).fetchall() == [("one",)]


def test_what_events_said_is_remembered_of_the_latest_only() -> None:
    contents, hashes = Contents(4), np.array([1, 2, 5], np.uint64)
    contents.keep(hashes[:2], np.array([10, 20], np.uint32))
    contents.keep(hashes[2:], np.array([50], np.uint32))
    assert contents.count_others(hashes, np.array([11, 21, 51], np.uint32)) == 2


def test_ids_are_forgotten_after_a_week(folder: Folder, tmp_path: Path) -> None:
    [batch] = told(tmp_path, 1)
    ingest(folder, 1, [batch], clock=lambda: batch.received_at)
    with Writer(folder, clock=lambda: batch.received_at + 6 * DAY) as writer:
        assert writer.ingest(2, [batch]).duplicates == 5
    with Writer(folder, clock=lambda: batch.received_at + 9 * DAY) as writer:
        assert writer.ingest(3, [batch]).stored == 5


def test_a_poison_event_is_set_aside_and_the_others_are_stored(folder: Folder, tmp_path: Path) -> None:
    batches = told(tmp_path)
    events = list(batches[1].events)
    events[2] = msgspec.structs.replace(events[2], text="\ud800", id=uuid7(wall_clock()))
    batches[1] = msgspec.structs.replace(batches[1], events=events)
    result = ingest(folder, 1, batches)
    assert result.stored == 14
    [rejected] = result.rejected
    assert (rejected.site, "surrogates not allowed" in rejected.reason) == ("shop", True)
    assert counts(folder)["events"] == 14


def test_an_element_that_is_not_there_rejects_its_event_only(folder: Folder, tmp_path: Path) -> None:
    [batch] = told(tmp_path, 1)
    events = [msgspec.structs.replace(batch.events[1], el=99, id=uuid7(wall_clock())), *batch.events]
    result = ingest(folder, 1, [msgspec.structs.replace(batch, events=events)])
    assert (result.stored, len(result.rejected)) == (5, 1)


@pytest.mark.parametrize("bad", ["7" * 36, "not-an-id-of-any-kind-but-as-long-xx", "0" * 35 + "é"])
def test_an_id_that_is_none_rejects_its_event_only(folder: Folder, tmp_path: Path, bad: str) -> None:
    [batch] = told(tmp_path, 1)
    events = [msgspec.structs.replace(batch.events[0], id=bad), *batch.events[1:]]
    result = ingest(folder, 1, [msgspec.structs.replace(batch, events=events)])
    assert (result.stored, [rejected.id for rejected in result.rejected]) == (4, [bad])
    assert counts(folder)["events"] == 4


def test_one_writer_at_a_time(folder: Folder) -> None:
    with Writer(folder), pytest.raises(FolderError, match="in use by process"):
        Writer(folder)
    Writer(folder).close()


def test_two_writers_with_one_number_do_not_both_commit(folder: Folder, tmp_path: Path) -> None:
    schema = TABLES["devices"]
    one, other = Table(tmp_path / "t", schema), Table(tmp_path / "t", schema)
    rows = pa.Table.from_pylist([{"device_id": 1}], schema)
    one.append(rows, "journal", 1)
    with pytest.raises(Exception, match="oncurrent"):
        other.append(rows, "journal", 1)
    assert len(one.snapshot().files) == 1


def test_small_files_are_merged_and_nothing_changes(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "MERGE_AT", 4)
    numbers = itertools.count(1)
    with Writer(folder) as writer:
        for batch in told(tmp_path, 6):
            writer.ingest(next(numbers), [batch])
            writer.tend()
    merged = find_snapshot(folder.lake / "events")
    assert merged is not None
    assert len(merged.files) == 3
    assert counts(folder)["events"] == 30
    with Writer(folder) as writer:
        assert writer.committed == 6


def test_no_more_files_are_merged_at_once_than_memory_is_meant_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(tmp_path / "t", TABLES["devices"])
    monkeypatch.setattr(table_module, "MERGE_AT", 4)
    for number in range(4):
        table.append(pa.Table.from_pylist([{"device_id": number}], table.schema), "journal", number)
    sizes = [file.size_bytes for file in table.files()]
    monkeypatch.setattr(table_module, "MOST_MERGED_BYTES", sum(sizes[:3]))
    table.tend()
    assert len(table.files()) == 2
    found = {
        row["device_id"]
        for file in table.files()
        for row in pq.read_table(table.path / file.name).to_pylist()
    }
    assert found == {0, 1, 2, 3}


def test_of_files_that_are_merged_a_few_rows_are_in_memory_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.lake.part.ROW_GROUP", 1_000)
    table = Table(tmp_path / "t", pa.schema([("text", pa.string())]))
    for number in range(table_module.MERGE_AT):
        texts = [f"{number}.{row}".zfill(1_000) for row in range(1_000)]
        table.append(pa.table({"text": texts}, table.schema), "test", number)
    held: list[int] = []
    write = PartWriter.write

    def look(writer: PartWriter, rows: pa.Table) -> None:
        write(writer, rows)
        held.append(pa.total_allocated_bytes())

    monkeypatch.setattr(PartWriter, "write", look)
    before = pa.total_allocated_bytes()
    table.tend()
    [merged] = table.files()
    assert merged.rows == 1_000 * table_module.MERGE_AT
    assert max(held) - before < 1_000_000 * table_module.MERGE_AT / 4


def test_texts_that_repeat_stay_encoded_when_files_with_others_are_merged(
    folder: Folder, tmp_path: Path
) -> None:
    table = Table(tmp_path / "t", TABLES["events"])
    for number in range(table_module.MERGE_AT):
        rows = [
            {"event_id": f"{number}.{row}", "path": f"/{number}" * 50, "site": "shop"} for row in range(50)
        ]
        table.append(pa.Table.from_pylist(rows, table.schema), "test", number)
    table.tend()
    [merged] = table.snapshot().files
    found = pq.read_table(merged, columns=["event_id", "path"]).to_pylist()
    assert {row["event_id"]: row["path"] for row in found} == {
        f"{number}.{row}": f"/{number}" * 50 for number in range(table_module.MERGE_AT) for row in range(50)
    }
    column = pq.read_metadata(merged).row_group(0).column(table.schema.names.index("path"))
    assert column.path_in_schema == "path"
    # Each text once, and of each row a number.
    assert column.total_uncompressed_size < 20_000


def test_a_log_entry_that_lost_its_bytes_is_set_aside(folder: Folder, tmp_path: Path) -> None:
    batches = told(tmp_path)
    ingest(folder, 1, batches[:2])
    ingest(folder, 2, batches[2:])
    log = folder.lake / "events" / "_delta_log"
    max(log.glob("*.json")).write_bytes(b"")
    with Writer(folder) as writer:
        assert (writer.committed, writer.begun) == (1, 2)
        writer.ingest(2, batches[2:])
    assert counts(folder)["events"] == 15
    assert counts(folder)["identities"] == 3


@pytest.mark.parametrize("left", [b"", bytes(200), b'{"add":{"path":"part-'], ids=["empty", "zeros", "torn"])
def test_a_folder_whose_last_entry_is_torn_is_read_and_served(
    folder: Folder, tmp_path: Path, left: bytes
) -> None:
    ingest(folder, 1, told(tmp_path))
    log = folder.lake / "events" / "_delta_log"
    entry = log / f"{int(max(log.glob('*.json')).stem) + 1:020}.json"
    entry.write_bytes(left)
    assert counts(folder)["events"] == 15
    assert last_segment(folder) == 1
    assert not entry.exists()


@pytest.mark.parametrize("share", [0, 0.5], ids=["empty", "half"])
def test_a_checkpoint_that_lost_its_bytes_is_set_aside(folder: Folder, share: float) -> None:
    schema = pa.schema([("number", pa.int64())])
    path = folder.lake / "numbers"
    table = Table(path, schema)
    for number in range(table_module.CHECKPOINT_EVERY + 1):
        table.append(pa.table({"number": [number]}, schema), "test", number)
    [checkpoint] = path.glob("_delta_log/*.checkpoint.parquet")
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(len(whole) * share)])
    again = Table(path, schema)
    assert again.committed("test") == table_module.CHECKPOINT_EVERY
    assert len(again.snapshot().files) == table_module.CHECKPOINT_EVERY + 1


def test_files_merged_away_are_deleted_after_an_hour(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, clock = itertools.count(0.0, 601.0), itertools.count(time.time() + 1.0, 601.0)
    monkeypatch.setattr("expost.lake.table.time.monotonic", lambda: next(looks))
    monkeypatch.setattr("expost.lake.table.time.time", lambda: next(clock))
    schema = pa.schema([("number", pa.int64())])
    table = Table(folder.lake / "numbers", schema)
    for number in range(table_module.MERGE_AT):
        table.append(pa.table({"number": [number]}, schema), "test", number)
    table.tend()
    assert len(list(table.path.glob("*.parquet"))) == table_module.MERGE_AT + 1
    for _ in range(10):
        table.tend()
    assert [str(path) for path in table.path.glob("*.parquet")] == table.snapshot().files
    assert sorted(pq.read_table(table.snapshot().files[0])["number"].to_pylist()) == list(
        range(table_module.MERGE_AT)
    )
