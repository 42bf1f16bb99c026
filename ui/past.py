"""The past of a definition as pages show it: figures, a sparkline, the texts, pages and elements that matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expost.query.overlap import Overlap
from expost.query.preview import Counted, PreviewAnswer

from . import chart
from .chart import Column
from .format import day, number, plural, share

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
class OverlapLine:
    """A definition that matches some of the same events, in words; `is_same` if they are the same events altogether."""

    name: str
    sentence: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A preview's answer with the geometry of its panel. `rest` is where the rest is, if this is the count alone."""

    answer: PreviewAnswer
    columns: tuple[Column, ...]
    spark_label: str
    lists: tuple[CountedList, ...]
    overlaps: tuple[OverlapLine, ...]
    unknown_share: str
    rest: str = ""


def past_of(answer: PreviewAnswer, rest: str = "") -> Past:
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
    overlaps = tuple(map(_line, answer.overlaps))
    unknown_share = share(answer.unknown, answer.events + answer.unknown)
    return Past(answer, tuple(columns), label, lists, overlaps, unknown_share, rest)


def _line(overlap: Overlap) -> OverlapLine:
    if overlap.share == overlap.share_of_other == 1:
        return OverlapLine(overlap.name, "the same events, all of them", True)
    events = f"{number(overlap.events)} {plural(overlap.events, 'event')}"
    these, own = share(overlap.share, 1), share(overlap.share_of_other, 1)
    return OverlapLine(overlap.name, f"{events}: {these} of these, {own} of its own", False)


def _list(title: str, values: Sequence[Counted], distinct: int) -> CountedList:
    shown = values[:SHOWN]
    most = max((each.events for each in shown), default=0)
    rows = tuple(CountedRow(each.value, each.events, chart.percent(each.events, most)) for each in shown)
    return CountedList(title, distinct, rows, max(0, distinct - len(rows)))
