"""Two versions of a definition in effect: which past events change sides between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .answer import Answer, as_row
from .chain import chains, summary
from .matched import match
from .question import MAX_LISTED, Question, Saved, refuse_outside
from .reading import Reading, at

COLUMNS = ("event_id", "type", "name", "label", "text", "path", "element_id", "placement_id")
SIDES = ("only_old", "only_new", "both", "unknown")
RULE = (
    "A version in effect is the definition as it was when that version was its latest, with the versions before it "
    "where they count."
)


@dataclass(frozen=True, slots=True)
class Difference(Question):
    """Which past events change sides between two versions of a definition, with samples of each side."""

    name: str
    old: int
    new: int
    samples: int = 10

    def __post_init__(self) -> None:
        refuse_outside("A difference shows", self.samples, 0, MAX_LISTED, "samples")


@dataclass(frozen=True, slots=True)
class Side:
    """Events of one side: `only_old`, `only_new`, `both`, or `unknown` (either version cannot say)."""

    side: str
    events: int
    people: int
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """One event that changes sides. `said` is its label, text or name; `chain` reads from the outside in."""

    side: str
    event_id: str
    time: datetime | None
    type: str
    said: str | None
    path: str | None
    chain: str


@dataclass(frozen=True, slots=True)
class DifferenceAnswer(Answer):
    """Two versions of a definition in effect, and the latest events that change sides."""

    name: str
    old: int
    new: int
    old_meaning: str
    new_meaning: str
    sides: tuple[Side, ...]
    samples: tuple[ChangedEvent, ...]

    def events(self, side: str) -> int:
        """How many events are on that side."""
        return next(each.events for each in self.sides if each.side == side)

    def rows(self) -> list[dict[str, Any]]:
        """One row per side."""
        return [as_row(side) for side in self.sides]


def difference(reading: Reading, question: Difference) -> DifferenceAnswer:
    """Events of the old version only, of the new one only, of both, and unknown; with samples of what changes."""
    old, new = (reading.definition(Saved(question.name, version)) for version in (question.old, question.new))
    bounds = (reading.start, reading.end) if reading.has_range else None
    matched = match(reading, [old, new], keep=COLUMNS, bounds=bounds, has_positions=False)
    found = {row[0]: row[1:] for row in reading.run("difference.sql", {})}
    rows = reading.run("changed.sql", {"samples": question.samples})
    by_placement = chains(reading, "changed")
    return DifferenceAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions, left_out=matched.left_out, notes=[*matched.notes, RULE]
        ),
        name=new.name,
        old=question.old,
        new=question.new,
        old_meaning=str(old),
        new_meaning=str(new),
        sides=tuple(
            Side(side, events, people, at(first), at(last))
            for side in SIDES
            for events, people, first, last in [found.get(side, (0, 0, None, None))]
        ),
        samples=tuple(
            ChangedEvent(
                side, event_id, at(moment), kind, said, path, summary(by_placement.get(placement, ()))
            )
            for side, event_id, moment, kind, said, path, placement in rows
        ),
    )
