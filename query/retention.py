"""Retention: the question, who is behind a cell, and the answer. `beside.py` leads from one to the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast

from expost.errors import InvalidInput

from .activity import ACTIVITY
from .answer import as_row, ask_again, with_rows_beside
from .breakdown import Breakdown, kind_asked
from .explanation import ExplainedAnswer
from .form import parse_day
from .person import PeopleAnswer
from .question import (
    MAX_LISTED,
    Comparable,
    Question,
    Step,
    ask_as,
    check_comparison,
    refuse_other,
    refuse_outside,
)
from .unit import PERSON, Unit

MAX_PERIODS = 400
DEFAULT_PERIODS = 8
RETENTION_PERIODS = ("day", "week", "month")
RETENTION_MODES = ("on", "on_or_after")
ENTRIES = ("first_in_range", "first_ever", "recurring")


@dataclass(frozen=True, slots=True)
class Retention(Comparable):
    """Who came back: cohorts by the period of an entry, and who did `returns` in period n (docs/rules.md 6).

    Any activity (`expost.query.activity.ACTIVITY`) begins and returns unless they are said. `entry`: the first
    `begins` in range, the first ever (in kept data), or `recurring`, once per period. `periods` is how many periods
    after 0 are shown, eight unless it is said. `mode`: in period n, or in period n or later. `rolling`: periods are
    exact multiples of 24 hours from the unit's own entry (a month: 30 days). `brackets`: stretches of periods, both
    ends included, that are shown instead of single ones.
    """

    begins: Step = ACTIVITY.name
    returns: Step = ACTIVITY.name
    period: str = "week"
    periods: int | None = None
    by: Breakdown | None = None
    entry: Literal["first_in_range", "first_ever", "recurring"] = "first_in_range"
    mode: str = "on"
    rolling: bool = False
    brackets: tuple[tuple[int, int], ...] = ()
    unit: Unit = PERSON

    def __post_init__(self) -> None:
        refuse_other("The period of retention", self.period, RETENTION_PERIODS)
        refuse_other("The mode of retention", self.mode, RETENTION_MODES)
        refuse_other("The entry of retention", self.entry, ENTRIES)
        if self.compare is not None:
            check_comparison("Retention", self.compare, self, has_cohorts=True)
        if self.periods is not None:
            refuse_outside("Retention shows", self.periods, 0, MAX_PERIODS, "periods")
        if self.brackets:
            self._check_brackets()

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """The stretches of periods that are shown: the first and the last period of each."""
        shown = DEFAULT_PERIODS if self.periods is None else self.periods
        return self.brackets or tuple((period, period) for period in range(shown + 1))

    def _check_brackets(self) -> None:
        if self.periods is not None:
            raise InvalidInput(
                "Brackets say which periods are shown, so the number of periods has nothing to say.",
                hint="Leave periods out, or brackets.",
            )
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
        refuse_outside("A list of people has", self.limit, 1, MAX_LISTED, "of them")
        object.__setattr__(self, "kind", kind_asked(self.retention.by, self.kind, self.value))
        ask_as(self, self.retention)


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
class RetentionPeriod:
    """A cell: of `size` who could, `people` returned in period `period`, or in those from it to `last`.

    `complete` once the last day is over: of a calendar for everyone, of rolling periods (where `size` holds only those
    whose own period is over) once `size` is the whole cohort. What is counted on or after never is.
    """

    period: int
    people: int
    complete: bool
    size: int
    last: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who began in the period that starts on the local date `start`."""

    start: date
    size: int
    periods: tuple[RetentionPeriod, ...]


@dataclass(frozen=True, slots=True)
class PooledPeriod:
    """Returned divided by those who could have, over the cohorts whose period is complete."""

    period: int
    people: int
    size: int
    share: float | None
    last: int


@dataclass(frozen=True, slots=True)
class RetentionGroup:
    """Retention of one group of a breakdown; `kind` as in a funnel."""

    kind: str
    value: str | None
    cohorts: tuple[Cohort, ...]
    pooled: tuple[PooledPeriod, ...]


@dataclass(frozen=True, slots=True)
class RetentionAnswer(ExplainedAnswer):
    """Who came back. `data_begins` is the first event that is kept.

    `compared` is the answer beside it. Of another cohort: `shared_people` began in both.
    """

    period: str
    cohorts: tuple[Cohort, ...]
    pooled: tuple[PooledPeriod, ...]
    groups: tuple[RetentionGroup, ...]
    several_variations: float | None
    data_begins: datetime | None
    compared: RetentionAnswer | None = None
    shared_people: int | None = None

    def people(
        self,
        cohort: date | str,
        *,
        period: int | None = None,
        kind: str | None = None,
        value: str | None = None,
        limit: int = 100,
    ) -> PeopleAnswer:
        """The people of the cohort of a day, or who of it came back in a period, by asking again at the same moment."""
        day = parse_day("cohort", cohort) if isinstance(cohort, str) else cohort
        answer = ask_again(
            self, lambda then: RetentionPeople(then, day, period, kind, value, limit, site=self.basis.site)
        )
        return cast(PeopleAnswer, answer)

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a cell."""
        return {
            "python": "answer.people(cohort=DATE, period=N)",
            "http": "GET /api/v1/retention/people with the fields of the retention, cohort_day=DATE and at=N",
            "command": "expost retention … --people DATE --at N",
        }

    def _repr_html_(self) -> str:
        """What a notebook shows: the chart."""
        from .notebook import retention_html

        return retention_html(self)

    def rows(self) -> list[dict[str, Any]]:
        """One row per group, cohort and period; the total has the kind `total`. What it stands beside follows."""
        groups = (RetentionGroup("total", None, self.cohorts, self.pooled), *self.groups)
        rows = [
            {"kind": group.kind, "value": group.value, "start": cohort.start, "size": cohort.size}
            | as_row(cell)
            for group in groups
            for cohort in group.cohorts
            for cell in cohort.periods
        ]
        assert isinstance(self.question, Retention)
        return with_rows_beside(rows, self.question.beside, self.compared)
