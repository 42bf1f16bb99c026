"""A slow second opinion: every rule of SEMANTICS 3 to 6 said again in plain Python, by trying everything.

Nothing here is clever. A funnel tries every chain of events; persons come from walking each device's events in order.
Answers have the shape in which the conformance cases write them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from expost.clock import from_micros

from .happening import Happening

DAY = 86_400_000_000
Step = Callable[[Happening], bool]
Bars = list[int]


@dataclass(frozen=True)
class Exposure:
    """The first exposure of a person."""

    event: Happening
    variation: str
    variations: int
    view_id: str | None


@dataclass(frozen=True)
class Attempt:
    """A chain of events, one per step reached."""

    events: tuple[Happening, ...]

    @property
    def depth(self) -> int:
        return len(self.events)


@dataclass(frozen=True)
class Counted:
    """What counts; every environment when none is named."""

    bots: bool = False
    internal: bool = False
    environments: tuple[str, ...] = ("production",)

    def __contains__(self, event: Happening) -> bool:
        is_elsewhere = bool(self.environments) and event.environment not in self.environments
        return not (
            (event.is_bot and not self.bots) or (event.is_internal and not self.internal) or is_elsewhere
        )


BY_DEFAULT = Counted()


class Oracle:
    """What a story means, of what counts."""

    def __init__(self, story: Sequence[Happening], counted: Counted = BY_DEFAULT) -> None:
        self.everything = sorted(story, key=lambda each: each.order)
        self.story = [each for each in self.everything if each in counted]
        self.people: dict[str, list[Happening]] = {}
        for event in self.story:
            person = self.person(event)
            if person is not None:
                self.people.setdefault(person, []).append(event)

    def person(self, event: Happening) -> str | None:
        """Who an event belongs to."""
        if event.source == "server" and event.user is not None:
            return f"user {event.user}"
        if event.device is None:
            return None
        logins = [
            each
            for each in self.everything
            if each.type == "identify" and each.device == event.device and each.user
        ]
        if not logins:
            return f"device {event.device}"
        in_force = logins[0]
        for login in logins:
            if login.order <= event.order:
                in_force = login
        return f"user {in_force.user}"

    def is_daily(self, event: Happening) -> bool:
        """Whether its unit is a daily id that nobody identified."""
        return event.is_daily and (self.person(event) or "").startswith("device")

    # Flags

    def exposure(self, person: str, flag: str) -> Exposure | None:
        """The first exposure of a person to a flag, ever."""
        seen = [each for each in self.people.get(person, []) if each.type == "exposure" and each.flag == flag]
        if not seen:
            return None
        first = seen[0]
        views = [
            each
            for each in self.everything
            if each.type == "page_view" and each.page_id == first.page_id and each.page_seq < first.page_seq
        ]
        view = max(views, key=lambda each: each.page_seq, default=None)
        return Exposure(
            first,
            first.variation or "",
            len({each.variation for each in seen}),
            view.event_id if view and first.source == "browser" else None,
        )

    def counts_after(self, event: Happening, exposure: Exposure) -> bool:
        """Whether an event counts for the variation."""
        return event.order >= exposure.event.order or event.event_id == exposure.view_id

    def assign(
        self, person: str, flag: str, is_entry: Callable[[Happening], bool]
    ) -> tuple[str, list[Happening]]:
        """The group of a person with an entry, and the events that count there."""
        events = self.people[person]
        exposure = self.exposure(person, flag)
        if exposure is None:
            return "not exposed", events
        after = [event for event in events if self.counts_after(event, exposure)]
        if any(is_entry(event) for event in after):
            return f"variation {exposure.variation}", after
        return "before exposure", events

    # Funnels

    def funnel(
        self,
        steps: Sequence[Step],
        within: timedelta,
        *,
        start: int | None = None,
        end: int | None = None,
        now: int,
        flag: str | None = None,
    ) -> dict[str, Any]:
        """Bars of the total and of each group, with and without incomplete entries, and the shown attempts' medians."""
        window = within // timedelta(microseconds=1)

        def is_entry(event: Happening) -> bool:
            if (
                not steps[0](event)
                or not (start is None or event.at >= start)
                or not (end is None or event.at < end)
            ):
                return False
            return not (self.is_daily(event) and (event.at + window) // DAY > event.at // DAY)

        def is_complete_entry(event: Happening) -> bool:
            return is_entry(event) and event.at + window < now

        totals: dict[str, dict[str, Any]] = {}
        exposed = several = 0
        for person, events in self.people.items():
            if not any(is_entry(event) for event in events):
                continue
            readings = [("total", events)]
            if flag is not None:
                readings.append(self.assign(person, flag, is_entry))
                exposure = self.exposure(person, flag)
                if exposure is not None:
                    exposed, several = exposed + 1, several + (exposure.variations > 1)
            for group, counted in readings:
                shown = best_attempt(counted, steps, window, is_entry)
                assert shown is not None
                complete = best_attempt(counted, steps, window, is_complete_entry)
                table = totals.setdefault(
                    group,
                    {"steps": [0] * len(steps), "complete": [0] * len(steps), "times": [[] for _ in steps]},
                )
                for place in range(len(steps)):
                    table["steps"][place] += shown.depth > place
                    table["complete"][place] += complete is not None and complete.depth > place
                    if 0 < place < shown.depth:
                        table["times"][place].append(shown.events[place].at - shown.events[place - 1].at)
        for table in totals.values():
            table["medians"] = [nearest_rank(times) for times in table.pop("times")]
        return {"groups": totals, "several": several / exposed if exposed else None}

    # Retention

    def retention(
        self,
        begins: Step,
        returns: Step,
        period: str,
        periods: int,
        *,
        zone: ZoneInfo,
        now: int,
        start: int | None = None,
        end: int | None = None,
        flag: str | None = None,
        first_ever: bool = False,
    ) -> dict[str, dict[date, list[int]]]:
        """For each group and cohort (its first day): the size, then those who returned in period 0, 1, …"""

        def first_day(at: int) -> date:
            day = from_micros(at).astimezone(zone).date()
            return day - timedelta(days=day.weekday()) if period == "week" else day

        def in_range(event: Happening) -> bool:
            return (start is None or event.at >= start) and (end is None or event.at < end)

        def may_begin(event: Happening) -> bool:
            return begins(event) and event.at <= now and not self.is_daily(event)

        def is_start(event: Happening) -> bool:
            return may_begin(event) and in_range(event)

        length = 7 if period == "week" else 1
        found: dict[str, dict[date, list[int]]] = {}
        for person, events in self.people.items():
            if first_ever:
                ever = [event for event in events if may_begin(event)]
                starts = [ever[0]] if ever and in_range(ever[0]) else []
            else:
                starts = [event for event in events if is_start(event)]
            if not starts:
                continue
            readings = [("total", events, starts[0])]
            if flag is not None:
                chosen = starts[0]
                group, counted = self.assign(person, flag, starts.__contains__)
                if not first_ever:
                    chosen = next(event for event in counted if is_start(event))
                readings.append((group, counted, chosen))
            for group, counted, entry in readings:
                cohort = found.setdefault(group, {}).setdefault(first_day(entry.at), [0] * (periods + 2))
                cohort[0] += 1
                came_back = {
                    (first_day(event.at) - first_day(entry.at)).days // length
                    for event in counted
                    if returns(event) and event.order > entry.order and event.at <= now
                }
                for number in range(periods + 1):
                    cohort[number + 1] += number in came_back
        return found

    # Trends

    def trend(
        self, step: Step, period: str, *, zone: ZoneInfo, flag: str | None = None
    ) -> dict[str, dict[date, Any]]:
        """For each group and period (its first day): events and people."""
        found: dict[str, dict[date, Any]] = {}
        for event in self.story:
            if not step(event):
                continue
            person = self.person(event)
            day = from_micros(event.at).astimezone(zone).date()
            day = day - timedelta(days=day.weekday()) if period == "week" else day
            day = day.replace(day=1) if period == "month" else day
            groups = ["total"]
            if flag is not None:
                exposure = self.exposure(person, flag) if person else None
                if exposure is None:
                    groups.append("not exposed")
                elif self.counts_after(event, exposure):
                    groups.append(f"variation {exposure.variation}")
                else:
                    groups.append("before exposure")
            for group in groups:
                events, people = found.setdefault(group, {}).setdefault(day, (0, set()))
                found[group][day] = (events + 1, people | ({person} if person else set()))
        return {
            group: {day: (events, len(people)) for day, (events, people) in days.items()}
            for group, days in found.items()
        }


def best_attempt(
    events: Sequence[Happening], steps: Sequence[Step], window: int, is_entry: Callable[[Happening], bool]
) -> Attempt | None:
    """The attempt that is shown, found by trying every chain: None if there is no entry at all."""
    ordered = sorted(events, key=lambda event: event.order)
    for depth in range(len(steps), 0, -1):
        chains = [chain for chain in combinations(ordered, depth) if is_chain(chain, steps, window, is_entry)]
        if chains:
            reached = min(chain[-1].order for chain in chains)
            entry = max(chain[0].order for chain in chains if chain[-1].order == reached)
            return Attempt(min((chain for chain in chains if chain[0].order == entry), key=positions))
    return None


def is_chain(
    chain: Sequence[Happening], steps: Sequence[Step], window: int, is_entry: Callable[[Happening], bool]
) -> bool:
    """Whether distinct events, given in order, are a conversion."""
    fits = all(step(event) for step, event in zip(steps, chain, strict=False))
    return fits and is_entry(chain[0]) and chain[-1].at - chain[0].at <= window


def positions(chain: Iterable[Happening]) -> list[tuple[int, str, int, str]]:
    """What chains are compared by, so that each next step is the earliest event that fits."""
    return [event.order for event in chain]


def nearest_rank(values: Sequence[int]) -> int | None:
    """The nearest-rank median."""
    return sorted(values)[(len(values) + 1) // 2 - 1] if values else None


def moment_text(at: int) -> str:
    """An instant, for a message."""
    return datetime.isoformat(from_micros(at))
