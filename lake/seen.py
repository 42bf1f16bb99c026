"""Which event ids the lake already holds, for the last seven days.

The latest are in memory, the others in files of `seen/`, day by day. After a restart the files are opened, and what was
committed after they were written is read from the lake. So they may be lost or deleted: then all is read from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .disk import write_synced
from .id_files import SUFFIX, is_whole, open_ids, write_ids
from .moment import DAY
from .part import read_groups
from .runs import Runs, stand_in
from .table import Table

KEPT = 7 * DAY
"""A repeat that arrives later than this after the first is refused before it gets here, as stale."""

IN_MEMORY = 1_000_000
"""So many ids are in memory, then they go to files."""

MANIFEST = "manifest.json"

Hashes = NDArray[np.uint64]


class Manifest(msgspec.Struct, frozen=True):
    """Which files count, by day, and what they know: all of `version` of the table, received until `through`."""

    table: str
    version: int
    through: int
    days: dict[int, list[str]]


class SeenIds:
    """A set of 64-bit hashes for each day of arrival. Days that are over and done with are dropped whole.

    Without a `folder` all stays in memory.
    """

    def __init__(self, secret: bytes, folder: Path | None = None) -> None:
        keys = np.frombuffer(secret[:16], np.uint64)
        self._first, self._second = keys[0], keys[1]
        self._folder = folder
        self._days: dict[int, Runs] = {}
        self._files: dict[int, list[Path]] = {}
        self._opened: dict[Path, Hashes] = {}
        self._through = 0

    def __len__(self) -> int:
        return self._in_memory() + sum(map(len, self._opened.values()))

    def hashes(self, event_ids: Sequence[str]) -> Hashes:
        """One hash per UUID. Keyed, so that nobody can make two ids that collide. ValueError if one is no UUID."""
        halves = np.frombuffer(bytes.fromhex("".join(event_ids).replace("-", "")), np.uint64).reshape(-1, 2)
        if len(halves) != len(event_ids):
            raise ValueError("An id of an event is no UUID.")
        return _mix(_mix(halves[:, 0] ^ self._first) + (halves[:, 1] ^ self._second))

    def are_new(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of these are neither held nor repeated earlier in the same array."""
        new = np.zeros(len(hashes), np.bool_)
        # Sorted, so that neighbours are looked up on the same page.
        distinct, first = np.unique(hashes, return_index=True)
        new[first[~self._hold(distinct)]] = True
        return new

    def add(self, hashes: Hashes, received_at: int) -> None:
        """Hold these, which are distinct and new, until seven days after `received_at`.

        Segments come in the order in which they were received.
        """
        self._through = max(self._through, received_at)
        self._days.setdefault(received_at // DAY, Runs()).add(hashes)

    def forget(self, now: int) -> None:
        """Drop the days of which nothing can be repeated any more."""
        for days in (self._days, self._files):
            for day in [day for day in days if (day + 1) * DAY <= now - KEPT]:
                del days[day]

    def spill(self, table: Table, at_least: int = IN_MEMORY) -> None:
        """Put what is in memory into files, if it is so much. All that was committed to the table must be held."""
        if self._folder is None or self._in_memory() < at_least:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for day, runs in self._days.items():
            if not len(runs):
                continue
            files = self._files.setdefault(day, [])
            arrays: list[NDArray[Any]] = list(runs.arrays)
            # Like size with like: a number is moved a few times, and a day has a few files.
            while files and len(self._opened[files[-1]]) <= 2 * sum(map(len, arrays)):
                arrays.append(self._opened[files.pop()])
            path = write_ids(self._folder, arrays)
            files.append(path)
            self._opened[path] = open_ids(path)
        self._days.clear()
        days = {day: [path.name for path in files] for day, files in self._files.items()}
        manifest = Manifest(table.id, table.version, self._through, days)
        write_synced(self._folder / MANIFEST, msgspec.json.encode(manifest))
        self._sweep()

    def load(self, table: Table, now: int) -> None:
        """Hold what the files know, and what else `events` got in the last seven days."""
        since = now - KEPT
        manifest = _read_manifest(self._folder)
        if self._folder is not None and manifest is not None and _is_of(manifest, table):
            for day, names in manifest.days.items():
                self._files[day] = [self._folder / name for name in names]
                self._opened |= {path: open_ids(path) for path in self._files[day]}
            self._through = manifest.through
            # Clocks may jump back by a day: then what was received later says that it was earlier.
            since = max(since, manifest.through - DAY)
        self.forget(now)
        for event_ids, received_at in _received(table, since):
            hashes, days = self.hashes(event_ids), received_at // DAY
            for day in np.unique(days):
                of_day = hashes[days == day]
                latest = int(received_at[days == day].max())
                self.add(of_day[self.are_new(of_day)], latest)

    def _hold(self, hashes: Hashes) -> NDArray[np.bool_]:
        held = np.zeros(len(hashes), np.bool_)
        for runs in self._days.values():
            held |= runs.holds(hashes)
        for files in self._files.values():
            for path in files:
                held |= stand_in(self._opened[path], hashes)
        return held

    def _in_memory(self) -> int:
        return sum(map(len, self._days.values()))

    def _sweep(self) -> None:
        """Delete the files that do not count any more."""
        assert self._folder is not None
        counting = {path for files in self._files.values() for path in files}
        self._opened = {path: opened for path, opened in self._opened.items() if path in counting}
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path not in counting:
                path.unlink()


def _received(table: Table, since: int) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Ids and moments of the events that were received from `since` on."""
    for file in table.files():
        greatest = file.greatest.get("received_at")
        if isinstance(greatest, int) and greatest < since:
            continue
        for rows in read_groups(table.path / file.name, ["event_id", "received_at"], table.schema):
            moments = rows["received_at"].cast(pa.int64()).to_numpy()
            recent = np.flatnonzero(moments >= since)
            if len(recent):
                yield pc.take(rows["event_id"], pa.array(recent)).to_pylist(), moments[recent]


def _is_of(manifest: Manifest, table: Table) -> bool:
    # A lake that was put back from a backup is older than what the files know.
    return manifest.table == table.id and manifest.version <= table.version


def _read_manifest(folder: Path | None) -> Manifest | None:
    if folder is None:
        return None
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    are_whole = all(is_whole(folder / name) for names in manifest.days.values() for name in names)
    return manifest if are_whole else None


def _mix(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
