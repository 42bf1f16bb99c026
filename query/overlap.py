"""Which saved definitions match the same events as one that is looked at: two names for one thing confuse everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from expost.state.names import name_key

from .condition import EVENTS, CompiledDefinition, compile_definition
from .definition import Alternative, Definition
from .facts import FACTS, REST, Facts, are_enough, facts_asked
from .matched import bounding
from .past import Past
from .reading import Reading, check_patterns
from .statement import Fragment, render

COUNTED = Fragment("counted_facts")
PLACES = frozenset({"type", "site", "element_id", "placement_id"})
"""What definitions ask of facts that ask for a selector alone."""
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
    [this] = past.matched.compiled
    alike = list(_alike(reading, definition))
    compared = [_other(reading, each, number) for number, each in enumerate(alike[:MOST_COMPARED], 2)]
    told = facts if facts is not None and not reading.has_range and are_enough(definition) else None
    by_places = [each for each in compared if told and _is_of_places(each.definition)]
    shared = list(_by_places(reading, told, this, by_places)) if told and by_places else []
    others = _meeting(reading, definition, this, [each for each in compared if each not in by_places])
    by_facts = [each for each in others if told and are_enough(each.definition)]
    shared += list(_by_facts(reading, told, definition, this, by_facts)) if told and by_facts else []
    shared += [(each, *_by_events(reading, this, each)) for each in others if each not in by_facts]
    _say(reading, this, sorted((each for each, both, _ in shared if both), key=compared.index))
    found = [
        Overlap(each.definition.name, each.definition.version, both, both / past.events, both / of_other)
        for each, both, of_other in shared
        if both
    ]
    left = len(alike) - MOST_COMPARED
    notes = [f"{left} more definitions of like events were not compared with this one."] if left > 0 else []
    return sorted(found, key=lambda each: (-each.events, -each.share_of_other, each.name)), notes


@dataclass(frozen=True, slots=True)
class _Other:
    """A definition to compare with, compiled under a prefix of its own."""

    definition: Definition
    prefix: str
    compiled: CompiledDefinition


def _other(reading: Reading, definition: Definition, number: int) -> _Other:
    compiled = compile_definition(definition, f"m{number}")
    reading.elements(compiled)
    return _Other(definition, f"m{number}", compiled)


def _meeting(
    reading: Reading, definition: Definition, this: CompiledDefinition, others: Sequence[_Other]
) -> list[_Other]:
    """Those that may match one of the same events. Asking that of elements is cheap, reading events is not."""
    shared = [_shared_places(definition, this, other) for other in others]
    asked = [text for text in shared if text is not None]
    if not asked:
        return list(others)
    statement = f"select {', '.join(f'exists ({text})' for text in asked)}"
    [found] = reading.connection.execute(statement).fetchall()
    meet = iter(found)
    return [other for other, text in zip(others, shared, strict=True) if text is None or next(meet)]


def _say(reading: Reading, this: CompiledDefinition, others: Iterable[_Other]) -> None:
    """The statement that gives the figures of each, whichever way they were found."""
    for other in others:
        reading.say(*_over_events(reading, this, other))


def _by_events(reading: Reading, this: CompiledDefinition, other: _Other) -> tuple[int, int]:
    """How many events both match, and how many the other one."""
    [(both, of_other)] = reading.quietly(*_over_events(reading, this, other)).fetchall()
    return both, of_other


def _over_events(reading: Reading, this: CompiledDefinition, other: _Other) -> tuple[str, dict[str, object]]:
    bounds = (reading.start, reading.end) if reading.has_range else None
    text = _statement(this, other.compiled, has_bounds=bounds is not None)
    return text, this.parameters | other.compiled.parameters | bounding(bounds)


def _is_of_places(definition: Definition) -> bool:
    """Whether it asks for no more than a type and a selector."""
    return are_enough(definition) and not any(
        set(facts_asked([replace(definition, alternatives=(each,))])) - PLACES or not each.types
        for each in definition.alternatives
    )


def _by_places(
    reading: Reading, facts: Facts, this: CompiledDefinition, others: Sequence[_Other]
) -> Iterator[tuple[_Other, int, int]]:
    """The same for others of elements alone: of what was found already, and of all events by where they happened."""
    is_placed = any(
        used.compiled.grain.id != "element_id" for other in others for used in other.compiled.selectors
    )
    types = sorted({
        kind for other in others for each in other.definition.alternatives for kind in each.types
    })  # fmt: skip
    matches = [other.compiled.over_elements() for other in others]
    values = this.parameters | {
        name: value for other in others for name, value in other.compiled.parameters.items()
    }
    both = _sums(reading, "found", "e.verdict = 1", matches, values)
    meeting = [number for number, events in enumerate(both) if events]
    if not meeting:
        return
    columns = Fragment(f"type, element_id{', placement_id' * is_placed}")
    rest = REST if facts.has_rest else None
    reading.quietly(render("overlap_places.sql", columns=columns, facts=FACTS, rest=rest), {"types": types})
    of_others = _sums(reading, "counted_places", "true", [matches[number] for number in meeting], values)
    for number, of_other in zip(meeting, of_others, strict=True):
        yield others[number], both[number], of_other


def _sums(
    reading: Reading,
    source: str,
    chosen: str,
    others: Sequence[CompiledDefinition],
    values: dict[str, object],
) -> Sequence[int]:
    text = render("overlap_sum.sql", source=Fragment(source), chosen=Fragment(chosen), others=others)
    [sums] = reading.quietly(text, values).fetchall()
    return sums


def _by_facts(
    reading: Reading, facts: Facts, definition: Definition, this: CompiledDefinition, others: Sequence[_Other]
) -> Iterator[tuple[_Other, int, int]]:
    """The same for each of these, from facts that are put together by no more than what is asked of them."""
    definitions = [definition, *(other.definition for other in others)]
    types = [each.types for other in others for each in other.definition.alternatives]
    reading.quietly(
        render(
            "overlap_facts.sql",
            columns=Fragment(", ".join(facts_asked(definitions))),
            has_types=all(types),
            has_rest=facts.has_rest,
            facts=FACTS,
            rest=REST,
        ),
        {"types": sorted({kind for each in types for kind in each})},
    )
    mine = compile_definition(definition, "m1", COUNTED)
    for other in others:
        values = this.parameters | other.compiled.parameters
        theirs = compile_definition(other.definition, other.prefix, COUNTED)
        [(both, of_other)] = reading.quietly(_statement(mine, theirs, COUNTED), values).fetchall()
        yield other, both, of_other


def _statement(
    this: CompiledDefinition,
    other: CompiledDefinition,
    source: Fragment = EVENTS,
    *,
    has_bounds: bool = False,
) -> str:
    return render(
        "overlap.sql",
        this=this.over_elements(),
        other=other.over_elements(),
        source=source,
        are_facts=source == COUNTED,
        has_bounds=has_bounds,
    )


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


def _shared_places(definition: Definition, this: CompiledDefinition, other: _Other) -> str | None:
    """The elements of both, where both are about elements of one kind."""
    if not all(each.selector for each in (*definition.alternatives, *other.definition.alternatives)):
        return None
    pairs = list(product(this.selectors, other.compiled.selectors))
    if any(mine.compiled.grain != theirs.compiled.grain for mine, theirs in pairs):
        return None
    return "\nunion all\n".join(
        f"select 1 from {mine.relation} where place_id in (select place_id from {theirs.relation})"
        for mine, theirs in pairs
    )
