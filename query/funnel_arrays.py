"""Funnels by a pass over arrays: what the statements about `matched` and `results` say, without their relations.

Most events of a funnel decide nothing: of those of a later step only the people count who did every step before it.
What is left is put into the order of people and time, and `latest_start.py` passes over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .behind import BehindBar
from .breakdown import Flag
from .event_rows import DAILY, MOST_ROLES, EventRows, gather, joined, person_map
from .first_exposures import FirstExposures
from .funnel import Funnel
from .latest_start import Marks, OrderedRows, Rules, role_bits, shown_attempts
from .matched import Searched
from .ordering import HASH_BITS, Ordering, after_exposure, hashed, marked
from .reading import Reading, Row
from .row_order import changes
from .shown_counts import ShownCounts

DAY = 86_400_000_000


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


def funnel_tables(
    reading: Reading, question: Funnel, searched: Searched, rules: Rules, behind: BehindBar | None = None
) -> FunnelTables:
    """Every number of a funnel that `is_for_arrays`; `behind` lists the people of one bar on the way."""
    persons = person_map(reading)
    found = gather(reading, searched, persons)
    lake = Ordering(reading, searched, question.by if isinstance(question.by, Flag) else None, persons)
    lake.settle_logins(found)
    past_day = [rows.person[_begins(reading, rows) & _is_past_day(rows, rules)] for rows in found.rows]
    daily = np.unique(np.concatenate([np.empty(0, np.int64), *past_day]), return_counts=True)[1]
    tally, batches = found.tally(), list(found.rows)
    del found
    counts = counted(reading, lake, batches, rules, behind)
    is_flag_seen = lake.exposures is None or len(lake.exposures.person) > 0
    return FunnelTables(tally, (int(daily.sum()), len(daily)), counts, is_flag_seen)


def counted(
    reading: Reading,
    lake: Ordering,
    batches: list[EventRows],
    rules: Rules,
    behind: BehindBar | None = None,
) -> ShownCounts:
    """The pass over the rows that were gathered."""
    excludes = lake.flag is not None and lake.flag.several == "exclude"
    counts = ShownCounts(rules, lake.exposures, excludes=excludes, behind=behind)
    for part in lake.in_order(_deciding(reading, batches, rules)):
        rows = _ordered(reading, part, rules, lake.exposures)
        counts.add(rows.units, *shown_attempts(rows, rules))
    return counts


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


def _deciding(reading: Reading, batches: list[EventRows], rules: Rules) -> EventRows:
    """The rows without those of people who cannot have come to their step; `batches` is empty then.

    Who came so far is known by a hash: somebody too many does no harm, since the pass looks at everybody.
    """
    places = [hashed(rows.person, HASH_BITS) for rows in batches]
    kept = [_begins(reading, rows) & ~_is_past_day(rows, rules) for rows in batches]
    came = {1: marked(place[begins] for place, begins in zip(places, kept, strict=True))}
    for shape in rules.shapes:
        if shape.before:
            bits, came_before = role_bits([shape.number]), came[shape.before]
            came[shape.number] = marked([])
            for rows, place, is_kept in zip(batches, places, kept, strict=True):
                has_step = np.flatnonzero(rows.roles & bits)
                has_step = has_step[came_before[place[has_step]]]
                is_kept[has_step] = True
                came[shape.number][place[has_step]] = True
    others = role_bits([*rules.blocks, *rules.ends, *rules.removes])
    if others:
        for rows, place, is_kept in zip(batches, places, kept, strict=True):
            has_rule = np.flatnonzero(rows.roles & others)
            is_kept[has_rule] |= came[1][place[has_rule]]
    del places
    # Each batch is let go of when what decides of it is known.
    return joined([batches.pop().where(is_kept) for is_kept in reversed(kept)])


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
    return replace(ordered, is_after=after_exposure(rows, units, unit, exposures))
