"""Trends by walking all events: what is measured of each period, as plainly as it can be said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from expost.clock import from_micros

from .happening import Happening
from .oracle import Oracle, Step


@dataclass(frozen=True)
class Plan:
    """What a trend asks for: of each definition its matcher and its measure, `sum:price`."""

    measured: Sequence[tuple[Step, str]]
    period: str
    zone: ZoneInfo
    week_start: int = 0

    def first_day(self, at: int) -> date:
        """The first day of the calendar period of an instant."""
        day = from_micros(at).astimezone(self.zone).date()
        if self.period == "week":
            return day - timedelta(days=(day.weekday() - self.week_start) % 7)
        return day.replace(day=1) if self.period == "month" else day


def trend(
    oracle: Oracle,
    plan: Plan,
    *,
    start: int | None = None,
    end: int | None = None,
    group_of: Callable[[Happening], str] | None = None,
) -> dict[str, dict[date | None, Fraction | None]]:
    """For each group and the first day of each period, and None for all of them: the measure, or the ratio of two."""
    sides: list[dict[tuple[str, date | None], list[Happening]]] = [{} for _ in plan.measured]
    for event in oracle.story:
        if (start is not None and event.at < start) or (end is not None and event.at >= end):
            continue
        for side, (step, _) in zip(sides, plan.measured, strict=True):
            if step(event):
                for group in ("total", *([group_of(event)] if group_of else [])):
                    for day in (plan.first_day(event.at), None):
                        side.setdefault((group, day), []).append(event)
    found: dict[str, dict[date | None, Fraction | None]] = {}
    for group, day in {key for side in sides for key in side}:
        values = [
            measure(oracle, what, side.get((group, day), []))
            for side, (_, what) in zip(sides, plan.measured, strict=True)
        ]
        found.setdefault(group, {})[day] = _ratio(*values)
    return found


def measure(oracle: Oracle, what: str, events: Sequence[Happening]) -> Fraction | None:
    """One measure of some events."""
    kind, _, name = what.partition(":")
    units = {unit for event in events if (unit := oracle.unit(event)) is not None}
    if kind == "events":
        return Fraction(len(events))
    if kind == "people":
        return Fraction(len(units))
    if kind == "per_person":
        of_somebody = [event for event in events if oracle.unit(event) is not None]
        return Fraction(len(of_somebody), len(units)) if units else None
    numbers = sorted(Fraction(each) for event in events if is_number(each := said(event, name)))
    if kind == "sum":
        return sum(numbers, Fraction(0))
    if not numbers:
        return None
    if kind == "mean":
        return sum(numbers, Fraction(0)) / len(numbers)
    if kind in ("min", "max"):
        return numbers[0] if kind == "min" else numbers[-1]
    # The smallest number such that at least so many per cent are not greater.
    percent = int(kind[1:])
    return next(each for rank, each in enumerate(numbers, 1) if rank * 100 >= percent * len(numbers))


def said(event: Happening, name: str) -> Any:
    """What an event says as a property."""
    return json.loads(event.columns.get("properties", "{}")).get(name)


def is_number(value: Any) -> bool:
    """Whether a property is a number of JSON: `true` is none, nor is a text of digits."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ratio(value: Fraction | None, *per: Fraction | None) -> Fraction | None:
    if not per:
        return value
    [below] = per
    return value / below if value is not None and below else None
