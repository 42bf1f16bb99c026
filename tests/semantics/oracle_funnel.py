"""Funnels by trying every chain of events (docs/rules.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from typing import Any

from .happening import Happening
from .oracle import Oracle, Step

DAY = 86_400_000_000


@dataclass(frozen=True)
class Attempt:
    """A chain of events, one per step reached."""

    events: tuple[Happening, ...]

    @property
    def depth(self) -> int:
        return len(self.events)


@dataclass(frozen=True)
class Plan:
    """What a funnel asks for. Numbers of steps count from 0; windows are microseconds.

    `between` are the events that strict order lets not lie between two steps; by default those of all steps.
    """

    steps: tuple[Step, ...]
    window: int
    order: str = "ordered"
    windows: Mapping[int, int] = field(default_factory=dict)
    optional: frozenset[int] = frozenset()
    between: tuple[Step, ...] = ()
    ends: tuple[Step, ...] = ()
    removes: tuple[Step, ...] = ()

    @property
    def required(self) -> list[int]:
        return [number for number in range(len(self.steps)) if number not in self.optional]

    def may_begin(self, event: Happening) -> bool:
        return any(step(event) for step in (self.steps if self.order == "any" else self.steps[:1]))

    def blocks(self, event: Happening) -> bool:
        return self.order == "strict" and any(step(event) for step in self.between or self.steps)

    def is_ended(self, first: Happening, last: Happening, events: Sequence[Happening]) -> bool:
        """Whether an event between the two ends the attempt."""
        return any(
            step(event) for event in events if first.order < event.order < last.order for step in self.ends
        )


def funnel(
    oracle: Oracle,
    plan: Plan,
    *,
    start: int | None = None,
    end: int | None = None,
    now: int,
    flag: str | None = None,
    several: str = "first",
    value: Callable[[Happening], Any] | None = None,
) -> dict[str, Any]:
    """Bars of the total and of each group, with and without incomplete entries, and the shown attempts' times."""
    window = plan.window

    def is_entry(event: Happening) -> bool:
        if (
            not plan.may_begin(event)
            or not (start is None or event.at >= start)
            or not (end is None or event.at < end)
        ):
            return False
        return not (oracle.is_daily(event) and (event.at + window) // DAY > event.at // DAY)

    def is_complete_entry(event: Happening) -> bool:
        return is_entry(event) and event.at + window < now

    totals: dict[str, dict[str, Any]] = {}
    exposures = []
    for person, events in oracle.people.items():
        if not any(is_entry(event) for event in events):
            continue
        shown = _shown("total", events, plan, is_entry, is_complete_entry)
        if shown is not None:
            _count(totals, "total", shown)
            if value is not None:
                found = value(shown.attempt.events[0])
                _count(totals, "no value" if found is None else f"value {found}", shown)
        if flag is None:
            continue
        group, counted = oracle.assign(person, flag, is_entry, several)
        shown = _shown(group, counted, plan, is_entry, is_complete_entry)
        if shown is not None:
            if several == "as_treated":
                group = oracle.treated(person, flag, group, shown.attempt.events[0])
            _count(totals, group, shown)
            exposures += [each for each in [oracle.exposure(person, flag)] if each]
    for table in totals.values():
        table["medians"] = [nearest_rank(times) for times in table["times"]]
        table["ninetieths"] = [nearest_rank(times, 90) for times in table.pop("times")]
    many = sum(each.variations > 1 for each in exposures)
    return {"groups": totals, "several": many / len(exposures) if exposures else None}


@dataclass(frozen=True)
class Shown:
    """What is shown of a unit: its attempt, the best with complete entries, whether its own entry is one."""

    plan: Plan
    events: Sequence[Happening]
    attempt: Attempt
    complete: Attempt | None
    is_complete: bool


def _shown(
    group: str,
    events: Sequence[Happening],
    plan: Plan,
    is_entry: Callable[[Happening], bool],
    is_complete_entry: Callable[[Happening], bool],
) -> Shown | None:
    """None for a unit that is removed."""
    if is_removed(events, plan, is_entry):
        return None
    attempt = best_attempt(events, plan, is_entry)
    assert attempt is not None, group
    complete = best_attempt(events, plan, is_complete_entry)
    return Shown(plan, events, attempt, complete, is_complete_entry(attempt.events[0]))


def _count(totals: dict[str, dict[str, Any]], group: str, shown: Shown) -> None:
    plan, attempt, complete = shown.plan, shown.attempt, shown.complete
    many = len(plan.steps)
    table = totals.setdefault(
        group,
        {"steps": [0] * many, "complete": [0] * many, "times": [[] for _ in range(many)], "entries": []},
    )
    table["entries"].append(attempt.events[0].at)
    if plan.order == "any":
        places = dict(enumerate(attempt.events))
        required = list(range(many))
    else:
        required = plan.required
        places = dict(zip(required, attempt.events, strict=False))
    for depth, number in enumerate(required, 1):
        table["steps"][number] += number in places
        table["complete"][number] += complete is not None and complete.depth >= depth
        if depth > 1 and number in places:
            table["times"][number].append(places[number].at - places[required[depth - 2]].at)
    for number in plan.optional:
        event = passed_by(plan, number, places, shown.events)
        if event is not None:
            table["steps"][number] += 1
            table["complete"][number] += shown.is_complete
            table["times"][number].append(event.at - places[before(plan, number)].at)


def before(plan: Plan, number: int) -> int:
    """The required step before an optional one."""
    return max(each for each in plan.required if each < number)


def passed_by(
    plan: Plan, number: int, places: Mapping[int, Happening], events: Sequence[Happening]
) -> Happening | None:
    """The event of the shown attempt at an optional step."""
    last = places.get(before(plan, number))
    if last is None:
        return None
    following = places.get(min((each for each in plan.required if each > number), default=-1))
    first = places[0]
    for event in sorted(events, key=lambda each: each.order):
        if (
            plan.steps[number](event)
            and event.order > last.order
            and (following is None or event.order < following.order)
            and event.at - first.at <= plan.window
            and event.at - last.at <= plan.windows.get(number, plan.window)
            and not plan.is_ended(first, event, events)
        ):
            return event
    return None


def is_removed(events: Sequence[Happening], plan: Plan, is_entry: Callable[[Happening], bool]) -> bool:
    """Whether an event that removes units lies within the window of any entry."""
    return any(
        is_entry(entry) and entry.order < event.order and event.at - entry.at <= plan.window
        for event in events
        if any(step(event) for step in plan.removes)
        for entry in events
    )


def best_attempt(
    events: Sequence[Happening], plan: Plan, is_entry: Callable[[Happening], bool]
) -> Attempt | None:
    """The attempt that is shown, found by trying every chain: None if there is no entry at all."""
    ordered = sorted(events, key=lambda event: event.order)
    for depth in range(len(plan.required), 0, -1):
        chains = [chain for chain in combinations(ordered, depth) if is_chain(chain, plan, ordered, is_entry)]
        if chains:
            reached = min(chain[-1].order for chain in chains)
            entry = max(chain[0].order for chain in chains if chain[-1].order == reached)
            return Attempt(min((chain for chain in chains if chain[0].order == entry), key=positions))
    return None


def is_chain(
    chain: Sequence[Happening],
    plan: Plan,
    events: Sequence[Happening],
    is_entry: Callable[[Happening], bool],
) -> bool:
    """Whether distinct events, given in order, are a conversion."""
    first, last = chain[0], chain[-1]
    if not is_entry(first) or last.at - first.at > plan.window or plan.is_ended(first, last, events):
        return False
    if plan.order == "any":
        return any(
            all(step(event) for step, event in zip(steps, chain, strict=True))
            for steps in permutations(plan.steps, len(chain))
        )
    if not all(plan.steps[number](event) for number, event in zip(plan.required, chain, strict=False)):
        return False
    for place in range(1, len(chain)):
        left, right = chain[place - 1], chain[place]
        if right.at - left.at > plan.windows.get(plan.required[place], plan.window):
            return False
        if any(plan.blocks(event) for event in events if left.order < event.order < right.order):
            return False
    return True


def positions(chain: Iterable[Happening]) -> list[tuple[int, str, int, str]]:
    """What chains are compared by, so that each next step is the earliest event that fits."""
    return [event.order for event in chain]


def nearest_rank(values: Sequence[int], percent: int = 50) -> int | None:
    """The nearest-rank percentile: the least value that so many percent of all do not exceed."""
    return sorted(values)[-(-percent * len(values) // 100) - 1] if values else None
