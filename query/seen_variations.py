"""The variation that somebody had seen last by a moment: of those who saw several (docs/rules.md 4, `as_treated`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .latest_start import Marks, Numbers
from .row_order import changes
from .tied import TooManyTies

Codes = NDArray[np.int32]
LOW = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class SeenVariations:
    """What those who saw several variations saw when.

    `moments` are those of all exposures of theirs, each once and in order. Each person and moment has in `order` the
    place of the person and, below that, how many of them had come; in `variation` what was seen then, which `is_clear`
    where it is one variation.
    """

    moments: Numbers
    order: Numbers
    variation: Codes
    is_clear: Marks

    @staticmethod
    def of(place: Numbers, moment: Numbers, variation: Codes) -> SeenVariations:
        """Of exposures in the order of (place, moment)."""
        moments, come = np.unique(moment, return_inverse=True)
        order = place << 32 | (come + 1)
        is_new = changes(order)
        run = np.cumsum(is_new) - 1
        is_clear = np.ones(int(is_new.sum()), bool)
        is_clear[run[variation != variation[is_new][run]]] = False
        return SeenVariations(moments, order[is_new], variation[is_new], is_clear)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(each.nbytes for each in (self.moments, self.order, self.variation, self.is_clear))

    def at(self, place: Numbers, moment: Numbers, first: Codes) -> Codes:
        """What those at these places had seen last at these moments, `first` where nothing yet.

        Raises TooManyTies where more than the time says what came last.
        """
        come = np.searchsorted(self.moments, moment, "right")
        row = np.searchsorted(self.order, place << 32 | come, "right") - 1
        is_seen = self._is_of(row, place)
        found = np.where(is_seen, self.variation[row], first)
        is_clear = ~is_seen | self.is_clear[row]
        # An exposure at the very moment may have come before or after it.
        now = np.flatnonzero(is_seen & (self.moments[(self.order[row] & LOW) - 1] == moment))
        before = row[now] - 1
        is_before = self._is_of(before, place[now])
        is_clear[now] &= found[now] == np.where(is_before, self.variation[before], first[now])
        is_clear[now] &= ~is_before | self.is_clear[before]
        if not is_clear.all():
            raise TooManyTies
        return found

    def _is_of(self, row: Numbers, place: Numbers) -> Marks:
        """Whether there is such a row, and of the person at that place."""
        found: Marks = (row >= 0) & (self.order[row] >> 32 == place)
        return found
