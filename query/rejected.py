"""What could not be stored, and why: kinds of reasons with their counts, and the latest lines."""

from __future__ import annotations

from expost.lake.rejected import create_rejected_view

from .answer import RejectedAnswer, RejectedKind, RejectedLine
from .question import RejectedList
from .reading import Reading

KEPT_RULE = "Kept for seven days, masked, at most 256 MB a site (max_rejected_bytes); the oldest go first."


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
