"""Element chains as a reader sees them: levels from the target outwards, each like `button#buy.btn.primary`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .level import Level
from .reading import Reading
from .selector_parser import parse
from .selector_sql import compile_selector
from .statement import Fragment, expressions, identifier
from .suggestion import suggestions

Chain = tuple[Level, ...]
SUMMARY_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """One level of a chain, and the ids of what is there."""

    level: Level
    element_id: int
    placement_id: int


def chains(reading: Reading, relation: str) -> dict[int, Chain]:
    """The chain of every placement in a relation that holds `placement_id`."""
    return {
        placement_id: tuple(each.level for each in levels)
        for placement_id, levels in placed_chains(reading, relation).items()
    }


def placed_chains(reading: Reading, relation: str) -> dict[int, list[Placed]]:
    """The same, with the ids of all that is in a chain."""
    chosen = f"select distinct placement_id from {identifier(relation)} where placement_id is not null order by all"
    placements = [placement for (placement,) in reading.connection.execute(chosen).fetchall()]
    found: dict[int, list[Placed]] = {}
    for placement_id, *columns, level_id in reading.run("chains.sql", {"placements": placements}):
        found.setdefault(placement_id, []).append(Placed(_level(columns), columns[1], level_id))
    return found


def with_subject(chain: Chain, distance: int | None) -> Chain:
    """The chain with the element that the selector matched marked: the one so far up from the target."""
    return tuple(replace(level, is_match=level.distance == distance) for level in chain)


def with_selectors(reading: Reading, chain: Chain, event_type: str) -> Chain:
    """The chain with a selector at every level, and how many past events of that type it matches."""
    if not chain:
        return chain
    selectors = suggestions(chain)
    levels = []
    values: dict[str, Any] = {"type": event_type}
    for place, selector in enumerate(selectors):
        compiled = compile_selector(parse(selector), prefix=f"level_{place}")
        values |= compiled.parameters
        levels.append(
            {"expressions": expressions(compiled.ctes), "holds": Fragment(compiled.holds(compiled.surely))}
        )
    counts = [events for _, events in reading.run("level_counts.sql", values, levels=levels)]
    return tuple(
        replace(level, selector=selector, events=events)
        for level, selector, events in zip(chain, selectors, counts, strict=True)
    )


def summary(chain: Chain) -> str:
    """The innermost levels in one line, from the outside in: `… › form.signup › button#buy`."""
    inner = [level.descriptor for level in reversed(chain[:SUMMARY_LEVELS])]
    return " › ".join(["…", *inner] if len(chain) > SUMMARY_LEVELS else inner)


def readable(tag: str, dom_id: str | None, classes: Sequence[str]) -> str:
    """What an element is, as a developer would write it down.

    >>> readable("button", "buy", ["btn", "primary"])
    'button#buy.btn.primary'
    """
    return tag + (f"#{dom_id}" if dom_id else "") + "".join(f".{name}" for name in classes)


def _level(row: Sequence[Any]) -> Level:
    (
        distance,
        element_id,
        _,
        tag,
        dom_id,
        classes,
        attributes,
        names,
        index,
        count,
        type_index,
        type_count,
        shadow,
    ) = row
    values: dict[str, str | None] = {each["name"]: each["value"] for each in attributes or ()}
    values |= dict.fromkeys(names or ())
    return Level(
        distance=distance,
        element_id=str(element_id),
        descriptor=readable(tag, dom_id, classes or ()),
        tag=tag,
        dom_id=dom_id,
        classes=tuple(classes or ()),
        attributes=values,
        index=index,
        count=count,
        type_index=type_index,
        type_count=type_count,
        is_shadow_child=shadow,
    )
