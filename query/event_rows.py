"""Events as arrays: whose they are, when they were, and which steps of a question they match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .latest_start import Bits, Marks, Numbers


@dataclass(slots=True)
class EventRows:
    """Events of known persons that surely match. The bits of `marks` are those of person_map.py."""

    person: Numbers
    moment: Numbers
    roles: Bits
    marks: Bits

    def __len__(self) -> int:
        return len(self.person)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.person.nbytes + self.moment.nbytes + self.roles.nbytes + self.marks.nbytes

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """Its arrays, in the order in which it is made of them."""
        return self.person, self.moment, self.roles, self.marks

    def where(self, chosen: Marks | Numbers) -> EventRows:
        """Some of them, or the same in another order."""
        return EventRows(self.person[chosen], self.moment[chosen], self.roles[chosen], self.marks[chosen])


def joined(batches: Sequence[EventRows]) -> EventRows:
    """One after the other."""
    if not batches:
        nothing = np.empty(0, np.int64)
        return EventRows(nothing, nothing, np.empty(0, np.uint8), np.empty(0, np.uint8))
    if len(batches) == 1:
        return batches[0]
    return EventRows(
        np.concatenate([each.person for each in batches]),
        np.concatenate([each.moment for each in batches]),
        np.concatenate([each.roles for each in batches]),
        np.concatenate([each.marks for each in batches]),
    )


def replaced(rows: EventRows, moments: Numbers, by: EventRows) -> EventRows:
    """The rows with `by` in the place of all that are at these moments."""
    return joined([rows.where(~np.isin(rows.moment, moments)), by])
