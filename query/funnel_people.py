"""Funnels: the people behind a bar, with the events that decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .behind import BehindBar
from .definition import Definition
from .few_people import match_few
from .funnel import FunnelPeople
from .funnel_arrays import is_for_arrays
from .funnel_counts import funnel_rules
from .funnel_pass import funnel_passed
from .funnel_results import Asked, asked_of, make_matched, make_results
from .gathering import by_arrays_or_none
from .grouping import breakdown_values
from .matched import Matched
from .person import DecidingEvent, PeopleAnswer, Person, called
from .reading import Reading, Row, at
from .session_names import with_sessions

_Listed = tuple[Matched, int, list[Row]]
"""What was matched, how many are behind the bar, and the rows of those who are listed."""


def funnel_people(reading: Reading, question: FunnelPeople) -> PeopleAnswer:
    """The units behind a bar, with the events that decided."""
    asked = asked_of(reading, question.funnel, keep=("event_id",))
    listed = None
    # Which values are told apart is known of all entries, and those of the people who are listed are few.
    is_by_value = breakdown_values(question.funnel.by) is not None
    if not is_by_value and is_for_arrays(question.funnel):
        listed = by_arrays_or_none(reading, lambda: _by_arrays(reading, question, asked))
    matched, total, rows = listed or _by_relations(reading, question, asked)
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions,
            left_out=matched.left_out,
            notes=(*matched.notes, *funnel_rules(question.funnel)),
        ),
        total=total,
        people=with_sessions(
            reading,
            question.funnel.unit,
            [_person(asked.steps, row, question.funnel.unit.kind) for row in rows],
        ),
    )


def _by_relations(reading: Reading, question: FunnelPeople, asked: Asked) -> _Listed:
    matched = make_matched(reading, asked)
    make_results(reading, asked)
    rows = reading.run("funnel_people.sql", _values(question, asked), **_structure(question, asked))
    return matched, rows[0][0] if rows else 0, rows


def _by_arrays(reading: Reading, question: FunnelPeople, asked: Asked) -> _Listed:
    """The same from the pass that counts; what decided is read from the events of those alone who are listed."""
    values, structure = _values(question, asked), _structure(question, asked)
    behind = BehindBar(
        kind=values["kind"],
        value=question.value,
        limit=question.limit,
        person=values.get("unit_id"),
        at=structure["at"],
        deepest=values["deepest"],
    )
    passed = funnel_passed(reading, asked, behind)
    reading.quote("funnel_people.sql", values, **structure)
    if not len(behind.persons):
        return passed.matched, 0, []
    # Attempts of which nothing is shown decide nothing, so what lies outside of the shown ones is not needed.
    between = int(behind.entered.min()), int(behind.entered.max()) + asked.structure["within"]
    few = match_few(reading, passed.searched, behind.persons, between, asked.flag)
    make_results(few, asked)
    return passed.matched, behind.total, few.run("funnel_people.sql", values, **structure)


def _values(question: FunnelPeople, asked: Asked) -> dict[str, Any]:
    values = asked.values | {
        "kind": question.kind or "total",
        "value": question.value,
        "step": question.step,
        "limit": question.limit,
    }
    if question.person is not None:
        values["unit_id"] = int(question.person) if question.person.lstrip("-").isdigit() else 0
    after = asked.shapes[question.step - 1].after
    values["deepest"] = after - 1 if question.dropped_off and after else len(asked.steps)
    if question.dropped_off and not after:
        values["deepest"] = question.step
    return values


def _structure(question: FunnelPeople, asked: Asked) -> dict[str, Any]:
    return {
        "stages": asked.shapes,
        "at": asked.shapes[question.step - 1],
        "unit": asked.structure["unit"],
        "named": question.funnel.unit.kind,
        "has_steps": question.funnel.order == "any",
        "is_one": question.person is not None,
    }


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
