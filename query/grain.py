"""What a selector is judged over: elements, or their placements where it asks for places or siblings.

An element is a chain of descriptors, so a list that grows gives it no new row; a placement is an element and its place.
A selector that asks for neither gives the same answer for all placements of an element, and is judged once for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .selector import AnyOf, Complex, Not, Only, Position, Selector, Simple


@dataclass(frozen=True, slots=True)
class Grain:
    """A relation of the dictionary: its name, the columns of its id and of its parent's, the view of its ancestors.

    `of_event` is the id of what an event `e` of `lake.events` happened on.
    """

    rows: str
    id: str
    parent: str
    ancestors: str
    of_event: str


ELEMENTS = Grain("lake.elements", "element_id", "parent_id", "lake.element_ancestors", "e.element_id")

# An event from before there were placements has an element that says its place itself.
PLACEMENTS = Grain(
    "lake.placed",
    "placement_id",
    "parent_placement_id",
    "lake.placement_ancestors",
    "coalesce(e.placement_id, e.element_id)",
)


def grain_of(selector: Selector) -> Grain:
    """The coarsest relation that has all that the selector asks for."""
    return PLACEMENTS if any(map(_asks_for_places, selector.alternatives)) else ELEMENTS


def _asks_for_places(complex_: Complex) -> bool:
    return not {"+", "~"}.isdisjoint(complex_.combinators) or any(
        _asks_for_place(condition) for compound in complex_.compounds for condition in compound.conditions
    )


def _asks_for_place(condition: Simple) -> bool:
    match condition:
        case AnyOf(_, alternatives) | Not(alternatives):
            return any(map(_asks_for_places, alternatives))
        case _:
            return isinstance(condition, Position | Only)
