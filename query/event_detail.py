"""One event whole, and the chain of its element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expost.errors import UnknownName

from .answer import Answer
from .chain import chains, with_selectors
from .level import Level
from .question import Question
from .reading import Reading

IDS = ("device_id", "user_id", "group_id", "person_id", "element_id", "placement_id")


@dataclass(frozen=True, slots=True)
class EventDetail(Question):
    """One event whole, and the chain of the element it happened on, target first."""

    event_id: str


@dataclass(frozen=True, slots=True)
class EventAnswer(Answer):
    """One event: its row as the view `events` shows it, and its chain, target first (empty without an element)."""

    event: Mapping[str, Any]
    chain: tuple[Level, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row: the event."""
        return [dict(self.event)]


def event_detail(reading: Reading, question: EventDetail) -> EventAnswer:
    """One event whole, and its chain with a selector and its past count at every level."""
    values = {"event_id": question.event_id}
    rows = reading.execute(
        "select * from events where site = $site and event_id = $event_id limit 1;", values
    )
    if not rows:
        raise UnknownName("event", question.event_id, [], list_with="expost live, or GET /api/v1/live")
    event: dict[str, Any] = dict(zip(reading.columns(), rows[0], strict=True))
    reading.execute(
        "create or replace temp table chosen as\n"
        "select coalesce(placement_id, element_id) as placement_id\n"
        "from lake.events where site = $site and event_id = $event_id limit 1;",
        values,
    )
    chain = chains(reading, "chosen").get(event["placement_id"], ())
    chain = with_selectors(reading, chain, event["type"])
    return EventAnswer(
        question=question,
        basis=reading.basis(),
        event={
            name: str(value) if name in IDS and value is not None else value for name, value in event.items()
        },
        chain=chain,
    )
