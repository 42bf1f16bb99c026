"""Arrays of rows in the order of (person, moment)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .latest_start import Marks, Numbers


def places_in_order(person: Numbers, moment: Numbers) -> Numbers:
    """The places of rows in the order of (person, moment); those of one moment in any order."""
    by_person = np.argsort(person)
    unit = np.cumsum(changes(person[by_person]), dtype=np.int64)
    return by_person[_by_moment(unit, moment[by_person])]


def changes(values: NDArray[np.int64]) -> Marks:
    """Whether a value differs from the one before it; the first one does."""
    found = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def _by_moment(unit: Numbers, moment: Numbers) -> Numbers:
    """One sort of one number for both: the unit in its upper bits, below them the moment."""
    if not len(unit):
        return unit
    since = moment - moment.min()
    bits = int(since.max()).bit_length()
    if int(unit[-1]).bit_length() + bits > 63:
        # The place among all moments is as good, and narrower.
        by_moment = np.argsort(moment)
        since = np.empty(len(moment), np.int64)
        since[by_moment] = np.arange(len(moment))
        bits = len(moment).bit_length()
    return np.argsort((unit << bits) | since)
