"""The groups of a breakdown on a page: what each is called, and its colour."""

from __future__ import annotations

from expost.query.cohort import Cohort
from expost.query.question import Question

from .chart import SERIES_COLOURS


def label(kind: str, value: str | None) -> str:
    """A group in words.

    >>> label("variation", "treatment"), label("not exposed", None)
    ('treatment', 'not exposed')
    """
    return value if kind in ("variation", "value") and value is not None else kind


def colour(place: int) -> int:
    """The number of the series colour of the group at this place, counted from 0."""
    return place % SERIES_COLOURS + 1


def everyone(question: Question) -> str:
    """What all are called of whom a question is asked: by the cohorts that they are in, if it is asked of any.

    >>> everyone(Question(cohort=("Buyers",))), everyone(Question())
    ('Buyers', 'Everyone')
    """
    names = [each.name if isinstance(each, Cohort) else each for each in question.cohort]
    return " and ".join(names) or "Everyone"
