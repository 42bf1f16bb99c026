"""Sorted 64-bit numbers in files: looked up through the page cache, so that a hundred million need no memory.

A file is the numbers and nothing else, little-endian. Which files count says a manifest that is replaced at once.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .disk import sync

Numbers = NDArray[np.uint64]

PIECE = 250_000
"""About so many numbers are in memory while files are merged: two megabytes."""

NUMBER_BYTES = 8

SUFFIX = ".ids"


def open_ids(path: Path) -> Numbers:
    """The numbers of a file, which are read when they are looked at."""
    return np.memmap(path, np.dtype("<u8"), mode="r")


def is_whole(path: Path) -> bool:
    """Whether there is such a file, and it holds numbers: not one that was cut off, or is empty."""
    size = path.stat().st_size if path.is_file() else 0
    return size > 0 and size % NUMBER_BYTES == 0


def write_ids(folder: Path, runs: Sequence[NDArray[Any]]) -> Path:
    """A new file with the numbers of sorted `runs`, which are distinct; durable when this returns."""
    path = folder / f"{uuid.uuid4()}{SUFFIX}"
    pieces = max(1, sum(map(len, runs)) // PIECE)
    # Hashes are spread evenly, so equal steps of the whole range hold about as many each.
    bounds = [np.uint64(step * (2**64 // pieces)) for step in range(1, pieces)]
    places = [[0, *run.searchsorted(np.array(bounds, np.uint64)).tolist(), len(run)] for run in runs]
    with path.open("wb") as file:
        for piece in range(pieces):
            together = np.concatenate(
                [run[at[piece] : at[piece + 1]] for run, at in zip(runs, places, strict=True)]
            )
            together.sort(kind="stable")
            # The array itself is written: each copy of it would be held beside it.
            file.write(together.astype("<u8", copy=False).data)
        file.flush()
        os.fsync(file.fileno())
    sync(folder)
    return path
