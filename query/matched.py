"""The relation `matched` of a reading: the events of every step, and what was found of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from expost.clock import from_micros

from .answer import LeftOut, UsedDefinition, UsedVersion
from .breakdown import Breakdown, ByCohort, ByColumn, ByProperty, ByValue, Flag
from .condition import CompiledDefinition, compile_definition, json_pointer, narrowed
from .definition import Definition
from .facts import are_enough, are_summed_up
from .interval import EARLIEST, LATEST
from .kept_events import Source, in_lake
from .reading import Reading, Row, at
from .selector_sql import ENGINE_VERSION
from .session_moments import turns
from .statement import Fragment, identifier, render
from .stretches import find_sessions, find_stretches
from .unit import PERSON, Unit
from .unseen import (
    gaps,
    unheard,
    unseen,
    unseen_environment,
    unseen_flag,
    unseen_group,
    unseen_value,
    unseen_where,
)

IS_SEEN = "select 1 from exposed limit 1;"
ALWAYS = ("event_id", "time", "page_id", "page_seq", "device_id")
"""Columns that every statement about matches reads anyway."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The relation `matched` of a reading: what was found for each step, and what was not counted.

    `notes` name what the question asked for by a name that nothing has.
    """

    definitions: tuple[UsedDefinition, ...]
    left_out: tuple[LeftOut, ...]
    compiled: tuple[CompiledDefinition, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """What `matched.sql` has to find: the statement's structure and values, and what it is made of.

    `sources` are one for each different definition of `searched`, which `meaning` says in full; `roles` are (step,
    number of its source). `narrowed` are the numbers of those of which another definition is asked as well.
    """

    searched: Sequence[Definition]
    meaning: tuple[str, ...]
    narrowed: frozenset[int]
    compiled: tuple[CompiledDefinition, ...]
    sources: Sequence[Source]
    roles: Sequence[tuple[int, int]]
    values: dict[str, Any]
    structure: dict[str, Any]


def match(
    reading: Reading,
    steps: Sequence[Definition],
    *,
    keep: Sequence[str] = (),
    bounds: tuple[int, int] | None = None,
    flag: Flag | None = None,
    has_positions: bool = True,
    unit: Unit = PERSON,
    by: ByValue | None = None,
    wheres: Mapping[int, Definition] | None = None,
    measured: Sequence[str] = (),
) -> Matched:
    """Make the relation `matched`: every event of every step, and with a flag `exposed` before it.

    `bounds` are the instants between which events matter at all. Columns of the event named in `keep` come along, and
    as `value` that of `by`. A step of `wheres` is narrowed by the definition there. What is counted is `unit`. Of each
    property in `measured` its number comes along, as `number_1`, …, and its type in JSON, as `type_1`, ….
    """
    # Exposures are of any time, and so are their sessions.
    takes_turns = unit.kind == "session" and flag is None and reading.is_fast
    prepare_units(reading, unit, bounds if flag is None else None, is_quoted=takes_turns)
    if flag is not None:
        kind = None if unit.kind == "person" else unit.kind
        reading.run("exposures.sql", reading.exposing(flag), unit=kind, has_ties=False)
        reading.run("exposed.sql", {})
    searched = search(
        reading,
        steps,
        keep=keep,
        bounds=bounds,
        has_flag=flag is not None,
        has_positions=has_positions,
        unit=unit,
        by=by,
        wheres=wheres,
        measured=measured,
    )
    _make_matched(reading, searched, unit, takes_turns=takes_turns)
    matched = tallied(reading, steps, searched.compiled, reading.run("tally.sql", {}), wheres or {})
    notes = [*unseen_group(reading, unit), *unseen_value(reading, by)]
    if flag is not None:
        is_seen = bool(reading.execute(IS_SEEN, {}))
        notes += unseen_flag(reading, flag, is_seen=is_seen)
    return replace(matched, notes=(*notes, *matched.notes))


def _make_matched(reading: Reading, searched: Searched, unit: Unit, *, takes_turns: bool) -> None:
    """Make the relation, of all devices at once or in turns, whose sessions are then still to be found."""
    values, structure = searched.values, {"has_ties": False, **searched.structure}
    if not takes_turns:
        reading.run("matched.sql", values, **structure)
        return
    reading.quote("matched.sql", values, **structure)
    for number, turn in enumerate(turns(reading, searched.sources, values, unit.gap)):
        reading.go_on()
        text = render("matched.sql", **{**structure, "turn": turn, "is_added": number > 0})
        reading.quietly(text, {**values, **turn.values})


def search(
    reading: Reading,
    steps: Sequence[Definition],
    *,
    keep: Sequence[str] = (),
    bounds: tuple[int, int] | None = None,
    has_flag: bool = False,
    has_positions: bool = True,
    unit: Unit = PERSON,
    by: ByValue | None = None,
    wheres: Mapping[int, Definition] | None = None,
    measured: Sequence[str] = (),
    keeps_apart: bool = False,
) -> Searched:
    """What `match` has to find, with the elements of every selector made.

    With `keeps_apart` no events are taken from kept files that another definition may find as well, nor where summaries
    know them: their facts are as near, and nothing has to be kept for them.
    """
    values: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    compiled: list[CompiledDefinition] = []
    searched: list[Definition] = []
    narrowed_ones: set[int] = set()
    roles: list[tuple[int, int]] = []
    for step, definition in enumerate(steps, 1):
        where = (wheres or {}).get(step)
        body = repr((_meaning(definition), where and _meaning(where)))
        if body not in numbers:
            numbers[body] = len(compiled) + 1
            found = compile_definition(definition, f"m{numbers[body]}")
            if where is not None:
                found = narrowed(found, compile_definition(where, f"m{numbers[body]}_where"))
                narrowed_ones.add(numbers[body])
            compiled.append(found)
            searched.append(definition)
            values |= found.parameters
        roles.append((step, numbers[body]))
    values |= bounding(bounds)
    needed = [*keep, *([by.name] if isinstance(by, ByColumn) else [])]
    may_be_kept = not wheres and not measured and not isinstance(by, ByProperty)
    sources = []
    has_facts = keeps_apart and are_summed_up(reading.connection, reading.summaries)
    for number, (definition, found) in enumerate(zip(searched, compiled, strict=True), 1):
        over = reading.elements(found)
        is_shared = keeps_apart and any(
            each is not definition and may_share(each, definition) for each in searched
        )
        is_kept = may_be_kept and not is_shared and not (has_facts and are_enough(definition))
        sources.append(reading.source(definition, over, f"m{number}", needed) if is_kept else in_lake(over))
    structure = {
        "sources": sources,
        "roles": roles,
        "keep": [identifier(name) for name in keep],
        "further": [identifier(name) for name in keep if name not in ALWAYS],
        "has_bounds": bounds is not None,
        "by_flag": has_flag,
        "has_positions": has_positions,
        "unit": None if unit.kind == "person" else unit.kind,
        "value": event_value(by, values),
        "chosen": reading.chosen,
        "parting": reading.parting if isinstance(by, ByCohort) else None,
        "numbers": _numbers(measured, values),
        "turn": None,
        "is_added": False,
    }
    return Searched(
        searched, tuple(numbers), frozenset(narrowed_ones), tuple(compiled), sources, roles, values, structure
    )


def types_of(definition: Definition) -> frozenset[str] | None:
    """The types of which an event of this definition has to be; None for any."""
    if any(not each.types for each in definition.alternatives):
        return None
    return frozenset(kind for each in definition.alternatives for kind in each.types)


def may_be(kind: str, definition: Definition) -> bool:
    """Whether a definition may find events of this type."""
    types = types_of(definition)
    return types is None or kind in types


def may_share(one: Definition, other: Definition) -> bool:
    """Whether an event may be found by both of these definitions, as far as its type says."""
    types, others = types_of(one), types_of(other)
    return types is None or others is None or not types.isdisjoint(others)


def bounding(bounds: tuple[int, int] | None) -> dict[str, Any]:
    """The values that statements bind for the instants between which events matter."""
    if bounds is None:
        return {}
    low, high = (from_micros(min(max(bound, EARLIEST), LATEST)) for bound in bounds)
    return {"from_time": low, "until_time": high}


def unit_column(unit: Unit) -> Fragment:
    """The column of the relation `matched` that says what is counted."""
    return Fragment("person_id" if unit.kind == "person" else "unit_id")


def prepare_units(
    reading: Reading, unit: Unit, bounds: tuple[int, int] | None, *, is_quoted: bool = False
) -> None:
    """Make the relations that say which unit an event is of; with `is_quoted` the answer says so alone."""
    if unit.kind == "session":
        find_stretches(reading, unit.gap, bounding(bounds), is_quoted=is_quoted)
        find_sessions(reading, unit.gap, is_quoted=is_quoted)
    elif unit.kind == "group":
        reading.run("memberships.sql", {"group_type": unit.group_type})


def event_value(by: Breakdown | None, values: dict[str, Any]) -> Fragment | None:
    """The value of a breakdown as an expression over an event, where an event alone knows it."""
    match by:
        case ByColumn(name):
            return Fragment(f"cast(e.{identifier(name)} as varchar)")
        case ByProperty(name):
            values["property"] = json_pointer(name)
            return Fragment("json_extract_string(e.properties, $property)")
        case _:
            return None


def _numbers(names: Sequence[str], values: dict[str, Any]) -> list[tuple[Fragment, Fragment]]:
    """For each property its type in JSON and its number, as expressions over an event."""
    found = []
    for place, name in enumerate(names, 1):
        values[f"number_{place}"] = json_pointer(name)
        kind = f"json_type(e.properties, $number_{place})"
        number = f"cast(json_extract_string(e.properties, $number_{place}) as double)"
        is_number = f"{kind} in ('BIGINT', 'UBIGINT', 'DOUBLE')"
        found.append((Fragment(kind), Fragment(f"case when {is_number} then {number} end")))
    return found


def _meaning(definition: Definition) -> tuple[Any, ...]:
    return definition.body(), [each.interval for each in definition.alternatives]


def _versions(definition: Definition) -> tuple[UsedVersion, ...]:
    return tuple(
        UsedVersion(each.version, at(each.interval.start), at(each.interval.end))
        for each in definition.validities
    )


def tallied(
    reading: Reading,
    steps: Sequence[Definition],
    compiled: Sequence[CompiledDefinition],
    rows: Sequence[Row],
    wheres: Mapping[int, Definition] = MappingProxyType({}),
) -> Matched:
    """What was found, from rows of (step, is_sure, why it is left out, events, people).

    Steps of `wheres` are narrowed by the definition there.
    """
    found = [[0, 0] for _ in steps]
    left: dict[str, list[int]] = {}
    total = 0
    for step, is_sure, reason, events, people in rows:
        if is_sure:
            total += events
        if reason is None:
            found[step - 1][0 if is_sure else 1] += events
        elif is_sure:
            counts = left.setdefault(reason, [0, 0])
            counts[0] += events
            counts[1] = max(counts[1], people)
    used = tuple(
        UsedDefinition(step.name, step.version, ENGINE_VERSION, str(step), events, unknown, _versions(step))
        for step, (events, unknown) in zip(steps, found, strict=True)
    )
    left_out = reading.counting.left_out(
        ((reason, events, people) for reason, (events, people) in left.items()), total
    )
    notes = [] if any(each.events for each in used) else unseen_environment(reading)
    notes += [*unheard(steps, used), *unseen(reading, steps, used), *unseen_where(steps, used, wheres)]
    notes += [*gaps(reading, steps), *reading.counting.notes()]
    return Matched(used, left_out, tuple(compiled), tuple(notes))
