"""The range of a question that says the last days: which days these are, once it is asked."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, TypeVar

from expost.errors import InvalidInput

from .answer import Answer
from .calendar import Calendar
from .question import Question

DAY = timedelta(days=1)
Asked = TypeVar("Asked", bound=Question)
Given = TypeVar("Given", bound=Answer)


def settled(question: Asked, calendar: Calendar, now: int) -> Asked:
    """The question with days for its `last`; so are the questions inside it."""
    changes: dict[str, Any] = {
        each.name: settled(inner, calendar, now)
        for each in fields(question)
        if isinstance(inner := getattr(question, each.name), Question)
    }
    if question.last is not None:
        changes |= _days(question, calendar, now)
    return replace(question, **changes) if changes else question


def as_asked(answer: Given, question: Question) -> Given:
    """The answer to the settled question as one to that which was asked; a note says which days were meant."""
    assert question.last is not None
    meant, basis = answer.question, answer.basis
    note = (
        f"The last {question.last // DAY} days: from {meant.start} until {meant.end}, which is not counted."
    )
    # A report that is made of the answer goes on to mean the last days.
    return replace(answer, question=question, basis=replace(basis, notes=(note, *basis.notes)))


def _days(question: Question, calendar: Calendar, now: int) -> dict[str, Any]:
    assert question.last is not None
    if question.start is not None or question.end is not None:
        raise InvalidInput(
            "The last days and a range are both said.", hint="Say last, or from and to, and not both."
        )
    days, rest = divmod(question.last, DAY)
    if not question.last:
        raise InvalidInput("last is 0 days.", hint="Give 1 or more, for example last=30d")
    if days < 1 or rest:
        raise InvalidInput(
            f"The last {question.last} are no days of the calendar.", hint="For example: 30d, or 12w"
        )
    end = calendar.day(now) + DAY
    try:
        return {"start": end - days * DAY, "end": end, "last": None}
    except OverflowError:
        raise InvalidInput(
            f"The last {days:,} days began before all calendars.", hint="For example: 30d"
        ) from None
