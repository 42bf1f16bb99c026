"""What imports put aside goes with them, and what killed ones left goes with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from expost.history.aside import PREFIX, UNLOCKED_SECONDS, aside, remove_left

KILLED = """
import os, signal
from expost.history.aside import aside
with aside() as place:
    (place / "1.ids").write_bytes(b"hashes")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_what_a_killed_import_left_goes_with_the_next_one_and_what_is_in_use_stays(temporary: Path) -> None:
    with aside() as used:
        ended = subprocess.run([sys.executable, "-c", KILLED], check=False)
        assert ended.returncode == -signal.SIGKILL
        (left,) = (place for place in temporary.glob(f"{PREFIX}*") if place != used)
        with aside() as own:
            assert not left.exists()
            assert used.is_dir()
        assert not own.exists()
    assert list(temporary.iterdir()) == []


def test_a_folder_without_a_lock_goes_after_a_day_and_a_link_never(temporary: Path) -> None:
    """One is made and locked in two steps, and versions before knew no locks."""
    new, old, elsewhere = temporary / f"{PREFIX}new", temporary / f"{PREFIX}old", temporary / "elsewhere"
    for place in (new, old, elsewhere):
        place.mkdir()
        (place / "1.ids").write_bytes(b"hashes")
    for place in (old, elsewhere):
        past = place.stat().st_mtime - UNLOCKED_SECONDS - 1
        os.utime(place, (past, past))
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    remove_left()
    assert not old.exists()
    assert new.exists()
    assert (elsewhere / "1.ids").exists()
