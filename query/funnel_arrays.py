"""Funnels by a pass over arrays: what the statements about `matched` and `results` say, without their relations.

Most events of a funnel decide nothing: of those of a later step only the people count who did every step before it.
What is left is put into the order of people and time, and `latest_start.py` passes over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .breakdown import Flag
from .event_rows import (
    DAILY,
    LEFT_OUT,
    MOST_ROLES,
    UNCLEAR,
    EventRows,
    Gathered,
    PersonMap,
    gather,
    hold_moments,
    may_be,
    person_map,
    replaced,
    reread,
)
from .first_exposures import FirstExposures, expose_at, first_exposures
from .funnel import Funnel
from .latest_start import Marks, Numbers, OrderedRows, Rules, role_bits, shown_attempts
from .matched import Searched
from .reading import Reading, Row
from .row_order import changes, places_in_order
from .shown_counts import ShownCounts

DAY = 86_400_000_000
MOST_TOGETHER = 2_000_000
"""How many rows are put in order at once; of more, people take turns."""
HASH, HASH_BITS = np.uint64(0x9E3779B97F4A7C15), 22


@dataclass(frozen=True, slots=True)
class FunnelTables:
    """The rows that tally.sql and funnel_daily.sql would have given, and the counts of the attempts that are shown."""

    tally: list[Row]
    daily: Row
    counts: ShownCounts
    is_flag_seen: bool


def is_for_arrays(question: Funnel, roles: int) -> bool:
    """Whether arrays can answer it; the rest is for the portable SQL."""
    is_grouped_so = question.by is None or (
        isinstance(question.by, Flag) and question.by.several in ("first", "exclude")
    )
    return (
        question.order != "any"
        and question.unit.kind == "person"
        and question.over is None
        and is_grouped_so
        and roles <= MOST_ROLES
    )


def funnel_tables(reading: Reading, question: Funnel, searched: Searched, rules: Rules) -> FunnelTables:
    """Every number of a funnel that `is_for_arrays`."""
    persons = person_map(reading)
    found = gather(reading, searched, persons)
    lake = _Lake(reading, searched, question.by if isinstance(question.by, Flag) else None, persons)
    lake.settle_logins(found)
    is_begun, is_past_day = _begins(reading, found.rows), _is_past_day(found.rows, rules)
    daily = np.unique(found.rows.person[is_begun & is_past_day], return_counts=True)[1]
    excludes = lake.flag is not None and lake.flag.several == "exclude"
    counts = ShownCounts(rules, lake.exposures, excludes=excludes)
    for part in lake.in_order(_deciding(found.rows, is_begun & ~is_past_day, rules)):
        rows = _ordered(reading, part, rules, lake.exposures)
        counts.add(rows.units, *shown_attempts(rows, rules))
    is_flag_seen = lake.exposures is None or len(lake.exposures.person) > 0
    return FunnelTables(found.tally(), (int(daily.sum()), len(daily)), counts, is_flag_seen)


@dataclass
class _Lake:
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
            self.exposures = first_exposures(
                self.reading, self.flag.key, self.persons, has_views=self.has_views
            )

    def settle_logins(self, found: Gathered) -> None:
        """Read again what lies at the moment of a login, where more than the time says whose it is."""
        unclear = [each.moment[(each.marks & UNCLEAR) != 0] for each in (found.rows, found.left_out)]
        moments = np.unique(np.concatenate(unclear))
        if len(moments):
            again = self.read_again(moments)
            is_left = (again.marks & LEFT_OUT) != 0
            found.rows = replaced(found.rows, moments, again.where(~is_left))
            found.left_out = replaced(found.left_out, moments, again.where(is_left))

    def read_again(self, moments: Numbers) -> EventRows:
        """All events of these moments in their whole order."""
        hold_moments(self.reading, moments)
        if self.flag is not None and self.exposures is not None and not self.has_views:
            expose_at(self.reading, self.flag.key, self.exposures)
        return reread(self.reading, self.searched, by_flag=self.flag is not None)

    def in_order(self, rows: EventRows) -> Iterator[EventRows]:
        """The rows in their whole order: all of them, or of some people after the others."""
        waiting: list[EventRows] = []
        unclear: list[Numbers] = []
        for part in _parts(rows):
            ordered = _sorted(part)
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
                yield _sorted(replaced(part, moments, own))

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


def _begins(reading: Reading, rows: EventRows) -> Marks:
    """Whether an attempt may begin with it, but for daily ids: the first step, in range."""
    begins: Marks = (rows.roles & role_bits([1])) != 0
    begins &= (rows.moment >= reading.start) & (rows.moment < reading.end)
    return begins


def _is_past_day(rows: EventRows, rules: Rules) -> Marks:
    """Whether the window of a daily id reaches past its UTC day."""
    is_daily: Marks = (rows.marks & DAILY) != 0
    if is_daily.any():
        is_daily &= (rows.moment + rules.within) // DAY > rows.moment // DAY
    return is_daily


def _deciding(rows: EventRows, may_begin: Marks, rules: Rules) -> EventRows:
    """The rows without those of people who cannot have come to their step.

    Who came so far is known by a hash: somebody too many does no harm, since the pass looks at everybody.
    """
    place = _hashed(rows.person, HASH_BITS)
    came = {1: _marked(place[may_begin])}
    is_kept = may_begin.copy()
    for shape in rules.shapes:
        if shape.before:
            has_step = (rows.roles & role_bits([shape.number])) != 0
            has_step &= came[shape.before][place]
            is_kept |= has_step
            came[shape.number] = _marked(place[has_step])
    others = role_bits([*rules.blocks, *rules.ends, *rules.removes])
    if others:
        is_kept |= ((rows.roles & others) != 0) & came[1][place]
    return rows.where(is_kept)


def _marked(places: Numbers) -> Marks:
    found = np.zeros(1 << HASH_BITS, bool)
    found[places] = True
    return found


def _hashed(person: Numbers, bits: int) -> Numbers:
    return ((person.view(np.uint64) * HASH) >> np.uint64(64 - bits)).astype(np.int64)


def _parts(rows: EventRows) -> Iterator[EventRows]:
    """The rows of some people after the others, as many together as can be."""
    bits = max(0, (len(rows) // MOST_TOGETHER).bit_length())
    if not bits:
        yield rows
        return
    part = _hashed(rows.person, bits).astype(np.uint8)
    for number in range(1 << bits):
        yield rows.where(part == number)


def _sorted(rows: EventRows) -> EventRows:
    """The rows in the order of person, moment, and what was found of the order at one moment."""
    ordered = rows.where(places_in_order(rows.person, rows.moment))
    if ordered.order is None:
        return ordered
    is_known = np.flatnonzero(ordered.order)
    by_order = np.lexsort((ordered.order[is_known], ordered.moment[is_known], ordered.person[is_known]))
    place = np.arange(len(ordered))
    place[is_known] = is_known[by_order]
    return ordered.where(place)


def _ordered(
    reading: Reading, rows: EventRows, rules: Rules, exposures: FirstExposures | None
) -> OrderedRows:
    is_new = changes(rows.person)
    unit = np.cumsum(is_new) - 1
    units = rows.person[is_new]
    ordered = OrderedRows(
        units, unit, rows.moment, rows.roles, _begins(reading, rows) & ~_is_past_day(rows, rules)
    )
    if exposures is None:
        return ordered
    is_after = rows.moment > exposures.moments_of(units)[0][unit]
    if rows.order is not None and rows.is_after is not None:
        is_after = np.where(rows.order > 0, rows.is_after, is_after)
    return replace(ordered, is_after=is_after)
