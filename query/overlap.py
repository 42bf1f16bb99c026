"""Which saved definitions match the same events as one that is looked at: two names for one thing confuse everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from expost.state.names import name_key

from .condition import EVENTS, CompiledDefinition, compile_definition
from .definition import Alternative, Definition
from .facts import FACTS, REST, Facts, are_enough
from .matched import bounding
from .past import Past
from .reading import Reading, check_patterns
from .statement import Fragment, render

MOST_COMPARED = 30
"""With so many definitions of like events at most: each costs a look at its own events."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A saved definition that matches `events` of the same events: which shares of this definition's and of its own."""

    name: str
    version: int | None
    events: int
    share: float
    share_of_other: float


def find_overlaps(
    reading: Reading, definition: Definition, past: Past, facts: Facts | None = None
) -> tuple[list[Overlap], list[str]]:
    """Those that match some of the same events, the most first; and a note where not all were compared."""
    if not past.events:
        return [], []
    bounds = (reading.start, reading.end) if reading.has_range else None
    [this] = past.matched.compiled
    over = this.over_elements()
    found = []
    others = list(_alike(reading, definition))
    for number, other in enumerate(others[:MOST_COMPARED], 2):
        compiled = compile_definition(other, f"m{number}")
        match = reading.elements(compiled)
        if not _may_meet(reading, definition, this, other, compiled):
            continue
        text = _statement(over, match, has_bounds=bounds is not None)
        values = this.parameters | compiled.parameters | bounding(bounds)
        if facts is not None and bounds is None and are_enough(definition) and are_enough(other):
            reading.say(text, values)
            both, all_ = _shared(reading, facts, (definition, "m1"), (other, f"m{number}"), values=values)
        else:
            [(both, all_)] = reading.execute(text, values)
        if both:
            found.append(Overlap(other.name, other.version, both, both / past.events, both / all_))
    left = len(others) - MOST_COMPARED
    notes = [f"{left} more definitions of like events were not compared with this one."] if left > 0 else []
    return sorted(found, key=lambda each: (-each.events, -each.share_of_other, each.name)), notes


def _statement(
    this: CompiledDefinition,
    other: CompiledDefinition,
    source: Fragment = EVENTS,
    *,
    has_bounds: bool = False,
) -> str:
    of_each = Fragment("e.events" if source == FACTS else "1")
    return render(
        "overlap.sql", this=this, other=other, source=source, of_each=of_each, has_bounds=has_bounds
    )


def _shared(
    reading: Reading, facts: Facts, *both: tuple[Definition, str], values: Mapping[str, Any]
) -> tuple[int, int]:
    """How many events both match, and how many the other one, as facts and the rest of the events say."""
    sums = [0, 0]
    for source in (FACTS, REST)[: 1 + facts.has_rest]:
        this, other = (compile_definition(*each, source).over_elements() for each in both)
        [row] = reading.quietly(_statement(this, other, source), values).fetchall()
        sums = [before + more for before, more in zip(sums, row, strict=True)]
    return sums[0], sums[1]


def _alike(reading: Reading, definition: Definition) -> Iterator[Definition]:
    for other in reading.saved():
        if name_key(other.name) != name_key(definition.name) and any(
            _are_alike(*pair) for pair in product(definition.alternatives, other.alternatives)
        ):
            check_patterns(reading.connection, other)
            yield other


def _are_alike(one: Alternative, other: Alternative) -> bool:
    """Whether one event can be both, by its type and its name."""
    are_types_alike = not one.types or not other.types or bool(set(one.types) & set(other.types))
    return are_types_alike and (None in (names := (one.event_name, other.event_name)) or len(set(names)) == 1)


def _may_meet(
    reading: Reading, one: Definition, this: CompiledDefinition, other: Definition, that: CompiledDefinition
) -> bool:
    """False where both are about elements, and no element is of both. Asking that is cheap, reading events is not."""
    if not all(each.selector for each in (*one.alternatives, *other.alternatives)):
        return True
    pairs = list(product(this.selectors, that.selectors))
    if any(mine.compiled.grain != theirs.compiled.grain for mine, theirs in pairs):
        return True
    same = "\nunion all\n".join(
        f"select 1 from {mine.relation} where place_id in (select place_id from {theirs.relation})"
        for mine, theirs in pairs
    )
    return reading.connection.execute(f"select exists ({same})").fetchall() == [(True,)]
