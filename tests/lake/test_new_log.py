"""A table whose log cannot be read any more gets another one, of the files that lie there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.errors import FolderError
from expost.lake.folder import Folder, open_folder
from expost.lake.mending import find_damage, mend_lake
from expost.lake.part import write_parts
from expost.lake.schema import TABLES
from expost.lake.snapshot import find_snapshot
from expost.lake.table import Table
from expost.lake.writer import Writer
from tests.lake.test_mending import filled as filled
from tests.lake.test_mending import send_again, whole


@pytest.fixture
def folder(filled: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(filled.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def forget_past(folder: Folder, name: str) -> Path:
    """After an erasure a table has one checkpoint, and no entry before it; gives that."""
    assert Table(folder.lake / name, TABLES[name]).forget_past()
    [checkpoint] = (folder.lake / name / "_delta_log").glob("*.checkpoint.parquet")
    return checkpoint


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["events", "devices", "identities"])
@pytest.mark.parametrize(
    "how", ["checkpoint flipped", "checkpoint gone", "log gone", "entry of something else"]
)
def test_the_rows_of_a_table_without_a_readable_log_are_all_there_again(
    folder: Folder, name: str, how: str
) -> None:
    before = whole(folder)
    checkpoint = forget_past(folder, name)
    # Nothing is to come back from the journal.
    for path in folder.journal.glob("*.stored"):
        path.unlink()
    if how == "checkpoint flipped":
        flip(checkpoint)
    elif how == "checkpoint gone":
        checkpoint.unlink()
    elif how == "log gone":
        shutil.rmtree(checkpoint.parent)
    else:
        version = int(checkpoint.name[:20])
        (checkpoint.parent / f"{version + 1:020}.json").write_text(json.dumps({"add": {"path": 5}}))
    with pytest.raises(FolderError, match=f"The log of the table {name} cannot be read"):
        find_snapshot(folder.lake / name)
    mended = mend_lake(folder)
    assert mended.logs == [name]
    assert find_damage(folder) == []
    assert whole(folder) == before
    assert (folder.quarantine / name).is_dir()
    assert mend_lake(folder).logs == []


def test_rows_of_files_that_were_replaced_an_hour_ago_or_less_do_not_double(folder: Folder) -> None:
    before = whole(folder)
    table = Table(folder.lake / "events", TABLES["events"])
    files = table.files()
    rows = pa.concat_tables([pq.read_table(table.path / each.name, schema=table.schema) for each in files])
    with table.writing():
        add = write_parts(table.path, table.schema, [rows], data_change=False)
        assert table.replace(files, [add], data_change=False)
    shutil.rmtree(table.path / "_delta_log")
    assert len(list(table.path.glob("*.parquet"))) == len(files) + 1
    assert mend_lake(folder).logs == ["events"]
    assert whole(folder) == before


def test_what_waits_in_the_journal_or_comes_again_is_stored_once_behind_a_new_log(folder: Folder) -> None:
    before = whole(folder)
    shutil.rmtree(folder.lake / "events" / "_delta_log")
    send_again(folder)
    mend_lake(folder)
    assert whole(folder) == before


def test_no_log_is_begun_where_files_lie_without_theirs(folder: Folder) -> None:
    """They would be deleted after an hour, as files that no version names."""
    shutil.rmtree(folder.lake / "traits" / "_delta_log")
    with pytest.raises(FolderError, match="The log of the table traits cannot be read"), Writer(folder):
        pass


def killed_between_two_names(folder: Folder, name: str) -> Path:
    """As a kill leaves it after the old table has lost its name, and before the new one has it."""
    path = folder.lake / name
    shutil.copytree(path, path.with_suffix(".anew"))
    shutil.rmtree(path)
    return path


def test_a_kill_between_the_old_table_and_the_new_one_is_finished_by_the_next_mending(folder: Folder) -> None:
    before = whole(folder)
    path = killed_between_two_names(folder, "events")
    mend_lake(folder)
    assert whole(folder) == before
    assert not path.with_suffix(".anew").exists()


def test_nor_does_a_server_that_starts_first_begin_an_empty_table(folder: Folder) -> None:
    before = whole(folder)
    path = killed_between_two_names(folder, "events")
    with pytest.raises(FolderError, match="The log of the table events cannot be read"):
        find_snapshot(path)
    Table(path, TABLES["events"])
    assert whole(folder) == before
    assert not path.with_suffix(".anew").exists()
