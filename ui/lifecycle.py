"""The lifecycle page: who is new, came back, and left, period by period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from expost.query.form_ways import lifecycle_of
from expost.query.lifecycle import Lifecycle, LifecycleAnswer, LifecyclePeriod

from . import chart
from .asked import Ask
from .chart import Line
from .chart_page import ChartPage
from .desk import Pairs
from .trend import ValueTick

KINDS = (
    ("new", "for the first time"),
    ("returning", "in the period before as well"),
    ("resurrecting", "again after a gap"),
    ("dormant", "in the period before, and no more"),
)
MORE = ("unit", "week_start", "as_of")
"""Fields of the second row of the form."""


@dataclass(frozen=True, slots=True)
class LifecycleAsk(Ask):
    """The form of a lifecycle."""

    hidden = ("week_start",)

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)


@dataclass(frozen=True, slots=True)
class LifeRow:
    """One period of the table."""

    start: date
    counts: tuple[int, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class LifeKind:
    """One line of the chart, with what it says."""

    name: str
    says: str
    colour: int


@dataclass(frozen=True, slots=True)
class LifecycleView:
    """What `_lifecycle.html` shows."""

    answer: LifecycleAnswer
    kinds: tuple[LifeKind, ...]
    rows: tuple[LifeRow, ...]
    lines: tuple[Line, ...]
    y_ticks: tuple[ValueTick, ...]
    x_labels: tuple[str, ...]
    has_people: bool
    last_is_partial: bool


def lifecycle_view(answer: LifecycleAnswer, _: Pairs = ()) -> LifecycleView:
    """A lifecycle as lines and a table."""
    assert isinstance(answer.question, Lifecycle)
    counts = [_counts(each) for each in answer.periods]
    series = [(name, [each[place] for each in counts]) for place, (name, _) in enumerate(KINDS)]
    values = [value for each in counts for value in each]
    return LifecycleView(
        answer,
        tuple(LifeKind(name, says, place) for place, (name, says) in enumerate(KINDS, 1)),
        tuple(
            LifeRow(each.start, told, each.complete)
            for each, told in zip(answer.periods, counts, strict=True)
        ),
        tuple(chart.lines(series)),
        tuple(ValueTick(tick.label, 100 - tick.place) for tick in chart.value_ticks(values)),
        chart.chosen_labels([f"{each.start:%-d %b %Y}" for each in answer.periods]),
        any(values),
        bool(answer.periods) and not answer.periods[-1].complete,
    )


def _counts(period: LifecyclePeriod) -> tuple[int, ...]:
    return period.new, period.returning, period.resurrecting, period.dormant


PAGE = ChartPage("lifecycle", ("name",), lifecycle_of, lifecycle_view, LifecycleAsk)
