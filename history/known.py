"""Which imported events a site has already: of all time, not of the seven days in which the sink looks for repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from expost.lake.folder import Folder
from expost.lake.id_files import open_ids, write_ids
from expost.lake.part import read_groups
from expost.lake.runs import Runs, stand_in
from expost.lake.schema import TABLES
from expost.lake.seen import Hashes, SeenIds
from expost.lake.snapshot import find_snapshot

Mask = NDArray[np.bool_]

IN_MEMORY = 250_000
"""So many hashes of a set are in memory, then they go to files. An import has five such sets."""

FRESH = 50_000
MASK = 2**64 - 1


class KnownEvents:
    """The ids of the imported events of a site: those that the lake had, and those of this import."""

    def __init__(self, folder: Folder, site: str, place: Path) -> None:
        self._hashes = SeenIds(folder.secret()).hashes
        self._stored = HashSet(place)
        self._met = HashSet(place)
        self.in_lake = 0
        for ids in imported_ids(folder, site):
            self.in_lake += len(ids)
            self._stored.add(np.unique(self._hashes(ids)))

    def are_stored(self, ids: Sequence[str]) -> Mask:
        """Which of these the lake had when the import began."""
        return self._stored.hold(self._hashes(ids))

    def are_first(self, ids: Sequence[str]) -> Mask:
        """Which of these are met for the first time in this import. From now on all of them were met."""
        hashes = self._hashes(ids)
        distinct, first = np.unique(hashes, return_index=True)
        is_new = ~self._met.hold(distinct)
        self._met.add(distinct[is_new])
        met_first = np.zeros(len(hashes), np.bool_)
        met_first[first[is_new]] = True
        return met_first


class HashSet:
    """A set of hashes of bounded memory: where there are many, they are in files of a folder."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._fresh = Runs()
        self._files: list[tuple[Path, Hashes]] = []

    def hold(self, hashes: Hashes) -> Mask:
        """Which of these are in the set."""
        held = self._fresh.holds(hashes)
        for _, run in self._files:
            held |= stand_in(run, hashes)
        return held

    def add(self, hashes: Hashes) -> None:
        """Hold these too, which are distinct and not yet held."""
        self._fresh.add(hashes)
        if len(self._fresh) < IN_MEMORY:
            return
        arrays: list[NDArray[Any]] = list(self._fresh.arrays)
        merged: list[Path] = []
        # Like size with like, so that each is moved a few times only.
        while self._files and len(self._files[-1][1]) <= 2 * sum(map(len, arrays)):
            path, run = self._files.pop()
            merged.append(path)
            arrays.append(run)
        path = write_ids(self._place, arrays)
        self._files.append((path, open_ids(path)))
        self._fresh = Runs()
        for each in merged:
            each.unlink()


class Distinct:
    """Counts different texts, however many there are, in bounded memory."""

    def __init__(self, place: Path) -> None:
        self._known = HashSet(place)
        self._fresh: set[int] = set()
        self._count = 0

    def add(self, text: str) -> None:
        """Take one; an empty text is none."""
        if text:
            self._fresh.add(hash(text) & MASK)
            if len(self._fresh) >= FRESH:
                self.count()

    def count(self) -> int:
        """How many there were."""
        hashes = np.fromiter(self._fresh, np.uint64, len(self._fresh))
        new = hashes[~self._known.hold(hashes)]
        self._known.add(new)
        self._count += len(new)
        self._fresh.clear()
        return self._count


def imported_ids(folder: Folder, site: str) -> Iterator[list[str]]:
    """The ids of all imported events of a site, some at a time."""
    for rows, is_ours in _rows(folder, site, ["event_id"]):
        ids = rows["event_id"].filter(is_ours)
        if len(ids):
            yield ids.to_pylist()


def count_imported(folder: Folder, site: str) -> int:
    """How many imported events of a site the lake has."""
    return sum(pc.sum(is_ours).as_py() or 0 for _, is_ours in _rows(folder, site, []))  # pyright: ignore[reportAttributeAccessIssue]


def _rows(folder: Folder, site: str, columns: Sequence[str]) -> Iterator[tuple[pa.Table, pa.ChunkedArray]]:
    """These columns of all events, a row group at a time, and which of them are imported ones of the site."""
    snapshot = find_snapshot(folder.lake / "events")
    for file in snapshot.files if snapshot else ():
        for rows in read_groups(Path(file), [*columns, "imported", "site"], TABLES["events"]):
            is_ours = pc.and_kleene(rows["imported"], pc.equal(rows["site"], site))  # pyright: ignore[reportAttributeAccessIssue]
            yield rows, pc.fill_null(is_ours, pa.scalar(False))  # pyright: ignore[reportAttributeAccessIssue]
