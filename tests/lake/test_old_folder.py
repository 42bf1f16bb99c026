"""A folder whose tables were made before the latest columns is opened, read and written on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from expost.lake.schema import EVENTS
from expost.lake.table import MERGE_AT, Table, find_snapshot
from tests.story import Story, click, view

OLD_EVENTS = EVENTS.remove(EVENTS.get_field_index("consent_version"))


def make_old(story: Story) -> None:
    """The same events as a folder has them that was written before `consent_version` and `page_counts` were there."""
    story.store()
    events = story.folder.lake / "events"
    snapshot = find_snapshot(events)
    assert snapshot is not None
    rows = pa.concat_tables([pq.read_table(file) for file in snapshot.files]).select(OLD_EVENTS.names)
    for name in ("events", "page_counts"):
        shutil.rmtree(story.folder.lake / name)
    Table(events, OLD_EVENTS).append(rows.cast(OLD_EVENTS), "journal", story._segment)
    for file in events.glob("part-*"):
        # Nor did the names of files say how many columns they have.
        file.rename(events / re.sub(r"part-\d+-", "part-", file.name))
    for entry in events.glob("_delta_log/*.json"):
        entry.write_text(re.sub(r"part-\d+-", "part-", entry.read_text()))


@pytest.fixture
def old(lake: Story) -> Story:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    lake.capture("ann", view("/tea"), at="10:05")
    make_old(lake)
    return lake


TOLD = "select count(*), count(consent_version), max(consent_version) from events"


def test_it_is_read_as_it_is(old: Story) -> None:
    assert old.sql(TOLD) == [(3, 0, None)]
    assert old.sql("select count(*), sum(missing) from losses") == [(2, 0)]
    assert old.sql("select count(*) from lake.page_counts") == [(0,)]


def test_it_is_written_on(old: Story) -> None:
    old.capture("ann", view("/cart"), at="10:10", consent_version="2026-11", counts={1: 4})
    assert old.sql(TOLD) == [(4, 1, "2026-11")]
    assert old.sql("select page_ordinal, last_seq from lake.page_counts order by 1") == [
        (1, 4), (2, None), (3, None),
    ]  # fmt: skip
    columns = [field.name for field in DeltaTable(old.folder.lake / "events").schema().fields]
    assert columns == EVENTS.names
    old.capture("ann", click("a"), at="10:11")
    assert old.sql(TOLD) == [(5, 2, "2026-11")]


def test_files_of_both_kinds_are_merged(old: Story) -> None:
    old.capture("ann", view("/cart"), at="10:10", consent_version="2026-11")
    path: Path = old.path / "lake" / "events"
    table = Table(path, EVENTS)
    rows = pq.read_table(min(path.glob("part-47-*")), schema=EVENTS)
    for number in range(MERGE_AT):
        table.append(rows, "more", number)
    table.tend()
    assert len(table.snapshot().files) == 1
    assert old.sql(TOLD) == [(3 + 1 + MERGE_AT, 1 + MERGE_AT, "2026-11")]
