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
    from .question import Moment

Several = Literal["first", "exclude", "as_treated"]
SEVERAL: tuple[Several, ...] = ("first", "exclude", "as_treated")


@dataclass(frozen=True, slots=True)
class Flag:
    """A breakdown by the variation of this flag (docs/rules.md 4).

    `several` says what of a unit that saw several: the `first` one counts, or they `exclude` themselves and make a
    group of their own, or the latest before the entry counts (`as_treated`). Exposures before `exposures_from` count as
    if they had never been.
    """

    key: str
    several: Several = "first"
    exposures_from: Moment | None = None

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
EXAMPLES = (
    "For example: flag:new-checkout, property:plan, trait:plan, latest_trait:plan, cohort:Regulars, path"
)


def breakdown_said(
    given: Breakdown | str | None, several: str | None = None, exposures_from: Moment | None = None
) -> Breakdown | None:
    """What a result is split by, which may be in words.

    `several` says what of a unit that saw several variations, `exposures_from` since when exposures count.

    >>> breakdown_said(Flag("new-checkout"), "exclude").several
    'exclude'
    """
    found = parse_breakdown(given) if isinstance(given, str) else given
    if found is not None and not isinstance(found, Breakdown):
        raise InvalidInput(f"by is {given!r}, which is no breakdown.", hint=EXAMPLES)
    if several is None and exposures_from is None:
        return found
    if not isinstance(found, Flag):
        what = (
            f"exposures_from is {exposures_from.isoformat()!r}, since when exposures to a flag count"
            if several is None and exposures_from is not None
            else f"{several!r} says how people who saw several variations count"
        )
        if found is None:
            raise InvalidInput(f"{what}, and there is no flag.", hint="Split by a flag as well: by flag:KEY")
        raise InvalidInput(f"{what}, and {given!r} is no flag.", hint="Split by flag:KEY, or leave it out.")
    return Flag(
        found.key,
        found.several if several is None else several,  # type: ignore[arg-type]  # checked there
        found.exposures_from if exposures_from is None else exposures_from,
    )


def parse_breakdown(text: str) -> Breakdown:
    """`flag:KEY`, `property:NAME`, `trait:NAME`, `latest_trait:NAME`, `cohort:NAME`, or a column such as `path`.

    >>> parse_breakdown("flag:new-checkout").key
    'new-checkout'
    >>> parse_breakdown("latest_trait:plan")
    ByTrait(name='plan', latest=True)
    """
    kind, colon, name = text.partition(":")
    if colon and name:
        match kind:
            case "flag":
                return Flag(name)
            case "property":
                return ByProperty(name)
            case "trait":
                return ByTrait(name)
            case "latest_trait":
                return ByTrait(name, latest=True)
            case "cohort":
                return ByCohort(name)
    if colon:
        raise InvalidInput(f"{text!r} is no breakdown.", hint=EXAMPLES)
    return ByColumn(text)


FLAG_KINDS = ("total", "variation", "several variations", "not exposed", "before exposure")
VALUE_KINDS = ("total", "value", "other", "no value")
"""The kinds of groups that results have which are split by a flag, and by a value."""


def kind_asked(by: Breakdown | None, kind: str | None, value: str | None) -> str | None:
    """The kind of the group whose people are asked for; a `value` alone names its kind by what splits the result.

    >>> kind_asked(Flag("new-checkout"), None, "on")
    'variation'
    """
    if by is None and (value is not None or kind not in (None, "total")):
        raise InvalidInput(
            f"The group {kind if value is None else value!r} is asked for, and nothing splits the result into groups.",
            hint="Say by as well, such as by=flag:new-checkout, or leave kind and value out.",
        )
    known = FLAG_KINDS if isinstance(by, Flag) else VALUE_KINDS
    named = known[1]
    if kind is None:
        return None if value is None else named
    if kind not in known:
        raise InvalidInput(f"No group is of the kind {kind!r}.", hint=f"One of: {', '.join(known)}.")
    if value is not None and kind != named:
        raise InvalidInput(
            f"The group {kind!r} has no value {value!r}.",
            hint=f"Leave the value out, or say the kind {named!r}.",
        )
    return kind
