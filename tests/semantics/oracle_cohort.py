"""Who is in a cohort, by looking at everybody's events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from expost.query.cohort import Cohort, Did

from .happening import Happening, identity, moment
from .oracle import Oracle, Step
from .oracle_funnel import Plan, funnel
from .oracle_trend import said


def members(oracle: Oracle, cohort: Cohort, now: int, matcher: Callable[[str], Step]) -> set[str]:
    """The people of a story who fulfil all that a cohort asks."""
    assert oracle.unit_kind == "person"
    return {
        person
        for person, events in oracle.people.items()
        if all(_did(events, each, cohort, now, matcher) for each in cohort.did)
        and not any(_did(events, each, cohort, now, matcher) for each in cohort.did_not)
        and _has_traits(oracle, events, cohort, now)
        and (cohort.sequence is None or _followed(oracle, person, cohort, now, matcher))
        and (not cohort.is_listed or _is_listed(oracle, person, cohort))
    }


def _did(
    events: Sequence[Happening], did: Did, cohort: Cohort, now: int, matcher: Callable[[str], Step]
) -> bool:
    low, high = _range(cohort, now)
    if did.within is not None:
        low = max(low, now - round(did.within.total_seconds() * 1_000_000))
    found = [
        event
        for event in events
        if matcher(did.step)(event)
        and low <= event.at <= high
        and all(said(event, each.name) == each.value for each in did.where)
    ]
    return len(found) >= did.times


def _range(cohort: Cohort, now: int) -> tuple[int, int]:
    low = 0 if cohort.start is None else moment(f"{cohort.start.isoformat()}T00:00")
    return low, now if cohort.end is None else min(now, moment(f"{cohort.end.isoformat()}T00:00") - 1)


def _has_traits(oracle: Oracle, events: Sequence[Happening], cohort: Cohort, now: int) -> bool:
    return all(
        any(oracle.trait(event, each.name, latest=True, now=now) == each.value for event in events[:1])
        for each in cohort.traits
    )


def _followed(oracle: Oracle, person: str, cohort: Cohort, now: int, matcher: Callable[[str], Step]) -> bool:
    assert cohort.sequence is not None
    alone = Oracle([event for event in oracle.everything if event.at <= now])
    alone.people = {person: [event for event in oracle.people[person] if event.at <= now]}
    low, high = _range(cohort, now)
    steps = tuple(map(matcher, cohort.sequence.steps))
    plan = Plan(steps, round(cohort.sequence.within.total_seconds() * 1_000_000))
    groups = funnel(alone, plan, start=low, end=high + 1, now=now)["groups"]
    return bool(groups) and groups["total"]["steps"][-1] == 1


def _is_listed(oracle: Oracle, person: str, cohort: Cohort) -> bool:
    theirs = [event for event in oracle.everything if oracle.person(event) == person]
    devices = {identity("device", event.device) for event in theirs}
    user = identity("user", person.removeprefix("user ")) if person.startswith("user ") else None
    return bool(devices & set(cohort.devices)) or user in cohort.users
