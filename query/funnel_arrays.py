"""Funnels by a pass over arrays: what the statements about `matched` and `results` say, without their relations.

Most events of a funnel decide nothing: of those of a later step only the people count who did every step before it.
What is left is put into the order of people and time, and `latest_start.py` passes over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .any_order import shares_events, shown_in_any_order
from .attempt import StepShape
from .behind import BehindBar
from .breakdown import Flag
from .entry_values import values_at
from .event_rows import EventRows
from .facts import facts_when_needed
from .funnel import Funnel
from .gathering import MOST_ROLES, Tally, gathered, room_of
from .grouping import breakdown_values
from .latest_start import Marks, Numbers, OrderedRows, Rules, role_bits, shown_attempts
from .matched import Searched
from .ordering import Ordering
from .person_map import DAILY, person_map
from .portion import Portion
from .reading import Reading, Row
from .row_order import InOrder, changes
from .shown_counts import Over, ShownCounts

DAY = 86_400_000_000
Ticks: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FunnelTables:
    """The rows that tally.sql and funnel_daily.sql would have given, and the counts of the attempts that are shown."""

    tally: list[Row]
    daily: Row
    counts: ShownCounts
    is_flag_seen: bool


def is_for_arrays(question: Funnel, *, is_first_only: bool = False) -> bool:
    """Whether arrays can answer it; the rest is for the portable SQL."""
    named = (question.steps, question.between, question.ends_attempt, question.removes_unit)
    if is_first_only and question.removes_unit:
        # Units are removed within the window of any entry, also of one that does not count then.
        return False
    return question.unit.kind == "person" and sum(map(len, named)) <= MOST_ROLES


def funnel_tables(
    reading: Reading, question: Funnel, searched: Searched, rules: Rules, behind: BehindBar | None = None
) -> FunnelTables:
    """Every number of a funnel that `is_for_arrays`; `behind` lists the people of one bar on the way."""
    persons = person_map(reading)
    with facts_when_needed(reading.connection, reading.summaries) as find_facts:
        flag = question.by if isinstance(question.by, Flag) else None
        lake = Ordering(reading, searched, flag, persons, find_facts)
        several = "" if flag is None else flag.several
        by = breakdown_values(question.by)
        over = None if question.over is None else Over(reading.calendar, question.over)
        counts = ShownCounts(rules, lake.exposures, several, by is not None, over, behind)
        daily, room = np.zeros(2, np.int64), room_of(reading)
        with gathered(reading, searched, persons, find_facts, room) as found:
            tally = Tally(found.events)

            def portions() -> Iterator[Portion]:
                for portion in lake.portions(found, room):
                    tally.add(portion)
                    daily[:] += _daily(reading, portion.rows, rules)
                    yield portion

            add_counts(reading, lake, portions(), rules, counts)
        if by is not None:
            counts.count_values(values_at(reading, searched, by, counts.entries, rules))
    is_flag_seen = lake.exposures is None or len(lake.exposures.person) > 0
    return FunnelTables(tally.rows(), tuple(daily.tolist()), counts, is_flag_seen)


def add_counts(
    reading: Reading, lake: Ordering, portions: Iterable[Portion], rules: Rules, counts: ShownCounts
) -> None:
    """The pass over the rows that were gathered; portions hold none that count then."""
    for part in lake.in_order(portions, lambda *given: _deciding(reading, rules, *given)):
        is_entry = _begins(reading, part.rows, rules) & ~_is_past_day(part.rows, rules)
        if rules.is_first_only:
            entries = np.flatnonzero(is_entry)
            is_entry[entries[~changes(part.rows.unit[entries])]] = False
        ordered = OrderedRows(
            len(part.rows.units),
            part.rows.unit,
            part.rows.moment,
            part.rows.roles,
            is_entry,
            part.is_after,
        )
        shown = shown_in_any_order if rules.in_any_order else shown_attempts
        counts.add(part.rows.units, ordered, *shown(ordered, rules), part.place)
        if rules.in_any_order:
            counts.shares_events |= shares_events(ordered, rules)


def _daily(reading: Reading, batches: list[EventRows], rules: Rules) -> tuple[int, int]:
    """Entries of daily ids whose window reaches past their day, and of how many people these are."""
    past_day = [rows.where(_begins(reading, rows, rules) & _is_past_day(rows, rules)) for rows in batches]
    # An event counts once for each step with which it might begin.
    many = sum(
        int(((rows.roles & role_bits([step])) != 0).sum()) for rows in past_day for step in rules.entries
    )
    persons = np.sort(np.concatenate([np.empty(0, np.int64), *(rows.person for rows in past_day)]))
    return many, int(changes(persons).sum())


def _begins(reading: Reading, rows: EventRows | InOrder, rules: Rules) -> Marks:
    """Whether an attempt may begin with it, but for daily ids: a step that may come first, in range."""
    begins: Marks = (rows.roles & role_bits(rules.entries)) != 0
    if reading.has_range:
        begins &= (rows.moment >= reading.start) & (rows.moment < reading.end)
    return begins


def _is_past_day(rows: EventRows | InOrder, rules: Rules) -> Marks:
    """Whether the window of a daily id reaches past its UTC day."""
    is_daily: Marks = (rows.marks & DAILY) != 0
    if is_daily.any():
        is_daily &= (rows.moment + rules.within) // DAY > rows.moment // DAY
    return is_daily


def _deciding(reading: Reading, rules: Rules, rows: EventRows, number: Numbers, many: int) -> Marks:
    """Which rows are not of people who cannot have come so far by then; `number` is that of each row's person."""
    is_kept = _begins(reading, rows, rules) & ~_is_past_day(rows, rules)
    has_begun = np.zeros(many, bool)
    has_begun[number[is_kept]] = True
    if rules.in_any_order:
        is_theirs: Marks = has_begun[number]
        return is_theirs
    later = list(rules.shapes[1:])
    others = role_bits([*rules.blocks, *rules.ends, *rules.removes])
    left = np.flatnonzero(rows.roles & (_bits_of(later) | others))
    left = left[has_begun[number[left]]]
    clock = _Clock.of(rows.moment, rules.within)
    at = clock.ticks(rows.moment)
    begins = np.flatnonzero(is_kept)
    first, last = (
        clock.earliest(number[begins], at[begins], many),
        clock.latest(number[begins], at[begins], many),
    )
    # Nothing before somebody's first entry, and nothing after the window of the last one.
    person = number[left]
    left = left[(at[left] >= first[person]) & (at[left] <= last[person] + clock.within)]
    if others:
        is_kept[left[(rows.roles[left] & others) != 0]] = True
    while later and len(left):
        shape = later.pop(0)
        has_step = left[(rows.roles[left] & role_bits([shape.number])) != 0]
        is_kept[has_step] = True
        if not shape.is_optional:
            # The fewer people came so far, the fewer rows are looked at for the next step.
            left = left[(rows.roles[left] & _bits_of(later)) != 0]
            left = left[at[left] >= clock.earliest(number[has_step], at[has_step], many)[number[left]]]
    return is_kept


@dataclass(frozen=True, slots=True)
class _Clock:
    """Moments as so many `ticks` of 32 bits: what is later has no less. `within` are those of a window at most."""

    since: int
    shift: int
    within: int

    @staticmethod
    def of(moments: Numbers, within: int) -> _Clock:
        """For these moments, and a window after them."""
        since, until = (int(moments.min()), int(moments.max())) if len(moments) else (0, 0)
        shift = max(0, (until - since + within).bit_length() - 30)
        return _Clock(since, shift, (within >> shift) + 1)

    def ticks(self, moments: Numbers) -> Ticks:
        """Which tick each of them is in."""
        return ((moments - self.since) >> self.shift).astype(np.int32)

    def earliest(self, number: Numbers, ticks: Ticks, many: int) -> Ticks:
        """The first tick of each of so many numbers; of one that is not there what comes after all of them."""
        found = np.full(many, np.iinfo(np.int32).max, np.int32)
        np.minimum.at(found, number, ticks)
        return found

    def latest(self, number: Numbers, ticks: Ticks, many: int) -> Ticks:
        """The last one."""
        found = np.full(many, -1, np.int32)
        np.maximum.at(found, number, ticks)
        return found


def _bits_of(shapes: Sequence[StepShape]) -> int:
    return role_bits(shape.number for shape in shapes)
