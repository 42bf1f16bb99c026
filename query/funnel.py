"""Funnels: the question, who is behind a bar, and the answer. `beside.py` leads from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from expost.errors import InvalidInput

from .answer import as_row, ask_again, with_rows_beside
from .breakdown import Breakdown, kind_asked
from .definition import Definition
from .explanation import ExplainedAnswer
from .person import DecidingEvent, PeopleAnswer
from .question import (
    MAX_LISTED,
    MAX_STEPS,
    Comparable,
    Question,
    Step,
    ask_as,
    check_comparison,
    refuse_other,
    refuse_outside,
)
from .unit import PERSON, Unit

LONGEST_WINDOW = timedelta(days=36_500)


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
        if self.within is not None:
            _refuse_window("A step's window", self.within, "1h")


def _refuse_window(what: str, window: timedelta, example: str) -> None:
    if window <= timedelta(0):
        raise InvalidInput(f"{what} must be longer than nothing.", hint=f"For example: {example}")
    if window > LONGEST_WINDOW:
        raise InvalidInput(
            f"{what} is {window.days:,} days, and at most {LONGEST_WINDOW.days:,}.",
            hint=f"For example: {example}",
        )


def stage_of(step: Step | Stage) -> Stage:
    """A step as a stage with nothing more to say."""
    return step if isinstance(step, Stage) else Stage(step)


ORDERS = ("ordered", "strict", "any")
FUNNEL_PERIODS = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class Funnel(Comparable):
    """How many units went through `steps`, each within `within` of the first step of an attempt (docs/rules.md 5).

    `order`: `ordered`, `strict` (no event of `between` lies between two steps; by default none of the steps), `any`.
    `ends_attempt`: events that end an attempt. `removes_unit`: events that remove whoever has one within the window of
    an entry. `over`: also by the `day`, `week` or `month` of entry.
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

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The steps, each with all there is to say about it."""
        return tuple(map(stage_of, self.steps))

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise InvalidInput(
                f"A funnel has 1 to {MAX_STEPS} steps; this one has {len(self.steps)}.",
                hint="Name them in order, and of a longer way only what decides; lake.paths shows all of it.",
            )
        if not isinstance(self.within, timedelta):
            raise InvalidInput(
                f"A funnel's window is {self.within!r}, which is no length of time.",
                hint="For example: within='7 days', or a timedelta.",
            )
        _refuse_window("A funnel's window", self.within, "within 7d")
        refuse_other("The order of a funnel", self.order, ORDERS)
        if self.over is not None:
            refuse_other("The period of a funnel over time", self.over, FUNNEL_PERIODS)
        if self.compare is not None:
            check_comparison("A funnel", self.compare, self, has_cohorts=True)
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
        if self.step not in range(1, len(self.funnel.steps) + 1):
            raise InvalidInput(
                f"The funnel has no step {self.step!r}.", hint=f"Steps: 1 to {len(self.funnel.steps)}."
            )
        refuse_outside("A list of people has", self.limit, 1, MAX_LISTED, "of them")
        object.__setattr__(self, "kind", kind_asked(self.funnel.by, self.kind, self.value))
        ask_as(self, self.funnel)


@dataclass(frozen=True, slots=True)
class TimesBar:
    """How many took longer than `more_than_ms` (of the first bar: or exactly that), and at most `at_most_ms`."""

    more_than_ms: float
    at_most_ms: float | None
    people: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long the shown attempts took to a step: nearest-rank percentiles since the step before and since the start.

    `histogram` counts times since the start.
    """

    percentiles_ms: Mapping[int, float]
    from_start_ms: Mapping[int, float]
    histogram: tuple[TimesBar, ...]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One bar. Shares are between 0 and 1, None where nobody could. `people` are what the funnel counts: its units.

    `complete_...` counts only entries whose window is over. Times are nearest-rank medians over the shown attempts.
    `outside_groups` is the total less the sum of the groups: people who were complete before their exposure.
    """

    name: str
    people: int
    share: float | None
    share_of_previous: float | None
    dropped_off: int
    complete_people: int
    complete_share: float | None
    median_ms: float | None
    median_from_start_ms: float | None
    outside_groups: int | None = None
    times: Times | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class EntryPeriod:
    """Those of a group whose shown attempt began in the period from the local date `start`: `people` per step.

    `incomplete_people`: of how many of them the window is not over.
    """

    kind: str
    value: str | None
    start: date
    people: tuple[int, ...]
    incomplete_people: int


@dataclass(frozen=True, slots=True)
class FunnelGroup:
    """The bars of one group.

    `kind`: `variation` or `value` (then `value` names it), `several variations`, `not exposed`, `before exposure`,
    `other` (values that are not told apart), `no value`.
    """

    kind: str
    value: str | None
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class FunnelAnswer(ExplainedAnswer):
    """How many people reached each step. `several_variations` is the share of exposed people who saw several.

    `compared` is the answer beside it. Of another cohort: `shared_people` entered in both.
    """

    steps: tuple[FunnelStep, ...]
    groups: tuple[FunnelGroup, ...]
    incomplete_people: int
    several_variations: float | None
    periods: tuple[EntryPeriod, ...] = ()
    compared: FunnelAnswer | None = None
    shared_people: int | None = None

    def people(
        self,
        step: int,
        *,
        dropped_off: bool = False,
        kind: str | None = None,
        value: str | None = None,
        limit: int = 100,
    ) -> PeopleAnswer:
        """The people behind a bar, or of the group `kind`, `value` behind it, by asking again at the same moment."""
        site = self.basis.site
        answer = ask_again(
            self, lambda then: FunnelPeople(then, step, dropped_off, kind, value, limit, site=site)
        )
        return cast(PeopleAnswer, answer)

    def events(
        self, person_id: str, *, kind: str | None = None, value: str | None = None
    ) -> tuple[DecidingEvent, ...]:
        """The events that decided how far one person came: those of the shown attempt. Empty for others."""
        site = self.basis.site
        answer = ask_again(
            self, lambda then: FunnelPeople(then, 1, False, kind, value, 1, person_id, site=site)
        )
        people = cast(PeopleAnswer, answer).people
        return people[0].events if people else ()

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a bar."""
        return {
            "python": "answer.people(step=N, kind=…, value=…), answer.events(person_id)",
            "http": "GET /api/v1/funnel/people with the fields of the funnel and at=N; dropped_off=yes, kind=, value=",
            "command": "expost funnel … --people N [--kind … --value …]",
        }

    def _repr_html_(self) -> str:
        """What a notebook shows: the chart."""
        from .notebook import funnel_html

        return funnel_html(self)

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and step; the total has the kind `total`. What it stands beside follows."""
        groups = (FunnelGroup("total", None, self.steps), *self.groups)
        rows = [
            {"kind": group.kind, "value": group.value, "step": number}
            | {name: value for name, value in as_row(step).items() if name != "times"}
            for group in groups
            for number, step in enumerate(group.steps, 1)
        ]
        assert isinstance(self.question, Funnel)
        return with_rows_beside(rows, self.question.beside, self.compared)
