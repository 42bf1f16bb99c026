"""The parse tree of a selector: what was asked, without any place or quoting.

    Selector            form.signup button, a[href]        any of its alternatives
    └── Complex         form.signup button                 compounds, read from ancestor or sibling to subject
        └── Compound    form.signup                        conditions that hold for one element
            └── Simple  form  .signup                      one condition

`str()` of each is the canonical CSS, on one line. `selector_parser.parse` makes a tree, `selector_sql.compile_selector`
makes SQL of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .css import escape_identifier, quote_string

Combinator = Literal[" ", ">", "+", "~"]
Operator = Literal["=", "~=", "|=", "^=", "$=", "*="]
Sensitivity = Literal["i", "s"]


@dataclass(frozen=True, slots=True)
class Type:
    """The element's local name; `button`, `linearGradient`."""

    name: str

    def __str__(self) -> str:
        return escape_identifier(self.name)


@dataclass(frozen=True, slots=True)
class Universal:
    """Any element at all."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class Id:
    """The `id` attribute."""

    name: str

    def __str__(self) -> str:
        return f"#{escape_identifier(self.name)}"


@dataclass(frozen=True, slots=True)
class Class:
    """One word of the `class` attribute."""

    name: str

    def __str__(self) -> str:
        return f".{escape_identifier(self.name)}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that is there (`operator` None) or whose value compares with `value`.

    `sensitivity` is the flag as written; None leaves it to HTML's list of attributes that ignore case.
    """

    name: str
    operator: Operator | None = None
    value: str = ""
    sensitivity: Sensitivity | None = None

    def __str__(self) -> str:
        name = escape_identifier(self.name)
        if self.operator is None:
            return f"[{name}]"
        flag = f" {self.sensitivity}" if self.sensitivity else ""
        return f"[{name}{self.operator}{quote_string(self.value)}{flag}]"


@dataclass(frozen=True, slots=True)
class Position:
    """The place among siblings is step·n + offset for some n of 0, 1, 2 and so on.

    Counted from 1, from the first or the last sibling, among all of them or those of the element's type.
    """

    name: str
    of_type: bool
    from_end: bool
    step: int
    offset: int

    def __str__(self) -> str:
        if not self.name.startswith("nth-"):
            return f":{self.name}"
        if not self.step:
            return f":{self.name}({self.offset})"
        return f":{self.name}({self.step}n{self.offset:+d})" if self.offset else f":{self.name}({self.step}n)"


@dataclass(frozen=True, slots=True)
class Only:
    """It has no sibling, or none of its type."""

    of_type: bool

    def __str__(self) -> str:
        return ":only-of-type" if self.of_type else ":only-child"


@dataclass(frozen=True, slots=True)
class Root:
    """The document's root element."""

    def __str__(self) -> str:
        return ":root"


@dataclass(frozen=True, slots=True)
class State:
    """What it could do at that moment, as in `:checked`; `name` is without the colon."""

    name: str

    def __str__(self) -> str:
        return f":{self.name}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`:is()` or `:where()`: one of the alternatives matches. They differ in specificity only."""

    name: Literal["is", "where"]
    alternatives: tuple[Complex, ...]

    def __str__(self) -> str:
        return f":{self.name}({_list(self.alternatives)})"


@dataclass(frozen=True, slots=True)
class Not:
    """None of the alternatives matches."""

    alternatives: tuple[Complex, ...]

    def __str__(self) -> str:
        return f":not({_list(self.alternatives)})"


Simple = Type | Universal | Id | Class | Attribute | Position | Only | Root | State | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Compound:
    """Conditions that all hold for one element."""

    conditions: tuple[Simple, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.conditions))


@dataclass(frozen=True, slots=True)
class Complex:
    """Compounds from the outermost ancestor or sibling to the subject, with a combinator between each two."""

    compounds: tuple[Compound, ...]
    combinators: tuple[Combinator, ...] = ()

    def __str__(self) -> str:
        text = str(self.compounds[0])
        for combinator, compound in zip(self.combinators, self.compounds[1:], strict=True):
            text += f" {compound}" if combinator == " " else f" {combinator} {compound}"
        return text


@dataclass(frozen=True, slots=True)
class Selector:
    """A list of alternatives; `text` is what was typed."""

    alternatives: tuple[Complex, ...]
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return _list(self.alternatives)


def _list(alternatives: tuple[Complex, ...]) -> str:
    return ", ".join(map(str, alternatives))
