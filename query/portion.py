"""The rows of some people, or of all, as a question looks at them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .event_rows import EventRows
from .latest_start import role_bits
from .person_map import LEFT_OUT, NOBODY
from .row_order import changes


@dataclass(slots=True)
class Portion:
    """Rows that count, in batches, those that are `left_out`, and those that count and have no person."""

    rows: list[EventRows]
    left_out: EventRows
    nobody: EventRows

    def __len__(self) -> int:
        return sum(map(len, (*self.rows, self.left_out, self.nobody)))

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(each.nbytes for each in (*self.rows, self.left_out, self.nobody))

    def people_left_out(self, step: int, reason: int) -> int:
        """Of how many people events of a step are left out for a reason."""
        is_so = (self.left_out.roles & role_bits([step])) != 0
        is_so &= (self.left_out.marks & LEFT_OUT) == reason
        return int(changes(np.sort(self.left_out.person[is_so])).sum())


def portion_of(rows: EventRows) -> Portion:
    """The same rows, told apart by their marks."""
    is_left_out, is_nobody = ((rows.marks & bits) != 0 for bits in (LEFT_OUT, NOBODY))
    counts = ~(is_left_out | is_nobody)
    return Portion([rows.where(counts)], rows.where(is_left_out), rows.where(is_nobody))
