"""Retention by arrays: the numbers of `retention_returned.sql` and `retention_daily.sql`, without their relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .behind import BehindCell
from .breakdown import Flag
from .event_rows import EventRows
from .facts import facts_when_needed
from .first_exposures import FirstExposures
from .gathering import Tally, gathered, room_of
from .grouping import GroupKey
from .latest_start import Marks, Numbers
from .local_period import period_numbers
from .matched import Searched
from .ordering import Ordered, Ordering
from .person_map import DAILY, person_map
from .portion import Portion
from .reading import Reading, Row
from .retention import Retention
from .row_order import InOrder, changes, order_again

BEGINS, RETURNS = 1, 2
"""Bits of the roles: the first and the second step."""
TOTAL: GroupKey = ("total", None)


@dataclass(frozen=True, slots=True)
class RetentionTables:
    """The rows that tally.sql, retention_returned.sql and retention_daily.sql would have given."""

    tally: list[Row]
    counts: list[Row]
    daily: Row
    is_flag_seen: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """Who began: the place of the person among those of the rows, the row of the entry, and its period."""

    unit: NDArray[np.int32]
    row: Numbers
    cohort: Numbers

    def where(self, chosen: Marks) -> Entries:
        """Some of them."""
        return Entries(self.unit[chosen], self.row[chosen], self.cohort[chosen])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows in order, with the place of each person and the period of each moment."""

    units: Numbers
    unit: NDArray[np.int32]
    moment: Numbers
    number: Numbers
    begins: Marks
    returns: Marks
    place: Numbers | None
    is_after: Marks | None


def is_for_arrays(question: Retention) -> bool:
    """Whether arrays can answer it; the rest is for the portable SQL."""
    return question.unit.kind == "person" and (question.by is None or isinstance(question.by, Flag))


def retention_tables(
    reading: Reading,
    question: Retention,
    searched: Searched,
    *,
    length: int,
    behind: BehindCell | None = None,
) -> RetentionTables:
    """Every number of a retention that `is_for_arrays`; `length` is that of a rolling period, or 0.

    `behind` lists the people of one cell on the way.
    """
    persons = person_map(reading)
    with facts_when_needed(reading.connection, reading.summaries) as find_facts:
        flag = question.by if isinstance(question.by, Flag) else None
        lake = Ordering(reading, searched, flag, persons, find_facts)
        sums = _Sums(reading, question, length, lake.exposures, behind)
        daily, room = np.zeros(3, np.int64), room_of(reading)
        with gathered(reading, searched, persons, find_facts, room) as found:
            tally = Tally(found.events)

            def portions() -> Iterator[Portion]:
                for portion in lake.portions(found, room):
                    tally.add(portion)
                    daily[:] += _daily(reading, portion)
                    yield portion

            for part in lake.in_order(portions(), lambda *given: _deciding(reading, question, *given)):
                sums.add(_rows(reading, question, part))
    is_flag_seen = lake.exposures is None or len(lake.exposures.person) > 0
    return RetentionTables(tally.rows(), list(sums.rows()), tuple(daily.tolist()), is_flag_seen)


def _deciding(reading: Reading, question: Retention, rows: EventRows, number: Numbers, many: int) -> Marks:
    """Which rows are of people who may have begun; `number` is that of each row's person."""
    is_kept = _begins(reading, question, rows)
    began = np.zeros(many, bool)
    began[number[is_kept]] = True
    returns = np.flatnonzero(rows.roles & RETURNS)
    is_kept[returns] |= began[number[returns]]
    return is_kept


def _begins(reading: Reading, question: Retention, rows: EventRows | InOrder) -> Marks:
    """Whether it may be an entry. A daily id is nobody on the next day."""
    begins: Marks = (rows.roles & BEGINS) != 0
    begins &= ((rows.marks & DAILY) == 0) & (rows.moment <= reading.now)
    if question.entry != "first_ever":
        begins &= (rows.moment >= reading.start) & (rows.moment < reading.end)
    return begins


def _daily(reading: Reading, found: Portion) -> tuple[int, int, int]:
    every, persons = 0, []
    for rows in (found.nobody, *found.rows):
        is_in_range = (rows.moment >= reading.start) & (rows.moment < reading.end)
        starts = np.flatnonzero(((rows.roles & BEGINS) != 0) & is_in_range)
        every += len(starts)
        if rows is not found.nobody:
            persons.append(rows.person[starts[(rows.marks[starts] & DAILY) != 0]])
    daily = np.concatenate([np.empty(0, np.int64), *persons])
    return len(daily), int(changes(np.sort(daily)).sum()), every


def _rows(reading: Reading, question: Retention, part: Ordered) -> _Rows:
    rows = part.rows
    return _Rows(
        rows.units,
        rows.unit,
        rows.moment,
        period_numbers(reading.calendar, rows.moment, question.period),
        _begins(reading, question, rows),
        ((rows.roles & RETURNS) != 0) & (rows.moment <= reading.now),
        part.place,
        part.is_after,
    )


@dataclass
class _Sums:
    """Adds up who began and who came back, by group, cohort and period."""

    reading: Reading
    question: Retention
    length: int
    exposures: FirstExposures | None
    behind: BehindCell | None = None
    sizes: dict[tuple[GroupKey, int, int | None], int] = field(default_factory=dict)
    returned: dict[tuple[GroupKey, int, int], int] = field(default_factory=dict)
    exposed: int = 0
    several: int = 0

    def add(self, rows: _Rows) -> None:
        """Count these people."""
        of_all = self.entries(rows, rows.begins)
        self.count(rows, TOTAL, of_all, is_exposed=False)
        if self.exposures is None or rows.is_after is None or rows.place is None:
            return
        after = self.entries(rows, rows.begins & rows.is_after, of_all)
        place = rows.place
        has_after = np.zeros(len(rows.units), bool)
        has_after[after.unit] = True
        before = of_all.where(~has_after[of_all.unit])
        is_exposed = place >= 0
        self.count(rows, ("not exposed", None), before.where(~is_exposed[before.unit]), is_exposed=False)
        self.count(rows, ("before exposure", None), before.where(is_exposed[before.unit]), is_exposed=False)
        counted = np.unique(np.concatenate([after.unit, before.unit[is_exposed[before.unit]]]))
        if not len(self.exposures.person):
            return
        variations = self.exposures.variations[place]
        self.exposed += len(counted)
        self.several += int((variations[counted] > 1).sum())
        several = self.question.by.several if isinstance(self.question.by, Flag) else ""
        are_several = (variations[after.unit] > 1) & (several == "exclude")
        self.count(rows, ("several variations", None), after.where(are_several), is_exposed=True)
        variation = self.exposures.variation[place[after.unit]]
        if several == "as_treated":
            variation = self.exposures.treated_at(place[after.unit], rows.moment[after.row])
        for number, name in enumerate(self.exposures.names):
            of_variation = (variation == number) & ~are_several
            self.count(rows, ("variation", name), after.where(of_variation), is_exposed=True)

    def entries(self, rows: _Rows, begins: Marks, firsts: Entries | None = None) -> Entries:
        """The entries among these starts: of those ever, only the `firsts` can be some after an exposure."""
        question = self.question
        if question.entry == "first_ever" and firsts is not None and rows.is_after is not None:
            return firsts.where(rows.is_after[firsts.row])
        row = np.flatnonzero(begins)
        row = _one_of_each(rows, row) if question.entry == "recurring" else row[changes(rows.unit[row])]
        if question.entry == "first_ever":
            row = row[(rows.moment[row] >= self.reading.start) & (rows.moment[row] < self.reading.end)]
        return Entries(rows.unit[row], row, rows.number[row])

    def count(self, rows: _Rows, key: GroupKey, entries: Entries, *, is_exposed: bool) -> None:
        """Count the entries of a group and in which periods they came back."""
        if not len(entries.unit):
            return
        over = self.over(rows.moment[entries.row]) if self.length else np.zeros(len(entries.unit), np.int64)
        for (cohort, whole), many in _counted(entries.cohort, over):
            size = key, cohort, whole if self.length else None
            self.sizes[size] = self.sizes.get(size, 0) + many
        entry, period = self.pairs(rows, entries, over, is_exposed=is_exposed)
        for (cohort, number), many in _counted(entries.cohort[entry], period):
            cell = key, cohort, number
            self.returned[cell] = self.returned.get(cell, 0) + many
        if self.behind is not None:
            persons, entered = rows.units[entries.unit], rows.moment[entries.row]
            self.behind.add(key, persons, entered, entries.cohort, (entry, period))

    def pairs(
        self, rows: _Rows, entries: Entries, over: Numbers, *, is_exposed: bool
    ) -> tuple[Numbers, Numbers]:
        """Each entry with each period in which it came back, once."""
        is_return = rows.returns if not is_exposed or rows.is_after is None else rows.returns & rows.is_after
        row = np.flatnonzero(is_return)
        if not self.length:
            # The last one in a period decides whether it is later than an entry.
            row = _one_of_each(rows, row, is_last=True)
        # Of somebody's returns those after the entry, since rows are in order.
        low = np.searchsorted(row, entries.row, "right")
        high = np.searchsorted(rows.unit[row], entries.unit, "right")
        many = (high - low).clip(0)
        entry = np.repeat(np.arange(len(many)), many)
        back = row[np.repeat(low - np.cumsum(many) + many, many) + np.arange(len(entry))]
        if self.length:
            period = (rows.moment[back] - rows.moment[entries.row[entry]]) // self.length
        else:
            period = rows.number[back] - entries.cohort[entry]
            order = order_again(entry, period)
            if order is not None:
                entry, period = entry[order], period[order]
        return self.cells(entry, period, over)

    def cells(self, entry: Numbers, period: Numbers, over: Numbers) -> tuple[Numbers, Numbers]:
        """The pairs of entries and periods as they are counted."""
        last = self.question.cells[-1][1]
        if self.question.mode == "on_or_after":
            is_last = np.ones(len(entry), bool)
            is_last[:-1] = entry[1:] != entry[:-1]
            # Periods are in order, so the last one is the latest.
            entry, period = entry[is_last], np.minimum(period[is_last], last)
            if self.length:
                period = np.minimum(period, over[entry] - 1)
            return entry[period >= 0], period[period >= 0]
        high = period
        if self.question.brackets:
            number = np.full(len(period), -1)
            high = period.copy()
            for place, (least, most) in enumerate(self.question.brackets):
                is_inside = (period >= least) & (period <= most)
                number[is_inside], high[is_inside] = place, most
            is_counted = number >= 0
        else:
            number, is_counted = period, (period >= 0) & (period <= last)
        if self.length:
            is_counted &= high < over[entry]
        entry, number = entry[is_counted], number[is_counted]
        # In order, so that what counts once stands together.
        is_new = np.ones(len(entry), bool)
        is_new[1:] = (entry[1:] != entry[:-1]) | (number[1:] != number[:-1])
        return entry[is_new], number[is_new]

    def over(self, moment: Numbers) -> Numbers:
        """How many rolling periods are over that began at these moments."""
        return (self.reading.now - moment) // self.length

    def rows(self) -> Iterator[Row]:
        """The rows of retention_returned.sql."""
        for (key, cohort, over), many in self.sizes.items():
            yield "size", *key, cohort, over, many, None
        for (key, cohort, period), many in self.returned.items():
            yield "returned", *key, cohort, period, many, None
        yield "exposed", None, None, None, None, self.exposed, self.several


def _one_of_each(rows: _Rows, row: Numbers, *, is_last: bool = False) -> Numbers:
    """Of each person's rows in a period the first one, or the last one, in order."""
    unit, number = rows.unit[row], rows.number[row]
    order = order_again(unit, number)
    if order is not None:
        row, unit, number = row[order], unit[order], number[order]
    is_one = changes(unit) | changes(number)
    if is_last:
        is_one[:-1], is_one[-1:] = is_one[1:], True
    return row[is_one] if order is None else np.sort(row[is_one])


def _counted(first: Numbers, second: Numbers) -> Iterator[tuple[tuple[int, int], int]]:
    """How often each pair of two numbers is there."""
    if not len(first):
        return
    least = int(second.min())
    many = int(second.max()) - least + 1
    for key, count in zip(*np.unique(first * many + (second - least), return_counts=True), strict=True):
        yield (int(key) // many, int(key) % many + least), int(count)
