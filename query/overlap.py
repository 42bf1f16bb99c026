"""Which saved definitions match the same events as one that is looked at: two names for one thing confuse everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from expost.state.names import name_key

from .alternative import Alternative
from .condition import EVENTS, CompiledDefinition, UsedSelector, compile_definition
from .definition import Definition
from .elements import dictionary_files, find_elements, live_names, made_elements, make_elements
from .facts import FACTS, REST, Facts, are_enough, facts_asked
from .grain import ELEMENTS, PLACEMENTS, Grain
from .held_rows import held_of_files
from .matched import bounding
from .past import Past
from .place_counts import PlaceCounts, Places, place_counts, union
from .reading import Reading, check_patterns
from .selector_sql import ENGINE_VERSION
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
    told = facts if facts is not None and not reading.has_range and are_enough(definition) else None
    alike = list(_alike(reading, definition))
    compared = [_other(reading, each, number) for number, each in enumerate(alike[:MOST_COMPARED], 2)]
    by_places = [each for each in compared if told and are_of_places(each.definition, each.compiled)]
    shared = list(_by_places(reading, told, by_places)) if told and by_places else []
    rest = [each for each in compared if each not in by_places]
    for each in rest:
        each.show(reading)
    others = _meeting(reading, definition, this, rest)
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

    def show(self, reading: Reading) -> None:
        """Make the relations of its selectors."""
        make_elements(reading.connection, self.compiled, reading.cache)


def _other(reading: Reading, definition: Definition, number: int) -> _Other:
    compiled = compile_definition(definition, f"m{number}")
    for used in compiled.selectors:
        reading.say_elements(made_elements(used))
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


def are_of_places(definition: Definition, compiled: CompiledDefinition) -> bool:
    """Whether each alternative asks for types and a selector and no more, and all selectors are about the same."""
    return (
        are_enough(definition)
        and len({used.compiled.grain for used in compiled.selectors}) == 1
        and all(
            each.types and each.selector and set(facts_asked([each])) <= PLACES
            for each in definition.alternatives
        )
    )


def _by_places(reading: Reading, facts: Facts, others: Sequence[_Other]) -> Iterator[tuple[_Other, int, int]]:
    """The same for others of elements alone: of what was found already, and of all events by where they happened."""
    files = dictionary_files(reading.connection)
    for grain in (ELEMENTS, PLACEMENTS):
        of_grain = [each for each in others if each.compiled.selectors[0].compiled.grain == grain]
        if not of_grain:
            continue
        found = _counts(reading, grain, Fragment("found"), "found")
        every = _counts_of_all(reading, facts, grain)
        for other in of_grain:
            chosen = _chosen(reading, other, files)
            both = found.events(chosen)
            if both:
                yield other, both, sum(each.events(chosen) for each in every)


def _counts(reading: Reading, grain: Grain, source: Fragment, kind: str) -> PlaceCounts:
    text = render("overlap_places.sql", place=Fragment(grain.of_event), source=source, kind=kind)
    return place_counts(reading.relation(text, {}).to_arrow_table())


def _counts_of_all(reading: Reading, facts: Facts, grain: Grain) -> list[PlaceCounts]:
    """Of facts, which are those of files that stay as they are, and of the other events."""
    counting = tuple(map(repr, reading.counting.values().values()))
    key = ("events by place", grain.id, reading.site, counting, facts.files)
    counts = [held_of_files(reading, key, lambda: _counts(reading, grain, FACTS, "facts"))]
    if facts.has_rest:
        counts.append(_counts(reading, grain, REST, "events"))
    return counts


def _chosen(reading: Reading, other: _Other, files: Mapping[str, tuple[str, ...]]) -> dict[str, Places]:
    """The places that a definition chooses, by the type of event."""
    found: dict[str, list[Places]] = {}
    for alternative, used in zip(other.definition.alternatives, other.compiled.selectors, strict=True):
        places = _places(reading, used, files)
        for kind in alternative.types:
            found.setdefault(kind, []).append(places)
    return {kind: union(parts) for kind, parts in found.items()}


def _places(reading: Reading, used: UsedSelector, files: Mapping[str, tuple[str, ...]]) -> Places:
    """The elements or placements that a selector surely chooses; those of saved definitions are asked for again."""

    def find() -> Places:
        elements = find_elements(reading.connection, used, reading.cache, files)
        return elements.surely(reading.connection)

    return held_of_files(reading, ("places", ENGINE_VERSION, used.words, live_names(files)), find)


def _by_facts(
    reading: Reading, facts: Facts, definition: Definition, this: CompiledDefinition, others: Sequence[_Other]
) -> Iterator[tuple[_Other, int, int]]:
    """The same for each of these, from facts that are put together by no more than what is asked of them."""
    definitions = [definition, *(other.definition for other in others)]
    types = [each.types for other in others for each in other.definition.alternatives]
    reading.quietly(
        render(
            "overlap_facts.sql",
            columns=Fragment(
                ", ".join(facts_asked(each for one in definitions for each in one.alternatives))
            ),
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
