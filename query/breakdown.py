"""Breakdowns: what splits a result into groups, and what splits it never splits a chain of events.

A flag splits by the variation of an exposure (docs/rules.md 4). Everything else is a value at the event of entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from expost.errors import InvalidInput

from .event_column import KINDS

if TYPE_CHECKING:
    from .cohort import Cohort

Several = Literal["first", "exclude", "as_treated"]
SEVERAL: tuple[Several, ...] = ("first", "exclude", "as_treated")


@dataclass(frozen=True, slots=True)
class Flag:
    """A breakdown by the variation of this flag (docs/rules.md 4).

    `several` says what of a unit that saw several: the `first` one counts, or they `exclude` themselves and make a
    group of their own, or the latest before the entry counts (`as_treated`).
    """

    key: str
    several: Several = "first"

    def __post_init__(self) -> None:
        if self.several not in SEVERAL:
            raise InvalidInput(
                f"{self.several!r} is no way to count people who saw several variations.",
                hint=f"One of: {', '.join(SEVERAL)}.",
            )


@dataclass(frozen=True, slots=True)
class ByColumn:
    """A breakdown by a column of the event at which a unit entered, such as `path` or `release`."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise InvalidInput(
                f"{self.name!r} is no column of events by which a result can be split.",
                hint=f"One of: {', '.join(sorted(KINDS))}. A property is called property:NAME, a trait trait:NAME.",
            )


@dataclass(frozen=True, slots=True)
class ByProperty:
    """A breakdown by a property of the event at which a unit entered."""

    name: str


@dataclass(frozen=True, slots=True)
class ByTrait:
    """A breakdown by a trait of the person: its value in force at the event of entry, or with `latest` today's."""

    name: str
    latest: bool = False


@dataclass(frozen=True, slots=True)
class ByCohort:
    """A breakdown by whether the person of the event of entry is in a cohort: the values are `in` and `not in`."""

    cohort: str | Cohort


Breakdown = Flag | ByColumn | ByProperty | ByTrait | ByCohort
ByValue = ByColumn | ByProperty | ByTrait | ByCohort


def parse_breakdown(text: str, several: str | None = None) -> Breakdown:
    """`flag:KEY`, `property:NAME`, `trait:NAME`, `latest_trait:NAME`, `cohort:NAME`, or a column such as `path`.

    >>> parse_breakdown("flag:new-checkout", "exclude")
    Flag(key='new-checkout', several='exclude')
    >>> parse_breakdown("latest_trait:plan")
    ByTrait(name='plan', latest=True)
    """
    kind, colon, name = text.partition(":")
    if several is not None and kind != "flag":
        raise InvalidInput(
            f"{several!r} says how people who saw several variations count, and {text!r} is no flag.",
            hint="Split by flag:KEY, or leave it out.",
        )
    if colon and name:
        match kind:
            case "flag":
                return Flag(name, several or "first")  # type: ignore[arg-type]  # checked there
            case "property":
                return ByProperty(name)
            case "trait":
                return ByTrait(name)
            case "latest_trait":
                return ByTrait(name, latest=True)
            case "cohort":
                return ByCohort(name)
    if colon:
        raise InvalidInput(
            f"{text!r} is no breakdown.",
            hint="For example: flag:new-checkout, property:plan, trait:plan, latest_trait:plan, cohort:Regulars, path",
        )
    return ByColumn(text)
