"""What could not be stored, and why: kinds of reasons with their counts, and the latest lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from expost.lake.rejected import create_rejected_view

from .answer import Answer, as_row
from .question import Question, refuse_outside
from .reading import Reading

KEPT_RULE = "Kept for seven days, masked, at most 256 MB a site (max_rejected_bytes); the oldest go first."
MAX_REJECTED = 1_000


@dataclass(frozen=True, slots=True)
class RejectedList(Question):
    """What could not be stored, by kind of reason, and the latest `limit` of them; of one `kind` only."""

    kind: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        refuse_outside("The list of what was rejected has", self.limit, 1, MAX_REJECTED, "lines")


@dataclass(frozen=True, slots=True)
class RejectedKind:
    """A kind of reason, and how often it was met."""

    kind: str
    count: int
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """One thing that was set aside. `received_at` is None and `event_id` empty where that cannot be read."""

    received_at: datetime | None
    reason: str
    kind: str
    event_id: str
    content: str


@dataclass(frozen=True, slots=True)
class RejectedAnswer(Answer):
    """What could not be stored: `total`, by `kinds` of reasons, and the latest `lines`."""

    total: int
    kinds: tuple[RejectedKind, ...]
    lines: tuple[RejectedLine, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each line."""
        return [as_row(line) for line in self.lines]


def rejected(reading: Reading, question: RejectedList) -> RejectedAnswer:
    """How often each kind of reason was met, and the latest that were set aside."""
    create_rejected_view(reading.connection, reading.rejected_files())
    kinds = reading.run("rejected.sql", {"kind": question.kind}, has_kind=question.kind is not None)
    lines = reading.run("rejected_lines.sql", {"most": question.limit})
    return RejectedAnswer(
        question=question,
        basis=reading.basis(notes=[KEPT_RULE]),
        total=sum(row[1] for row in kinds),
        kinds=tuple(RejectedKind(*row) for row in kinds),
        lines=tuple(RejectedLine(*row) for row in lines),
    )
