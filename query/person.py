"""People behind a number, the same for every kind of question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answer import Answer


@dataclass(frozen=True, slots=True)
class DecidingEvent:
    """The event of the shown attempt that made a step."""

    step: str
    event_id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """One person behind a number. `name` is what the site calls them, or `stranger 973924`, the end of `person_id`.

    Where sessions are counted `name` is the device and when the session began, and `session_id` the id of its page;
    `person_id` is its number among those of this snapshot.
    """

    person_id: str
    name: str
    is_user: bool
    kind: str
    value: str | None
    reached: int
    events: tuple[DecidingEvent, ...]
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleAnswer(Answer):
    """The people behind a bar: `total` of them, the first ones by time of entry in `people`."""

    total: int
    people: tuple[Person, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per person; of sessions with the id of each."""
        are_sessions = any(p.session_id is not None for p in self.people)
        return [
            {"person_id": p.person_id, "name": p.name, "kind": p.kind, "value": p.value, "reached": p.reached,
             "entered_at": p.events[0].time if p.events else None}
            | ({"session_id": p.session_id} if are_sessions else {})
            for p in self.people
        ]  # fmt: skip


def called(unit: str, unit_id: int, name: str | None, *, is_user: bool) -> str:
    """What a unit is called in a list."""
    if is_user and name is not None:
        return name
    return f"session {unit_id}" if unit == "session" else stranger(str(unit_id))


def stranger(person_id: str) -> str:
    """What somebody is called whom the site has not named: the same in every list.

    >>> stranger("14730992418897973924")
    'stranger 973924'
    """
    return f"stranger {person_id[-6:]}"
