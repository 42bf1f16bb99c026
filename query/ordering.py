"""Rows in the whole order of events, with the few read again for which more than the time decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .breakdown import Flag
from .event_rows import (
    LEFT_OUT,
    UNCLEAR,
    EventRows,
    Gathered,
    PersonMap,
    hold_moments,
    may_be,
    replaced,
    reread,
)
from .first_exposures import FirstExposures, expose_all, expose_at, first_exposures
from .held_rows import held
from .latest_start import Marks, Numbers
from .matched import Searched
from .reading import Reading
from .row_order import changes, places_in_order

MOST_TOGETHER = 2_000_000
"""How many rows are put in order at once; of more, people take turns."""
HASH, HASH_BITS = np.uint64(0x9E3779B97F4A7C15), 22


@dataclass
class Ordering:
    """What the rows come from: asked again where the order of events at one moment decides."""

    reading: Reading
    searched: Searched
    flag: Flag | None
    persons: PersonMap
    exposures: FirstExposures | None = None
    has_views: bool = False

    def __post_init__(self) -> None:
        if self.flag is not None:
            # The view of a page counts as at an exposure on it, so where views are steps it has to be known.
            self.has_views = any(may_be("page_view", each) for each in self.searched.searched)
            flag, counted = self.flag.key, repr(self.reading.counting.values())
            key = "exposures", flag, self.reading.site, counted, self.has_views
            self.exposures = held(
                self.reading,
                key,
                lambda: first_exposures(self.reading, flag, self.persons, has_views=self.has_views),
            )

    def settle_logins(self, found: Gathered) -> None:
        """Read again what lies at the moment of a login, where more than the time says whose it is."""
        batches = [*found.rows, found.left_out]
        unclear = [each.moment[(each.marks & UNCLEAR) != 0] for each in batches]
        moments = np.unique(np.concatenate(unclear))
        if len(moments):
            again = self.read_again(moments)
            is_left = (again.marks & LEFT_OUT) != 0
            found.rows = [rows.where(~np.isin(rows.moment, moments)) for rows in found.rows]
            found.rows.append(again.where(~is_left))
            found.left_out = replaced(found.left_out, moments, again.where(is_left))

    def read_again(self, moments: Numbers) -> EventRows:
        """All events of these moments in their whole order."""
        hold_moments(self.reading, moments)
        if self.flag is not None and self.exposures is not None:
            if self.has_views:
                expose_all(self.reading, self.flag.key)
            else:
                expose_at(self.reading, self.flag.key, self.exposures)
        return reread(self.reading, self.searched, by_flag=self.flag is not None)

    def in_order(self, rows: EventRows) -> Iterator[EventRows]:
        """The rows in their whole order: all of them, or of some people after the others."""
        waiting: list[EventRows] = []
        unclear: list[Numbers] = []
        for part in parts_of(rows):
            ordered = in_order(part)
            moments = self._unclear(ordered)
            if len(moments):
                waiting.append(ordered)
                unclear.append(moments)
            else:
                yield ordered
        if waiting:
            moments = np.unique(np.concatenate(unclear))
            again = self.read_again(moments)
            again = again.where((again.marks & LEFT_OUT) == 0)
            for part in waiting:
                own = again.where(np.isin(again.person, part.person))
                yield in_order(replaced(part, moments, own))

    def _unclear(self, rows: EventRows) -> Numbers:
        """Moments at which more than the time decides: between events of different steps, or beside an exposure."""
        is_new = changes(rows.person)
        is_tied = np.zeros(len(rows), bool)
        is_tied[1:] = (
            ~is_new[1:] & (rows.moment[1:] == rows.moment[:-1]) & (rows.roles[1:] != rows.roles[:-1])
        )
        if self.exposures is not None:
            unit = np.cumsum(is_new) - 1
            for moments in self.exposures.moments_of(rows.person[is_new]):
                is_tied |= rows.moment == moments[unit]
        if rows.order is not None:
            is_tied &= rows.order == 0
        return np.unique(rows.moment[is_tied])


def after_exposure(rows: EventRows, units: Numbers, unit: Numbers, exposures: FirstExposures) -> Marks:
    """Whether each row, of the person at its place `unit` in `units`, comes after that person's exposure."""
    is_after: Marks = rows.moment > exposures.moments_of(units)[0][unit]
    if rows.order is not None and rows.is_after is not None:
        is_after = np.where(rows.order > 0, rows.is_after, is_after)
    return is_after


def marked(places: Iterable[NDArray[np.int32]]) -> Marks:
    """A table of hashes in which these have a mark."""
    found = np.zeros(1 << HASH_BITS, bool)
    for some in places:
        found[some] = True
    return found


def hashed(person: Numbers, bits: int) -> NDArray[np.int32]:
    """A number of so many bits for each person: most have one of their own."""
    return ((person.view(np.uint64) * HASH) >> np.uint64(64 - bits)).astype(np.int32)


def parts_of(rows: EventRows) -> Iterator[EventRows]:
    """The rows of some people after the others, as many together as can be."""
    bits = max(0, (len(rows) // MOST_TOGETHER).bit_length())
    if not bits:
        yield rows
        return
    part = hashed(rows.person, bits).astype(np.uint8)
    for number in range(1 << bits):
        yield rows.where(part == number)


def in_order(rows: EventRows) -> EventRows:
    """The rows in the order of person, moment, and what was found of the order at one moment."""
    ordered = rows.where(places_in_order(rows.person, rows.moment))
    if ordered.order is None:
        return ordered
    is_known = np.flatnonzero(ordered.order)
    by_order = np.lexsort((ordered.order[is_known], ordered.moment[is_known], ordered.person[is_known]))
    place = np.arange(len(ordered))
    place[is_known] = is_known[by_order]
    return ordered.where(place)
