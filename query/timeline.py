"""One person whole: who they are, what says so, and what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from .answer import Answer, as_row
from .chain import chains
from .duration import micros
from .found_person import find_person
from .live import LiveEvent, live_event
from .matched import bounding
from .person import stranger
from .question import Question, refuse_outside
from .reading import Reading
from .session_id import session_id
from .unit import SESSION_GAP

_DEVICES = """
select theirs.device_id, min(devices.device), bool_or(devices.is_daily), count(distinct theirs.event_id),
    min(theirs.time), max(theirs.time)
from theirs join lake.devices as devices on devices.device_id = theirs.device_id
group by theirs.device_id order by max(theirs.time) desc, 2;"""
_TRAITS = """
select name, max_by(value, (traits.at, page_id, page_seq, event_id)), max(traits.at)
from lake.traits_of_people as traits
where site = $site and subject_kind = 'user' and person_id = $person
group by name order by name;"""
MAX_TIMELINE = 1_000


@dataclass(frozen=True, slots=True)
class Timeline(Question):
    """One person whole: users, devices, edges, traits, and the `latest` events in range by session, newest first.

    `id` is what the site calls a user, else the id of a device, else a `person_id`.
    """

    id: str
    latest: int = 200

    def __post_init__(self) -> None:
        refuse_outside("A timeline shows", self.latest, 1, MAX_TIMELINE, "events")


@dataclass(frozen=True, slots=True)
class PersonDevice:
    """A browser that is, or was for a while, a person's. `events` are theirs alone."""

    device_id: str
    device: str
    is_daily: bool
    events: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class PersonEdge:
    """What says whose is whose: a device's user (`identify`), or two users that are one person (`merge`).

    `ids` are all edges that say the same and stand as this one does. `undo` are those to name in an undo: `ids`, or
    where these are withdrawn, the undos of them.
    """

    kind: str
    source: str
    target: str
    is_in_force: bool
    first_at: datetime
    last_at: datetime
    authors: tuple[str, ...]
    ids: tuple[str, ...]
    undo: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonTrait:
    """The latest value of a trait, as JSON text, and since when."""

    name: str
    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineSession:
    """Events of one session: `total` of the person's in it, those shown newest first. What a server sent has no device.

    `session_id` is that of the whole session of the device, in which others may have done something too.
    """

    device: str | None
    began_at: datetime
    ended_at: datetime
    total: int
    events: tuple[LiveEvent, ...]
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineAnswer(Answer):
    """One person: who they are, why, and what they did. `total` events are in range, `shown` of them here."""

    person_id: str
    name: str
    is_user: bool
    users: tuple[str, ...]
    devices: tuple[PersonDevice, ...]
    edges: tuple[PersonEdge, ...]
    traits: tuple[PersonTrait, ...]
    total: int
    sessions: tuple[TimelineSession, ...]

    @property
    def shown(self) -> int:
        """How many events are here."""
        return sum(len(each.events) for each in self.sessions)

    def rows(self) -> list[dict[str, Any]]:
        """One row per event."""
        return [as_row(event) for session in self.sessions for event in session.events]


def timeline(reading: Reading, question: Timeline) -> TimelineAnswer:
    """Users, devices, edges and traits of one person, and their latest events by session."""
    person, users = find_person(reading, question.id)
    bounds = (reading.start, reading.end) if reading.has_range else None
    values: dict[str, Any] = {
        "person": person,
        "users": [user_id for user_id, _ in users],
        "gap": micros(SESSION_GAP),
        "latest": question.latest,
        **bounding(bounds),
    }
    rows = reading.run("timeline.sql", values, has_bounds=bounds is not None)
    events = [dict(zip(reading.columns(), row, strict=True)) for row in rows]
    by_placement = chains(reading, "latest")
    devices = tuple(
        PersonDevice(str(id_), device, bool(is_daily), *counts)
        for id_, device, is_daily, *counts in reading.execute(_DEVICES, {})
    )
    [(total,)] = reading.execute("select count(*) from theirs;", {})
    names = {device.device_id: device.device for device in devices}
    name = users[0][1] if users else None
    sessions = []
    for (device_id, begins, began, ended, in_all), of_session in groupby(events, key=_session_of):
        shown = tuple(live_event(event | {"person": name}, by_placement) for event in of_session)
        called = None if device_id is None else session_id(device_id, begins)
        sessions.append(TimelineSession(names.get(str(device_id)), began, ended, in_all, shown, called))
    traits = tuple(PersonTrait(*row) for row in reading.execute(_TRAITS, {"person": person}))
    return TimelineAnswer(
        question=question,
        basis=reading.basis(),
        person_id=str(person),
        name=name or stranger(str(person)),
        is_user=bool(users),
        users=tuple(user for _, user in users),
        devices=devices,
        edges=tuple(map(_edge, reading.run("timeline_edges.sql", values))),
        traits=traits,
        total=total,
        sessions=tuple(sessions),
    )


def _session_of(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(event[key] for key in ("device_id", "begins", "began_at", "ended_at", "total"))


def _edge(row: Sequence[Any]) -> PersonEdge:
    kind, source, target, is_in_force, first_at, last_at, authors, ids, last_ids = row
    return PersonEdge(
        kind, source, target, is_in_force, first_at, last_at, tuple(authors.split(", ")),
        tuple(sorted(ids.split())), tuple(sorted(last_ids.split())),
    )  # fmt: skip
