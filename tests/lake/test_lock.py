"""A lock is held by who took it, also where the disk does not take a word of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from expost.errors import FolderError
from expost.lake.lock import SERVER, Holder, Lock, find_holder, held_by


def fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_a_lock_on_a_full_disk_is_held_without_a_name_and_can_be_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "lock"
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        lock = Lock(path)
        assert find_holder(path) == 0
        with pytest.raises(FolderError, match="in use by process unknown"):
            Lock(path)
        lock.release()
    assert find_holder(path) is None
    Lock(path).release()


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert find_holder(tmp_path / "lock") == os.getpid()
    lock.release()


def test_a_lock_says_what_holds_it_and_what_to_do_then(tmp_path: Path) -> None:
    path, me = tmp_path / "lock", os.getpid()
    for work, serves, said, hint in (
        ("an import", False, f"process {me} (an import)", "Wait until that is done"),
        (SERVER, True, f"process {me} (a server)", "stop that one"),
        ("", True, f"process {me}", "stop that one"),
    ):
        lock = Lock(path, work)
        assert held_by(path) == Holder(me, work)
        assert Holder(me, work).serves is serves
        with pytest.raises(FolderError) as refused:
            Lock(path)
        assert refused.value.message.endswith(f"is in use by {said}.")
        assert hint in refused.value.hint
        lock.release()
    assert held_by(path) is None


def test_a_lock_whose_file_is_another_one_now_is_none(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    lock.check()
    (tmp_path / "lock").unlink()
    with pytest.raises(FileNotFoundError):
        lock.check()
    other = Lock(tmp_path / "lock")
    with pytest.raises(OSError, match="another folder stands in its place"):
        lock.check()
    other.release()
    lock.release()
