"""What questions keep of an event file for the next one lies beside the lake, and goes when the file goes.

It may hold anything that the events hold. So it is found by the name of the file that it was made from, and whoever
deletes that file deletes it as well; whoever writes it looks afterwards whether the file is still there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

CACHE_BYTES = 1_000_000_000
"""What is kept on disk for the next question, unless a setting says otherwise."""


def shares_of(cache_bytes: int) -> tuple[int, int, int]:
    """How many of these bytes elements, summaries and events may take: elements are few, and summaries serve all."""
    elements, summaries = cache_bytes // 8, cache_bytes // 2
    return elements, summaries, cache_bytes - elements - summaries


def kept_of(cache: Path, file: Path) -> Path:
    """The folder for what is kept of one file."""
    return cache / "events" / file.stem


def make_private(folder: Path, root: Path) -> None:
    """Make a folder somewhere below `root`, which is made too; of what is new only its owner reads anything."""
    for part in reversed([folder, *(each for each in folder.parents if each.is_relative_to(root))]):
        part.mkdir(mode=0o700, exist_ok=True)


def forget_kept(table: Path, file: Path) -> None:
    """Delete what was kept of a file of the table in `table`, a folder of a lake."""
    shutil.rmtree(kept_of(table.parent.parent / "cache", file), ignore_errors=True)
