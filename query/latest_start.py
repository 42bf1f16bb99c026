"""The latest-start pass over arrays: how far each unit came, as `sql/funnel.sql` says it, for millions of events.

Rows are events in the order of their units, so the number of a row says what came before what. At every event that
reaches a step, the latest start is known from which it was reached. Each step looks at the events of that step and of
the one before, and at no others: the work grows with the number of matching events, whatever the number of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .attempt import StepShape

Numbers: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.bool_]
Bits: TypeAlias = NDArray[np.unsignedinteger[Any]]
NEVER = -1
"""The number of a row that is none."""
SEARCH_COST = 8
"""A search for a place costs as much as looking at so many rows one after the other."""


@dataclass(frozen=True)
class OrderedRows:
    """Events that count, in the order of (unit, time, page, number): one row for each event.

    `unit` is the place of each row's unit among so `many_units`, in order; `roles` has bit n for the step or rule with
    number n + 1. `is_after` says whether a row counts after its unit's exposure.
    """

    many_units: int
    unit: NDArray[np.int32]
    moment: Numbers
    roles: Bits
    is_entry: Marks
    is_after: Marks | None = None

    def __len__(self) -> int:
        return len(self.unit)

    def of_roles(self, numbers: Iterable[int]) -> dict[int, Numbers]:
        """The rows of each of these steps and rules."""
        first, *others = sorted(set(numbers))
        # Most rows are those of the first step, so the others are looked for among the few that are something else.
        rest = np.flatnonzero(self.roles & role_bits(others))
        roles = self.roles[rest]
        found = {number: rest[(roles & role_bits([number])) != 0] for number in others}
        return {first: np.flatnonzero(self.roles & role_bits([first]))} | found

    @cached_property
    def first(self) -> Numbers:
        """Of each unit its first row, where it has any."""
        many = np.bincount(self.unit, minlength=self.many_units)
        return np.cumsum(many) - many


def role_bits(numbers: Iterable[int]) -> int:
    """The bits of these steps and rules."""
    return sum(1 << (number - 1) for number in set(numbers))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a funnel asks: its steps, its window and until when windows are over, in microseconds.

    `blocks`, `ends` and `removes` are the numbers of what may not lie between two steps, ends attempts, removes units.
    Where steps come `in_any_order`, `any_order.py` finds the attempts. With `is_first_only` no entry of a unit counts
    but its first.
    """

    shapes: Sequence[StepShape]
    within: int
    now: int
    blocks: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    removes: tuple[int, ...] = ()
    in_any_order: bool = False
    is_first_only: bool = False

    @property
    def entries(self) -> list[int]:
        """The steps with which an attempt may begin."""
        return [shape.number for shape in self.shapes] if self.in_any_order else [1]

    @property
    def required(self) -> list[StepShape]:
        """The steps that are not optional."""
        return [shape for shape in self.shapes if not shape.is_optional]

    @property
    def numbers(self) -> list[int]:
        """The numbers of all steps and rules."""
        return sorted({*(shape.number for shape in self.shapes), *self.blocks, *self.ends, *self.removes})

    @property
    def has_links(self) -> bool:
        """Whether a step must follow the one before within a window of its own, or with nothing between."""
        return bool(self.blocks) or any(shape.within for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class Shown:
    """The attempts that are shown, one for each unit with an entry: `unit` is its place among the units of the rows.

    `start` is the row of its entry. `at` has the moment of each step by its number, `NEVER_AT` of one not reached.
    """

    unit: Numbers
    start: Numbers
    reached: Numbers
    reached_complete: Numbers
    at: dict[int, Numbers]


NEVER_AT = np.iinfo(np.int64).min


def shown_attempts(rows: OrderedRows, rules: Rules) -> tuple[Shown, Shown | None]:
    """The attempts that are shown: of all events, and where units have exposures also of those after them."""
    of_roles = rows.of_roles(rules.numbers)
    entries = np.flatnonzero(rows.is_entry)
    of_all = _Pass(rows, rules, of_roles, entries).shown()
    if rows.is_after is None:
        return of_all, None
    after = {number: found[rows.is_after[found]] for number, found in of_roles.items()}
    return of_all, _Pass(rows, rules, after, entries[rows.is_after[entries]]).shown()


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass over some of the rows: those of each step and rule, and those with which an attempt may begin."""

    rows: OrderedRows
    rules: Rules
    of_role: dict[int, Numbers]
    entries: Numbers

    def shown(self) -> Shown:
        """The deepest attempt of each unit, of those the first to get there, of those the latest start."""
        reached, start = self.deepest(self.entries)
        complete = self.complete(reached)
        unit = np.flatnonzero(reached)
        if self.rules.removes:
            unit = np.setdiff1d(unit, self.removed(), assume_unique=True)
        at = self.moments(unit, start[unit], reached[unit])
        return Shown(unit, start[unit], reached[unit], complete[unit], at)

    def complete(self, reached: Numbers) -> Numbers:
        """The deepest step that each unit reached from an entry whose window is over."""
        is_over = self.rows.moment[self.entries] + self.rules.within < self.rules.now
        if is_over.all():
            return reached
        has_over, has_other = np.zeros((2, self.rows.many_units), bool)
        has_over[self.rows.unit[self.entries[is_over]]] = True
        has_other[self.rows.unit[self.entries[~is_over]]] = True
        is_both = has_over & has_other
        # Only of units with both does it have to be found out.
        of_both = {number: rows[is_both[self.rows.unit[rows]]] for number, rows in self.of_role.items()}
        entries = self.entries[is_over]
        entries = entries[is_both[self.rows.unit[entries]]]
        deepest, _ = _Pass(self.rows, self.rules, of_both, entries).deepest(entries)
        return np.where(is_both, deepest, np.where(has_over, reached, 0))

    def of(self, numbers: tuple[int, ...]) -> Numbers | None:
        """The rows of any of these rules; None where the funnel has none."""
        if len(numbers) < 2:
            return self.of_role[numbers[0]] if numbers else None
        return np.unique(np.concatenate([self.of_role[number] for number in numbers]))

    def same_unit(self, found: Numbers, rows: Numbers) -> Marks:
        """Whether there is a row `found`, and of the same unit."""
        unit = self.rows.unit
        is_same: Marks = (found >= 0) & (unit[found] == unit[rows])
        return is_same

    def took(self, since: Numbers, until: Numbers) -> Numbers:
        """How long it took from one row to the other."""
        return self.rows.moment[until] - self.rows.moment[since]

    def latest(self, values: Numbers, at: Numbers, rows: Numbers) -> Numbers:
        """The last of `values`, which rise, whose row in `at` lies before each of `rows`; NEVER where there is none."""
        if len(rows) * SEARCH_COST < len(self.rows):
            return _taken(values, np.searchsorted(at, rows) - 1)
        found = np.full(len(self.rows) + 1, NEVER)
        found[at + 1] = values
        return np.maximum.accumulate(found, out=found)[rows]

    def deepest(self, entries: Numbers) -> tuple[Numbers, Numbers]:
        """The deepest step that each unit reached (0: none), and the start of the first event that reached it."""
        unit, moment, first = self.rows.unit, self.rows.moment, self.rows.first
        reached = np.zeros(self.rows.many_units, np.int64)
        start = np.full(self.rows.many_units, NEVER)
        ends, blocks = self.of(self.rules.ends), self.of(self.rules.blocks)
        events = starts = entries
        for shape in self.rules.required:
            if shape.before:
                later = self.of_role[shape.number]
                found = self.latest(starts, events, later)
                # Of the same unit, and so a row at all.
                fits = found >= first[unit[later]]
                later, found = later[fits], found[fits]
                fits = moment[later] - moment[found] <= self.rules.within
                if shape.within or blocks is not None:
                    since = self.latest(events, events, later)
                    if shape.within:
                        fits &= moment[later] - moment[since] <= shape.within
                    if blocks is not None:
                        fits &= since >= self.latest(blocks, blocks, later)
                if ends is not None:
                    fits &= found >= self.latest(ends, ends, later)
                events, starts = later[fits], found[fits]
            if not len(events):
                break
            of_unit = unit[events]
            is_first = np.ones(len(of_unit), bool)
            np.not_equal(of_unit[1:], of_unit[:-1], out=is_first[1:])
            reached[of_unit[is_first]] = shape.number
            start[of_unit[is_first]] = starts[is_first]
        return reached, start

    def removed(self) -> NDArray[np.int32]:
        """The units with an event that removes them inside the window of an entry."""
        removing = self.of(self.rules.removes)
        assert removing is not None
        entry = _before(self.entries, removing)
        inside = self.same_unit(entry, removing) & (self.took(entry, removing) <= self.rules.within)
        return np.unique(self.rows.unit[removing[inside]])

    def moments(self, unit: Numbers, start: Numbers, reached: Numbers) -> dict[int, Numbers]:
        """When the steps of the shown attempts were: from the start each next one is the earliest event that fits."""
        able = self.able(unit, start, reached) if self.rules.has_links else self.of_role
        place = {1: start}
        for shape in self.rules.required[1:]:
            place[shape.number] = np.full(len(unit), NEVER)
            goes_on = np.flatnonzero(reached >= shape.number)
            after = np.searchsorted(able[shape.number], place[shape.before][goes_on], "right")
            place[shape.number][goes_on] = _taken(able[shape.number], after)
        for shape in self.rules.shapes:
            if shape.is_optional:
                place[shape.number] = self.optional(shape, place)
        moment = self.rows.moment
        return {
            number: np.where(found >= 0, moment[found], NEVER_AT) if len(found) else found
            for number, found in place.items()
        }

    def able(self, unit: Numbers, start: Numbers, reached: Numbers) -> dict[int, Numbers]:
        """Of each step the events from which the shown attempt can go on to its last one, from the last step back."""
        start_of = np.full(self.rows.many_units, np.iinfo(np.int64).max)
        start_of[unit] = start
        reached_of = np.zeros(self.rows.many_units, np.int64)
        reached_of[unit] = reached
        blocks = self.of(self.rules.blocks)
        able: dict[int, Numbers] = {}
        for shape in reversed(self.rules.required[1:]):
            found = self.of_role[shape.number]
            found = found[found > start_of[self.rows.unit[found]]]
            is_able = reached_of[self.rows.unit[found]] <= shape.number
            if shape.after:
                onward = able[shape.after]
                after = _taken(onward, np.searchsorted(onward, found, "right"))
                fits = self.same_unit(after, found)
                within = self.rules.shapes[shape.after - 1].within
                if within:
                    fits &= self.took(found, after) <= within
                if blocks is not None:
                    fits &= _before(blocks, after) <= found
                is_able |= fits
            able[shape.number] = found[is_able]
        return able

    def optional(self, shape: StepShape, place: dict[int, Numbers]) -> Numbers:
        """Where an optional step lies: after the step before it and before the next that is reached, in the window."""
        start, before, candidates = place[1], place[shape.before], self.of_role[shape.number]
        found = _taken(candidates, np.searchsorted(candidates, before, "right"))
        fits = (before >= 0) & self.same_unit(found, start) & (self.took(start, found) <= self.rules.within)
        ends = self.of(self.rules.ends)
        if ends is not None:
            fits &= _before(ends, found) <= start
        if shape.within:
            fits &= self.took(before, found) <= shape.within
        if shape.after:
            following = place[shape.after]
            fits &= (following < 0) | (found < following)
        return np.where(fits, found, NEVER)


def _before(sorted_rows: Numbers, rows: Numbers) -> Numbers:
    """The latest of `sorted_rows` before each of `rows`, `NEVER` where there is none."""
    return _taken(sorted_rows, np.searchsorted(sorted_rows, rows) - 1)


def _taken(values: Numbers, places: Numbers) -> Numbers:
    """The values at these places, `NEVER` at a place that does not exist."""
    if not len(values):
        return np.full(len(places), NEVER)
    exists = (places >= 0) & (places < len(values))
    return np.where(exists, values[places.clip(0, len(values) - 1)], NEVER)
