"""Two versions of a definition in effect: which past events change sides between them."""

from __future__ import annotations

from .answer import ChangedEvent, DifferenceAnswer, Side
from .chain import chains, summary
from .question import Difference, Saved
from .reading import Reading, at, match

COLUMNS = ("event_id", "type", "name", "label", "text", "path", "element_id", "placement_id")
SIDES = ("only_old", "only_new", "both", "unknown")
RULE = (
    "A version in effect is the definition as it was when that version was its latest, with the versions before it "
    "where they count."
)


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
