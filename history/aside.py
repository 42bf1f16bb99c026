"""A folder of its own for what an import cannot hold in memory; what a killed one left there is removed by the next."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from expost.errors import FolderError
from expost.lake.lock import Lock

PREFIX = "expost-import-"
LOCK = "lock"
UNLOCKED_SECONDS = 86_400
"""A folder that has no lock after so long is that of a process that was killed before it had one."""


@contextmanager
def aside() -> Iterator[Path]:
    """An empty folder for hashes, until the end of this. It stays only where its process is killed."""
    remove_left()
    with TemporaryDirectory(prefix=PREFIX) as made:
        # Under its name only once it is held, so that nobody takes it for one that was left.
        lock = Lock(Path(made) / f"{LOCK}.new")
        (Path(made) / f"{LOCK}.new").rename(Path(made) / LOCK)
        try:
            yield Path(made)
        finally:
            lock.release()


def remove_left() -> None:
    """Remove the folders whose processes are gone, as their locks say. What others own is left alone."""
    with suppress(OSError):
        for place in Path(gettempdir()).glob(f"{PREFIX}*"):
            if _is_ours(place) and _is_left(place):
                shutil.rmtree(place, ignore_errors=True)


def _is_ours(place: Path) -> bool:
    try:
        status = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _is_left(place: Path) -> bool:
    try:
        if not (place / LOCK).exists():
            return time.time() - place.stat().st_mtime > UNLOCKED_SECONDS
        Lock(place / LOCK).release()
    except (OSError, FolderError):
        # Somebody holds it, or has just removed it.
        return False
    return True
