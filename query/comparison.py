"""Comparison: the same question about the stretch of the same length before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from expost.errors import InvalidInput

from .question import Funnel, Trend

Compared = TypeVar("Compared", Funnel, Trend)


def previous(question: Compared) -> Compared:
    """The same question about the stretch of the same length that ends where the range begins."""
    start, end = question.start, question.end
    if start is None or end is None:
        raise InvalidInput("There is no period before all time.", hint="Say from and to.")
    if isinstance(start, datetime) != isinstance(end, datetime):
        start, end = _moment(start), _moment(end)
    length = _length(start, end)
    return replace(question, start=start - length, end=start, compare=None)


def _length(start: date, end: date) -> timedelta:
    return end - start


def _moment(given: date) -> datetime:
    return given if isinstance(given, datetime) else datetime(given.year, given.month, given.day)  # noqa: DTZ001
