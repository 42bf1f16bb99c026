"""The trend page: columns or lines over time, and the same numbers in a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from zoneinfo import ZoneInfo

from expost.query.form_trend import trend_of
from expost.query.trend import Point, Trend, TrendAnswer, TrendGroup

from . import chart, group
from .asked import Ask
from .chart import Column, Line
from .chart_page import ChartPage
from .desk import Pairs
from .format import number

MEASURES = (
    "events", "people", "per_person", "sum:PROPERTY", "mean:PROPERTY", "median:PROPERTY", "p95:PROPERTY",
)  # fmt: skip
"""What is offered where a measure is typed."""
MORE = ("measure", "per", "compare", "unit", "as_of")
"""Fields of the second row of the form."""


@dataclass(frozen=True, slots=True)
class TrendAsk(Ask):
    """The form of a trend."""

    hidden = ("several", "exposures_from", "week_start", "per_measure")

    @property
    def name(self) -> str:
        """The definition."""
        return self.one("name")

    @property
    def measures(self) -> tuple[str, ...]:
        """What can be measured."""
        return MEASURES

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)

    @property
    def period(self) -> str:
        """An hour, a day, a week or a month."""
        return self.one("period", "day")


@dataclass(frozen=True, slots=True)
class ValueTick:
    """A line across the plot, `from_top` in per cent, and what it stands for."""

    label: str
    from_top: float


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group of the legend."""

    label: str
    colour: int
    total: float | None


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One period in the table; `groups` holds the measure of each group."""

    label: str
    events: int
    people: int
    value: float | None
    groups: tuple[float | None, ...]
    pairs: Pairs = ()


@dataclass(frozen=True, slots=True)
class TrendView:
    """What `_trend.html` shows: columns without a breakdown, lines with one."""

    answer: TrendAnswer
    title: str
    groups: tuple[GroupView, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    y_ticks: tuple[ValueTick, ...]
    x_labels: tuple[str, ...]
    rows: tuple[TrendRow, ...]
    last_is_partial: bool
    measure: str = ""
    before: TrendAnswer | None = None


def trend_view(answer: TrendAnswer, pairs: Pairs = ()) -> TrendView:
    """A trend's answer as a chart and a table."""
    question = answer.question
    assert isinstance(question, Trend)
    zone = ZoneInfo(answer.basis.time_zone)
    labels = [_label(point.start, answer.period, zone) for point in answer.points]
    series = [
        (group.label(each.kind, each.value), [_plotted(point, answer) for point in each.points])
        for each in answer.groups
    ]
    values = (
        [value for _, each in series for value in each]
        if series
        else [_plotted(point, answer) for point in answer.points]
    )
    has_measure = answer.measure not in ("events", "people")
    is_over = [_is_over(point, answer.period, answer.basis.now) for point in answer.points]
    titles = [
        f"{label}: {number(_figure(point, answer))}"
        for label, point in zip(labels, answer.points, strict=True)
    ]
    what = measure_in_words(answer.measure)
    return TrendView(
        answer=answer,
        title=f"{what} of {question.definition} each {answer.period}"
        if isinstance(question.definition, str)
        else f"{what} each {answer.period}",
        groups=tuple(
            GroupView(name, group.colour(place), _of_group(each, answer))
            for place, ((name, _), each) in enumerate(zip(series, answer.groups, strict=True))
        ),
        columns=() if series else tuple(chart.columns(values, titles, is_over)),
        lines=tuple(chart.lines(series)),
        y_ticks=tuple(ValueTick(tick.label, 100 - tick.place) for tick in chart.value_ticks(values)),
        x_labels=chart.chosen_labels(labels),
        rows=tuple(
            TrendRow(
                label,
                point.events,
                point.people,
                point.value,
                counts,
                (*pairs, ("at", point.start.astimezone(zone).isoformat())),
            )
            for label, point, counts in zip(labels, answer.points, _by_row(answer), strict=True)
        ),
        last_is_partial=bool(is_over) and not is_over[-1],
        measure=what if has_measure else "",
        before=answer.compared,
    )


def _figure(point: Point, answer: TrendAnswer) -> float | None:
    """What the chart shows of a period."""
    return point.events if answer.measure == "events" else point.value


def _plotted(point: Point, answer: TrendAnswer) -> float:
    return _figure(point, answer) or 0


def _of_group(each: TrendGroup, answer: TrendAnswer) -> float | None:
    return sum(point.events for point in each.points) if answer.measure == "events" else each.measured


def measure_in_words(measure: str) -> str:
    """A measure as a heading.

    >>> measure_in_words("per_person"), measure_in_words("p95:price"), measure_in_words("events per events of View")
    ('Events per person', 'P95 of price', 'Events per events of View')
    """
    kind, _, rest = measure.partition(" per ")
    words = kind.replace("per_person", "events per person").replace(":", " of ", 1)
    return words[:1].upper() + words[1:] + (f" per {rest.replace(':', ' of ', 1)}" if rest else "")


def _by_row(answer: TrendAnswer) -> list[tuple[float | None, ...]]:
    counts = [[_figure(point, answer) for point in each.points] for each in answer.groups]
    return list(zip_longest(*counts)) if counts else [()] * len(answer.points)


def _label(start: datetime, period: str, zone: ZoneInfo) -> str:
    local = start.astimezone(zone)
    forms = {"hour": "%-d %b, %H:%M", "month": "%b %Y"}
    return f"{local:{forms.get(period, '%-d %b %Y')}}"


def _is_over(point: Point, period: str, now: datetime) -> bool:
    # A month is taken at its longest: the mark "not over" may stand a moment long, never be missing.
    lengths = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
    return point.start + lengths.get(period, timedelta(days=31)) <= now


PAGE = ChartPage("trend", ("name",), trend_of, trend_view, TrendAsk)
