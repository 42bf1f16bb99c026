"""Trends: the people of a point, each with the events there."""

from __future__ import annotations

from dataclasses import replace

from .calendar import hour_start, period_number
from .person import DecidingEvent, PeopleAnswer, Person, called
from .question import Moment
from .reading import Reading, at
from .session_names import with_sessions
from .trend import TrendPeople
from .trend_counts import prepare_trend
from .trend_figures import DAILY_RULE, trend_rules


def trend_people(reading: Reading, question: TrendPeople) -> PeopleAnswer:
    """The units of a point, from the relation that its numbers come from, each with its events there."""
    asked = question.trend
    counted = prepare_trend(reading, asked)
    values = dict(counted.values) | {"limit": question.limit, "kind": question.kind, "value": question.value}
    if question.period is not None:
        values["bucket"] = _bucket(reading, asked.period, question.period)
    kind = question.kind or "total"
    rows = reading.run(
        "trend_people.sql",
        values,
        named=asked.unit.kind,
        has_bucket=question.period is not None,
        has_group=kind != "total",
    )
    step = counted.matched.definitions[0].name
    people: dict[int, Person] = {}
    for _, unit_id, name, is_user, event_id, micros in rows:
        before = people.get(unit_id)
        moment = at(micros)
        assert moment is not None
        event = DecidingEvent(step, event_id, moment)
        said = called(asked.unit.kind, unit_id, name, is_user=is_user)
        people[unit_id] = (
            Person(str(unit_id), said, is_user, kind, question.value, 1, (event,))
            if before is None
            else replace(before, events=(*before.events, event))
        )
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=counted.matched.definitions,
            left_out=counted.matched.left_out,
            notes=[*counted.matched.notes, DAILY_RULE, *trend_rules(asked)],
        ),
        total=rows[0][0] if rows else 0,
        people=with_sessions(reading, asked.unit, tuple(people.values())),
    )


def _bucket(reading: Reading, period: str, moment: Moment) -> int:
    """The number of the period in which a moment lies."""
    calendar = reading.calendar
    micros = calendar.micros(moment, 0)
    if period == "hour":
        return hour_start(calendar, micros)
    return period_number(calendar, calendar.day(micros), period)
