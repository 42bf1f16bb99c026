"""A slow second opinion on selectors: one element at a time, over the rows of the element dictionary, without SQL.

Every answer is True (surely), False (surely not) or None (unknown). An unknown value is taken as "some completion
would match", which is as sharp as one value alone allows; the SQL may say unknown a little more often, never less.

A thing that is asked about is an element, or the sibling that stands so many places before it; the element itself
stands 0 places before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from expost.query.attribute_sql import CASE_IGNORED
from expost.query.selector import (
    AnyOf,
    Attribute,
    Class,
    Complex,
    Compound,
    Id,
    Not,
    Only,
    Position,
    Root,
    Selector,
    Simple,
    State,
    Type,
    Universal,
)

Answer = bool | None
Row = Mapping[str, Any]
Thing = tuple[int, int]

SPACE = "[ \t\n\f\r]"


def both(answers: Iterable[Answer]) -> Answer:
    """Kleene's and."""
    found = list(answers)
    return False if False in found else None if None in found else True


def either(answers: Iterable[Answer]) -> Answer:
    """Kleene's or."""
    found = list(answers)
    return True if True in found else None if None in found else False


def opposite(answer: Answer) -> Answer:
    """Kleene's not."""
    return None if answer is None else not answer


class SelectorOracle:
    """Answers for placements by id, given the rows of `descriptors` and `placements`."""

    def __init__(
        self, descriptors: Iterable[Row], placements: Iterable[Row], *, pierce: bool = False
    ) -> None:
        self.descriptors = {row["descriptor_id"]: row for row in descriptors}
        self.placements = {row["placement_id"]: row for row in placements}
        self.pierce = pierce
        self.known: dict[tuple[Complex, Thing], Answer] = {}

    def target(self, selector: Selector, placement_id: int) -> Answer:
        """Whether some element of the chain matches."""
        chain = [placement_id, *self.placements[placement_id]["ancestors"]]
        answers = [self.element(selector, each) for each in chain]
        if any(self.placements[each]["is_cut"] for each in chain):
            answers.append(None)
        return either(answers)

    def subject(self, selector: Selector, placement_id: int) -> int | None:
        """The first element of the chain that surely matches."""
        chain = [placement_id, *self.placements[placement_id]["ancestors"]]
        return next((each for each in chain if self.element(selector, each) is True), None)

    def element(self, selector: Selector, placement_id: int) -> Answer:
        """What `Element.matches` would say."""
        return self.any_of(selector.alternatives, (placement_id, 0))

    def any_of(self, alternatives: Iterable[Complex], thing: Thing) -> Answer:
        return either(self.complex(each, thing) for each in alternatives)

    def complex(self, complex_: Complex, thing: Thing) -> Answer:
        if (complex_, thing) not in self.known:
            self.known[complex_, thing] = self.walk(complex_, thing)
        return self.known[complex_, thing]

    def walk(self, complex_: Complex, thing: Thing) -> Answer:
        here = self.compound(complex_.compounds[-1], thing)
        if not complex_.combinators or here is False:
            return here
        outer = Complex(complex_.compounds[:-1], complex_.combinators[:-1])
        combinator = complex_.combinators[-1]
        around = self.before if combinator in "+~" else self.above
        return both([here, either(around(outer, thing, is_next=combinator in "+>"))])

    def above(self, outer: Complex, thing: Thing, *, is_next: bool) -> Iterable[Answer]:
        """The answers for the parent, and for all further ancestors."""
        standing = self.placements[thing[0]]
        while True:
            if standing["is_cut"]:
                yield None
            if standing["parent_placement_id"] is None or (standing["is_shadow_child"] and not self.pierce):
                return
            yield self.complex(outer, (standing["parent_placement_id"], 0))
            if is_next:
                return
            standing = self.placements[standing["parent_placement_id"]]

    def before(self, outer: Complex, thing: Thing, *, is_next: bool) -> Iterable[Answer]:
        """The answers for the sibling before it, and for all further ones."""
        placement_id, distance = thing
        first = self.placements[placement_id]["sibling_index"] - 1
        for each in range(distance + 1, min(first, distance + 1 if is_next else first) + 1):
            yield self.complex(outer, (placement_id, each))

    def compound(self, compound: Compound, thing: Thing) -> Answer:
        return both(self.simple(each, thing) for each in compound.conditions)

    def simple(self, condition: Simple, thing: Thing) -> Answer:
        match condition:
            case AnyOf(_, alternatives):
                return self.any_of(alternatives, thing)
            case Not(alternatives):
                return opposite(self.any_of(alternatives, thing))
            case Root():
                return bool(self.placements[thing[0]]["is_root"]) and not thing[1]
            case Position() | Only():
                return position(condition, *self.place(condition.of_type, thing))
            case _:
                return self.descriptor(condition, thing)

    def descriptor(self, condition: Simple, thing: Thing) -> Answer:
        standing = self.placements[thing[0]]
        if what := self.what(thing):
            return descriptor(condition, what)
        if isinstance(condition, Type) and standing["type_index"] == standing["sibling_index"]:
            return descriptor(condition, self.descriptors[standing["descriptor_id"]])
        return True if isinstance(condition, Universal) else None

    def what(self, thing: Thing) -> Row | None:
        """The descriptor, if it was captured."""
        placement_id, distance = thing
        standing = self.placements[placement_id]
        known = [standing["descriptor_id"], *standing["previous_siblings"]]
        return self.descriptors[known[distance]] if distance < len(known) else None

    def place(self, of_type: bool, thing: Thing) -> tuple[range, range]:
        """The places that it may have from the first sibling, and from the last."""
        placement_id, distance = thing
        standing = self.placements[placement_id]
        index, count = standing["sibling_index"], standing["sibling_count"]
        if not of_type:
            return exactly(index - distance), exactly(count - index + distance + 1)
        before, after = standing["type_index"] - 1, standing["type_count"] - standing["type_index"]
        types = [self.type((placement_id, each)) for each in range(index)]
        if index == standing["type_index"]:
            types = [types[0]] * index
        own, its = types[0], types[distance]
        if its == own:
            between = types[:distance].count(own)
            return exactly(before + 1 - between), exactly(after + 1 + between)
        if its is None:
            return range(1, index - distance + 1), range(1, count - index + distance + 2)
        further, nearer = types[distance + 1 :], types[1:distance]
        others_before = further.count(None) - (before - types[1:].count(own))
        others_after = count - index - after
        start, end = further.count(its) + 1, nearer.count(its) + 1
        return range(start, start + others_before + 1), range(end, end + others_after + 1)

    def type(self, thing: Thing) -> tuple[str, str] | None:
        what = self.what(thing)
        return (what["tag"], what["namespace"]) if what else None


def descriptor(condition: Simple, what: Row) -> Answer:
    """Conditions on what an element is."""
    match condition:
        case Type(name):
            is_html = what["namespace"] == "html"
            return bool((what["tag"] if is_html else lower(what["tag"])) == lower(name))
        case Id(name):
            if what["dom_id"] is None:
                return False
            return None if "id" in what["marks"] else same_name(what, what["dom_id"], name)
        case Class(name):
            if any(same_name(what, each, name) for each in what["classes"]):
                return True
            return None if "class" in what["marks"] else False
        case Attribute():
            return either(attribute(condition, what, *each) for each in attributes(what))
        case State(name):
            return what["namespace"] == "html" and state(name, what)
        case _:
            return True


def state(name: str, what: Row) -> Answer:
    """What the browser was in, for an element of HTML."""
    tag = what["tag"]
    is_field = tag in ("input", "select", "textarea")
    match name:
        case "enabled" if "-" in tag and not what["is_disabled"]:
            return None
        case "enabled":
            return (is_field or tag in ("button", "option", "optgroup", "fieldset")) and not what[
                "is_disabled"
            ]
        case "optional":
            return (is_field or tag == "button") and not what["is_required"]
        case "read-write":
            return not what["is_read_only"]
        case "open" if tag in ("select", "input"):
            return None
        case "open":
            return tag in ("details", "dialog") and bool(what["is_open"])
        case _:
            return bool(what[f"is_{name.replace('-', '_')}"])


def lower(text: str) -> str:
    """A to Z only."""
    return re.sub("[A-Z]", lambda found: found[0].lower(), text)


def same_name(what: Row, here: str, wanted: str) -> bool:
    return lower(here) == lower(wanted) if what["is_quirks"] else here == wanted


def attributes(what: Row) -> list[tuple[str, str, bool]]:
    """Name, value and whether it is partial; a value that is not known at all is one unknown stretch."""
    found = [(each["name"], each["value"], each["is_partial"]) for each in what["attributes"]]
    found += [(name, "…", True) for name in what["attribute_names"]]
    found += [(name, what[column], name in what["marks"])
              for name, column in (("id", "dom_id"), ("class", "class_name")) if what[column] is not None]  # fmt: skip
    return found


def attribute(condition: Attribute, what: Row, name: str, value: str, is_partial: bool) -> Answer:
    is_html = what["namespace"] == "html"
    if (name if is_html else lower(name)) != lower(condition.name):
        return False
    if condition.operator is None:
        return True
    operand, operator = condition.value, condition.operator
    if operator in ("^=", "$=", "*=") and not operand:
        return False
    if operator == "~=" and (not operand or re.search(SPACE, operand)):
        return False
    is_listed = is_html and lower(condition.name) in CASE_IGNORED
    if condition.sensitivity == "i" or (condition.sensitivity is None and is_listed):
        operand, value = lower(operand), lower(value)
    if not is_partial:
        return compares(operator, value, operand)
    pieces = value.split("…")
    if "…" not in operand and surely(operator, pieces, operand):
        return True
    return None if possibly(operator, pieces, operand) else False


def compares(operator: str, value: str, operand: str) -> bool:
    match operator:
        case "=":
            return value == operand
        case "^=":
            return value.startswith(operand)
        case "$=":
            return value.endswith(operand)
        case "*=":
            return operand in value
        case "~=":
            return operand in re.split(SPACE, value)
        case _:
            return value == operand or value.startswith(operand + "-")


def surely(operator: str, pieces: list[str], operand: str) -> bool:
    """Whether every text with these pieces and anything between them compares: filled with what no operand has."""
    other = "\x00"
    return len(pieces) > 1 and compares(operator, other.join(pieces), operand) and compares(
        operator, f"{other} {other}".join(pieces), operand
    )  # fmt: skip


def possibly(operator: str, pieces: list[str], operand: str) -> bool:
    """Whether some text with these pieces and anything between them compares."""
    if operator == "=":
        return re.fullmatch(".*".join(map(re.escape, pieces)), operand, re.DOTALL) is not None
    wanted = operand + "-" if operator == "|=" else operand
    head, tail = pieces[0], pieces[-1]
    if operator in ("^=", "|="):
        return wanted.startswith(head) or head.startswith(wanted)
    if operator == "$=":
        return wanted.endswith(tail) or tail.endswith(wanted)
    return True


def exactly(place: int) -> range:
    return range(place, place + 1)


def position(condition: Position | Only, from_first: range, from_last: range) -> Answer:
    """Conditions on where an element stands, given the places that it may have."""
    if isinstance(condition, Only):
        return both(some_or_all(place == 1 for place in places) for places in (from_first, from_last))
    step, offset = condition.step, condition.offset
    places = from_last if condition.from_end else from_first
    if not step:
        return some_or_all(place == offset for place in places)
    return some_or_all((place - offset) % step == 0 and (place - offset) // step >= 0 for place in places)


def some_or_all(answers: Iterable[bool]) -> Answer:
    """True or False where all say so."""
    found = set(answers)
    return found.pop() if len(found) == 1 else None
