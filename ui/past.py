"""The past of a definition as pages show it: figures, a sparkline, the texts, pages and elements that matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expost.query.answer import Counted, PreviewAnswer

from . import chart
from .chart import Column
from .format import day, number

SHOWN = 8


@dataclass(frozen=True, slots=True)
class CountedRow:
    """One text or page, with the width of its bar in per cent."""

    value: str
    events: int
    width: float


@dataclass(frozen=True, slots=True)
class CountedList:
    """The most frequent texts or pages; `more` of them are not listed."""

    title: str
    distinct: int
    rows: tuple[CountedRow, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Past:
    """A preview's answer with the geometry of its panel."""

    answer: PreviewAnswer
    columns: tuple[Column, ...]
    spark_label: str
    lists: tuple[CountedList, ...]


def past_of(answer: PreviewAnswer) -> Past:
    """What `_past.html` shows of a preview."""
    days = answer.days
    columns = chart.columns(
        [each.events for each in days], [f"{day(each.date)}: {number(each.events)}" for each in days]
    )
    greatest = max((each.events for each in days), default=0)
    label = (
        f"Events a day, {day(days[0].date)} to {day(days[-1].date)}, at most {number(greatest)}"
        if days
        else "No days"
    )
    lists = (
        _list("Texts", answer.texts, answer.distinct_texts),
        _list("Pages", answer.pages, answer.distinct_pages),
    )
    return Past(answer, tuple(columns), label, lists)


def _list(title: str, values: Sequence[Counted], distinct: int) -> CountedList:
    shown = values[:SHOWN]
    most = max((each.events for each in shown), default=0)
    rows = tuple(CountedRow(each.value, each.events, chart.percent(each.events, most)) for each in shown)
    return CountedList(title, distinct, rows, max(0, distinct - len(rows)))
