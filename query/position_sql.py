"""Conditions on where an element stands among its siblings, as SQL.

Of an element `e` capture knows the place (the columns of `lake.placed`). Of its previous sibling `s` the place
follows from the distance, and among its type it is between two numbers (`t`, of `sibling_type_sql`).
"""

from __future__ import annotations

from typing import NamedTuple

from .selector import Only, Position, Root


class ElementPlace(NamedTuple):
    """True where an element may stand there; given that, where it surely does, which is empty where it always does."""

    possibly: str
    surely: str = ""


def place(condition: Position | Only | Root) -> ElementPlace:
    """Where the element `e` stands there. Of imported history it may not be known how many siblings it has."""
    match condition:
        case Root():
            return ElementPlace("e.is_root")
        case Only(of_type):
            noun = "type" if of_type else "sibling"
            is_first = f"(e.{noun}_count = {UNKNOWN_COUNT} and e.{noun}_index = 1)"
            return ElementPlace(f"(e.{noun}_count = 1 or {is_first})", f"e.{noun}_count <> {UNKNOWN_COUNT}")
        case Position(_, of_type, from_end, _, _):
            stands = _stands(condition)
            if not from_end:
                return ElementPlace(stands)
            noun = "type" if of_type else "sibling"
            is_unknown = f"e.{noun}_count = {UNKNOWN_COUNT}"
            return ElementPlace(f"({stands} or {is_unknown})", f"e.{noun}_count <> {UNKNOWN_COUNT}")


def _stands(condition: Position) -> str:
    """True where the element `e` stands there, if it is known how many siblings it has."""
    match condition:
        case Position(_, of_type, from_end, step, offset):
            noun = "type" if of_type else "sibling"
            if from_end and not step:
                back = f" - {offset - 1}" if offset != 1 else ""
                return f"e.{noun}_index = e.{noun}_count{back}"
            count = f"e.{noun}_count - e.{noun}_index + 1" if from_end else f"e.{noun}_index"
            if not step:
                return f"{count} = {offset}"
            bound = f"{count} {'>=' if step > 0 else '<='} {offset}"
            return bound if abs(step) == 1 else f"{bound} and ({count} - {offset}) % {abs(step)} = 0"


UNKNOWN_COUNT = 0
"""How many siblings an element has, itself among them, where that is not known."""

FAR = 1_000_000
"""Beyond every place that a selector may name."""


class SiblingPlace(NamedTuple):
    """Joins to the previous sibling `s`; true where it may stand there; given that, where it surely does."""

    joins: tuple[str, ...]
    possibly: str
    surely: str


class _Range(NamedTuple):
    """The lowest and the highest place that a previous sibling may have; true where these are one."""

    low: str
    high: str
    is_exact: str


_NOWHERE = SiblingPlace((), "false", "true")
_PLACES = "join lake.placed as e on e.placement_id = s.placement_id"


def is_about_types(condition: Position | Only | Root) -> bool:
    """Whether it asks for a place among siblings of the same type."""
    return not isinstance(condition, Root) and condition.of_type


def sibling_place(condition: Position | Only | Root, types: str = "") -> SiblingPlace:
    """Where a previous sibling stands. `types` is the set of places among those of a type, where it is asked for."""
    by_type = f"join {types} as t on t.placement_id = s.placement_id and t.distance = s.distance"
    match condition:
        case Only(of_type=True):
            possibly, surely = "t.index_low = 1 and t.end_low = 1", "t.index_high = 1 and t.end_high = 1"
            return SiblingPlace((by_type,), possibly, surely)
        case Root() | Only():
            return _NOWHERE  # the element is its sibling
        case Position(_, of_type, from_end, step, offset):
            places = _range(of_type=of_type, from_end=from_end)
            joins = (by_type if of_type else _PLACES,)
            return SiblingPlace(joins, _some(places, step, offset), _all(places, step, offset))


def _range(*, of_type: bool, from_end: bool) -> _Range:
    if of_type:
        noun = "end" if from_end else "index"
        return _Range(f"t.{noun}_low", f"t.{noun}_high", f"t.{noun}_low = t.{noun}_high")
    is_exact = "s.distance = s.furthest"
    if from_end:
        known, is_unknown = "e.sibling_count - e.sibling_index + 1", f"e.sibling_count = {UNKNOWN_COUNT}"
        last = f"case when {is_unknown} then 1 else {known} end"
        furthest = f"case when {is_unknown} then {FAR} else {known} end"
        is_exact = f"({is_exact} and e.sibling_count <> {UNKNOWN_COUNT})"
        return _Range(f"{last} + s.distance", f"{furthest} + s.furthest", is_exact)
    return _Range("e.sibling_index - s.furthest", "e.sibling_index - s.distance", is_exact)


def _some(places: _Range, step: int, offset: int) -> str:
    """True where a place of step·n + offset lies in the range."""
    low, high, _ = places
    if not step:
        return f"{offset} between {low} and {high}"
    if abs(step) == 1:
        return f"{high} >= {offset}" if step > 0 else f"{low} <= {offset}"
    # The first such place from the end at which they begin.
    if step > 0:
        first = f"greatest({low}, {offset})"
        return f"{first} + ({step} - ({first} - {offset}) % {step}) % {step} <= {high}"
    last = f"least({high}, {offset})"
    return f"{last} - ({offset} - {last}) % {-step} >= {low}"


def _all(places: _Range, step: int, offset: int) -> str:
    """True where the whole range is of such places, if one is."""
    if step == 1:
        return f"{places.low} >= {offset}"
    return f"{places.high} <= {offset}" if step == -1 else places.is_exact
