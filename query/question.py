"""Questions: frozen, comparable, and able to travel to a query process. What each means is in SEMANTICS.md.

A step is the name of a saved definition (its latest version), `Saved(name, version)`, or an inline `Definition`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from expost.errors import InvalidInput, NotBuilt

from .answer import Level
from .breakdown import Breakdown
from .definition import Definition
from .measure import EVENTS, Measure
from .unit import PERSON, SESSION_GAP, Unit

if TYPE_CHECKING:
    from .cohort import Cohort

MAX_STEPS = 20
MAX_PERIODS = 400
MAX_LISTED = 10_000
MAX_REJECTED = 1_000
MAX_TIMELINE = 1_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_SUGGESTIONS = 40
Moment = datetime | date
"""An aware datetime, or a date or naive datetime of the report's time zone (a date is its first moment)."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved definition: the latest version, or one that is pinned."""

    name: str
    version: int | None = None


Step = str | Saved | Definition


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a funnel about which there is more to say.

    `within`: how long after the step before at most, beside the funnel's own window. `optional`: may be left out.
    `where`: only events that this definition matches as well.
    """

    step: Step
    within: timedelta | None = None
    optional: bool = False
    where: Definition | None = None

    def __post_init__(self) -> None:
        if self.within is not None and self.within <= timedelta(0):
            raise InvalidInput("A step's window must be longer than nothing.", hint="For example: 1h")


def stage_of(step: Step | Stage) -> Stage:
    """A step as a stage with nothing more to say."""
    return step if isinstance(step, Stage) else Stage(step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every question may say about itself.

    `site`: the only one if there is only one. `start` and `end`: from here and before there; default all kept time.
    `time_zone` and `week_start` (from Monday as 0): the site's. `bots`, `internal` and `environment` None: as the site
    says. `environment`: one name, several, or "all". `now`: what counts as over; the moment of asking if not given.
    `as_of`: only what was known at that moment (events received, people named, merged and parted by then); it is `now`
    as well.
    `cohort`, `not_cohort`: only people who are in all of the first and in none of the second.
    """

    site: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    time_zone: str | None = None
    week_start: int | None = None
    bots: bool | None = None
    internal: bool | None = None
    environment: str | tuple[str, ...] | None = None
    now: datetime | None = None
    as_of: Moment | None = None
    cohort: tuple[str | Cohort, ...] = ()
    not_cohort: tuple[str | Cohort, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview(Question):
    """The past of a definition: counts, people, unknown, first and last, days, texts, pages, elements, overlaps.

    `count_only` stops after the days, which come first where many events match.
    """

    definition: Step
    days: int = 90
    samples: int = 10
    count_only: bool = False


ORDERS = ("ordered", "strict", "any")
FUNNEL_PERIODS = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class Funnel(Question):
    """How many units went through `steps`, each within `within` of the first step of an attempt (SEMANTICS 5).

    `order`: `ordered`, `strict` (no event of `between` lies between two steps; by default none of the steps), `any`.
    `ends_attempt`: events that end an attempt. `removes_unit`: events that remove whoever has one within the window of
    an entry. `over`: also by the `day`, `week` or `month` of entry. `compare`: also for the `previous` stretch of time.
    """

    steps: tuple[Step | Stage, ...]
    within: timedelta
    by: Breakdown | None = None
    order: str = "ordered"
    unit: Unit = PERSON
    between: tuple[Step, ...] = ()
    ends_attempt: tuple[Step, ...] = ()
    removes_unit: tuple[Step, ...] = ()
    over: str | None = None
    compare: str | None = None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The steps, each with all there is to say about it."""
        return tuple(map(stage_of, self.steps))

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
        _refuse_other("A funnel's order", self.order, ORDERS)
        if self.over is not None:
            _refuse_other("A funnel over time goes by", self.over, FUNNEL_PERIODS)
        if self.compare is not None:
            _check_comparison("A funnel", self.compare, self)
        self._refuse_what_order_cannot()

    def _refuse_what_order_cannot(self) -> None:
        first, *later = self.stages
        if first.optional:
            raise InvalidInput("The first step of a funnel cannot be optional.", hint="Leave it out instead.")
        if first.within is not None:
            raise InvalidInput(
                "The first step has no step before it, so no window from one.",
                hint="Give within for later steps.",
            )
        if self.order == "any" and any(each.within is not None for each in later):
            raise InvalidInput(
                "Steps in any order have no step before them, so no windows of their own.",
                hint="Use the order 'ordered' or 'strict', or leave the windows out.",
            )
        if self.order != "ordered" and any(each.optional for each in later):
            raise InvalidInput(
                f"In the order {self.order!r} no step is optional.", hint="Use the order 'ordered'."
            )
        if self.between and self.order != "strict":
            raise InvalidInput(
                "Events that may not lie between two steps are asked for in the order 'strict' alone.",
                hint="Use the order 'strict', or ends_attempt.",
            )


@dataclass(frozen=True, slots=True)
class FunnelPeople(Question):
    """The people behind a bar of `funnel`: those who reached `step` (counted from 1).

    With `dropped_off`, those who reached it and not the next one. `kind` and `value` choose a group of a breakdown.
    Range, time zone, environment, bots, internal devices and `now` are those of the funnel. `person`: only this one.
    """

    funnel: Funnel
    step: int
    dropped_off: bool = False
    kind: str | None = None
    value: str | None = None
    limit: int = 100
    person: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.step <= len(self.funnel.steps):
            raise InvalidInput(
                f"The funnel has no step {self.step}.", hint=f"Steps: 1 to {len(self.funnel.steps)}."
            )
        _ask_as(self, self.funnel)


RETENTION_PERIODS = ("day", "week", "month")
RETENTION_MODES = ("on", "on_or_after")
ENTRIES = ("first_in_range", "first_ever", "recurring")


@dataclass(frozen=True, slots=True)
class Retention(Question):
    """Who came back: cohorts by the period of an entry, and who did `returns` in period n (SEMANTICS 6).

    `entry`: the first `begins` in range, the first ever (in kept data), or `recurring`, once per period. `periods` is
    how many periods after 0 are shown. `mode`: in period n, or in period n or later. `rolling`: periods are exact
    multiples of 24 hours from the unit's own entry (a month: 30 days). `brackets`: stretches of periods, both ends
    included, that are shown instead of single ones.
    """

    begins: Step
    returns: Step
    period: str = "week"
    periods: int = 8
    by: Breakdown | None = None
    entry: Literal["first_in_range", "first_ever", "recurring"] = "first_in_range"
    mode: str = "on"
    rolling: bool = False
    brackets: tuple[tuple[int, int], ...] = ()
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        _refuse_other("Retention goes by", self.period, RETENTION_PERIODS)
        _refuse_other("Retention is counted", self.mode, RETENTION_MODES)
        _refuse_other("Retention's entry is", self.entry, ENTRIES)
        if not 0 <= self.periods <= MAX_PERIODS:
            raise InvalidInput(f"Retention shows 0 to {MAX_PERIODS} periods, not {self.periods}.")
        if self.brackets:
            self._check_brackets()

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """The stretches of periods that are shown: the first and the last period of each."""
        return self.brackets or tuple((period, period) for period in range(self.periods + 1))

    def _check_brackets(self) -> None:
        if self.mode == "on_or_after":
            raise InvalidInput(
                "Brackets say in which periods a return counts, so 'on_or_after' has nothing to say.",
                hint="Leave one of them out.",
            )
        before = -1
        for low, high in self.brackets:
            if not before < low <= high <= MAX_PERIODS:
                raise InvalidInput(
                    f"The brackets {format_brackets(self.brackets)} do not follow one another.",
                    hint="For example: 0,1-3,4-7 (periods after the first, each once, in order)",
                )
            before = high


@dataclass(frozen=True, slots=True)
class RetentionPeople(Question):
    """The people of a cohort of `retention`, that of the day `cohort`: all of them, or who came back in `period`.

    `kind` and `value` choose a group of a breakdown. All else is as in the retention.
    """

    retention: Retention
    cohort_day: date
    period: int | None = None
    kind: str | None = None
    value: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        firsts = [low for low, _ in self.retention.cells]
        if self.period is not None and self.period not in firsts:
            raise InvalidInput(
                f"The retention shows no period {self.period}.",
                hint=f"One of: {', '.join(map(str, firsts))}.",
            )
        _ask_as(self, self.retention)


def parse_weekday(text: str) -> int:
    """The day of the week, from Monday as 0.

    >>> parse_weekday("Sunday"), parse_weekday("tue")
    (6, 1)
    """
    found = [
        number for number, name in enumerate(WEEKDAYS) if len(text) >= 3 and name.startswith(text.lower())
    ]
    if not found:
        raise InvalidInput(f"{text!r} is no day of the week.", hint=f"One of: {', '.join(WEEKDAYS)}.")
    return found[0]


def parse_brackets(text: str) -> tuple[tuple[int, int], ...]:
    """Stretches of periods.

    >>> parse_brackets("0,1-3,4-7")
    ((0, 0), (1, 3), (4, 7))
    """
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", part, re.ASCII)
        if match is None:
            raise InvalidInput(
                f"{part!r} is no stretch of periods.", hint="For example: 0,1-3,4-7 (periods after the first)"
            )
        found.append((int(match[1]), int(match[2] or match[1])))
    return tuple(found)


def format_brackets(brackets: tuple[tuple[int, int], ...]) -> str:
    """Brackets as `parse_brackets` reads them."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in brackets)


@dataclass(frozen=True, slots=True)
class Trend(Question):
    """Events and people of a definition, and a measure of them, per calendar period: hour, day, week or month.

    `per`: another definition, by whose `per_measure` (the same measure unless it is given) the measure is divided.
    `compare`: also for the `previous` stretch of time.
    """

    definition: Step
    period: str = "day"
    by: Breakdown | None = None
    unit: Unit = PERSON
    measure: Measure = EVENTS
    per: Step | None = None
    per_measure: Measure | None = None
    compare: str | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured of each definition: that of the trend, and the one it is divided by."""
        return (self.measure,) if self.per is None else (self.measure, self.per_measure or self.measure)

    def __post_init__(self) -> None:
        _refuse_unbuilt("Trends by", self.period, ("hour", "day", "week", "month"))
        if self.per is None and self.per_measure is not None:
            raise InvalidInput(
                "A measure to divide by needs a definition that it is of.", hint="Say per as well."
            )
        if self.compare is not None:
            _check_comparison("A trend", self.compare, self)


@dataclass(frozen=True, slots=True)
class TrendPeople(Question):
    """The people of a point of `trend`, that of the period in which `period` lies, or of all of it.

    `kind` and `value` choose a group of a breakdown. All else is as in the trend.
    """

    trend: Trend
    period: Moment | None = None
    kind: str | None = None
    value: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        _ask_as(self, self.trend)


@dataclass(frozen=True, slots=True)
class Explanation(Question):
    """Which rules decided a funnel or a retention, and its counts under the other ones."""

    of: Funnel | Retention

    def __post_init__(self) -> None:
        _ask_as(self, self.of)


@dataclass(frozen=True, slots=True)
class Stickiness(Question):
    """On how many distinct days, weeks or months of the range people did it."""

    definition: Step
    period: str = "day"
    by: Breakdown | None = None
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        _refuse_other("Stickiness counts", self.period, RETENTION_PERIODS)


@dataclass(frozen=True, slots=True)
class Lifecycle(Question):
    """Per day, week or month who did it for the first time, again, after a gap, and who did in the one before only."""

    definition: Step
    period: str = "week"
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        _refuse_other("A lifecycle goes by", self.period, RETENTION_PERIODS)


MAX_PATH_STEPS = 20
MAX_PATH_EDGES = 1_000


@dataclass(frozen=True, slots=True)
class Paths(Question):
    """What people did in the same session after (or before) `anchor`, step by step.

    A step is an event of one of `events`, called by its name, or else a view of a page, called by the first glob of
    `groups` that fits its path, or by the path. `top`: how many edges of a step are told apart; the rest are `other`.
    """

    anchor: Step
    direction: str = "after"
    steps: int = 4
    top: int = 10
    events: tuple[Step, ...] = ()
    groups: tuple[str, ...] = ()
    gap: timedelta = SESSION_GAP

    def __post_init__(self) -> None:
        _refuse_other("Paths go", self.direction, ("after", "before"))
        if not 1 <= self.steps <= MAX_PATH_STEPS:
            raise InvalidInput(f"Paths have 1 to {MAX_PATH_STEPS} steps, not {self.steps}.")
        if not 1 <= self.top <= MAX_PATH_EDGES:
            raise InvalidInput(f"Paths tell 1 to {MAX_PATH_EDGES:,} edges of a step apart, not {self.top}.")
        if len(self.events) > MAX_STEPS or len(self.groups) > 100:
            raise InvalidInput(f"Paths name at most {MAX_STEPS} definitions and 100 groups of pages.")


@dataclass(frozen=True, slots=True)
class CohortSize(Question):
    """How many people are in a cohort now, of all who have an event that counts."""

    of: str | Cohort


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
class Suggestions(Question):
    """Selectors for one element, ranked by what each would have gathered.

    The element is that of an event (`event_id`), one of history (`element`, its id), or one of a `chain` as a page has
    it now, with the words on it (`text`), its `page` (host and path) and the `kind` of event. `level` counts ancestors
    from the target outwards; without it the nearest control is meant.
    """

    event_id: str | None = None
    element: str | None = None
    chain: tuple[Level, ...] = ()
    level: int | None = None
    kind: str = "click"
    text: str | None = None
    page: str = ""
    limit: int = 8

    def __post_init__(self) -> None:
        given = [self.event_id is not None, self.element is not None, bool(self.chain)]
        if given.count(True) != 1:
            raise InvalidInput(
                "Suggestions are for one element.", hint="Give the id of an event, or that of an element."
            )
        if not 1 <= self.limit <= MAX_SUGGESTIONS:
            raise InvalidInput(f"1 to {MAX_SUGGESTIONS} selectors are suggested, not {self.limit}.")
        if self.chain and not 0 <= (self.level or 0) < len(self.chain):
            raise InvalidInput(
                f"The chain has no level {self.level}.", hint=f"Levels are 0 to {len(self.chain) - 1}."
            )


@dataclass(frozen=True, slots=True)
class Unnamed(Question):
    """Interactions that no definition matches, those of the most people first; without a range of the last 90 days."""

    limit: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LISTED:
            raise InvalidInput(
                f"1 to {MAX_LISTED:,} interactions without a name are listed, not {self.limit}."
            )


@dataclass(frozen=True, slots=True)
class Timeline(Question):
    """One person whole: users, devices, edges, traits, and the `latest` events in range by session, newest first.

    `id` is what the site calls a user, else the id of a device, else a `person_id`.
    """

    id: str
    latest: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.latest <= MAX_TIMELINE:
            raise InvalidInput(f"A timeline shows 1 to {MAX_TIMELINE:,} events, not {self.latest}.")


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


def _ask_as(question: Question, other: Question) -> None:
    """What every question may say about itself is as in the other; a site of its own stays."""
    for each in fields(Question):
        if each.name != "site" or question.site is None:
            object.__setattr__(question, each.name, getattr(other, each.name))


def _check_comparison(what: str, compare: str, question: Question) -> None:
    _refuse_other(f"{what} is compared with", compare, ("previous",))
    if question.start is None or question.end is None:
        raise InvalidInput(
            "A comparison with the previous period needs a range.",
            hint="Say from and to: the stretch of the same length before it is compared.",
        )


def _refuse_unbuilt(what: str, given: str, built: tuple[str, ...]) -> None:
    if given not in built:
        raise NotBuilt(f"{what} {given!r} is not built yet.", hint=f"Use one of: {', '.join(built)}.")


def _refuse_other(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InvalidInput(f"{what} {given!r}, which is none.", hint=f"One of: {', '.join(known)}.")
