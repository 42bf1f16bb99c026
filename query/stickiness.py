"""Stickiness: in how many distinct periods people did it. Lifecycle: who is new, came back, or left."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from .answer import LifecycleAnswer, LifecyclePeriod, StickinessAnswer, StickinessGroup
from .breakdown import Flag
from .calendar import first_day, period_number
from .grouping import GroupKey, breakdown_values, group_rules, in_order, kept_columns, make_groups
from .interval import EARLIEST, LATEST
from .question import Lifecycle, Stickiness
from .reading import Reading, match, unit_column
from .retention import daily_left_out, data_begins

TOTAL: GroupKey = ("total", None)
STICKY_RULE = "Each is counted once, at the number of distinct periods of the range in which it happened."
LIFE_RULE = (
    "New: for the first time in kept data. Returning: in the period before as well. Resurrecting: not in the one "
    "before, but earlier. Dormant: in the one before, and not in this one."
)


def stickiness(reading: Reading, question: Stickiness) -> StickinessAnswer:
    """How many units did it in how many distinct periods."""
    definition = reading.definition(question.definition)
    flag = question.by if isinstance(question.by, Flag) else None
    matched = match(
        reading,
        [definition],
        keep=kept_columns(question.by),
        bounds=(reading.start, min(reading.end, reading.now + 1)),
        flag=flag.key if flag else None,
        unit=question.unit,
        by=breakdown_values(question.by),
    )
    values: dict[str, Any] = {"week_start": reading.calendar.week_start}
    structure = {"unit": unit_column(question.unit), "period": question.period, "by_flag": flag is not None}
    reading.run("retention.sql", values, entry="first_in_range", **structure)
    groups = make_groups(reading, values, question.by, question.unit)
    rows = reading.run("stickiness.sql", values, **structure, **groups)
    counts: dict[GroupKey, dict[int, int]] = defaultdict(dict)
    for kind, value, periods, people in rows:
        counts[kind, value][periods] = people
    total = counts.pop(TOTAL, {})
    most = max(total, default=0)
    return StickinessAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=(*matched.left_out, *daily_left_out(reading)),
            notes=[*matched.notes, STICKY_RULE, *group_rules(question.by)],
        ),
        period=question.period,
        people=_bars(total, most),
        groups=tuple(StickinessGroup(*key, _bars(counts[key], most)) for key in in_order(counts)),
        periods=_length(reading, question),
    )


def _bars(found: dict[int, int], most: int) -> tuple[int, ...]:
    return tuple(found.get(number, 0) for number in range(1, most + 1))


def _length(reading: Reading, question: Stickiness) -> int | None:
    """How many periods the range has, if it begins somewhere: one that has begun counts."""
    if question.start is None:
        return None
    calendar, period = reading.calendar, question.period
    last = min(reading.end - 1, reading.now)
    first, end = (period_number(calendar, calendar.day(each), period) for each in (reading.start, last))
    return max(0, end - first + 1)


def lifecycle(reading: Reading, question: Lifecycle) -> LifecycleAnswer:
    """Per period who is new, returning, resurrecting and dormant."""
    definition = reading.definition(question.definition)
    # Who is new is decided by all that was before the range.
    bounds = (EARLIEST, min(reading.end, reading.now + 1))
    matched = match(reading, [definition], bounds=bounds, has_positions=False, unit=question.unit)
    values = {"week_start": reading.calendar.week_start}
    unit = unit_column(question.unit)
    rows = reading.run("lifecycle.sql", values, unit=unit, period=question.period)
    found = {number: (new, returning, back, dormant) for number, new, returning, back, dormant in rows}
    begins = data_begins(reading)
    return LifecycleAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=(*matched.left_out, *daily_left_out(reading)),
            notes=[*matched.notes, LIFE_RULE, *_begins_note(begins)],
        ),
        period=question.period,
        periods=tuple(_life(reading, question, found)),
        data_begins=begins,
    )


def _life(
    reading: Reading, question: Lifecycle, found: dict[int, tuple[int, int, int, int]]
) -> list[LifecyclePeriod]:
    if not found:
        return []
    calendar, period = reading.calendar, question.period

    def number_of(micros: int) -> int:
        return period_number(calendar, calendar.day(micros), period)

    running = number_of(reading.now)
    first = number_of(reading.start) if reading.start > EARLIEST else min(found)
    last = min(number_of(reading.end - 1), running) if reading.end < LATEST else running
    return [
        LifecyclePeriod(
            first_day(calendar, number, period), *_lives(found, number), complete=number < running
        )
        for number in range(first, last + 1)
    ]


def _lives(found: dict[int, tuple[int, int, int, int]], number: int) -> tuple[int, int, int, int]:
    return found.get(number, (0, 0, 0, 0))


def _begins_note(begins: datetime | None) -> list[str]:
    if begins is None:
        return []
    return [
        f"Kept data begins at {begins:%Y-%m-%d %H:%M} UTC: whoever did it before that is new at their first after it."
    ]
