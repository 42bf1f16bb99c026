"""Funnels: the people behind a bar, with the events that decided."""

from __future__ import annotations

from collections.abc import Sequence

from .definition import Definition
from .funnel import FunnelPeople
from .funnel_counts import funnel_rules
from .funnel_results import prepare
from .matched import unit_column
from .person import DecidingEvent, PeopleAnswer, Person, called
from .reading import Reading, Row, at


def funnel_people(reading: Reading, question: FunnelPeople) -> PeopleAnswer:
    """The units behind a bar, with the events that decided."""
    asked = question.funnel
    prepared = prepare(reading, asked, keep=("event_id",))
    kind = question.kind or "total"
    values = dict(prepared.values)
    values |= {"kind": kind, "value": question.value, "step": question.step, "limit": question.limit}
    if question.person is not None:
        values["unit_id"] = int(question.person) if question.person.lstrip("-").isdigit() else 0
    after = prepared.shapes[question.step - 1].after
    values["deepest"] = after - 1 if question.dropped_off and after else len(prepared.steps)
    if question.dropped_off and not after:
        values["deepest"] = question.step
    rows = reading.run(
        "funnel_people.sql",
        values,
        stages=prepared.shapes,
        at=prepared.shapes[question.step - 1],
        unit=unit_column(asked.unit),
        named=asked.unit.kind,
        has_steps=asked.order == "any",
        is_one=question.person is not None,
    )
    people = tuple(_person(prepared.steps, row, asked.unit.kind) for row in rows)
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=prepared.matched.definitions,
            left_out=prepared.matched.left_out,
            notes=(*prepared.matched.notes, *funnel_rules(asked)),
        ),
        total=rows[0][0] if rows else 0,
        people=people,
    )


def _person(steps: Sequence[Definition], row: Row, unit: str) -> Person:
    _, unit_id, name, is_user, kind, value, reached, *decided = row
    triples = [decided[place : place + 3] for place in range(0, len(decided), 3)]
    events = [
        DecidingEvent(steps[step - 1].name, event_id, moment)
        for event_id, micros_at, step in triples
        if event_id is not None and (moment := at(micros_at)) is not None
    ]
    said = called(unit, unit_id, name, is_user=is_user)
    return Person(str(unit_id), said, is_user, kind, value, reached, tuple(events))
