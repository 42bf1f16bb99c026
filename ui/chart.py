"""The geometry of charts, decided before a template runs: places in per cent, tints in steps, axes in round numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

TINTS = 10
SERIES_COLOURS = 6
WIDEST_COLUMN = 8.0
X_LABELS = 4
X_ALL = 6


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart, in per cent of its area, with what a reader is told about it."""

    x: float
    width: float
    y: float
    height: float
    title: str = ""
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One series as the points of an SVG polyline in a box of 100 by 100."""

    name: str
    colour: int
    points: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place in per cent from the origin, and its label."""

    place: float
    label: str


def percent(part: float, whole: float) -> float:
    """`part` of `whole` in per cent for a width, within 0 to 100; a part that is not zero stays visible."""
    if whole <= 0 or part <= 0:
        return 0.0
    return round(min(100.0, max(0.4, 100 * part / whole)), 2)


def tint(part: float, whole: float) -> int:
    """Which of the tints 0 to 10 a share gets; only nothing at all has none."""
    if whole <= 0 or part <= 0:
        return 0
    return max(1, min(TINTS, round(TINTS * part / whole)))


def top_of(values: Sequence[float]) -> float:
    """The end of a value axis: the next round number at or above the greatest value.

    >>> top_of([3, 87]), top_of([1204]), top_of([])
    (100.0, 1500.0, 1.0)
    """
    greatest = max(values, default=0)
    if greatest <= 0:
        return 1.0
    size = 10.0 ** floor(log10(greatest))
    for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        if step * size >= greatest and (size > 1 or float(step * size).is_integer()):
            return float(step * size)
    return float(10 * size)


def columns(
    values: Sequence[float], titles: Sequence[str], complete: Sequence[bool] | None = None
) -> list[Column]:
    """One column a value, over the whole width, scaled to `top_of` them."""
    if not values:
        return []
    top, slot = top_of(values), 100 / len(values)
    # A few columns stay columns: one alone would otherwise fill the whole chart.
    gap = max(min(slot * 0.2, 0.8), slot - WIDEST_COLUMN)
    flags = complete or [True] * len(values)
    return [
        Column(
            round(place * slot + gap / 2, 3),
            round(slot - gap, 3),
            round(100 - percent(value, top), 2),
            percent(value, top),
            title,
            is_complete,
        )
        for place, (value, title, is_complete) in enumerate(zip(values, titles, flags, strict=True))
    ]


def lines(series: Sequence[tuple[str, Sequence[float]]]) -> list[Line]:
    """One line a series, all to the same scale."""
    top = top_of([value for _, values in series for value in values])
    return [
        Line(name, place % SERIES_COLOURS + 1, _points(values, top))
        for place, (name, values) in enumerate(series)
    ]


def chosen_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """What stands below an axis: all labels if they are few, else the first, the last and two evenly between them.

    A year that all of them end in is left out, for there is little room, and the table below says it.

    >>> chosen_labels(["1 Nov 2026", "2 Nov 2026"]), chosen_labels(["31 Dec 2025", "1 Jan 2026"])
    (('1 Nov', '2 Nov'), ('31 Dec 2025', '1 Jan 2026'))
    """
    ends = {label[-5:] for label in labels}
    if len(ends) == 1 and re.fullmatch(r" \d{4}", next(iter(ends))):
        labels = [label[:-5] for label in labels]
    if len(labels) <= X_ALL:
        return tuple(labels)
    last = len(labels) - 1
    return tuple(labels[round(place * last / (X_LABELS - 1))] for place in range(X_LABELS))


def value_ticks(values: Sequence[float]) -> list[Tick]:
    """Marks at nothing, half and the top of the value axis."""
    top = top_of(values)
    middle = top / 2
    ticks = [Tick(0, "0"), Tick(100, f"{top:,.0f}")]
    return [ticks[0], Tick(50, f"{middle:,.0f}"), ticks[1]] if middle.is_integer() else ticks


def _points(values: Sequence[float], top: float) -> str:
    slot = 100 / max(1, len(values))
    places = (
        f"{(place + 0.5) * slot:.2f},{100 - 100 * value / top:.2f}" for place, value in enumerate(values)
    )
    return " ".join(places)
