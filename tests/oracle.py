"""Funnel and retention by variation, counted by brute force from a list of what happened. Shares no code with `query/`.

Written from docs/rules.md 3 to 6 alone: one loop per rule, no SQL, no cleverness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from expost.query.funnel import FunnelAnswer, FunnelStep
from expost.query.retention import Cohort, RetentionAnswer


@dataclass
class Happened:
    """One event: `facts` are the names of the definitions that are true of it."""

    device: str
    time: float
    page: str | float
    seq: int
    facts: frozenset[str] = frozenset()
    is_page_view: bool = False
    variation: str | None = None
    user: str | None = None
    view: int = 0


@dataclass
class Group:
    """One unit with the events that count for it."""

    kind: str
    value: str | None
    events: list[Happened] = field(default_factory=list)


def people(events: Iterable[Happened]) -> list[list[Happened]]:
    """The events of each person, in order. Events before a device's first identify belong to the first user."""
    devices: dict[str, list[Happened]] = defaultdict(list)
    for event in events:
        devices[event.device].append(event)
    persons: dict[str, list[Happened]] = defaultdict(list)
    for device, own in devices.items():
        own.sort(key=lambda event: (event.time, str(event.page), event.seq))
        user = next((event.user for event in own if event.user), None)
        for event in own:
            user = event.user or user
            persons[f"user {user}" if user else f"device {device}"].append(event)
    for own in persons.values():
        own.sort(key=lambda event: (event.time, str(event.page), event.seq))
    return list(persons.values())


def group_of(own: list[Happened], entry: str) -> Group | None:
    """The one group of a person with an entry, and the events that count in it."""
    if not any(entry in event.facts for event in own):
        return None
    exposure = next((place for place, event in enumerate(own) if event.variation), None)
    if exposure is None:
        return Group("not exposed", None, own)
    first = own[exposure]
    counted = own[exposure:]
    # No page knows its flag before its view: the view on which the exposure happened counts as at the exposure.
    views = [event for event in own[:exposure] if event.is_page_view and event.page == first.page]
    if views and views[-1].view == first.view:
        counted = [views[-1], *counted]
    if any(entry in event.facts for event in counted):
        return Group("variation", first.variation, counted)
    return Group("before exposure", None, own)


def depth(own: list[Happened], steps: list[str], window: timedelta) -> int:
    """How many steps the deepest attempt reached: every start is tried."""
    deepest = 0
    for start, entry in enumerate(own):
        if steps[0] not in entry.facts:
            continue
        reached = 1
        for event in own[start + 1 :]:
            inside = event.time - entry.time <= window.total_seconds() * 1_000
            if reached < len(steps) and inside and steps[reached] in event.facts:
                reached += 1
        deepest = max(deepest, reached)
    return deepest


def funnel(
    events: Iterable[Happened], steps: list[str], window: timedelta
) -> dict[tuple[str, str | None], list[int]]:
    """People at each step, for each group that has any, and for ("total", None)."""
    counts: dict[tuple[str, str | None], list[int]] = defaultdict(lambda: [0] * len(steps))
    for own in people(events):
        group = group_of(own, steps[0])
        if group is None:
            continue
        for key, counted in ((("total", None), own), ((group.kind, group.value), group.events)):
            for step in range(depth(counted, steps, window)):
                counts[key][step] += 1
    return dict(counts)


def period_of(time: float, period: str) -> date:
    """The first day of the calendar period (UTC, weeks from Monday)."""
    day = datetime.fromtimestamp(time / 1_000, UTC).date()
    return day - timedelta(days=day.weekday()) if period == "week" else day


def retention(
    events: Iterable[Happened], start: str, returned: str, period: str
) -> dict[tuple[str, str | None, date], tuple[int, dict[int, int]]]:
    """For each group and cohort with anybody in it: its size, and people back in period n for each n with any."""
    length = 7 if period == "week" else 1
    sizes: dict[tuple[str, str | None, date], int] = defaultdict(int)
    back: dict[tuple[str, str | None, date], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for own in people(events):
        group = group_of(own, start)
        if group is None:
            continue
        for kind, value, counted in (("total", None, own), (group.kind, group.value, group.events)):
            entry = next(place for place, event in enumerate(counted) if start in event.facts)
            cohort = period_of(counted[entry].time, period)
            key = (kind, value, cohort)
            sizes[key] += 1
            later = [event for event in counted[entry + 1 :] if returned in event.facts]
            for number in {(period_of(event.time, period) - cohort).days // length for event in later}:
                back[key][number] += 1
    return {key: (size, dict(back[key])) for key, size in sizes.items()}


def funnel_of_answer(answer: FunnelAnswer) -> dict[tuple[str, str | None], list[int]]:
    """The product's answer in the oracle's shape."""
    groups: dict[tuple[str, str | None], tuple[FunnelStep, ...]] = {("total", None): answer.steps} | {
        (group.kind, group.value): group.steps for group in answer.groups
    }
    counts = {key: [step.people for step in steps] for key, steps in groups.items()}
    return {key: people for key, people in counts.items() if any(people)}


def retention_of_answer(
    answer: RetentionAnswer,
) -> dict[tuple[str, str | None, date], tuple[int, dict[int, int]]]:
    """The product's answer in the oracle's shape."""
    groups: list[tuple[str, str | None, tuple[Cohort, ...]]] = [("total", None, answer.cohorts)]
    groups += [(group.kind, group.value, group.cohorts) for group in answer.groups]
    return {
        (kind, value, cohort.start): (
            cohort.size,
            {cell.period: cell.people for cell in cohort.periods if cell.people},
        )
        for kind, value, cohorts in groups
        for cohort in cohorts
        if cohort.size
    }
