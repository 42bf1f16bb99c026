"""What a trend counts, in two ways: by the relation `counted`, or by passing over arrays, which gives the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .array_pass import passed_over
from .breakdown import ByCohort, ByColumn, ByProperty, Flag
from .definition import Definition
from .gathering import by_arrays_or_none
from .grouping import MAX_GROUPS, breakdown_values, kept_columns, make_groups, quote_groups
from .latest_start import Numbers
from .matched import Matched, match, unit_column
from .measure import Measure
from .reading import Reading, Row
from .session_portions import match_in_portions
from .statement import Fragment, render
from .trend import Trend
from .trend_arrays import TOTAL, is_for_arrays, rows_of_sums, trend_tables
from .unit import Unit


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
    elif reading.is_fast and _is_for_portions(question):
        counted = _in_portions(reading, asked)
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
    matched = match(reading, asked.steps, flag=asked.flag, **asked.match)
    if asked.is_placed:
        reading.execute(_entered(unit), {})
    groups = {"several": "", "by_value": True}
    if not asked.has_own:
        groups = make_groups(reading, values, by, unit)
    return Counted(matched, values, reading.run("trend.sql", values, **asked.structure, **groups))


def _entered(unit: Unit) -> str:
    """Every event is grouped by itself."""
    column = unit_column(unit)
    return f"create or replace temp view entered as\nselect {column} as unit_id, position from matched;"


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
    if asked.is_placed:
        reading.say(_entered(asked.question.unit), {})
    groups = quote_groups(reading, values, asked.question.by, asked.question.unit)
    reading.quote("trend.sql", values, **asked.structure, **groups)
    return Counted(passed.matched, values, passed.tables.counts)


def _is_for_portions(question: Trend) -> bool:
    """Whether what is counted of some sessions and of others adds up."""
    is_counted = all(each.of is None for each in question.measures)
    return question.unit.kind == "session" and question.by is None and is_counted


def _in_portions(reading: Reading, asked: _Asked) -> Counted:
    """The same of some sessions after the others; the answer has the portable SQL, which gives the same."""
    values, measures = asked.values, asked.question.measures
    groups = {"several": "", "by_value": False}
    text = render("trend.sql", **asked.structure | groups | {"measures": list(_sums(len(measures)))})
    sums: dict[int | None, Numbers] = {}

    def add() -> None:
        for _, _, bucket, _, _, *numbers in reading.quietly(text, values).fetchall():
            found = np.array(numbers, np.int64).reshape(len(measures), -1)
            sums[bucket] = sums[bucket] + found if bucket in sums else found

    matched = match_in_portions(reading, asked.steps, add, **asked.match)
    reading.quote("trend.sql", values, **asked.structure, **groups)
    return Counted(matched, values, [(*TOTAL, *row) for row in rows_of_sums(sums, measures)])


def _sums(many: int) -> Iterator[Fragment]:
    """What adds up of each definition: EVENTS, OF_PEOPLE and PEOPLE, of sessions here."""
    for step in range(1, many + 1):
        for counted in ("*", "unit_id", "distinct unit_id"):
            yield Fragment(f"count({counted}) filter (where step = {step})")


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
