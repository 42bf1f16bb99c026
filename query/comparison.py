"""Comparison: the same question about the stretch of the same length before, or about the people of another cohort."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from expost.clock import from_micros
from expost.errors import InvalidInput

from .calendar import Calendar
from .cohort import Cohort
from .funnel import Funnel
from .membership import with_cohorts
from .question import Moment
from .reading import Reading
from .sampling import with_sample
from .trend import Trend

Compared = TypeVar("Compared", Funnel, Trend)


def previous(question: Compared, calendar: Calendar) -> Compared:
    """The same question about the stretch of the same length that ends where the range begins.

    Of a range in days so many days before, else as much time before.
    """
    assert question.start is not None
    assert question.end is not None  # or the question had been refused
    try:
        start, end = _before(question.start, question.end, calendar)
    except OverflowError:
        raise InvalidInput(
            f"The period before {question.start} until {question.end} is before all calendars.",
            hint="Say a later from, or an earlier to.",
        ) from None
    return replace(question, start=start, end=end, compare=None)


def _before(start: Moment, end: Moment, calendar: Calendar) -> tuple[Moment, Moment]:
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        return start - (end - start), start
    began, ended = calendar.micros(start, 0), calendar.micros(end, 0)
    before, until = (from_micros(each).astimezone(calendar.zone) for each in (2 * began - ended, began))
    return before, until


def reading_of_cohorts(
    reading: Reading, question: Funnel, cohorts: tuple[str | Cohort, ...]
) -> tuple[Reading, Funnel]:
    """The same question about the people of these cohorts instead of its own, and the same snapshot read for it."""
    asked = replace(question, cohort=cohorts, compare=None)
    own = replace(reading, question=asked, chosen=None, parting=None, notes=())
    return with_sample(with_cohorts(own)), asked
