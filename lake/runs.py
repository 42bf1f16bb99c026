"""A set of 64-bit numbers in eight bytes each: what the sink knows grows with the site, and must fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np
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
            places = run.searchsorted(values)
            places[places == len(run)] = 0
            found |= run[places] == values
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
