"""Stickiness: in how many distinct periods people did it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from .breakdown import Breakdown, Flag
from .calendar import period_number
from .explanation import ExplainedAnswer
from .grouping import GroupKey, breakdown_values, group_rules, in_order, kept_columns, make_groups
from .matched import match, unit_column
from .question import Question, Step, refuse_other
from .reading import Reading
from .retention import RETENTION_PERIODS
from .retention_counts import daily_left_out
from .statement import Fragment
from .unit import PERSON, Unit

TOTAL: GroupKey = ("total", None)
STICKY_RULE = "Each is counted once, at the number of distinct periods of the range in which it happened."


@dataclass(frozen=True, slots=True)
class Stickiness(Question):
    """On how many distinct days, weeks or months of the range people did it."""

    definition: Step
    period: str = "day"
    by: Breakdown | None = None
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        refuse_other("The period of stickiness", self.period, RETENTION_PERIODS)


@dataclass(frozen=True, slots=True)
class StickinessGroup:
    """The bars of one group of a breakdown; `kind` as in a funnel."""

    kind: str
    value: str | None
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StickinessAnswer(ExplainedAnswer):
    """How many `people` did it in exactly 1, 2, … periods of the range, which has `periods` of them so far.

    `periods` is None where the range has no start.
    """

    period: str
    people: tuple[int, ...]
    groups: tuple[StickinessGroup, ...]
    periods: int | None

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and number of periods; the total has the kind `total`."""
        groups = (StickinessGroup("total", None, self.people), *self.groups)
        return [
            {"kind": group.kind, "value": group.value, "periods": number, "people": people}
            for group in groups
            for number, people in enumerate(group.people, 1)
        ]


def stickiness(reading: Reading, question: Stickiness) -> StickinessAnswer:
    """How many units did it in how many distinct periods."""
    definition = reading.definition(question.definition)
    flag = question.by if isinstance(question.by, Flag) else None
    # Where an entry lies in the order of its unit matters where its group depends on that alone.
    is_placed = flag.several == "as_treated" if flag else question.by is not None
    matched = match(
        reading,
        [definition],
        keep=kept_columns(question.by),
        bounds=(reading.start, min(reading.end, reading.now + 1)),
        flag=flag,
        has_positions=is_placed,
        unit=question.unit,
        by=breakdown_values(question.by),
    )
    values: dict[str, Any] = {"week_start": reading.calendar.week_start}
    structure = {"unit": unit_column(question.unit), "period": question.period, "by_flag": flag is not None}
    reading.run("retention.sql", values, entry="first_in_range", has_positions=is_placed, **structure)
    groups = make_groups(reading, values, question.by, question.unit)
    rows = reading.run("stickiness.sql", values, relation=Fragment("entered"), **structure, **groups)
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
