"""What commands say when the system refuses them: a sentence and a next step, never a traceback."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from expost import lake_commands
from expost.cli import main
from expost.clock import wall_clock
from expost.errors import FolderError
from expost.lake.backup import back_up
from expost.lake.folder import Folder
from expost.state.database import State


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_does_not_take_what_a_command_writes_is_a_sentence(
    ann_and_bob: Folder, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr(lake_commands, "compact_folder", refuse)
    ended = CliRunner().invoke(main, ["compact", "--data", str(ann_and_bob.path), "--json"])
    assert ended.exit_code == 2
    error = json.loads(ended.stdout)["error"]
    assert (error["code"], os.strerror(number) in error["message"]) == ("folder", True)
    assert error["hint"]


def test_what_else_goes_wrong_is_still_traced(ann_and_bob: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(lake_commands, "compact_folder", refuse)
    ended = CliRunner().invoke(main, ["compact", "--data", str(ann_and_bob.path)])
    assert isinstance(ended.exception, OSError)


def test_a_state_that_cannot_be_opened_is_no_traceback_of_a_backup(
    ann_and_bob: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is on a disk that became read-only, where SQLite cannot make the files beside it."""

    def refuse(_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(FolderError, match="cannot be copied: unable to open database file") as refused:
        back_up(ann_and_bob, tmp_path / "backup", wall_clock())
    assert "cp -a" in refused.value.hint


def test_a_state_on_a_full_disk_asks_for_room(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    with pytest.raises(FolderError) as refused, state.writing():
        raise sqlite3.OperationalError("database or disk is full")
    state.close()
    assert refused.value.hint == "Make room on that disk, and try again."
