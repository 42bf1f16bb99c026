"""Events as arrays: whose they are, when they were, and which steps of a question they match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .latest_start import Bits, Marks, Numbers
from .places import hashed


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

    def where(self, chosen: Marks | Numbers) -> EventRows:
        """Some of them, or the same in another order."""
        return EventRows(self.person[chosen], self.moment[chosen], self.roles[chosen], self.marks[chosen])


@dataclass(frozen=True, slots=True)
class Turn:
    """The people who are looked at together, where memory does not hold all of them: `number` of 2 to the `bits`."""

    number: int = 0
    bits: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it is everybody's."""
        return not self.bits

    def of(self, rows: EventRows) -> EventRows:
        """The rows of these people."""
        if self.is_whole:
            return rows
        return rows.where(self.has(rows.person))

    def has(self, numbers: Numbers) -> Marks:
        """Which of these numbers, ids of people or others, are those of this turn."""
        found: Marks = hashed(numbers, self.bits, 1) == self.number
        return found


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
