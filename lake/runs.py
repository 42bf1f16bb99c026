"""A set of 64-bit numbers in eight bytes each: what the sink knows grows with the site, and must fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Runs:
    """Sorted arrays, merged when they are of like size: a set has few of them, and each number is moved few times.

    All that is added and asked for must be of one integer type.
    """

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []

    def __len__(self) -> int:
        return sum(map(len, self.arrays))

    def __contains__(self, value: np.integer[Any]) -> bool:
        for run in self.arrays:
            place = run.searchsorted(value)
            if place < len(run) and run[place] == value:
                return True
        return False

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of these are in the set."""
        found = np.zeros(len(values), np.bool_)
        for run in self.arrays:
            found |= stand_in(run, values)
        return found

    def add(self, values: NDArray[Any]) -> None:
        """Hold these too, which are distinct and not yet held."""
        if not len(values):
            return
        self.arrays.append(np.sort(values))
        while len(self.arrays) > 1 and len(self.arrays[-2]) <= 2 * len(self.arrays[-1]):
            merged = np.concatenate((self.arrays.pop(), self.arrays.pop()))
            # Both halves are sorted already, which the stable sort makes use of.
            merged.sort(kind="stable")
            self.arrays.append(merged)


def stand_in(run: NDArray[Any], values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of these values stand in a sorted array, which has at least one."""
    places = run.searchsorted(values)
    places[places == len(run)] = 0
    found: NDArray[np.bool_] = run[places] == values
    return found


def add_column(ids: Runs, column: pa.ChunkedArray) -> None:
    """Hold also the ids of a column, null apart."""
    new = np.unique(column.drop_null().to_numpy())
    ids.add(new[~ids.holds(new)])


def are_in(ids: Runs, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which rows of a column have an id that is in the set."""
    # Null is no id: it becomes a number that no hash is likely to be.
    return pa.chunked_array([pa.array(ids.holds(column.fill_null(0).to_numpy()))])
