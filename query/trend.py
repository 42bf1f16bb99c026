"""Trends: the question, who is behind a point, and the answer. `trend_figures.py` leads from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from expost.errors import InvalidInput

from .answer import ask_again, with_rows_beside
from .breakdown import Breakdown, kind_asked
from .explanation import ExplainedAnswer
from .form import parse_moment
from .measure import EVENTS, Measure
from .person import PeopleAnswer
from .question import (
    MAX_LISTED,
    Moment,
    Question,
    Step,
    ask_as,
    check_comparison,
    refuse_other,
    refuse_outside,
)
from .unit import PERSON, Unit

TREND_PERIODS = ("hour", "day", "week", "month")


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
        refuse_other("The period of a trend", self.period, TREND_PERIODS)
        if self.per is None and self.per_measure is not None:
            raise InvalidInput(
                "A measure to divide by needs a definition that it is of.", hint="Say per as well."
            )
        if self.compare is not None:
            check_comparison("A trend", self.compare, self)


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
        refuse_outside("A list of people has", self.limit, 1, MAX_LISTED, "of them")
        object.__setattr__(self, "kind", kind_asked(self.trend.by, self.kind, self.value))
        ask_as(self, self.trend)


@dataclass(frozen=True, slots=True)
class Point:
    """Events and people of the period that begins at `start`, an instant of the report's calendar.

    `value` is the measure, None where there is none: the mean of nothing, a ratio to nothing.
    """

    start: datetime
    events: int
    people: int
    value: float | None = None


@dataclass(frozen=True, slots=True)
class TrendGroup:
    """The points of one group of a breakdown; `kind` as in a funnel. `measured` is its measure of the whole range."""

    kind: str
    value: str | None
    points: tuple[Point, ...]
    measured: float | None = None


@dataclass(frozen=True, slots=True)
class TrendAnswer(ExplainedAnswer):
    """Events, people and the measure per period, empty periods included.

    `people` is over the whole range, each counted once; so is `value`, the `measure` of all of it.
    """

    period: str
    events: int
    people: int
    points: tuple[Point, ...]
    groups: tuple[TrendGroup, ...]
    several_variations: float | None
    measure: str = "events"
    value: float | None = None
    compared: TrendAnswer | None = None

    def behind(
        self,
        period: Moment | str | None = None,
        *,
        kind: str | None = None,
        value: str | None = None,
        limit: int = 100,
    ) -> PeopleAnswer:
        """The people of the point of a period, or of all of it, by asking again at the same moment."""
        at = parse_moment("period", period) if isinstance(period, str) else period
        answer = ask_again(self, lambda then: TrendPeople(then, at, kind, value, limit, site=self.basis.site))
        return cast(PeopleAnswer, answer)

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a point."""
        return {
            "python": "answer.behind(period=DATE)",
            "http": "GET /api/v1/trend/people with the fields of the trend and at=DATE",
            "command": "expost trend … --people DATE",
        }

    def _repr_html_(self) -> str:
        """What a notebook shows: the chart."""
        from .notebook import trend_html

        return trend_html(self)

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and point; the total has the kind `total`. The period before follows."""
        groups = (TrendGroup("total", None, self.points), *self.groups)
        rows = [
            {"kind": group.kind, "value": group.value, "start": point.start, "events": point.events,
             "people": point.people, "measured": point.value}
            for group in groups
            for point in group.points
        ]  # fmt: skip
        assert isinstance(self.question, Trend)
        return with_rows_beside(rows, self.question.compare, self.compared)
