"""Why events of a definition are unknown: what it asks for that is not known of them, with counts.

An event stands with every reason that applies to its chain, so counts of several reasons may add up to more than there
are events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .css import ascii_lower
from .definition import Definition
from .descriptor_sql import DescriptorSets
from .reading import Reading
from .selector import AnyOf, Attribute, Class, Complex, Id, Not, Only, Position, Selector, Simple, State
from .selector_parser import parse
from .set_sql import Sets
from .statement import Fragment, expressions

Leaf = Id | Class | Attribute | State
"""A condition that an element's own description may leave open."""
CAPTURED = 20
"""Previous siblings that capture keeps."""


@dataclass(frozen=True, slots=True)
class UnknownReason:
    """Why `events` are unknown, in words (`says`); an event counts under every reason that applies to it.

    `reason` is `not_whole`, `name_only`, `state`, `siblings`, `count`, `chain`, or `rest`.
    """

    reason: str
    says: str
    events: int


def unknown_reasons(reading: Reading, definition: Definition) -> tuple[UnknownReason, ...]:
    """The reasons of the unknown events in the relation `matched`, the commonest first."""
    selectors = [parse(each.selector) for each in definition.alternatives if each.selector]
    leaves = list(dict.fromkeys(leaf for selector in selectors for leaf in _leaves(selector.alternatives)))
    has_siblings = any(_has_siblings(each) for each in selectors)
    has_counts = any(map(_counts_siblings, selectors))
    sets = Sets("open")
    descriptors = DescriptorSets(sets)
    asked = [
        {
            "set": Fragment(descriptors.condition(leaf)),
            "name": Fragment(sets.bind("name", ascii_lower(_attribute(leaf)))),
            "is_state": isinstance(leaf, State),
        }
        for leaf in leaves
    ]
    rows = reading.run(
        "unknown.sql",
        sets.parameters,
        expressions=expressions(sets.ctes.items()),
        leaves=asked,
        has_siblings=has_siblings,
        has_counts=has_counts,
    )
    if has_siblings:
        rest = f"siblings beyond the nearest {CAPTURED}, or after it, are not captured"
    else:
        rest = "a text or an address was cut or masked"
    says = {
        "count": "how many siblings it has is not known: it was imported",
        "siblings": f"more than {CAPTURED} siblings stand before it, and only the nearest are captured",
        "chain": "the outer part of its chain was cut off",
        "rest": rest,
    }
    return tuple(
        UnknownReason(reason, says.get(reason) or _says(reason, leaves[leaf]), events)
        for leaf, reason, events in rows
    )


def _says(reason: str, leaf: Leaf) -> str:
    if reason == "state":
        return f"whether {leaf} held is not captured"
    name = _attribute(leaf)
    return f"{name} is kept by name only" if reason == "name_only" else f"{name} was cut or masked"


def _attribute(leaf: Leaf) -> str:
    match leaf:
        case Id():
            return "id"
        case Class():
            return "class"
        case _:
            return leaf.name


def _leaves(alternatives: tuple[Complex, ...]) -> Iterator[Leaf]:
    for condition in _conditions(alternatives):
        if isinstance(condition, Leaf):
            yield condition


def _has_siblings(selector: Selector) -> bool:
    return any(not {"+", "~"}.isdisjoint(each.combinators) for each in _complexes(selector.alternatives))


def _counts_siblings(selector: Selector) -> bool:
    return any(
        isinstance(each, Only) or (isinstance(each, Position) and each.from_end)
        for each in _conditions(selector.alternatives)
    )


def _complexes(alternatives: tuple[Complex, ...]) -> Iterator[Complex]:
    """These, and all inside them."""
    for each in alternatives:
        yield each
        for compound in each.compounds:
            for condition in compound.conditions:
                if isinstance(condition, AnyOf | Not):
                    yield from _complexes(condition.alternatives)


def _conditions(alternatives: tuple[Complex, ...]) -> Iterator[Simple]:
    for each in _complexes(alternatives):
        for compound in each.compounds:
            yield from compound.conditions
