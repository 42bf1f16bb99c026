"""Trends: events, people and a measure of a definition per calendar period, empty periods included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from expost.clock import from_micros
from expost.errors import InvalidInput

from .breakdown import Breakdown, Flag
from .calendar import HOUR, first_day, hour_start, period_number
from .comparison import previous
from .grouping import (
    GroupKey,
    exposure_rules,
    in_order,
)
from .interval import EARLIEST, LATEST
from .measure import Measure
from .reading import Reading
from .trend import Point, Trend, TrendAnswer, TrendGroup
from .trend_counts import count_trend

TOTAL: GroupKey = ("total", None)
MAX_POINTS = 20_000
FLAG_RULE = (
    "Each event goes to the variation of its person's first exposure if it is not earlier, else to 'before exposure'; "
    "events of people never exposed are 'not exposed'."
)
VALUE_RULE = "The value of a breakdown is that at each event."
DAILY_RULE = "A device with a daily id is another person on every UTC day."
PERCENTILE_RULE = "Percentiles are exact and nearest-rank: each is a number that some event says."
RATIO_RULE = "A ratio of a longer stretch is not the mean of the ratios of its parts."


@dataclass(frozen=True, slots=True)
class Figures:
    """What was found of a period: events, people, and the measure."""

    events: int = 0
    people: int = 0
    value: float | None = None


def trend(reading: Reading, question: Trend) -> TrendAnswer:
    """Events, people and the measure per period."""
    answer = _trend(reading, question)
    if question.compare is None:
        return answer
    earlier = previous(question, reading.calendar)
    return replace(answer, compared=_trend(replace(reading, question=earlier), earlier))


def _trend(reading: Reading, question: Trend) -> TrendAnswer:
    counted = count_trend(reading, question)
    points: dict[GroupKey, dict[int, Figures]] = {}
    wholes: dict[GroupKey, Figures] = {}
    several: float | None = None
    for kind, value, bucket, events, people, *measured in counted.rows:
        if kind == "exposed":
            several = events / people if people else None
            continue
        figures = Figures(events, people, _value(measured))
        if bucket is None:
            wholes[kind, value] = figures
        else:
            points.setdefault((kind, value), {})[bucket] = figures
    buckets = _buckets(reading, question, points.get(TOTAL, {}))
    nothing = Figures(value=_value([_of_nothing(measure) for measure in question.measures]))
    total = wholes.get(TOTAL, nothing)
    notes = [*counted.matched.notes, DAILY_RULE, *trend_rules(question), *_no_numbers(reading, question)]
    return TrendAnswer(
        question=question,
        basis=reading.basis(
            definitions=counted.matched.definitions, left_out=counted.matched.left_out, notes=notes
        ),
        period=question.period,
        events=total.events,
        people=total.people,
        points=_points(points.get(TOTAL, {}), buckets, nothing),
        groups=tuple(
            TrendGroup(*key, _points(points[key], buckets, nothing), wholes[key].value)
            for key in in_order(points.keys() - {TOTAL})
        ),
        several_variations=several,
        measure=_measured(question),
        value=total.value,
    )


def _of_nothing(measure: Measure) -> float | None:
    """What a measure is where nothing happened."""
    return 0 if measure.kind in ("events", "people", "sum") else None


def _value(measured: Sequence[float | None]) -> float | None:
    """What was measured, divided by what it is per."""
    value, *per = measured
    if not per:
        return value
    return value / per[0] if value is not None and per[0] else None


def _measured(question: Trend) -> str:
    """What is measured, in words."""
    if question.per is None:
        return str(question.measure)
    name = getattr(question.per, "name", question.per)
    return f"{question.measure} per {question.measures[1]} of {name}"


def trend_rules(question: Trend) -> list[str]:
    """The rules that decide, in words."""
    rules = [PERCENTILE_RULE] if any(each.percentile is not None for each in question.measures) else []
    rules += [RATIO_RULE] if question.per is not None else []
    return rules + _group_rules(question.by)


def _group_rules(by: Breakdown | None) -> list[str]:
    if by is None:
        return []
    return [FLAG_RULE, *exposure_rules(by)] if isinstance(by, Flag) else [VALUE_RULE]


def _no_numbers(reading: Reading, question: Trend) -> list[str]:
    """How many events say no number where one is measured: those are left out of the measure, and counted here."""
    numbers = list(dict.fromkeys(each.of for each in question.measures if each.of is not None))
    notes = []
    for step, measure in enumerate(question.measures, 1):
        if measure.of is None:
            continue
        place = numbers.index(measure.of) + 1
        [(without, other)] = reading.execute(
            f"select count(*) filter (where type_{place} is null),\n"
            f"    count(*) filter (where type_{place} is not null and number_{place} is null)\n"
            f"from counted where step = {step};",
            {},
        )
        if without or other:
            notes.append(
                f"Left out of {measure}: {without:,} events without {measure.of!r}, {other:,} in which it is no "
                "number."
            )
    return notes


def _buckets(reading: Reading, question: Trend, found: Mapping[int, object]) -> dict[int, int]:
    """Every period from the first to the last, as its bucket and the instant at which it begins.

    From the range's start, or the first event; to now, or the last event if that is later, but not past its end.
    """
    if not found and question.start is None:
        return {}
    calendar, period = reading.calendar, question.period

    def number_of(micros: int) -> int:
        if period == "hour":
            return hour_start(calendar, micros)
        return period_number(calendar, calendar.day(micros), period)

    first = number_of(reading.start) if reading.start > EARLIEST else min(found)
    last = max([*found, number_of(reading.now)])
    if reading.end < LATEST:
        last = min(last, number_of(reading.end - 1))
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


def _points(found: Mapping[int, Figures], buckets: Mapping[int, int], nothing: Figures) -> tuple[Point, ...]:
    shown = ((start, found.get(bucket, nothing)) for bucket, start in buckets.items())
    return tuple(Point(from_micros(start), each.events, each.people, each.value) for start, each in shown)
