"""Questions: frozen, comparable, and able to travel to a query process. What each means is in SEMANTICS.md.

A step is the name of a saved definition (its latest version), `Saved(name, version)`, or an inline `Definition`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Literal

from expost.errors import InvalidInput, NotBuilt

from .definition import Definition

MAX_STEPS = 20
MAX_PERIODS = 400
MAX_LISTED = 10_000
MAX_REJECTED = 1_000
Moment = datetime | date
"""An aware datetime, or a date or naive datetime of the report's time zone (a date is its first moment)."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved definition: the latest version, or one that is pinned."""

    name: str
    version: int | None = None


Step = str | Saved | Definition


@dataclass(frozen=True, slots=True)
class Flag:
    """A breakdown by the variation of the first exposure to this flag (SEMANTICS 4)."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every question may say about itself.

    `site`: the only one if there is only one. `start` and `end`: from here and before there; default all kept time.
    `time_zone`: the site's. `bots`, `internal` and `environment` None: as the site says. `environment`: one name,
    several, or "all". `now`: what counts as over; the moment of asking if not given.
    """

    site: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    time_zone: str | None = None
    bots: bool | None = None
    internal: bool | None = None
    environment: str | tuple[str, ...] | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview(Question):
    """The past of a definition: counts, people, unknown, first and last, days, texts, pages, sample elements."""

    definition: Step
    days: int = 90
    samples: int = 10


@dataclass(frozen=True, slots=True)
class Funnel(Question):
    """How many people went through `steps` in order, each within `within` of their first step."""

    steps: tuple[Step, ...]
    within: timedelta
    by: Flag | None = None
    order: str = "ordered"

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise InvalidInput(f"A funnel has 1 to {MAX_STEPS} steps; this one has {len(self.steps)}.")
        if not isinstance(self.within, timedelta):
            raise InvalidInput(
                f"A funnel's window is {self.within!r}, which is no length of time.",
                hint="For example: within='7 days', or a timedelta.",
            )
        if self.within <= timedelta(0):
            raise InvalidInput(
                "A funnel's window must be longer than nothing.", hint="For example: within 7d"
            )
        if self.order != "ordered":
            raise NotBuilt(
                f"Funnels in the order {self.order!r} are not built yet.", hint="Use the order 'ordered'."
            )


@dataclass(frozen=True, slots=True)
class FunnelPeople(Question):
    """The people behind a bar of `funnel`: those who reached `step` (counted from 1).

    With `dropped_off`, those who reached it and not the next one. `kind` and `value` choose a group of a breakdown.
    Range, time zone, environment, bots, internal devices and `now` are those of the funnel.
    """

    funnel: Funnel
    step: int
    dropped_off: bool = False
    kind: str | None = None
    value: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.step <= len(self.funnel.steps):
            raise InvalidInput(
                f"The funnel has no step {self.step}.", hint=f"Steps: 1 to {len(self.funnel.steps)}."
            )
        for each in fields(Question):
            if each.name != "site" or self.site is None:
                object.__setattr__(self, each.name, getattr(self.funnel, each.name))


@dataclass(frozen=True, slots=True)
class Retention(Question):
    """Who came back: cohorts by the period of their first `begins` in range, and who did `returns` in period n.

    `entry` is `first_in_range` or `first_ever` (in kept data). `periods` is how many periods after 0 are shown.
    """

    begins: Step
    returns: Step
    period: str = "week"
    periods: int = 8
    by: Flag | None = None
    entry: Literal["first_in_range", "first_ever"] = "first_in_range"
    mode: str = "on"
    rolling: bool = False

    def __post_init__(self) -> None:
        _refuse_unbuilt("Retention by", self.period, ("day", "week"))
        _refuse_unbuilt("Retention counted", self.mode, ("on",))
        _refuse_unbuilt("Retention with entry", self.entry, ("first_in_range", "first_ever"))
        if self.rolling:
            raise NotBuilt("Rolling retention is not built yet.", hint="Use calendar periods.")
        if not 0 <= self.periods <= MAX_PERIODS:
            raise InvalidInput(f"Retention shows 0 to {MAX_PERIODS} periods, not {self.periods}.")


@dataclass(frozen=True, slots=True)
class Trend(Question):
    """Events and people of a definition per calendar period: hour, day, week (from Monday) or month."""

    definition: Step
    period: str = "day"
    by: Flag | None = None

    def __post_init__(self) -> None:
        _refuse_unbuilt("Trends by", self.period, ("hour", "day", "week", "month"))


@dataclass(frozen=True, slots=True)
class Difference(Question):
    """Which past events change sides between two versions of a definition, with samples of each side."""

    name: str
    old: int
    new: int
    samples: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.samples <= MAX_LISTED:
            raise InvalidInput(f"A difference shows 0 to {MAX_LISTED:,} samples, not {self.samples}.")


@dataclass(frozen=True, slots=True)
class Live(Question):
    """The latest events as they arrived, bots and internal devices too, newest first."""

    latest: int = 50
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventDetail(Question):
    """One event whole, and the chain of the element it happened on, target first."""

    event_id: str


@dataclass(frozen=True, slots=True)
class FlagList(Question):
    """The flags that exposures name, and their variations."""


@dataclass(frozen=True, slots=True)
class Losses(Question):
    """How many events pages numbered that are not here, by day, page (host and path) or browser.

    The range, bots, internal devices and environment are those of pages. `limit` is how many pages or browsers are
    given, those that miss most first; days are given all.
    """

    by: str = "day"
    limit: int = 100

    def __post_init__(self) -> None:
        _refuse_unbuilt("Losses by", self.by, ("day", "page", "browser"))
        if not 1 <= self.limit <= MAX_LISTED:
            raise InvalidInput(f"Losses list 1 to {MAX_LISTED:,} pages or browsers, not {self.limit}.")


@dataclass(frozen=True, slots=True)
class RejectedList(Question):
    """What could not be stored, by kind of reason, and the latest `limit` of them; of one `kind` only."""

    kind: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_REJECTED:
            raise InvalidInput(f"1 to {MAX_REJECTED:,} rejected events can be listed, not {self.limit}.")


@dataclass(frozen=True, slots=True)
class SqlQuery(Question):
    """One SELECT over the views `events`, `elements`, `people`, `losses` and `rejected`, in the sandbox.

    `rejected` is there for admins only.
    """

    text: str
    limit: int = 10_000
    is_admin: bool = True


_UNITS = {
    "s": 1, "sec": 1, "second": 1,
    "m": 60, "min": 60, "minute": 60,
    "h": 3_600, "hour": 3_600,
    "d": 86_400, "day": 86_400,
    "w": 604_800, "week": 604_800,
}  # fmt: skip


def parse_duration(text: str) -> timedelta:
    """`7d`, `7 days`, `36h`, `30 min`, `90s`, `2 weeks`. A day is 24 hours.

    >>> parse_duration("7 days") == parse_duration("7d") == timedelta(days=7)
    True
    """
    match = re.fullmatch(r"\s*(\d{1,9})\s*([a-z]+?)s?\s*", text.lower()) or re.fullmatch(
        r"\s*(\d{1,9})(s)", text
    )
    if not match or match[2] not in _UNITS:
        raise InvalidInput(f"{text!r} is no length of time.", hint="For example: 7d, 36h, 30min, 90s, 2w")
    try:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    except OverflowError as error:
        raise InvalidInput(
            f"{text!r} is longer than time.", hint="For example: 7d, 36h, 30min, 90s, 2w"
        ) from error


def parse_breakdown(text: str) -> Flag:
    """`flag:KEY`; other breakdowns are refused by name."""
    kind, colon, key = text.partition(":")
    if kind == "flag" and key:
        return Flag(key)
    if kind == "flag" or not colon:
        raise InvalidInput(f"{text!r} is no breakdown.", hint="For example: flag:new-checkout")
    raise NotBuilt(f"A breakdown by {kind!r} is not built yet.", hint="Use flag:KEY.")


def _refuse_unbuilt(what: str, given: str, built: tuple[str, ...]) -> None:
    if given not in built:
        raise NotBuilt(f"{what} {given!r} is not built yet.", hint=f"Use one of: {', '.join(built)}.")
