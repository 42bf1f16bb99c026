"""What questions keep of an event file for the next one lies beside the lake, and goes when the file goes.

It may hold anything that the events hold. So it is found by the name of the file that it was made from, and whoever
deletes that file deletes it as well; whoever writes it looks afterwards whether the file is still there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

USUAL_BYTES = 1_000_000_000
"""What is kept on disk for the next question, unless a setting says otherwise: beside it summaries of a large lake."""
LAKE_SHARE = 0.5
"""How much of what the files of events take those summaries may take; most need a third."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many bytes of the disk elements, summaries and events may take: elements are few, and summaries serve all."""

    elements: int
    summaries: int
    events: int


def shares_of(cache_bytes: int | None, file_bytes: int = 0) -> Shares:
    """The shares of so many bytes; of None the usual ones, and as much for summaries as files of `file_bytes` need.

    >>> shares_of(800), shares_of(None, 10**10).summaries
    (Shares(elements=100, summaries=400, events=300), 5000000000)
    """
    given = USUAL_BYTES if cache_bytes is None else cache_bytes
    elements, summaries = given // 8, given // 2
    events = given - elements - summaries
    if cache_bytes is None:
        summaries = max(summaries, int(file_bytes * LAKE_SHARE))
    return Shares(elements, summaries, events)


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
