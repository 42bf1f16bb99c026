"""Stickiness and lifecycle by walking everybody's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from .happening import Happening
from .oracle import Oracle
from .oracle_trend import Plan


def stickiness(
    oracle: Oracle,
    plan: Plan,
    *,
    now: int,
    start: int | None,
    end: int | None,
    value: Callable[[Happening], Any] | None = None,
) -> dict[str, Counter[int]]:
    """For each group how many units did it in how many distinct periods."""
    [(step, _)] = plan.measured
    found: dict[str, Counter[int]] = {}
    for events in oracle.people.values():
        did = [
            event
            for event in events
            if step(event)
            and event.at <= now
            and not oracle.is_daily(event)
            and (start is None or event.at >= start)
            and (end is None or event.at < end)
        ]
        if not did:
            continue
        said = None if value is None else value(did[0])
        groups = ["total"] if value is None else ["total", "no value" if said is None else f"value {said}"]
        for group in groups:
            found.setdefault(group, Counter())[len({plan.first_day(event.at) for event in did})] += 1
    return found


def lifecycle(
    oracle: Oracle, plan: Plan, days: list[date], *, now: int, end: int | None
) -> dict[date, list[int]]:
    """For each period from its first day: new, returning, resurrecting, dormant."""
    [(step, _)] = plan.measured
    found = {day: [0, 0, 0, 0] for day in days}
    for events in oracle.people.values():
        did = {
            plan.first_day(event.at)
            for event in events
            if step(event)
            and event.at <= now
            and not oracle.is_daily(event)
            and (end is None or event.at < end)
        }
        for day in days:
            before = _before(plan, day)
            if day in did:
                earlier = {each for each in did if each < day}
                found[day][0 if not earlier else 1 if before in did else 2] += 1
            elif before in did:
                found[day][3] += 1
    return found


def _before(plan: Plan, day: date) -> date:
    if plan.period == "month":
        return (day - timedelta(days=1)).replace(day=1)
    return day - timedelta(days=7 if plan.period == "week" else 1)
