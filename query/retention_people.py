"""Retention: the people of a cohort, or of one of its cells, with the events that decided."""

from __future__ import annotations

from .calendar import period_number
from .matched import unit_column
from .person import DecidingEvent, PeopleAnswer, Person, called
from .reading import Reading, Row, at
from .retention import RetentionPeople
from .retention_counts import PreparedRetention, prepare_retention, retention_rules


def retention_people(reading: Reading, question: RetentionPeople) -> PeopleAnswer:
    """The units of a cohort, or of one of its cells, from the relations that its numbers come from."""
    asked = question.retention
    prepared = prepare_retention(reading, asked, keep=("event_id",))
    lows = [low for low, _ in asked.cells]
    period = question.period
    if period is not None and asked.brackets:
        # A stretch of periods is counted by its own number.
        period = lows.index(period)
    values = prepared.values | {
        "kind": question.kind or "total",
        "value": question.value,
        "cohort": period_number(reading.calendar, question.cohort_day, asked.period),
        "period": period,
        "limit": question.limit,
    }
    rows = reading.run(
        "retention_people.sql",
        values,
        unit=unit_column(asked.unit),
        named=asked.unit.kind,
        is_back=question.period is not None,
        mode=asked.mode,
    )
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=prepared.matched.definitions,
            left_out=prepared.matched.left_out,
            notes=[*prepared.matched.notes, *retention_rules(asked)],
        ),
        total=rows[0][0] if rows else 0,
        people=tuple(_person(prepared, row, asked.unit.kind) for row in rows),
    )


def _person(prepared: PreparedRetention, row: Row, unit: str) -> Person:
    _, unit_id, name, is_user, kind, value, *decided = row
    begins, returns = (each.name for each in prepared.matched.definitions)
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
