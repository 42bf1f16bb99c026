"""Retention: cohorts by the period in which people began, and who came back in the n-th period after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .answer import LeftOut
from .array_pass import Passed, passed_over
from .behind import BehindCell
from .breakdown import Flag
from .calendar import first_day, period_number
from .definition import Definition
from .gathering import by_arrays_or_none
from .grouping import (
    GroupKey,
    breakdown_values,
    group_rules,
    in_order,
    kept_columns,
    make_groups,
    quote_groups,
)
from .interval import EARLIEST
from .matched import Matched, match, unit_column
from .reading import Reading, Row, at
from .retention import Cohort, PooledPeriod, Retention, RetentionAnswer, RetentionGroup, RetentionPeriod
from .retention_arrays import RetentionTables, is_for_arrays, retention_tables
from .statement import Fragment

TOTAL: GroupKey = ("total", None)
DAY = 86_400_000_000
LENGTHS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""How long a rolling period is, in microseconds."""
ZERO_RULE = "Period 0 counts a return only if it is a different event later than the start."
POOLED_RULE = (
    "The pooled row is people who returned divided by people who could have, over cohorts whose period is "
    "over."
)
LATER_RULE = (
    "Returns in period n or later are counted as observed until now: "
    "no cell is complete, and nothing is pooled."
)
ROLLING_RULE = (
    "Periods are multiples of 24 hours from each one's own start (a month: 30 days); a cell counts those alone whose "
    "own period is over."
)
RECURRING_RULE = "Everybody begins once in each period, with the first start there."


@dataclass(slots=True)
class _Counts:
    """What was found of one group: sizes of cohorts, of rolling periods by how many are over, and returns."""

    sizes: dict[int, dict[int | None, int]] = field(default_factory=lambda: defaultdict(dict))
    people: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Bracket:
    number: int
    low: int
    high: int


def counted_retention(reading: Reading, question: Retention) -> RetentionAnswer:
    """Who came back, without a comparison."""
    asked = asked_of(reading, question)
    passed = None
    if is_for_arrays(question):
        passed = by_arrays_or_none(reading, lambda: retention_passed(reading, asked))
    if passed is not None:
        matched, rows, daily = passed.matched, passed.tables.counts, passed.tables.daily
        reading.quote("retention_daily.sql", {})
    else:
        matched, rows = make_matched(reading, asked), count_returned(reading, asked)
        [daily] = reading.run("retention_daily.sql", {})
    is_first_ever = question.entry == "first_ever"
    found: dict[GroupKey, _Counts] = defaultdict(_Counts)
    found[TOTAL] = _Counts()
    exposed = several = 0
    for fact, kind, value, cohort, period, count, of_several in rows:
        if fact == "exposed":
            exposed, several = count, of_several
        elif fact == "size":
            found[kind, value].sizes[cohort][period] = count
        else:
            found[kind, value].people[cohort, period] = count
    tables = {key: _table(counts, question, reading) for key, counts in found.items()}
    cohorts, pooled = tables.pop(TOTAL)
    begins = data_begins(reading)
    notes = [*matched.notes, *retention_rules(question)]
    if is_first_ever and begins is not None:
        notes.append(f"First ever means the first in kept data, which begins at {begins:%Y-%m-%d %H:%M} UTC.")
    return RetentionAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=(*matched.left_out, *left_out_daily(daily)),
            notes=notes,
        ),
        period=question.period,
        cohorts=cohorts,
        pooled=pooled,
        groups=tuple(RetentionGroup(*key, *tables[key]) for key in in_order(tables)),
        several_variations=several / exposed if exposed else None,
        data_begins=begins,
    )


def make_matched(reading: Reading, asked: Asked) -> Matched:
    """Make the relation `matched`, and by flag `exposed` before it."""
    return match(reading, asked.steps, flag=asked.flag, **asked.match)


def count_returned(reading: Reading, asked: Asked) -> list[Row]:
    """Make the relations `began` (who began) and `came_back` (in which periods) of `matched`, and count them."""
    structure, values, question = asked.structure, asked.values, asked.question
    reading.run("retention.sql", values, entry=question.entry, has_positions=True, **structure)
    groups = make_groups(reading, values, question.by, question.unit)
    relation = Fragment("entered")
    return reading.run(
        "retention_returned.sql", values, relation=relation, **groups, **structure, **asked.counted
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a retention asks: of `match`, and of its own statements."""

    question: Retention
    steps: list[Definition]
    flag: Flag | None
    match: dict[str, Any]
    structure: dict[str, Any]
    counted: dict[str, Any]
    values: dict[str, Any]


def asked_of(reading: Reading, question: Retention, *, keep: Sequence[str] = ()) -> Asked:
    """What a retention asks; `keep` are columns of the event that its statements need."""
    is_first_ever = question.entry == "first_ever"
    bounds = (EARLIEST if is_first_ever else reading.start, reading.now + 1) if reading.has_range else None
    flag = question.by if isinstance(question.by, Flag) else None
    return Asked(
        question,
        [reading.definition(question.begins), reading.definition(question.returns)],
        flag,
        {
            "keep": tuple(dict.fromkeys((*keep, *kept_columns(question.by)))),
            "bounds": bounds,
            "unit": question.unit,
            "by": breakdown_values(question.by),
        },
        {
            "unit": unit_column(question.unit),
            "period": question.period,
            "length": LENGTHS[question.period] if question.rolling else 0,
            "by_flag": flag is not None,
        },
        {
            "mode": question.mode,
            "brackets": [_Bracket(number, *each) for number, each in enumerate(question.brackets)],
        },
        {"periods": question.cells[-1][1], "week_start": reading.calendar.week_start},
    )


def retention_passed(
    reading: Reading, asked: Asked, behind: BehindCell | None = None
) -> Passed[RetentionTables]:
    """The pass over the events, after which the answer says how to make the relations `began` and `came_back`.

    `behind` lists the people of one cell on the way.
    """
    flag, structure, values, question = asked.flag, asked.structure, asked.values, asked.question
    passed = passed_over(
        reading,
        asked.steps,
        flag,
        asked.match,
        lambda searched: retention_tables(
            reading, question, searched, length=structure["length"], behind=behind
        ),
    )
    reading.quote("retention.sql", values, entry=question.entry, has_positions=True, **structure)
    groups = quote_groups(reading, values, question.by, question.unit)
    relation = Fragment("entered")
    reading.quote("retention_returned.sql", values, relation=relation, **groups, **structure, **asked.counted)
    return passed


def retention_rules(question: Retention) -> list[str]:
    """The rules that decide, in words."""
    rules = [ZERO_RULE, LATER_RULE if question.mode == "on_or_after" else POOLED_RULE]
    if question.rolling:
        rules.append(ROLLING_RULE)
    if question.entry == "recurring":
        rules.append(RECURRING_RULE)
    return rules + group_rules(question.by)


def _table(
    counts: _Counts, question: Retention, reading: Reading
) -> tuple[tuple[Cohort, ...], tuple[PooledPeriod, ...]]:
    calendar = reading.calendar
    # The period that runs now is the first one that is not over.
    running = period_number(calendar, calendar.day(reading.now), question.period)
    cohorts = tuple(
        Cohort(
            start=first_day(calendar, cohort, question.period),
            size=sum(sizes.values()),
            periods=tuple(_cells(counts, question, cohort, sizes, running)),
        )
        for cohort, sizes in sorted(counts.sizes.items())
    )
    if question.mode == "on_or_after":
        return cohorts, ()
    pooled = []
    for low, high in question.cells:
        cells = [
            cell
            for cohort in cohorts
            for cell in cohort.periods
            if cell.period == low and (question.rolling or cell.complete)
        ]
        size, returned = sum(cell.size for cell in cells), sum(cell.people for cell in cells)
        pooled.append(PooledPeriod(low, returned, size, returned / size if size else None, high))
    return cohorts, tuple(pooled)


def _cells(
    counts: _Counts, question: Retention, cohort: int, sizes: Mapping[int | None, int], running: int
) -> list[RetentionPeriod]:
    """The cells of a cohort whose period has begun; of rolling periods those in which somebody's is over."""
    whole = sum(sizes.values())
    is_later = question.mode == "on_or_after"
    cells = []
    for place, (low, high) in enumerate(question.cells):
        key = place if question.brackets else low
        if is_later:
            people = sum(
                counted for (of, period), counted in counts.people.items() if of == cohort and period >= low
            )
        else:
            people = counts.people.get((cohort, key), 0)
        if question.rolling:
            size = sum(units for over, units in sizes.items() if over is not None and over > high)
            if size:
                cells.append(RetentionPeriod(low, people, size == whole and not is_later, size, high))
        elif cohort + low <= running:
            complete = cohort + high < running and not is_later
            cells.append(RetentionPeriod(low, people, complete, whole, high))
    return cells


def data_begins(reading: Reading) -> datetime | None:
    """The first event that is kept."""
    # Files say from when to when their events are, so that the first one is found without looking at all of them.
    found = reading.execute(
        "select epoch_us(time) from lake.events where site = $site order by time limit 1;", {}
    )
    return at(found[0][0]) if found else None


def daily_left_out(reading: Reading) -> list[LeftOut]:
    """Events by daily ids, which are nobody on the next day."""
    [daily] = reading.run("retention_daily.sql", {})
    return left_out_daily(daily)


def left_out_daily(daily: Row) -> list[LeftOut]:
    """The same from the row of retention_daily.sql."""
    events, people, every = daily
    return [LeftOut("cookieless: a new id every day", events, people, events / every)] if events else []
