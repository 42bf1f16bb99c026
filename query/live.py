"""What arrives: the latest events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answer import Answer, as_row
from .chain import Chain, chains, summary
from .person import stranger
from .question import Question, refuse_outside
from .reading import Reading

MOST_EVENTS = 1_000
LIVE_COLUMNS = (
    "event_id", "time", "received_at", "type", "name", "label", "text", "host", "path", "title", "person", "flag",
    "variation", "metric", "value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Live(Question):
    """The latest events as they arrived, bots and internal devices too, newest first."""

    latest: int = 50
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """A captured event in one line. `chain` reads from the outside in: `form.signup › button.buy › svg`.

    `metric` and `value` are those of a web vital: milliseconds, or the score of CLS.
    """

    event_id: str
    time: datetime
    received_at: datetime
    type: str
    name: str | None
    label: str | None
    text: str | None
    host: str | None
    path: str | None
    title: str | None
    person_id: str | None
    person: str | None
    chain: str | None
    flag: str | None
    variation: str | None
    is_bot: bool
    is_internal: bool
    environment: str
    metric: str | None = None
    value: float | None = None

    @property
    def who(self) -> str | None:
        """What the person is called, None for an event without one. `person` is None for a stranger."""
        return self.person or (stranger(self.person_id) if self.person_id else None)


@dataclass(frozen=True, slots=True)
class LiveAnswer(Answer):
    """The latest events, newest first; `total` is all that the site has, `types` their types, the commonest first.

    Asked of a cohort, all three are of its people.
    """

    events: tuple[LiveEvent, ...]
    total: int
    types: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """One row per event."""
        return [as_row(event) for event in self.events]


def live(reading: Reading, question: Live) -> LiveAnswer:
    """The latest events as they arrived, newest first."""
    refuse_outside("The live view shows", question.latest, 1, MOST_EVENTS, "events")
    values = {"latest": question.latest, "types": list(question.types)}
    found = reading.run("live.sql", values, has_types=bool(question.types), chosen=reading.chosen)
    rows = [dict(zip(reading.columns(), row, strict=True)) for row in found]
    by_placement = chains(reading, "latest")
    kept = reading.run("live_types.sql", {}, chosen=reading.chosen)
    return LiveAnswer(
        question=question,
        basis=reading.basis(),
        events=tuple(live_event(row, by_placement) for row in rows),
        total=sum(count for _, count in kept),
        types=tuple(kind for kind, _ in kept),
    )


def live_event(row: Mapping[str, Any], by_placement: Mapping[int, Chain]) -> LiveEvent:
    """One row of events as an event in one line."""
    chain = by_placement.get(row["placement_id"])
    plain = {name: row[name] for name in LIVE_COLUMNS}
    return LiveEvent(
        **plain,
        person_id=None if row["person_id"] is None else str(row["person_id"]),
        chain=summary(chain) if chain else None,
        is_bot=bool(row["is_bot"]),
        is_internal=bool(row["is_internal"]),
        environment=row["environment"] or "",
    )
