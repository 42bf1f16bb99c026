"""Where each of many numbers stands among known ones: a table of hashes, as a search costs twenty times as much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .latest_start import Numbers

FACTORS = tuple(np.uint64(each) for each in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
"""Odd, so that no two numbers become one."""
SPARE_BITS, LARGE_BITS = 3, 22
"""How much larger a table is than what it holds: most numbers that are not known fall on an empty place.

A table of more than 2 to the LARGE_BITS places, 16 MB, is no larger than it has to be.
"""


def hashed(numbers: Numbers, bits: int, level: int = 0) -> NDArray[np.uint64]:
    """A number of so many bits for each: most have one of their own."""
    found: NDArray[np.uint64] = numbers.view(np.uint64) * FACTORS[level % len(FACTORS)]
    found >>= np.uint64(64 - bits)
    return found


@dataclass(frozen=True, slots=True)
class Places:
    """Different numbers, found by what they are. Those that share a hash are in one table more, and so on."""

    known: Numbers
    tables: tuple[NDArray[np.int32], ...]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.known.nbytes + sum(each.nbytes for each in self.tables)

    def of(self, numbers: Numbers) -> NDArray[np.int32]:
        """The place of each number among those known, −1 where it is none of them.

        >>> places_of(np.array([30, 10, 20])).of(np.array([20, 7, 30])).tolist()
        [2, -1, 0]
        """
        if not self.tables:
            return np.full(len(numbers), -1, np.int32)
        found = self.tables[0][hashed(numbers, _bits(self.tables[0]))]
        # All at once, those on an empty place too: −1 is the last one known, and to choose the others costs more.
        is_other = self.known[found] != numbers
        left = np.flatnonzero(is_other & (found >= 0))
        found |= -is_other.astype(np.int32)  # all bits: −1, whatever stood there
        for level, table in enumerate(self.tables[1:], 1):
            asked = numbers[left]
            place = table[hashed(asked, _bits(table), level)]
            taken = np.flatnonzero(place >= 0)
            place, left, asked = place[taken], left[taken], asked[taken]
            is_it = self.known[place] == asked
            found[left[is_it]] = place[is_it]
            left = left[~is_it]
        return found


def places_of(known: Numbers) -> Places:
    """The places of these numbers, of which no two are the same."""
    return Places(known, tuple(_tables(known)))


def _tables(known: Numbers) -> Iterator[NDArray[np.int32]]:
    left, level = np.arange(len(known), dtype=np.int32), 0
    while len(left):
        least = len(left).bit_length()
        table = np.full(1 << min(least + SPARE_BITS, max(least, LARGE_BITS)), -1, np.int32)
        place = hashed(known[left], _bits(table), level)
        table[place] = left
        yield table
        left, level = left[table[place] != left], level + 1


def _bits(table: NDArray[np.int32]) -> int:
    return len(table).bit_length() - 1
