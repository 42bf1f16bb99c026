"""Made-up answers about what people did, for the patterns page and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from expost.query.breakdown import Flag
from expost.query.funnel import Funnel, FunnelAnswer, FunnelGroup, FunnelPeople, FunnelStep
from expost.query.person import DecidingEvent, PeopleAnswer, Person
from expost.query.retention import (
    Cohort,
    PooledPeriod,
    Retention,
    RetentionAnswer,
    RetentionGroup,
    RetentionPeriod,
)
from expost.query.trend import Point, Trend, TrendAnswer, TrendGroup

from .samples import NASTY, NOW, STEPS, basis


def steps(*people: int, names: Sequence[str] = STEPS, unfinished: int = 0) -> tuple[FunnelStep, ...]:
    """The bars of one group."""
    found = []
    for place, count in enumerate(people):
        before = people[max(0, place - 1)]
        after = people[place + 1] if place + 1 < len(people) else count
        entered = people[0] - unfinished
        complete = max(0, count - unfinished // (place + 1))
        found.append(
            FunnelStep(
                name=names[place % len(names)],
                people=count,
                share=count / people[0] if people[0] else None,
                share_of_previous=(count / before if before else None) if place else None,
                dropped_off=count - after,
                complete_people=complete,
                complete_share=min(1.0, complete / entered) if entered > 0 else None,
                median_ms=84_000.0 * (place * place + 1) if place else None,
                median_from_start_ms=210_000.0 * place * place if place else None,
                outside_groups=place * 4,
            )
        )
    return tuple(found)


def funnel(*people: int, by: bool = False, unfinished: int = 31) -> FunnelAnswer:
    """A funnel, by the variations of a flag if asked."""
    total = people or (1_204, 802, 431, 266)
    groups = (
        FunnelGroup("variation", "control", steps(498, 326, 160, 88, unfinished=11)),
        FunnelGroup("variation", "treatment", steps(503, 351, 207, 149, unfinished=14)),
        FunnelGroup("not exposed", None, steps(181, 114, 55, 24, unfinished=6)),
        FunnelGroup("before exposure", None, steps(22, 11, 5, 1)),
    )
    notes = (
        "A conversion is a chain of distinct events in order, the last within the window of the first.",
        "A person counts at a step if any of their attempts reaches it.",
    )
    return FunnelAnswer(
        question=Funnel(STEPS, timedelta(days=7), by=Flag("new-checkout") if by else None),
        basis=basis(notes, STEPS, unknown=2),
        steps=steps(*total, unfinished=unfinished),
        groups=groups if by else (),
        incomplete_people=unfinished,
        several_variations=0.012 if by else None,
    )


def funnel_beside_cohort(*people: int) -> FunnelAnswer:
    """A funnel beside the people of a cohort: these at each step."""
    here = funnel()
    return replace(
        here,
        question=replace(cast(Funnel, here.question), compare="cohort:Regulars"),
        compared=funnel(*people, unfinished=min(people[0], 4)),
        shared_people=people[0],
    )


def people(step: int = 2, *, dropped_off: bool = False, total: int = 802) -> PeopleAnswer:
    """The people behind a bar."""
    asked = funnel().question
    assert isinstance(asked, Funnel)
    shown = tuple(
        Person(
            str(place),
            NASTY if place == 2 else f"person-{place}@example.org",
            place % 2 == 0,
            "variation",
            "treatment",
            step,
            tuple(
                DecidingEvent(name, f"019a{place}", NOW + timedelta(minutes=n))
                for n, name in enumerate(STEPS[:step])
            ),
        )
        for place in range(min(total, 100))
    )
    return PeopleAnswer(FunnelPeople(asked, step, dropped_off=dropped_off), basis(), total, shown)


def many_steps() -> FunnelAnswer:
    """A funnel of twenty steps."""
    people = [int(12_000 * 0.83**place) for place in range(20)]
    names = [f"Step {place + 1} of the long way through the form" for place in range(20)]
    answer = funnel()
    return FunnelAnswer(answer.question, answer.basis, steps(*people, names=names), (), 0, None)


def retention(*, by: bool = False, cohorts: int = 9) -> RetentionAnswer:
    """Weekly retention."""
    total = _cohorts(cohorts, 1.0)
    groups = tuple(
        RetentionGroup(
            "variation" if value else kind, value, _cohorts(cohorts, scale), _pool(_cohorts(cohorts, scale))
        )
        for kind, value, scale in (("", "control", 0.4), ("", "treatment", 0.45), ("not exposed", None, 0.15))
    )
    return RetentionAnswer(
        question=Retention("Placed the order", "Viewed a tea", by=Flag("new-checkout") if by else None),
        basis=basis(("Period 0 counts a return only if it is a later event than the start.",), STEPS[:2]),
        period="week",
        cohorts=total,
        pooled=_pool(total),
        groups=groups if by else (),
        several_variations=0.012 if by else None,
        data_begins=NOW - timedelta(days=88),
    )


def retention_beside_cohort(cohorts: int) -> RetentionAnswer:
    """Retention beside the people of a cohort, so many weeks of them."""
    here, beside = retention(), retention(cohorts=cohorts)
    return replace(
        here,
        question=replace(cast(Retention, here.question), compare="cohort:Regulars"),
        compared=beside,
        shared_people=sum(each.size for each in beside.cohorts),
    )


def trend(*, by: bool = False, events: bool = True, days: int = 60) -> TrendAnswer:
    """Events a day."""
    start = datetime(2026, 11, 23, tzinfo=UTC) - timedelta(days=days - 1)

    def points(scale: float) -> tuple[Point, ...]:
        counts = [
            int(scale * (40 + (place * 7919) % 23 - (18 if place % 7 in (5, 6) else 0)))
            for place in range(days)
        ]
        return tuple(
            Point(start + timedelta(days=place), count * events, count * events * 3 // 4)
            for place, count in enumerate(counts)
        )

    groups = (
        TrendGroup("variation", "control", points(0.38)),
        TrendGroup("variation", "treatment", points(0.52)),
        TrendGroup("not exposed", None, points(0.1)),
    )
    total = points(1.0)
    return TrendAnswer(
        question=Trend("Added to basket", by=Flag("new-checkout") if by else None),
        basis=basis(names=["Added to basket"]),
        period="day",
        events=sum(point.events for point in total),
        people=812 * events,
        points=total,
        groups=groups if by else (),
        several_variations=None,
    )


def _cohorts(count: int, scale: float) -> tuple[Cohort, ...]:
    monday = date(2026, 11, 23)
    found = []
    for place in range(count):
        start = monday - timedelta(weeks=count - 1 - place)
        size = int(scale * (120 + (place * 37) % 50))
        periods = tuple(
            RetentionPeriod(
                number,
                int(size * (0.21 if number == 0 else 0.44 * 0.82**number)),
                start + timedelta(weeks=number + 1) <= monday,
                size,
                number,
            )
            for number in range(count - place)
        )
        found.append(Cohort(start, size, periods))
    return tuple(found)


def _pool(cohorts: Sequence[Cohort]) -> tuple[PooledPeriod, ...]:
    pooled = []
    for number in range(len(cohorts)):
        cells = [(each.periods[number], each.size) for each in cohorts[: len(cohorts) - number - 1]]
        people, size = sum(cell.people for cell, _ in cells), sum(size for _, size in cells)
        pooled.append(PooledPeriod(number, people, size, people / size if size else None, number))
    return tuple(pooled)
