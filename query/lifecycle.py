"""Lifecycle: who is new, came back, or left, per period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .answer import as_row
from .calendar import first_day, period_number
from .explanation import ExplainedAnswer
from .interval import EARLIEST, LATEST
from .matched import match, unit_column
from .question import Question, Step, refuse_other
from .reading import Reading
from .retention import RETENTION_PERIODS
from .retention_counts import daily_left_out, data_begins
from .unit import PERSON, Unit

LIFE_RULE = (
    "New: for the first time in kept data. Returning: in the period before as well. Resurrecting: not in the one "
    "before, but earlier. Dormant: in the one before, and not in this one."
)


@dataclass(frozen=True, slots=True)
class Lifecycle(Question):
    """Per day, week or month who did it for the first time, again, after a gap, and who did in the one before only."""

    definition: Step
    period: str = "week"
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        refuse_other("The period of a lifecycle", self.period, RETENTION_PERIODS)


@dataclass(frozen=True, slots=True)
class LifecyclePeriod:
    """Who did it in the period from the local date `start`, by what they did before.

    `dormant` are those who did it in the period before and not in this one. `complete` once the period is over: until
    then the dormant may still come.
    """

    start: date
    new: int
    returning: int
    resurrecting: int
    dormant: int
    complete: bool


@dataclass(frozen=True, slots=True)
class LifecycleAnswer(ExplainedAnswer):
    """Who came, stayed, came back and left, per period. `data_begins` is the first event that is kept."""

    period: str
    periods: tuple[LifecyclePeriod, ...]
    data_begins: datetime | None

    def rows(self) -> list[dict[str, Any]]:
        """One row per period."""
        return [as_row(each) for each in self.periods]


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
