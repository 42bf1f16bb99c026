"""Segments whose events are in the lake: kept for a day, so that a lake that was damaged can be mended from them.

They are spare copies. So they never take more room than is free beside them, and a disk that fills up loses them first.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from .disk import sync
from .segment import SEALED, STORED, segment_number

KEPT_SECONDS = 86_400


def stored_segments(directory: Path) -> list[Path]:
    """The segments that were moved to the lake and are still here, in order."""
    return sorted(path for path in directory.glob(f"*{STORED}") if segment_number(path) >= 0)


def keep_stored(paths: Iterable[Path], now: float | None = None) -> None:
    """Note that these segments are in the lake, since `now` (seconds since 1970).

    Killed before it is done, the rest is noted next time: the lake itself knows which numbers it has.
    """
    at = time.time() if now is None else now
    for path in paths:
        os.utime(path, (at, at))
        path.rename(path.with_suffix(STORED))


def unstore(paths: Iterable[Path]) -> None:
    """Let the sink move these segments again, because the lake does not know of them any more."""
    for path in paths:
        path.rename(path.with_suffix(SEALED))
        sync(path.parent)


def forget_stored(directory: Path, now: float, free_bytes: int | None = None) -> list[Path]:
    """Remove the segments that have been in the lake for a day, and of younger ones the oldest beyond what is free."""
    found = [(path, path.stat()) for path in stored_segments(directory)]
    room = shutil.disk_usage(directory).free if free_bytes is None else free_bytes
    removed = []
    for path, status in reversed(found):
        if status.st_mtime >= now - KEPT_SECONDS and status.st_size <= room:
            room -= status.st_size
            continue
        # What is older than the first that finds no room goes too: a replay wants an unbroken stretch.
        room = 0
        path.unlink(missing_ok=True)
        removed.append(path)
    return removed
