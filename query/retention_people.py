"""Retention: the people of a cohort, or of one of its cells, with the events that decided."""

from __future__ import annotations

from typing import Any

from .behind import BehindCell
from .calendar import period_number
from .few_people import match_few
from .gathering import by_arrays_or_none
from .matched import Matched
from .person import DecidingEvent, PeopleAnswer, Person, called
from .reading import Reading, Row, at
from .retention import RetentionPeople
from .retention_arrays import is_for_arrays
from .retention_counts import Asked, asked_of, count_returned, make_matched, retention_passed, retention_rules
from .session_names import with_sessions

_Listed = tuple[Matched, int, list[Row]]
"""What was matched, how many are behind the cell, and the rows of those who are listed."""


def retention_people(reading: Reading, question: RetentionPeople) -> PeopleAnswer:
    """The units of a cohort, or of one of its cells, from what its numbers come from."""
    asked = asked_of(reading, question.retention, keep=("event_id",))
    listed = None
    if is_for_arrays(question.retention):
        listed = by_arrays_or_none(reading, lambda: _by_arrays(reading, question, asked))
    matched, total, rows = listed or _by_relations(reading, question, asked)
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=matched.left_out,
            notes=[*matched.notes, *retention_rules(question.retention)],
        ),
        total=total,
        people=with_sessions(
            reading,
            question.retention.unit,
            [_person(matched, row, question.retention.unit.kind) for row in rows],
        ),
    )


def _by_relations(reading: Reading, question: RetentionPeople, asked: Asked) -> _Listed:
    matched = make_matched(reading, asked)
    count_returned(reading, asked)
    values = _values(reading, question, asked)
    rows = reading.run("retention_people.sql", values, **_structure(question, asked))
    return matched, rows[0][0] if rows else 0, rows


def _by_arrays(reading: Reading, question: RetentionPeople, asked: Asked) -> _Listed:
    """The same from the pass that counts; what decided is read from the events of those alone who are listed."""
    values, structure = _values(reading, question, asked), _structure(question, asked)
    behind = BehindCell(
        **{name: values[name] for name in ("kind", "value", "limit", "cohort", "period")},
        or_after=question.retention.mode == "on_or_after",
    )
    passed = retention_passed(reading, asked, behind)
    reading.quote("retention_people.sql", values, **structure)
    if not len(behind.persons):
        return passed.matched, 0, []
    # Nothing before an entry decides of it, nor after it if no return is asked for.
    last = int(behind.entered.max()) if question.period is None else reading.now
    between = int(behind.entered.min()), last
    few = match_few(reading, passed.searched, behind.persons, between, asked.flag)
    count_returned(few, asked)
    return passed.matched, behind.total, few.run("retention_people.sql", values, **structure)


def _values(reading: Reading, question: RetentionPeople, asked: Asked) -> dict[str, Any]:
    period = question.period
    if period is not None and question.retention.brackets:
        # A stretch of periods is counted by its own number.
        period = [low for low, _ in question.retention.cells].index(period)
    return asked.values | {
        "kind": question.kind or "total",
        "value": question.value,
        "cohort": period_number(reading.calendar, question.cohort_day, question.retention.period),
        "period": period,
        "limit": question.limit,
    }


def _structure(question: RetentionPeople, asked: Asked) -> dict[str, Any]:
    return {
        "unit": asked.structure["unit"],
        "named": question.retention.unit.kind,
        "is_back": question.period is not None,
        "mode": question.retention.mode,
    }


def _person(matched: Matched, row: Row, unit: str) -> Person:
    _, unit_id, name, is_user, kind, value, *decided = row
    begins, returns = (each.name for each in matched.definitions)
    events = [
        DecidingEvent(step, event_id, moment)
        for step, event_id, micros in ((begins, *decided[:2]), (returns, *decided[2:]))
        if event_id is not None and (moment := at(micros)) is not None
    ]
    return Person(
        str(unit_id),
        called(unit, unit_id, name, is_user=is_user),
        is_user,
        kind,
        value,
        len(events),
        tuple(events),
    )
