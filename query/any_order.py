"""Attempts of a funnel in any order over arrays: what `sql/funnel_any.sql` says, for millions of events.

Of each set of steps that events match, an attempt can use no more events than the set has steps, and the first ones
from its start on serve best. So an attempt is found from a handful of rows, whatever lies between them.

Where events match several steps, one is taken if the steps can be shared out among it and those taken before. Each
attempt carries which sets of steps the events taken may serve, as bits of one integer: one bit for each set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .latest_start import NEVER, NEVER_AT, Bits, Marks, Numbers, OrderedRows, Rules, Shown, role_bits
from .row_order import changes

Places: TypeAlias = NDArray[np.int32]
NONE = np.int32(np.iinfo(np.int32).max)
"""The row of an event that an attempt does not have: it comes after all others."""
MOST_SHARED = 6
"""The sets of so many steps are the bits of one integer."""
SETS = 1 << MOST_SHARED
WITHOUT = [
    np.uint64(sum(1 << each for each in range(SETS) if not each >> step & 1)) for step in range(MOST_SHARED)
]
"""For each step the sets that it is not in."""
MOST_TOGETHER = 4_000_000
"""So many rows of attempts are looked at together."""


class TooManyShared(Exception):
    """More steps share their events than an integer has sets of."""


def shown_in_any_order(rows: OrderedRows, rules: Rules) -> tuple[Shown, Shown | None]:
    """The attempts that are shown: of all events, and where units have exposures also of those after them.

    `at` has under n the moment of the n-th event of an attempt. Raises TooManyShared.
    """
    entries = np.flatnonzero(rows.is_entry).astype(np.int32)
    of_all = _Attempts(rows, rules, rows.roles, entries).shown()
    if rows.is_after is None:
        return of_all, None
    roles: Bits = rows.roles * rows.is_after
    return of_all, _Attempts(rows, rules, roles, entries[rows.is_after[entries]]).shown()


def shares_events(rows: OrderedRows, rules: Rules) -> bool:
    """Whether a unit with an entry has an event that matches several steps."""
    has_entry = np.zeros(rows.many_units, bool)
    has_entry[rows.unit[rows.is_entry]] = True
    is_shared = _are_several(rows.roles & role_bits(rules.entries))
    return bool(has_entry[rows.unit[is_shared]].any())


@dataclass(frozen=True)
class _Attempts:
    """The attempts that begin with `entries`; rows that do not count have no `roles`."""

    rows: OrderedRows
    rules: Rules
    roles: Bits
    entries: Places

    @cached_property
    def steps(self) -> Bits:
        """The steps of each row."""
        steps: Bits = self.roles & role_bits(self.rules.entries)  # type: ignore[assignment]  # stays unsigned
        return steps

    @cached_property
    def rows_of(self) -> dict[int, Places]:
        """The rows that match just these steps, by the bits of these."""
        return {each: self.with_(self.steps == each) for each in np.unique(self.steps).tolist() if each}

    @cached_property
    def together(self) -> list[list[int]]:
        """Steps that share events, each by the place of its bit; empty where no event matches several."""
        if not _are_several(np.array(list(self.rows_of), np.int64)).any():
            return []
        sharing: list[int] = []
        for bits in self.rows_of:
            joined = sum(each for each in sharing if each & bits) | bits
            sharing = [*(each for each in sharing if not each & bits), joined]
        found = [[place for place in range(each.bit_length()) if each >> place & 1] for each in sharing]
        if max(map(len, found)) > MOST_SHARED:
            raise TooManyShared
        return found

    def shown(self) -> Shown:
        """The deepest attempt of each unit, of those the first to get there, of those the latest start."""
        if not len(self.entries):
            nothing = np.empty(0, np.int64)
            return Shown(
                nothing, nothing, nothing, nothing, {shape.number: nothing for shape in self.rules.shapes}
            )
        depth, last = self.deepest()
        is_new = changes(self.rows.unit[self.entries])
        begins, of_unit = np.flatnonzero(is_new), np.cumsum(is_new) - 1
        reached = np.maximum.reduceat(depth, begins)
        last[depth < reached[of_unit]] = NONE
        is_first = last == np.minimum.reduceat(last, begins)[of_unit]
        start = np.maximum.reduceat(np.where(is_first, self.entries, NEVER).astype(np.int32), begins)
        is_over = self.rows.moment[self.entries] + self.rules.within < self.rules.now
        complete = np.maximum.reduceat(depth * is_over, begins)
        unit = self.rows.unit[start]
        if self.rules.removes:
            stays = ~self.removed()[unit]
            unit, reached, complete, start = unit[stays], reached[stays], complete[stays], start[stays]
        return Shown(
            unit.astype(np.int64),
            start.astype(np.int64),
            reached.astype(np.int64),
            complete.astype(np.int64),
            self.moments(start),
        )

    def deepest(self) -> tuple[Places, Places]:
        """Of each attempt how many steps it reaches, and the last event that serves one."""
        many = sum(each.bit_count() for each in self.rows_of)
        depth, last = np.empty_like(self.entries), np.empty_like(self.entries)
        size = max(1, MOST_TOGETHER // many)
        for begin in range(0, len(self.entries), size):
            events = self.events(self.entries[begin : begin + size])
            has_event = events != NONE
            depth[begin : begin + size] = has_event.sum(axis=0)
            last[begin : begin + size] = np.where(has_event, events, NEVER).max(axis=0)
        return depth, last

    def moments(self, starts: Places) -> dict[int, Numbers]:
        """When the events of these attempts were, by their number."""
        events = np.sort(self.events(starts), axis=0)
        moments = np.append(self.rows.moment, NEVER_AT)
        nothing = np.full(len(starts), NEVER_AT)
        return {
            shape.number: moments[events[place].clip(max=len(self.rows))] if place < len(events) else nothing
            for place, shape in enumerate(self.rules.shapes)
        }

    def events(self, starts: Places) -> Places:
        """The events of the attempts that begin there: of each a column, with NONE where there is none."""
        candidates = self.candidates(starts)
        if not self.together:
            return candidates
        candidates.sort(axis=0)
        return self.served(candidates)

    def candidates(self, starts: Places) -> Places:
        """For these attempts the first events of each kind, as many as can serve."""
        ends = self.with_((self.roles & role_bits(self.rules.ends)) != 0)
        until = _at(ends, np.searchsorted(ends, starts, "right"))
        columns = []
        for bits, rows in self.rows_of.items():
            first = np.searchsorted(rows, starts)
            for number in range(bits.bit_count()):
                found = _at(rows, first + number)
                fits = (found != NONE) & (found <= until)
                there = np.where(fits, found, 0)
                fits &= self.rows.unit[there] == self.rows.unit[starts]
                fits &= self.rows.moment[there] - self.rows.moment[starts] <= self.rules.within
                columns.append(np.where(fits, found, NONE))
        return np.stack(columns)

    def served(self, candidates: Places) -> Places:
        """Those of the candidates, which come in order, that are taken; NONE in the place of the others."""
        # At first no event serves, so the empty set alone is served.
        families = np.ones((len(self.together), candidates.shape[1]), np.uint64)
        for events in candidates:
            has_event = events != NONE
            steps = self.steps[np.where(has_event, events, 0)] * has_event
            is_taken = np.zeros(len(events), bool)
            for family, of_family in zip(families, self.together, strict=True):
                larger = np.zeros(len(events), np.uint64)
                for place, step in enumerate(of_family):
                    with_step = (family & WITHOUT[place]) << np.uint64(1 << place)
                    larger |= np.where(steps >> step & 1, with_step, np.uint64(0))
                fits = larger != 0
                family[fits] = larger[fits]
                is_taken |= fits
            events[~is_taken] = NONE
        return candidates

    def removed(self) -> Marks:
        """Which units have an event that removes them inside the window of an entry."""
        removing = self.with_((self.roles & role_bits(self.rules.removes)) != 0)
        place = np.searchsorted(self.entries, removing) - 1
        entry, removing = self.entries[place[place >= 0]], removing[place >= 0]
        inside = self.rows.unit[entry] == self.rows.unit[removing]
        inside &= self.rows.moment[removing] - self.rows.moment[entry] <= self.rules.within
        found = np.zeros(self.rows.many_units, bool)
        found[self.rows.unit[removing[inside]]] = True
        return found

    @staticmethod
    def with_(marks: Marks) -> Places:
        """The rows that are marked."""
        return np.flatnonzero(marks).astype(np.int32)


def _at(rows: Places, places: Numbers) -> Places:
    """The rows at these places, NONE where there is no such place."""
    found: Places = np.append(rows, NONE)[np.minimum(places, len(rows))]
    return found


def _are_several(steps: Bits | Numbers) -> Marks:
    """Whether these bits are of several steps."""
    found: Marks = (steps & (steps - 1)) != 0
    return found
