"""The sets that the SQL of a selector is made of: common table expressions, each with an answer for what is in it.

A set holds `descriptor_id`, `element_id`, or the place of a previous sibling (`element_id`, `distance`, `furthest`),
and `is_sure`. What is not in the set does not match; what is in it matches surely or, without `is_sure`, possibly.
Kleene's logic on such sets is: *and* joins and asks both, *or* takes the surest, *not* keeps what is outside surely
and what is not sure possibly.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from textwrap import dedent

from .selector import Attribute, Class, Compound, Id, Simple, State, Type

RESERVED = ("cut", "chain", "surely", "possibly")
"""Names that no condition gives to its set."""


@dataclass
class Sets:
    """The expressions and values collected so far. Equal conditions share one expression."""

    prefix: str
    ctes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, object], str] = field(default_factory=dict)

    def bind(self, noun: str, value: str) -> str:
        """Keep a value, and give the name that stands for it in the text."""
        name = f"{self.prefix}_{noun}"
        number = 2
        while self.parameters.setdefault(name, value) != value:
            name, number = f"{self.prefix}_{noun}_{number}", number + 1
        return f"${name}"

    def add(self, kind: str, subject: object, noun: str, sql: str, comment: str = "") -> str:
        """Put an expression named after `noun`, commented with `subject` unless else is said, and give its name."""
        name = _free(f"{self.prefix}_{noun}", {*self.ctes, *(f"{self.prefix}_{each}" for each in RESERVED)})
        self.ctes[name] = f"-- {_comment(comment or str(subject))}\n{lines(sql)}"
        self.made[kind, subject] = name
        return name


def union(keys: str, parts: Sequence[str]) -> str:
    """What is in one of the sets, as surely as in the surest."""
    rows = "\n    union all\n".join(f"    select {keys}, is_sure from {part}" for part in parts)
    return f"select {keys}, max(is_sure) as is_sure\nfrom (\n{rows}\n) as found\ngroup by {keys}"


@dataclass(slots=True)
class Selection:
    """A select of those rows of `source` for which all conditions hold, sure where each of `sure` is.

    Rows are told apart by `keys`, and so are those of the sets that are asked. Two conditions can share one set; it is
    joined once.
    """

    source: str
    alias: str
    keys: tuple[str, ...]
    joins: list[str] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    sure: list[str] = field(default_factory=list)

    def within(self, name: str) -> None:
        """Only rows that are in the set."""
        self.joins.append(f"join {name} on {self._same(name)}")
        self.sure.append(f"{name}.is_sure")

    def outside(self, name: str) -> None:
        """Only rows that are not surely in the set."""
        self.joins.append(f"left join {name} as not_{name} on {self._same(f'not_{name}')}")
        self.wheres.append(f"not coalesce(not_{name}.is_sure, false)")
        self.sure.append(f"not_{name}.{self.keys[0]} is null")

    def text(self) -> str:
        keys = ", ".join(f"{self.alias}.{key}" for key in self.keys)
        sure, wheres = list(dict.fromkeys(self.sure)), dict.fromkeys(self.wheres)
        answer = " and ".join(sure) or "true"
        if len(sure) != 1 or not answer.endswith(".is_sure"):
            answer += " as is_sure"
        if len(sure) > 2:
            listed = "\n        and ".join(sure)
            head = ["select distinct", f"    {keys}", f"    , {listed} as is_sure"]
        else:
            head = [f"select distinct {keys}, {answer}"]
        head += [f"from {self.source} as {self.alias}", *dict.fromkeys(self.joins)]
        head += [f"{'    and' if count else 'where'} {each}" for count, each in enumerate(wheres)]
        return "\n".join(head)

    def _same(self, name: str) -> str:
        return " and ".join(f"{name}.{key} = {self.alias}.{key}" for key in self.keys)


def lines(sql: str) -> str:
    """The text without the indentation that it has in Python."""
    return dedent(sql).rstrip()


def noun_of(subject: Compound | Simple) -> str:
    """A word for a name in SQL: of letters and digits only, whatever the selector holds."""
    match subject:
        case Compound(conditions):
            named = (
                noun_of(each)
                for each in conditions
                if isinstance(each, Type | Id | Class | Attribute | State)
            )
            return next(named, "any")
        case Type(name) | Id(name) | Class(name) | Attribute(name) | State(name):
            return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:24].rstrip("_") or "any"
        case _:
            return "any"


def _comment(text: str) -> str:
    # Canonical CSS has no line break in it, so it cannot leave the comment.
    return text if len(text) <= 100 else text[:99] + "…"


def _free(name: str, taken: Container[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
