"""The matches of one definition as a whole: how many events of how many people, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass

from .condition import compile_definition
from .definition import Definition
from .matched import Matched, bounding, tallied
from .reading import Reading

PREFIX = "m1"
EVENT_COLUMNS = ("label", "text", "path", "element_id", "placement_id")


@dataclass(frozen=True, slots=True)
class Past:
    """What a definition has found. `first` and `last` are instants in microseconds, None where nothing matched."""

    matched: Matched
    events: int
    people: int
    first: int | None
    last: int | None


def find_past(reading: Reading, definition: Definition) -> Past:
    """Count the matches, in the range of the question, and leave them in the relation `matched`.

    That has no order and no persons, and so costs a fraction of what `reading.match` does.
    """
    bounds = (reading.start, reading.end) if reading.has_range else None
    compiled = compile_definition(definition, PREFIX)
    match = reading.elements(compiled)
    values = compiled.parameters | bounding(bounds)
    source = reading.source(definition, match, PREFIX, EVENT_COLUMNS)
    reading.run("past.sql", values, match=source.match, source=source.relation, has_bounds=bounds is not None)
    [(ties,)] = reading.run("past_logins.sql", {})
    rows = reading.run("past_people.sql", values if ties else {}, match=match, has_ties=ties > 0)
    counted = [row for row in rows if row[0] and row[1] is None]
    _, _, events, people, first, last = counted[0] if counted else (True, None, 0, 0, None, None)
    matched = tallied(reading, [definition], [compiled], [(1, *row[:4]) for row in rows])
    return Past(matched, events, people, first, last)
