"""Retention by walking every unit's events (docs/rules.md 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from expost.clock import from_micros

from .happening import Happening
from .oracle import Oracle, Step

DAY = 86_400_000_000
LENGTHS = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}


@dataclass(frozen=True)
class Plan:
    """What a retention asks for. `cells` are the first and last period of each cell."""

    begins: Step
    returns: Step
    period: str
    cells: Sequence[tuple[int, int]]
    zone: ZoneInfo
    week_start: int = 0
    entry: str = "first_in_range"
    mode: str = "on"
    rolling: bool = False

    def first_day(self, at: int) -> date:
        """The first day of the calendar period of an instant."""
        day = from_micros(at).astimezone(self.zone).date()
        if self.period == "week":
            return day - timedelta(days=(day.weekday() - self.week_start) % 7)
        return day.replace(day=1) if self.period == "month" else day

    def entries(self, starts: Sequence[Happening]) -> list[Happening]:
        """Which of the starts in range make the unit enter."""
        if self.entry != "recurring":
            return list(starts[:1])
        firsts: dict[date, Happening] = {}
        for event in starts:
            firsts.setdefault(self.first_day(event.at), event)
        return list(firsts.values())

    def after(self, entry: int, at: int) -> int:
        """In which period after that of the entry an instant lies."""
        if self.rolling:
            return (at - entry) // LENGTHS[self.period]
        first, day = self.first_day(entry), self.first_day(at)
        if self.period == "month":
            return (day.year - first.year) * 12 + day.month - first.month
        return (day - first).days // (7 if self.period == "week" else 1)


def retention(
    oracle: Oracle,
    plan: Plan,
    *,
    now: int,
    start: int | None = None,
    end: int | None = None,
    flag: str | None = None,
    several: str = "first",
    value: Callable[[Happening], Any] | None = None,
) -> dict[str, dict[date, dict[str, Any]]]:
    """For each group and cohort (its first day): `size` and `cells`: who returned, of how many, if complete."""

    def in_range(event: Happening) -> bool:
        return (start is None or event.at >= start) and (end is None or event.at < end)

    def may_begin(event: Happening) -> bool:
        return plan.begins(event) and event.at <= now and not oracle.is_daily(event)

    def entries(events: Sequence[Happening]) -> list[Happening]:
        begun = [event for event in events if may_begin(event)]
        if plan.entry == "first_ever":
            return [event for event in begun[:1] if in_range(event)]
        return plan.entries([event for event in begun if in_range(event)])

    found: dict[str, dict[date, dict[str, Any]]] = {}
    for unit, events in oracle.people.items():
        everyone = entries(events)
        if not everyone:
            continue
        readings = [("total", events, everyone)]
        if flag is not None:
            is_start = everyone.__contains__ if plan.entry == "first_ever" else _both(may_begin, in_range)
            group, counted = oracle.assign(unit, flag, is_start, several)
            readings.append((group, counted, everyone if plan.entry == "first_ever" else entries(counted)))
        for group, counted, begun in readings:
            for entry in begun:
                name = group
                if group != "total" and several == "as_treated":
                    assert flag is not None
                    name = oracle.treated(unit, flag, group, entry)
                _enter(found, name, plan, entry, counted, now)
                if group == "total" and value is not None:
                    said = value(entry)
                    _enter(found, "no value" if said is None else f"value {said}", plan, entry, counted, now)
    return found


def _enter(
    found: dict[str, dict[date, dict[str, Any]]],
    group: str,
    plan: Plan,
    entry: Happening,
    events: Sequence[Happening],
    now: int,
) -> None:
    nobody = {"size": 0, "cells": [[0, 0, True] for _ in plan.cells]}
    cohort = found.setdefault(group, {}).setdefault(plan.first_day(entry.at), nobody)
    cohort["size"] += 1
    _add(cohort["cells"], plan, entry, events, now)


def _add(cells: list[list[Any]], plan: Plan, entry: Happening, events: Sequence[Happening], now: int) -> None:
    returned = {
        plan.after(entry.at, event.at)
        for event in events
        if plan.returns(event) and event.order > entry.order and event.at <= now
    }
    running = plan.after(entry.at, now)
    for cell, (low, high) in zip(cells, plan.cells, strict=True):
        is_over = running > high
        cell[2] = cell[2] and is_over and plan.mode == "on"
        if plan.rolling and not is_over:
            continue
        cell[1] += 1
        cell[0] += any(
            low <= each <= high or (plan.mode == "on_or_after" and each >= low) for each in returned
        )


def _both(
    first: Callable[[Happening], bool], second: Callable[[Happening], bool]
) -> Callable[[Happening], bool]:
    return lambda event: first(event) and second(event)
