"""What a trend counts, in two ways: by the relation `counted`, or by passing over arrays, which gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .array_pass import passed_over
from .breakdown import ByCohort, ByColumn, ByProperty, Flag
from .definition import Definition
from .gathering import by_arrays_or_none
from .grouping import MAX_GROUPS, breakdown_values, kept_columns, make_groups, quote_groups
from .matched import Matched, match, unit_column
from .measure import Measure
from .reading import Reading, Row
from .statement import Fragment
from .trend import Trend
from .trend_arrays import is_for_arrays, trend_tables


@dataclass(frozen=True, slots=True)
class Counted:
    """What was matched, the rows of trend.sql, and the values that its statements bind."""

    matched: Matched
    values: dict[str, Any]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a trend asks: of `match`, and of its own statement.

    `has_own`: a value of the event stands in `matched`; `is_placed`: events are grouped by what was known then.
    """

    question: Trend
    steps: list[Definition]
    flag: Flag | None
    has_own: bool
    is_placed: bool
    match: dict[str, Any]
    structure: dict[str, Any]
    values: dict[str, Any]


def count_trend(reading: Reading, question: Trend) -> Counted:
    """Events, people and measures per group and period; `counted` is made where they are of numbers."""
    asked = _asked_of(reading, question)
    counted = None
    if is_for_arrays(question):
        counted = by_arrays_or_none(reading, lambda: _by_arrays(reading, asked))
    return counted or _by_relations(reading, asked)


def prepare_trend(reading: Reading, question: Trend) -> Counted:
    """The same, and the relation `counted`: one row per event, with its id and moment, its group and its period."""
    return _by_relations(reading, _asked_of(reading, question, has_events=True))


def _asked_of(reading: Reading, question: Trend, *, has_events: bool = False) -> _Asked:
    flag = question.by if isinstance(question.by, Flag) else None
    value = breakdown_values(question.by)
    # Of events of two definitions one may be both, and its value counts once.
    has_own = isinstance(value, ByColumn | ByProperty | ByCohort) and question.per is None
    is_placed = (value is not None and not has_own) or (flag is not None and flag.several == "as_treated")
    numbers = tuple(dict.fromkeys(each.of for each in question.measures if each.of is not None))
    return _Asked(
        question,
        [reading.definition(each) for each in (question.definition, question.per) if each is not None],
        flag,
        has_own,
        is_placed,
        {
            "keep": tuple(
                dict.fromkeys((*(("event_id",) if has_events else ()), *kept_columns(question.by)))
            ),
            "bounds": (reading.start, reading.end) if reading.has_range else None,
            "has_positions": is_placed,
            "unit": question.unit,
            "by": value,
            "measured": numbers,
        },
        {
            "unit": unit_column(question.unit),
            "has_own": has_own,
            "groups": MAX_GROUPS,
            "period": question.period,
            "by_flag": flag is not None,
            "numbers": len(numbers),
            "measures": [_aggregate(each, step, numbers) for step, each in enumerate(question.measures, 1)],
            "has_events": has_events,
        },
        {"week_start": reading.calendar.week_start},
    )


def _by_relations(reading: Reading, asked: _Asked) -> Counted:
    values, by, unit = asked.values, asked.question.by, asked.question.unit
    matched = match(reading, asked.steps, flag=asked.flag.key if asked.flag else None, **asked.match)
    if asked.is_placed:
        # Every event is grouped by itself.
        column = unit_column(unit)
        reading.execute(
            f"create or replace temp view entered as\nselect {column} as unit_id, position from matched;", {}
        )
    groups = {"several": "", "by_value": True}
    if not asked.has_own:
        groups = make_groups(reading, values, by, unit)
    return Counted(matched, values, reading.run("trend.sql", values, **asked.structure, **groups))


def _by_arrays(reading: Reading, asked: _Asked) -> Counted:
    """The same from a pass over the events; the answer has the portable SQL, which gives the same."""
    values = asked.values
    passed = passed_over(
        reading,
        asked.steps,
        asked.flag,
        asked.match,
        lambda searched: trend_tables(reading, asked.question, searched),
    )
    groups = quote_groups(reading, values, asked.question.by, asked.question.unit)
    reading.quote("trend.sql", values, **asked.structure, **groups)
    return Counted(passed.matched, values, passed.tables.counts)


def _aggregate(measure: Measure, step: int, numbers: Sequence[str]) -> Fragment:
    """The measure over the rows of one definition, as an expression."""
    of_step = f"filter (where step = {step})"
    if measure.of is None:
        people = f"count(distinct unit_id) {of_step}"
        counts = {
            "events": f"count(*) {of_step}",
            "people": people,
            "per_person": f"count(unit_id) {of_step} / nullif({people}, 0)",
        }
        return Fragment(counts[measure.kind])
    number = f"number_{numbers.index(measure.of) + 1}"
    if measure.percentile is not None:
        return Fragment(f"quantile_disc({number}, {measure.percentile} / 100.0) {of_step}")
    # Sums of floating point numbers that carry what rounding loses, so that their order does not matter.
    functions = {"sum": "fsum", "mean": "favg", "min": "min", "max": "max"}
    found = f"{functions[measure.kind]}({number}) {of_step}"
    return Fragment(f"coalesce({found}, 0)" if measure.kind == "sum" else found)
