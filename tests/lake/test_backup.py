"""A backup is whole though the folder is in use, and what comes out of it is what went in."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from expost.cli import main
from expost.clock import wall_clock
from expost.errors import FolderError
from expost.lake.backup import back_up
from expost.lake.copies import MANIFEST
from expost.lake.erasure import carry_out
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal
from expost.lake.reader import connect
from expost.lake.rebuilding import at_rest, drain
from expost.lake.restoring import restore, verify
from expost.lake.writer import Writer
from tests.lake.test_erasure import ANN, OF_ANN, USER, erase
from tests.lake.test_sink import batch
from tests.lake.traces import traces
from tests.torture.power import Power

encode = msgspec.msgpack.Encoder().encode


@pytest.fixture
def folder(ann_and_bob: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(ann_and_bob.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def content(folder: Folder) -> list[tuple[object, ...]]:
    with at_rest(folder), connect(folder.path) as connection:
        return connection.execute("select * from events order by event_id").fetchall()


def test_what_comes_out_is_what_went_in(folder: Folder, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup", wall_clock())
    restored = restore(tmp_path / "backup", tmp_path / "restored")
    assert content(restored) == content(folder)
    assert restored.secret() == folder.secret()
    with sqlite3.connect(restored.state_path) as state:
        assert state.execute("select slug from sites").fetchall() == [("shop",)]
    assert restored.state_path.stat().st_mode & 0o777 == 0o600


def test_what_questions_keep_is_left_out(folder: Folder, tmp_path: Path) -> None:
    kept = folder.cache / "events" / "part" / "kept.parquet"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of somebody")
    back_up(folder, tmp_path / "backup", wall_clock())
    assert not (tmp_path / "backup" / "cache").exists()


def test_a_second_backup_copies_what_is_new_and_forgets_what_is_gone(folder: Folder, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    first = back_up(folder, backup, wall_clock())
    again = back_up(folder, backup, wall_clock())
    assert first.copied_files == first.files
    live = sum(path.suffix == ".parquet" and "_delta_log" not in path.parts for path in backup.rglob("*"))
    assert again.files - again.copied_files == live
    erase(folder, user=USER)
    back_up(folder, backup, wall_clock())
    assert traces(backup, OF_ANN) == []
    assert content(restore(backup, tmp_path / "restored")) == content(folder)


def test_who_was_erased_since_is_erased_again(folder: Folder, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup", wall_clock())
    erase(folder, user=USER)
    restored = restore(tmp_path / "backup", tmp_path / "restored", folder)
    with at_rest(restored) as writer:
        assert len(carry_out(restored, writer)) == 1
    assert traces(restored.path, OF_ANN) == []


def test_the_erased_of_another_folder_are_refused(folder: Folder, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup", wall_clock())
    other = open_folder(tmp_path / "other", create=True)
    with pytest.raises(FolderError, match="it has another secret"):
        restore(tmp_path / "backup", tmp_path / "restored", other)
    assert not (tmp_path / "restored").exists()


def test_one_flipped_bit_is_found_before_anything_is_written(folder: Folder, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    back_up(folder, backup, wall_clock())
    path = max(backup.rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FolderError, match=r"Of .* files in .*, 1 is not as copied"):
        restore(backup, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_damaged_backup_is_made_whole_by_one_that_verifies(folder: Folder, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    back_up(folder, backup, wall_clock())
    path = max(backup.rglob("*.parquet"))
    sound = path.read_bytes()
    path.write_bytes(bytes(len(sound)))
    back_up(folder, backup, wall_clock())
    with pytest.raises(FolderError) as refused:
        restore(backup, tmp_path / "restored")
    assert f"expost backup --verify {backup}" in refused.value.hint
    assert back_up(folder, backup, wall_clock(), is_verifying=True).files == len(verify(backup).files)
    assert path.read_bytes() == sound


@pytest.mark.parametrize("seed", range(3))
def test_a_backup_that_was_made_is_whole_after_a_power_cut(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    power = Power(disk, random.Random(seed))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", power.sync)
        back_up(folder, disk / "backup", wall_clock())
        power.image(tmp_path / "after backup")
        restore(disk / "backup", disk / "again")
        power.image(tmp_path / "after restore")
    verify(tmp_path / "after backup" / "backup")
    assert content(open_folder(tmp_path / "after restore" / "again")) == content(folder)


def test_a_backup_inside_the_folder_is_refused(folder: Folder) -> None:
    for target in (folder.path, folder.path / "backup"):
        with pytest.raises(FolderError, match="lies in the folder that is to be copied"):
            back_up(folder, target, wall_clock())
    assert not (folder.path / "backup").exists()


def test_a_target_that_cannot_be_written_is_named(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(FolderError, match=r"The backup to .* was not finished: Not a directory"):
        back_up(folder, file / "backup", wall_clock())
    back_up(folder, tmp_path / "backup", wall_clock())
    with pytest.raises(FolderError, match=r"was not made: Not a directory"):
        restore(tmp_path / "backup", file / "restored")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "lake/../../outside"])
def test_a_list_that_names_files_outside_is_refused_before_anything_is_written(
    folder: Folder, tmp_path: Path, name: str
) -> None:
    backup = tmp_path / "backup"
    back_up(folder, backup, wall_clock())
    manifest = json.loads((backup / MANIFEST).read_bytes())
    manifest["files"][name] = next(iter(manifest["files"].values()))
    (backup / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(FolderError, match="names files that lie outside"):
        restore(backup, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_backup_that_was_broken_off_is_none_and_can_be_finished(folder: Folder, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    back_up(folder, backup, wall_clock())
    (backup / MANIFEST).unlink()
    with pytest.raises(FolderError, match="no backup that was finished"):
        verify(backup)
    back_up(folder, backup, wall_clock())
    assert len(verify(backup).files) > 20


def test_a_folder_that_holds_something_else_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("three years of work")
    with pytest.raises(FolderError, match="no backup of this folder"):
        back_up(folder, tmp_path / "other", wall_clock())
    back_up(folder, tmp_path / "backup", wall_clock())
    with pytest.raises(FolderError, match="is not empty"):
        restore(tmp_path / "backup", tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


@pytest.fixture
def busy(folder: Folder) -> Iterator[list[str]]:
    """The folder while batches come in and go to the lake, as fast as they can; what was acknowledged."""
    acknowledged: list[str] = []
    journal = Journal(folder, wall_clock, seal_age_ms=1, after=10_000)
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            one = batch("device of the rush")
            journal.write(encode(one))
            acknowledged.extend(event.id for event in one.events)

    def move() -> None:
        with Writer(folder) as writer:
            while not is_over.is_set():
                drain(folder, writer)

    threads = [threading.Thread(target=work) for work in (write, move)]
    for thread in threads:
        thread.start()
    yield acknowledged
    is_over.set()
    for thread in threads:
        thread.join()
    journal.close()


def test_a_backup_of_a_busy_folder_has_all_that_was_acknowledged_before_it(
    folder: Folder, busy: list[str], tmp_path: Path
) -> None:
    for number in range(3):
        before = set(busy)
        back_up(folder, tmp_path / "backup", wall_clock())
        restored = restore(tmp_path / "backup", tmp_path / f"restored {number}")
        with at_rest(restored), connect(restored.path) as connection:
            stored = [row[0] for row in connection.execute("select event_id from events").fetchall()]
            edges = connection.execute(
                "select count(*), count(distinct edge_id) from lake.identities"
            ).fetchall()
        assert before <= set(stored)
        assert len(stored) == len(set(stored))
        assert edges[0][0] == edges[0][1]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_the_commands_back_up_and_restore(folder: Folder, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    assert json.loads(run("backup", str(backup), "--data", str(folder.path)).stdout)["files"] > 20
    erase(folder, device=ANN)
    said = run("restore", str(backup), "--erased", str(folder.path), "--data", str(restored))
    assert json.loads(said.stdout) == {"folder": str(restored), "erased_again": 1}
    assert traces(restored, [ANN]) == []
