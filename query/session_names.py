"""What the sessions behind a number are called: by their device and beginning, with the id that lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expost.clock import from_micros, to_micros

from .matched import bounding
from .person import Person, stranger
from .reading import Reading
from .session_id import session_id
from .statement import Fragment, render
from .stretches import find_sessions, find_stretches
from .unit import Unit


def with_sessions(reading: Reading, unit: Unit, people: Sequence[Person]) -> tuple[Person, ...]:
    """Those who are listed; where sessions are counted each with its id, called by its device and when it began.

    A session is known by any event of it, so by the first one that decided. The answer needs to say nothing of it.
    """
    firsts = {each.events[0].event_id: each.events[0].time for each in people if each.events}
    if unit.kind != "session" or not firsts:
        return tuple(people)
    own = replace(reading, sql=[], used={})
    moments = [to_micros(each) for each in firsts.values()]
    values = {"event_ids": list(firsts), **bounding((min(moments), max(moments) + 1))}
    own.quietly(render("listed_devices.sql"), values)
    find_stretches(own, unit.gap, {}, of_devices=Fragment("listed_devices"))
    find_sessions(own, unit.gap, is_numbered=False)
    rows = own.quietly(render("session_names.sql"), values).fetchall()
    found = {event: (device_id, device, began) for event, device_id, device, began in rows}
    return tuple(_named(reading, each, found) for each in people)


def _named(reading: Reading, person: Person, found: dict[str, tuple[int, str | None, int]]) -> Person:
    told = found.get(person.events[0].event_id) if person.events else None
    if told is None:
        return person
    device_id, device, began = told
    at = from_micros(began).astimezone(reading.calendar.zone)
    name = f"{device or stranger(str(device_id))}, {at:%Y-%m-%d %H:%M:%S}"
    return replace(person, name=name, session_id=session_id(device_id, began))
