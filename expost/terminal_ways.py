"""Paths, stickiness and lifecycle on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from expost.query.lifecycle import LifecycleAnswer
from expost.query.paths import PathsAnswer
from expost.query.stickiness import StickinessAnswer
from expost.table import NUMBER, WORD, cell, group_name, percent, table, unit_of


def show_stickiness(console: Console, answer: StickinessAnswer) -> None:
    """Print in how many periods people did it."""
    groups = [("Everyone" if answer.groups else "", answer.people)]
    groups += [(group_name(each.kind, each.value), each.people) for each in answer.groups]
    columns = [
        (f"{answer.period}s", NUMBER),
        (unit_of(answer), NUMBER),
        ("of all", NUMBER),
        ("at least", NUMBER),
    ]
    for place, (title, people) in enumerate(groups):
        if place:
            console.print()
        everyone = sum(people)
        shares = [percent(each / everyone if everyone else None) for each in people]
        rows = [
            (number, each, shares[number - 1], sum(people[number - 1 :]))
            for number, each in enumerate(people, 1)
        ]
        table(console, columns, rows, title)
    if answer.periods is not None:
        console.print(f"\nThe range has {answer.periods:,} {answer.period}s so far.")


def show_lifecycle(console: Console, answer: LifecycleAnswer) -> None:
    """Print who is new, came back, or left."""
    columns = [
        (f"{answer.period} of", WORD),
        *((name, NUMBER) for name in ("new", "returning", "resurrecting", "dormant")),
    ]
    rows = [
        (
            each.start,
            each.new,
            each.returning,
            each.resurrecting,
            f"{each.dormant:,}{'' if each.complete else '*'}",
        )
        for each in answer.periods
    ]
    table(console, columns, rows, "" if unit_of(answer) == "people" else f"Counted: {unit_of(answer)}")
    console.print("\n* this period is not over: the dormant may still come.")


def show_paths(console: Console, answer: PathsAnswer) -> None:
    """Print the edges of each step."""
    columns = [
        ("step", NUMBER),
        ("from", WORD),
        ("to", WORD),
        ("sessions", NUMBER),
        ("of all", NUMBER),
        ("people", NUMBER),
    ]
    ends = {
        "end": "(ended)" if answer.direction == "after" else "(began)",
        "other": "(other)",
        "other ends": "(other ends)",
    }
    rows = [
        (
            edge.step,
            answer.anchor if edge.step == 1 and edge.kind in ("step", "end") else edge.source,
            ends.get(edge.kind, edge.target),
            edge.sessions,
            percent(edge.sessions / answer.sessions),
            edge.people,
        )
        for edge in answer.edges
    ]
    table(console, columns, rows)
    console.print(
        f"\n{answer.sessions:,} sessions of {answer.people:,} people have {escape(cell(answer.anchor))}."
    )
