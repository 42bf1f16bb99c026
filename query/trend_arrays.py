"""Trends by arrays: the numbers of `tally.sql` and `trend.sql`, without their relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .breakdown import Flag
from .event_rows import EventRows
from .facts import facts_when_needed
from .first_exposures import FirstExposures
from .gathering import Gathered, Room, Tally, gathered, room_of
from .grouping import GroupKey
from .latest_start import Marks, Numbers, role_bits
from .local_period import period_numbers
from .matched import Searched
from .measure import Measure
from .ordering import Ordered, Ordering
from .person_map import person_map
from .portion import Portion
from .reading import Reading, Row
from .row_order import changes, in_order, order_again
from .trend import Trend

TOTAL: GroupKey = ("total", None)
NOT_EXPOSED: GroupKey = ("not exposed", None)
GROUPS: tuple[GroupKey, ...] = (NOT_EXPOSED, ("before exposure", None), ("several variations", None))
"""What events are in that are in no variation, by their numbers; those of variations come after them."""
EVENTS, OF_PEOPLE, PEOPLE = 0, 1, 2
"""What is counted of each definition: its events, those that somebody did, and the people."""


@dataclass(frozen=True, slots=True)
class TrendTables:
    """The rows that tally.sql and trend.sql would have given."""

    tally: list[Row]
    counts: list[Row]
    is_flag_seen: bool


def is_for_arrays(question: Trend) -> bool:
    """Whether arrays can answer it; the rest is for the portable SQL."""
    is_grouped_so = question.by is None or isinstance(question.by, Flag)
    is_counted = all(each.of is None for each in question.measures)
    return question.unit.kind == "person" and is_grouped_so and is_counted


def trend_tables(reading: Reading, question: Trend, searched: Searched) -> TrendTables:
    """Every number of a trend that `is_for_arrays`."""
    persons = person_map(reading)
    with facts_when_needed(reading.connection, reading.summaries) as find_facts:
        flag = question.by if isinstance(question.by, Flag) else None
        lake = Ordering(reading, searched, flag, persons, find_facts)
        sums = _Sums(reading, question, lake.exposures)
        room = room_of(reading)
        with gathered(reading, searched, persons, find_facts, room) as found:
            tally = Tally(found.events)
            for part in _in_order(lake, found, room, tally, sums):
                sums.add(part)
    is_flag_seen = lake.exposures is None or len(lake.exposures.person) > 0
    return TrendTables(tally.rows(), list(sums.rows()), is_flag_seen)


def _in_order(lake: Ordering, found: Gathered, room: Room, tally: Tally, sums: _Sums) -> Iterator[Ordered]:
    """All rows that somebody did in order, of some people after the others; the rest is counted on the way."""

    def portions() -> Iterator[Portion]:
        for portion in lake.portions(found, room):
            tally.add(portion)
            sums.add_nobody(portion.nobody)
            yield portion

    if lake.exposures is not None:
        yield from lake.in_order(portions(), _all_of_them)
        return
    # Which of two events at one moment came first decides nothing where no exposure lies between them.
    for portion in portions():
        for rows in in_order(portion.rows, _all_of_them):
            yield Ordered(rows)


def _all_of_them(rows: EventRows, _number: Numbers, _many: int) -> Marks:
    return np.ones(len(rows), bool)


@dataclass
class _Sums:
    """Adds up events and people, by group and period."""

    reading: Reading
    question: Trend
    exposures: FirstExposures | None
    counts: dict[GroupKey, dict[int | None, NDArray[np.int64]]] = field(default_factory=dict)
    """By period, None for all of them: a row for each definition, of EVENTS, OF_PEOPLE and PEOPLE."""
    exposed: int = 0
    several: int = 0

    def add(self, part: Ordered) -> None:
        """Count these people."""
        rows = part.rows
        if not rows.roles.all():
            # People who wait until the order of their events is known.
            row = np.flatnonzero(rows.roles)
            group = self._groups(part)
            self._add(
                rows.unit[row], rows.moment[row], rows.roles[row], None if group is None else group[row]
            )
            self._add_exposed(part, np.unique(rows.unit[row]).astype(np.int64))
            return
        self._add(rows.unit, rows.moment, rows.roles, self._groups(part))
        self._add_exposed(part, np.arange(len(rows.units)))

    def add_nobody(self, rows: EventRows) -> None:
        """Count events that nobody did."""
        if not len(rows):
            return
        number = period_numbers(self.reading.calendar, rows.moment, self.question.period)
        for step in self._steps():
            of_step = number[(rows.roles & role_bits([step])) != 0]
            known, many = np.unique(of_step, return_counts=True)
            for key in (TOTAL,) if self.exposures is None else (TOTAL, NOT_EXPOSED):
                for bucket, events in zip(known.tolist(), many.tolist(), strict=True):
                    self._count(key, step, bucket, events, 0, 0)
                self._count(key, step, None, len(of_step), 0, 0)

    def _add(
        self,
        unit: NDArray[np.int32],
        moment: Numbers,
        roles: NDArray[np.unsignedinteger],
        group: NDArray[np.int32] | None,
    ) -> None:
        number = period_numbers(self.reading.calendar, moment, self.question.period)
        for step in self._steps():
            row = np.flatnonzero(roles & role_bits([step]))
            of_step = slice(None) if len(row) == len(roles) else row
            self._add_group(TOTAL, step, unit[of_step], number[of_step])
            if group is None:
                continue
            of_group = group[of_step]
            for place, key in enumerate(self._keys()):
                chosen = row[of_group == place]
                self._add_group(key, step, unit[chosen], number[chosen])

    def _add_group(self, key: GroupKey, step: int, unit: NDArray[np.int32], number: Numbers) -> None:
        """Count events in the order of (unit, moment)."""
        if not len(unit):
            return
        is_first = changes(unit)
        self._count(key, step, None, len(unit), len(unit), int(is_first.sum()))
        order = order_again(unit, number)
        if order is not None:
            number = number[order]
        is_first |= changes(number)
        known, place = _places(number, self.question.period)
        events = np.bincount(place, minlength=len(known))
        people = np.bincount(place[is_first], minlength=len(known))
        for each in np.flatnonzero(events).tolist():
            self._count(key, step, int(known[each]), int(events[each]), int(events[each]), int(people[each]))

    def _count(
        self, key: GroupKey, step: int, bucket: int | None, events: int, of_people: int, people: int
    ) -> None:
        if not events:
            return
        periods = self.counts.setdefault(key, {})
        if bucket not in periods:
            periods[bucket] = np.zeros((len(self.question.measures), 3), np.int64)
        periods[bucket][step - 1] += (events, of_people, people)

    def _steps(self) -> Sequence[int]:
        return range(1, len(self.question.measures) + 1)

    def _keys(self) -> list[GroupKey]:
        names = () if self.exposures is None else self.exposures.names
        return [*GROUPS, *(("variation", name) for name in names)]

    def _groups(self, part: Ordered) -> NDArray[np.int32] | None:
        """The place of each row's group among `_keys`."""
        if self.exposures is None or part.place is None or part.is_after is None:
            return None
        place, unit = part.place, part.rows.unit
        if not len(self.exposures.person):
            return np.zeros(len(unit), np.int32)
        before = (place >= 0).astype(np.int32)
        after = self.exposures.variation[place] + np.int32(len(GROUPS))
        several = self.question.by.several if isinstance(self.question.by, Flag) else ""
        if several == "exclude":
            after[self.exposures.variations[place] > 1] = GROUPS.index(("several variations", None))
        found: NDArray[np.int32] = np.where(part.is_after, after[unit], before[unit])
        if several == "as_treated":
            row = np.flatnonzero(part.is_after & (part.rows.roles != 0))
            row = row[self.exposures.variations[place[unit[row]]] > 1]
            found[row] = self.exposures.treated_at(place[unit[row]], part.rows.moment[row]) + len(GROUPS)
        return found

    def _add_exposed(self, part: Ordered, units: Numbers) -> None:
        if self.exposures is None or part.place is None:
            return
        place = part.place[units]
        place = place[place >= 0]
        self.exposed += len(place)
        self.several += int((self.exposures.variations[place] > 1).sum())

    def rows(self) -> Iterator[Row]:
        """The rows of trend.sql."""
        for key, periods in self.counts.items():
            for row in rows_of_sums(periods, self.question.measures):
                yield *key, *row
        if self.exposures is not None:
            yield "exposed", None, None, self.several, self.exposed, *(None for _ in self.question.measures)


def rows_of_sums(periods: Mapping[int | None, Numbers], measures: Sequence[Measure]) -> Iterator[Row]:
    """The rows of trend.sql of a group, without its name; `periods` have EVENTS, OF_PEOPLE and PEOPLE by definition."""
    for bucket, counts in periods.items():
        measured = (_measured(measure, counts[place]) for place, measure in enumerate(measures))
        yield bucket, int(counts[0, EVENTS]), int(counts[0, PEOPLE]), *measured


def _measured(measure: Measure, counts: Numbers) -> float | None:
    events, of_people, people = counts.tolist()
    if measure.kind == "per_person":
        return of_people / people if people else None
    return int(people if measure.kind == "people" else events)


def _places(number: Numbers, period: str) -> tuple[Numbers, Numbers]:
    """Different periods, maybe others between them, and the place of each one's among them."""
    if period == "hour":
        # Their numbers are instants.
        known, place = np.unique(number, return_inverse=True)
        return known, place
    least = int(number.min())
    return np.arange(least, int(number.max()) + 1), number - least
