"""The log of a table: it does not grow with the commits, and whoever reads or writes at that moment loses nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from expost.lake.delta_log import KEPT_ENTRIES
from expost.lake.snapshot import find_committed, find_snapshot
from expost.lake.table import CHECKPOINT_EVERY, Table

SCHEMA = pa.schema([("number", pa.int64()), ("time", pa.timestamp("us", tz="UTC")), ("site", pa.string())])
COMMITS = KEPT_ENTRIES + 4 * CHECKPOINT_EVERY


def row(number: int) -> pa.Table:
    return pa.table({"number": [number], "time": [number], "site": ["shop"]}, SCHEMA)


def commit(table: Table, numbers: range) -> None:
    for number in numbers:
        table.append(row(number), "journal", number)
        table.tend()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("expost.lake.delta_log.KEPT_SECONDS", -1.0)
    return tmp_path / "_delta_log"


def test_it_keeps_the_latest_entries_and_every_version_since_the_checkpoint_below_them(
    tmp_path: Path, log: Path
) -> None:
    table = Table(tmp_path, SCHEMA)
    commit(table, range(COMMITS))
    table.clean_log()
    versions = sorted(int(entry.stem) for entry in log.glob("*.json"))
    assert versions == list(range(versions[0], table.version + 1))
    assert KEPT_ENTRIES <= table.version - versions[0] < KEPT_ENTRIES + CHECKPOINT_EVERY
    oldest, newest = (
        DeltaTable(tmp_path, version=version).to_pyarrow_table()["number"].to_pylist()
        for version in (versions[0], table.version)
    )
    assert sorted(oldest) == list(range(len(oldest)))
    assert sorted(newest) == list(range(COMMITS))
    assert find_committed(tmp_path, "journal") == COMMITS - 1


def test_what_is_young_stays_for_whoever_is_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, an entry is not an hour old here.
    monkeypatch.setattr("expost.lake.delta_log.KEPT_SECONDS", 3600.0)
    table = Table(tmp_path, SCHEMA)
    commit(table, range(COMMITS))
    table.clean_log()
    assert (tmp_path / "_delta_log" / f"{0:020}.json").exists()


@pytest.mark.usefixtures("log")
def test_a_table_that_was_opened_before_finds_out_what_happened_since(tmp_path: Path) -> None:
    table = Table(tmp_path, SCHEMA)
    commit(table, range(5))
    opened = Table(tmp_path, SCHEMA)
    commit(table, range(5, COMMITS))
    table.clean_log()
    opened.refresh()
    assert (opened.version, opened.committed("journal")) == (table.version, COMMITS - 1)
    assert opened.snapshot() == find_snapshot(tmp_path)


def test_a_table_of_an_older_release_gets_the_properties_it_was_made_without(tmp_path: Path) -> None:
    DeltaTable.create(tmp_path, SCHEMA)
    Table(tmp_path, SCHEMA)
    opened = Table(tmp_path, SCHEMA)
    assert opened.version == 1
    configuration = DeltaTable(tmp_path).metadata().configuration
    assert configuration["delta.dataSkippingStatsColumns"] == "time,site"
    opened.append(row(1), "journal", 1)
    [file] = opened.files()
    assert (file.least, file.greatest) == ({"time": 1, "site": "shop"}, {"time": 1, "site": "shop"})
