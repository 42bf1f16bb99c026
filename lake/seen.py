"""Which event ids the lake already holds, for the last seven days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .moment import DAY
from .runs import Runs

KEPT = 7 * DAY
"""A repeat that arrives later than this after the first is refused before it gets here, as stale."""

Hashes = NDArray[np.uint64]


class SeenIds:
    """A set of 64-bit hashes for each day of arrival. Days that are over and done with are dropped whole."""

    def __init__(self, secret: bytes) -> None:
        keys = np.frombuffer(secret[:16], np.uint64)
        self._first, self._second = keys[0], keys[1]
        self._days: dict[int, Runs] = {}

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def hashes(self, event_ids: Sequence[str]) -> Hashes:
        """One hash per UUID. Keyed, so that nobody can make two ids that collide."""
        halves = np.frombuffer(bytes.fromhex("".join(event_ids).replace("-", "")), np.uint64).reshape(-1, 2)
        return _mix(_mix(halves[:, 0] ^ self._first) + (halves[:, 1] ^ self._second))

    def are_new(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of these are neither held nor repeated earlier in the same array."""
        new = np.zeros(len(hashes), np.bool_)
        new[np.unique(hashes, return_index=True)[1]] = True
        for held in self._days.values():
            new &= ~held.holds(hashes)
        return new

    def add(self, hashes: Hashes, received_at: int) -> None:
        """Hold these, which are distinct and new, until seven days after `received_at`."""
        self._days.setdefault(received_at // DAY, Runs()).add(hashes)

    def forget(self, now: int) -> None:
        """Drop the days of which nothing can be repeated any more."""
        for day in [day for day in self._days if (day + 1) * DAY <= now - KEPT]:
            del self._days[day]

    def load(self, files: Iterable[str | Path], now: int) -> None:
        """Hold what these Parquet files of `events` got in the last seven days."""
        for file in files:
            parquet = pq.ParquetFile(file)
            if not _reaches(parquet, now - KEPT):
                continue
            for batch in parquet.iter_batches(columns=["event_id", "received_at"]):
                received_at = batch["received_at"].cast("int64").to_numpy()
                recent = np.flatnonzero(received_at >= now - KEPT)
                if not len(recent):
                    continue
                event_ids = pc.take(batch["event_id"], recent).to_pylist()
                hashes, days = self.hashes(event_ids), received_at[recent] // DAY
                for day in np.unique(days):
                    self.add(hashes[days == day], int(day) * DAY)


def _reaches(parquet: pq.ParquetFile, since: int) -> bool:
    column = parquet.schema.names.index("received_at")
    for group in range(parquet.num_row_groups):
        statistics: Any = parquet.metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max or statistics.max_raw >= since:
            return True
    return False


def _mix(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
