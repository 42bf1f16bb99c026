"""Funnels: from the question to the relation `results`, and from that to every number, list and event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from .answer import (
    DecidingEvent,
    FunnelAnswer,
    FunnelGroup,
    FunnelStep,
    LeftOut,
    PeopleAnswer,
    Person,
    stranger,
)
from .definition import Definition
from .question import Funnel, FunnelPeople
from .reading import Matched, Reading, Row, at, match
from .statement import Fragment

GroupKey = tuple[str, str | None]
GROUP_ORDER = ("variation", "not exposed", "before exposure")
DAY = 86_400_000_000
# The readings of a person's events that one pass carries: all, with complete entries only, and both after exposure.
STARTS = tuple(map(Fragment, ("start", "start_complete", "start_exposed", "start_exposed_complete")))
RULES = (
    "The window counts from the first step; a person is counted at a step if any attempt reaches it.",
    "The attempt shown is the deepest; of those the one that gets there first; of those the latest start.",
)
FLAG_RULES = (
    "People are in the variation of their first exposure; only their events from then on count there, and the view of "
    "the page on which it happened.",
    "People whose only entry lies before their exposure are 'before exposure'; all their events count.",
)


def funnel(reading: Reading, question: Funnel) -> FunnelAnswer:
    """How many people reached each step."""
    steps, matched, values = prepare(reading, question)
    rows = reading.run("funnel_counts.sql", values, steps=len(steps))
    found = {(row[0], row[1]): row for row in rows}
    total = found.get(("total", None))
    groups = [
        FunnelGroup(kind, value, _bars(steps, found[kind, value]))
        for kind, value in in_order(key for key in found if key[0] != "total")
    ]
    bars = _bars(steps, total)
    if question.by is not None:
        sums = [sum(group.steps[place].people for group in groups) for place in range(len(steps))]
        bars = _bars(steps, total, [bar.people - those for bar, those in zip(bars, sums, strict=True)])
    exposed = sum(row[2] for key, row in found.items() if key[0] in ("variation", "before exposure"))
    several = sum(row[3] for key, row in found.items() if key[0] in ("variation", "before exposure"))
    notes = [*matched.notes, *RULES, *(FLAG_RULES if question.by else ())]
    incomplete = total[4] if total else 0
    if incomplete:
        notes.append(
            f"The window of {incomplete} people is not over yet; shares are given with and without them."
        )
    if question.by and any(bar.outside_groups for bar in bars):
        notes.append(
            "Some people had completed steps before their exposure; the difference is given per step."
        )
    left_out = (*matched.left_out, *_daily(reading, values, matched))
    return FunnelAnswer(
        question=question,
        basis=reading.basis(definitions=matched.definitions, left_out=left_out, notes=notes),
        steps=bars,
        groups=tuple(groups),
        incomplete_people=incomplete,
        several_variations=several / exposed if exposed else None,
    )


def funnel_people(reading: Reading, question: FunnelPeople) -> PeopleAnswer:
    """The people behind a bar, with the events that decided."""
    steps, matched, values = prepare(reading, question.funnel, keep=("event_id",))
    kind = question.kind or "total"
    values |= {"kind": kind, "value": question.value, "step": question.step, "limit": question.limit}
    values["deepest"] = question.step if question.dropped_off else len(steps)
    rows = reading.run("funnel_people.sql", values, steps=len(steps))
    people = tuple(_person(steps, row) for row in rows)
    return PeopleAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions, left_out=matched.left_out, notes=(*matched.notes, *RULES)
        ),
        total=rows[0][0] if rows else 0,
        people=people,
    )


def prepare(
    reading: Reading, question: Funnel, *, keep: Sequence[str] = ()
) -> tuple[list[Definition], Matched, dict[str, Any]]:
    """Make the relation `results`; give the steps, what was matched, and the values that its statements bind."""
    steps = [reading.definition(step) for step in question.steps]
    within = question.within // timedelta(microseconds=1)
    flag = question.by.key if question.by else None
    bounds = (reading.start, reading.end + within) if reading.has_range else None
    matched = match(reading, steps, keep=keep, bounds=bounds, flag=flag)
    values = {"within": within}
    starts = STARTS if flag is not None else STARTS[:2]
    reading.run(
        "funnel.sql", values, steps=len(steps), within=within, starts=starts, by_flag=flag is not None
    )
    return steps, matched, values


def _bars(
    steps: Sequence[Definition], row: Row | None, outside: Sequence[int] | None = None
) -> tuple[FunnelStep, ...]:
    """The bars of one group, from its row of funnel_counts.sql."""
    # After five columns about the group: two numbers for the first step, four for each later one.
    numbers: list[Any] = list(row[5:]) if row else [0, 0] + [0, 0, None, None] * (len(steps) - 1)
    counts = [[*numbers[:2], None, None]]
    counts += [numbers[place : place + 4] for place in range(2, len(numbers), 4)]
    everyone, complete = counts[0][:2]
    bars = []
    for place, step in enumerate(steps):
        people, complete_people, median, from_start = counts[place]
        before = counts[place - 1][0] if place else people
        after = counts[place + 1][0] if place + 1 < len(steps) else people
        bars.append(
            FunnelStep(
                name=step.name,
                people=people,
                share=_share(people, everyone),
                share_of_previous=_share(people, before),
                dropped_off=people - after,
                complete_people=complete_people,
                complete_share=_share(complete_people, complete),
                median_ms=None if median is None else median / 1_000,
                median_from_start_ms=None if from_start is None else from_start / 1_000,
                outside_groups=outside[place] if outside is not None else None,
            )
        )
    return tuple(bars)


def in_order(keys: Iterable[GroupKey]) -> list[GroupKey]:
    """Groups as they are shown: variations by name, then those without one."""
    return sorted(keys, key=lambda key: (GROUP_ORDER.index(key[0]), key[1] or ""))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _daily(reading: Reading, values: dict[str, Any], matched: Matched) -> list[LeftOut]:
    """Entries of daily ids whose window reaches past their day."""
    [(events, people)] = reading.run("funnel_daily.sql", values)
    whole = matched.definitions[0].events
    return [LeftOut("cookieless: window past the day", events, people, events / whole)] if events else []


def _person(steps: Sequence[Definition], row: Row) -> Person:
    _, person_id, name, is_user, kind, value, reached, *decided = row
    pairs = [(decided[place], decided[place + 1]) for place in range(0, len(decided), 2)]
    events = [
        DecidingEvent(step.name, event_id, moment)
        for step, (event_id, micros) in zip(steps, pairs, strict=True)
        if event_id is not None and (moment := at(micros)) is not None
    ]
    called = name if is_user else stranger(str(person_id))
    return Person(str(person_id), called, is_user, kind, value, reached, tuple(events))
