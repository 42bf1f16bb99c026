"""A slow second opinion on selectors: one element at a time, over the rows of the element dictionary, without SQL.

Every answer is True (surely), False (surely not) or None (unknown). An unknown value is taken as "some completion
would match", which is as sharp as one value alone allows; the SQL may say unknown a little more often, never less.
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
    Type,
)

Answer = bool | None
Row = Mapping[str, Any]

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
    """Answers for elements by id, given the rows of `descriptors` and `elements`."""

    def __init__(self, descriptors: Iterable[Row], elements: Iterable[Row], *, pierce: bool = False) -> None:
        self.descriptors = {row["descriptor_id"]: row for row in descriptors}
        self.elements = {row["element_id"]: row for row in elements}
        self.pierce = pierce
        self.known: dict[tuple[Complex, int], Answer] = {}

    def target(self, selector: Selector, element_id: int) -> Answer:
        """Whether some element of the chain matches."""
        chain = [element_id, *self.elements[element_id]["ancestors"]]
        answers = [self.element(selector, each) for each in chain]
        if any(self.elements[each]["is_cut"] for each in chain):
            answers.append(None)
        return either(answers)

    def subject(self, selector: Selector, element_id: int) -> int | None:
        """The first element of the chain that surely matches."""
        chain = [element_id, *self.elements[element_id]["ancestors"]]
        return next((each for each in chain if self.element(selector, each) is True), None)

    def element(self, selector: Selector, element_id: int) -> Answer:
        """What `Element.matches` would say."""
        return self.any_of(selector.alternatives, element_id)

    def any_of(self, alternatives: Iterable[Complex], element_id: int) -> Answer:
        return either(self.complex(each, element_id) for each in alternatives)

    def complex(self, complex_: Complex, element_id: int) -> Answer:
        if (complex_, element_id) not in self.known:
            self.known[complex_, element_id] = self.walk(complex_, element_id)
        return self.known[complex_, element_id]

    def walk(self, complex_: Complex, element_id: int) -> Answer:
        here = self.compound(complex_.compounds[-1], element_id)
        if not complex_.combinators or here is False:
            return here
        outer = Complex(complex_.compounds[:-1], complex_.combinators[:-1])
        above: list[Answer] = []
        standing = self.elements[element_id]
        while True:
            if standing["is_cut"]:
                above.append(None)
                break
            if standing["parent_id"] is None or (standing["is_shadow_child"] and not self.pierce):
                break
            above.append(self.complex(outer, standing["parent_id"]))
            standing = self.elements[standing["parent_id"]]
            if complex_.combinators[-1] == ">":
                break
        return both([here, either(above)])

    def compound(self, compound: Compound, element_id: int) -> Answer:
        return both(self.simple(each, element_id) for each in compound.conditions)

    def simple(self, condition: Simple, element_id: int) -> Answer:
        match condition:
            case AnyOf(_, alternatives):
                return self.any_of(alternatives, element_id)
            case Not(alternatives):
                return opposite(self.any_of(alternatives, element_id))
            case Position() | Only() | Root():
                return position(condition, self.elements[element_id])
            case _:
                return descriptor(condition, self.descriptors[self.elements[element_id]["descriptor_id"]])


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
        case _:
            return True


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


def position(condition: Position | Only | Root, element: Row) -> bool:
    """Conditions on where an element stands."""
    if isinstance(condition, Root):
        return bool(element["is_root"])
    if isinstance(condition, Only):
        return bool(element["type_count" if condition.of_type else "sibling_count"] == 1)
    noun = "type" if condition.of_type else "sibling"
    place = element[f"{noun}_index"]
    if condition.from_end:
        place = element[f"{noun}_count"] - place + 1
    if condition.step == 0:
        return bool(place == condition.offset)
    turns, rest = divmod(place - condition.offset, condition.step)
    return bool(rest == 0 and turns >= 0)
