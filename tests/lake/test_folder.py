"""The data folder and its secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from expost.errors import FolderError
from expost.lake.folder import open_folder


def test_a_new_folder_gets_one_secret_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "data", create=True)
    assert folder.secret_path.stat().st_mode & 0o777 == 0o600
    assert len(folder.secret()) == 32
    assert open_folder(tmp_path / "data", create=True).secret() == folder.secret()
    assert open_folder(tmp_path / "data").secret() == folder.secret()


def test_a_folder_without_data_is_refused_unless_it_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(FolderError) as refusal:
        open_folder(tmp_path / "nothing")
    assert "expost serve" in refusal.value.hint
    assert not (tmp_path / "nothing").exists()


def test_a_first_start_that_was_killed_keeps_no_later_one_away(tmp_path: Path) -> None:
    # Half a secret of an older version, which was named after the process, and of this one.
    for name in (f"secret.{os.getpid()}", "secret.8f14e45f-ceea-467f-ab1c-0c7ac0e4b4a5.draft"):
        (tmp_path / name).write_text("12ab")
    assert len(open_folder(tmp_path, create=True).secret()) == 32


def test_a_damaged_secret_is_never_replaced(tmp_path: Path) -> None:
    folder = open_folder(tmp_path, create=True)
    folder.secret_path.write_text("12ab")
    with pytest.raises(FolderError):
        folder.secret()
