"""Rows of many people put into the order of person and moment, a few people after the others.

A part of the people at a time, chosen by a hash, so that what is looked up lies near the processor; inside it each
person has a small number, and person, moment and roles are one integer that is sorted as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .event_rows import EventRows, joined
from .latest_start import Bits, Marks, Numbers
from .places import hashed

PART_ROWS = 1 << 15
MOST_PART_BITS = 8
MOST_HASH_BITS = 21
MOST_TOGETHER = 2_000_000
"""How many rows are given together; of more, people take turns."""

Keep = Callable[[EventRows, Numbers, int], Marks]
"""Which rows decide anything, given a number for each one's person, and how many numbers there are.

Some people share a number: where somebody's rows are kept though they decide nothing, that does no harm.
"""


@dataclass(slots=True)
class InOrder:
    """Rows in the order of (unit, moment). `units` are the persons, `unit` the place of each row's among them."""

    units: Numbers
    unit: NDArray[np.int32]
    moment: Numbers
    roles: Bits
    marks: Bits

    def __len__(self) -> int:
        return len(self.unit)


def in_order(batches: list[EventRows], keep: Keep) -> Iterator[InOrder]:
    """The rows that are kept, in order, those of everybody together in one of the answers.

    `batches` is empty then, so that nobody holds what was put in order.
    """
    rows = joined(batches)
    batches.clear()
    bits = max(1, min(len(rows).bit_length() + 1, MOST_HASH_BITS))
    number = hashed(rows.person, bits).view(np.int64)
    kept = np.flatnonzero(keep(rows, number, 1 << bits))
    part_bits = min((len(kept) // PART_ROWS).bit_length(), MOST_PART_BITS, bits)
    part = (number[kept] >> (bits - part_bits)).astype(np.uint8)
    del number
    # One byte is sorted by counting.
    kept = kept[np.argsort(part, kind="stable")]
    ends = np.cumsum(np.bincount(part, minlength=1 << part_bits)).tolist()
    waiting: list[InOrder] = []
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        waiting.append(_sorted(rows.where(kept[begin:end])))
        if sum(map(len, waiting)) >= MOST_TOGETHER:
            yield _together(waiting)
    del rows, kept
    if waiting:
        yield _together(waiting)


def changes(values: NDArray[np.integer]) -> Marks:
    """Whether a value differs from the one before it; the first one does."""
    found = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def order_again(unit: NDArray[np.integer], number: Numbers) -> Numbers | None:
    """The places of rows in the order of (unit, number), if rows in the order of (unit, moment) are not in it.

    Numbers of periods go back where clocks were put back over midnight, as in St. John's until 2011: then the day
    before came again. Rows of one number keep their order.
    """
    goes_back = (number[1:] < number[:-1]) & (unit[1:] == unit[:-1])
    return np.lexsort((number, unit)) if goes_back.any() else None


def places_in_order(person: Numbers, moment: Numbers) -> Numbers:
    """The places of rows in the order of (person, moment); those of one moment in any order."""
    return _by_number_and_moment(numbered(person)[0], moment)


def numbered(person: Numbers) -> tuple[Numbers, Numbers]:
    """A number for each row's person, and the person of each number."""
    many = len(person)
    slot = hashed(person, max(4, many.bit_length() + 1), 2)
    table = np.empty(1 << max(4, many.bit_length() + 1), np.int32)
    table[slot] = np.arange(many, dtype=np.int32)
    # A row of the same person, mostly: of several in one slot the last one won.
    row = table[slot]
    lost = np.flatnonzero(person[row] != person)
    if len(lost):
        _, first, place = np.unique(person[lost], return_index=True, return_inverse=True)
        row[lost] = lost[first][place]
    is_first = np.zeros(many, bool)
    is_first[row] = True
    number = np.cumsum(is_first) - 1
    return number[row], person[is_first]


def _sorted(rows: EventRows) -> InOrder:
    number, persons = numbered(rows.person)
    moment, roles, marks = rows.moment, rows.roles, rows.marks
    width = int(roles.max()).bit_length() if len(roles) else 0
    key = None if marks.any() else _Key.of(number, moment, width)
    if key is not None:
        sorted_ = key.numbers | roles
        sorted_.sort()
        roles = (sorted_ & np.uint64((1 << width) - 1)).astype(roles.dtype)
        number, moment = key.parted(sorted_)
    else:
        order = _by_number_and_moment(number, moment)
        number, moment, roles, marks = number[order], moment[order], roles[order], marks[order]
    is_new = changes(number)
    return InOrder(persons[number[is_new]], np.cumsum(is_new, dtype=np.int32) - 1, moment, roles, marks)


def _by_number_and_moment(number: Numbers, moment: Numbers) -> Numbers:
    key = _Key.of(number, moment)
    return np.lexsort((moment, number)) if key is None else np.argsort(key.numbers)


@dataclass(frozen=True, slots=True)
class _Key:
    """Number and moment of a person as one integer, with `width` bits below them; `since` is the first moment."""

    numbers: NDArray[np.uint64]
    since: int
    bits: int
    width: int

    @staticmethod
    def of(number: Numbers, moment: Numbers, width: int = 0) -> _Key | None:
        """Of these rows, unless they need more than 64 bits."""
        since = int(moment.min()) if len(moment) else 0
        bits = int(moment.max() - since).bit_length() if len(moment) else 0
        many = int(number.max()).bit_length() if len(number) else 0
        if many + bits + width > 64:
            return None
        numbers = number.astype(np.uint64)
        numbers <<= np.uint64(bits)
        numbers |= (moment - since).view(np.uint64)
        numbers <<= np.uint64(width)
        return _Key(numbers, since, bits, width)

    def parted(self, numbers: NDArray[np.uint64]) -> tuple[Numbers, Numbers]:
        """Number and moment of such integers."""
        numbers = numbers >> np.uint64(self.width)
        moment = (numbers & np.uint64((1 << self.bits) - 1)).view(np.int64) + self.since
        return (numbers >> np.uint64(self.bits)).view(np.int64), moment


def _together(parts: list[InOrder]) -> InOrder:
    """All of them as one; `parts` is empty then."""
    if len(parts) == 1:
        return parts.pop()
    ends = np.cumsum([len(part.units) for part in parts])
    together = InOrder(
        np.concatenate([part.units for part in parts]),
        np.concatenate([
            part.unit + np.int32(end - len(part.units)) for part, end in zip(parts, ends, strict=True)
        ]),
        np.concatenate([part.moment for part in parts]),
        np.concatenate([part.roles for part in parts]),
        np.concatenate([part.marks for part in parts]),
    )  # fmt: skip
    parts.clear()
    return together
