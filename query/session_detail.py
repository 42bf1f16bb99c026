"""One session opened: the question, and what answers it: what it is, and its events in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from expost.clock import from_micros

from .answer import Answer, as_row
from .chain import chains
from .left_out import Counting
from .live import LiveEvent, live_event
from .question import Question, refuse_outside
from .reading import Reading
from .session_id import parse_session_id, unknown_session
from .session_list import Told, list_sessions, tell_sessions
from .sessions import Session, Sessions, refuse_no_gap
from .unit import SESSION_GAP

MOVED_NOTE = (
    "No session begins at {asked}: this one holds that moment. Events that arrived later, or another gap, move where "
    "sessions begin."
)
NOTHING_NOTE = "None of its events counts, so no list has this session: here all are counted."
ALL_NOTE = "All events of the device in this session are here, also what does not count: {counted:,} of {total:,} do."
MOST_SESSION_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class SessionDetail(Question):
    """One session, by the id that the list has, and the first `limit` of its events in their order."""

    id: str
    gap: timedelta = SESSION_GAP
    limit: int = 500

    def __post_init__(self) -> None:
        refuse_no_gap(self.gap)
        refuse_outside("A session shows", self.limit, 1, MOST_SESSION_EVENTS, "events")


@dataclass(frozen=True, slots=True)
class SessionAnswer(Answer):
    """One session with its events: all that its device sent, also what does not count. `total` is how many they are."""

    session: Session
    total: int
    events: tuple[LiveEvent, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per event."""
        return [as_row(each) for each in self.events]


def session_detail(reading: Reading, question: SessionDetail) -> SessionAnswer:
    """The session of this id: where none begins at its moment, the one of the device that holds it."""
    found, told, notes = _found(reading, question)
    rows = reading.run("session_events.sql", {**told.bounds, "limit": question.limit})
    names = reading.columns()
    by_placement = chains(reading, "latest")
    events = tuple(live_event(dict(zip(names, row, strict=True)), by_placement) for row in rows)
    [(total,)] = reading.run("session_total.sql", told.bounds)
    notes = [*told.notes(reading, question.gap), *notes]
    if total > found.events:
        notes.append(ALL_NOTE.format(counted=found.events, total=total))
    return SessionAnswer(
        question=question, basis=reading.basis(notes=notes), session=found, total=total, events=events
    )


def _found(reading: Reading, question: SessionDetail) -> tuple[Session, Told, list[str]]:
    device_id, began = parse_session_id(question.id)
    for asked, notes in _ways(reading, question, began):
        sessions = Sessions(device=str(device_id), gap=question.gap, limit=1)
        told = tell_sessions(asked, sessions)
        for found in list_sessions(asked, sessions, told.bounds):
            if found.session_id == question.id:
                return found, told, notes
            if found.ended_at >= from_micros(began):
                moment = f"{from_micros(began):%Y-%m-%d %H:%M:%S} UTC"
                return found, told, [MOVED_NOTE.format(asked=moment), *notes]
    raise unknown_session(question.id)


def _ways(reading: Reading, question: SessionDetail, began: int) -> Iterator[tuple[Reading, list[str]]]:
    """Readings in which the latest session of the device may be the one, those that read least first."""
    everything = Counting(bots=True, internal=True, environments=(), said=frozenset())
    for start in (from_micros(began), None):
        asked = replace(
            reading, question=replace(question, start=start, end=from_micros(began + 1), last=None)
        )
        yield asked, []
        yield replace(asked, counting=everything), [NOTHING_NOTE]
