"""Trends: events and people of a definition per calendar period, empty periods included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expost.clock import from_micros
from expost.errors import InvalidInput

from .answer import Point, TrendAnswer, TrendGroup
from .breakdown import Breakdown, Flag
from .calendar import HOUR, first_day, hour_start, period_number
from .grouping import SEVERAL_RULES, GroupKey, breakdown_values, in_order, kept_columns, make_groups
from .interval import EARLIEST, LATEST
from .question import Trend
from .reading import Reading, match, unit_column

TOTAL: GroupKey = ("total", None)
MAX_POINTS = 20_000
FLAG_RULE = (
    "Each event goes to the variation of its person's first exposure if it is not earlier, else to 'before exposure'; "
    "events of people never exposed are 'not exposed'."
)
VALUE_RULE = "The value of a breakdown is that at each event."
DAILY_RULE = "A device with a daily id is another person on every UTC day."


def trend(reading: Reading, question: Trend) -> TrendAnswer:
    """Events and people per period."""
    definition = reading.definition(question.definition)
    bounds = (reading.start, reading.end) if reading.has_range else None
    flag = question.by if isinstance(question.by, Flag) else None
    value = breakdown_values(question.by)
    is_placed = value is not None or (flag is not None and flag.several == "as_treated")
    matched = match(
        reading,
        [definition],
        keep=kept_columns(question.by),
        bounds=bounds,
        flag=flag.key if flag else None,
        has_positions=is_placed,
        unit=question.unit,
        by=value,
    )
    values: dict[str, Any] = {"week_start": reading.calendar.week_start}
    unit = unit_column(question.unit)
    if is_placed:
        # Every event is grouped by itself.
        reading.execute(
            f"create or replace temp view entered as\nselect {unit} as unit_id, position from matched;", {}
        )
    groups = make_groups(reading, values, question.by, question.unit)
    rows = reading.run(
        "trend.sql", values, unit=unit, period=question.period, by_flag=flag is not None, **groups
    )
    points: dict[GroupKey, dict[int, tuple[int, int]]] = {}
    events = people = 0
    several: float | None = None
    for kind, value, bucket, count, persons in rows:
        if bucket is not None:
            points.setdefault((kind, value), {})[bucket] = (count, persons)
        elif kind == "total":
            events, people = count, persons
        elif persons:
            several = count / persons
    buckets = _buckets(reading, question, points.get(TOTAL, {}))
    return TrendAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=matched.left_out,
            notes=[*matched.notes, DAILY_RULE, *_rules(question.by)],
        ),
        period=question.period,
        events=events,
        people=people,
        points=_points(points.get(TOTAL, {}), buckets),
        groups=tuple(
            TrendGroup(*key, _points(points[key], buckets)) for key in in_order(points.keys() - {TOTAL})
        ),
        several_variations=several,
    )


def _rules(by: Breakdown | None) -> list[str]:
    if by is None:
        return []
    return [FLAG_RULE, *SEVERAL_RULES[by.several]] if isinstance(by, Flag) else [VALUE_RULE]


def _buckets(reading: Reading, question: Trend, found: Mapping[int, object]) -> dict[int, int]:
    """Every period from the first to the last, as its bucket and the instant at which it begins.

    From the range's start, or the first event; to the range's end, or now, or the last event if that is later.
    """
    if not found and question.start is None:
        return {}
    calendar, period = reading.calendar, question.period

    def number_of(micros: int) -> int:
        if period == "hour":
            return hour_start(calendar, micros)
        return period_number(calendar, calendar.day(micros), period)

    first = number_of(reading.start) if reading.start > EARLIEST else min(found)
    last = number_of(reading.end - 1) if reading.end < LATEST else max([*found, number_of(reading.now)])
    step = HOUR if period == "hour" else 1
    if (last - first) // step >= MAX_POINTS:
        raise InvalidInput(
            f"The trend would have {(last - first) // step + 1:,} points; at most {MAX_POINTS:,}.",
            hint="Choose a longer period, or a shorter range: from and to.",
        )
    if period == "hour":
        # An offset that changes by half an hour moves the hours that follow.
        hours = {hour_start(calendar, at) for at in range(first, last + HOUR, HOUR)} | set(found)
        return {hour: hour for hour in sorted(hours) if first <= hour <= last}
    return {
        number: calendar.midnight(first_day(calendar, number, period)) for number in range(first, last + 1)
    }


def _points(found: Mapping[int, tuple[int, int]], buckets: Mapping[int, int]) -> tuple[Point, ...]:
    return tuple(Point(from_micros(start), *found.get(bucket, (0, 0))) for bucket, start in buckets.items())
