"""A funnel on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from expost.query.funnel import FunnelAnswer, FunnelStep
from expost.table import NUMBER, WORD, beside, duration, group_name, percent, show_several, table, unit_of

BAR_WIDTH = 24
WIDE_ENOUGH = 100
"""Columns of a terminal from which on a funnel has bars: in a narrower one they would take the room of its names."""


def show_funnel(console: Console, answer: FunnelAnswer) -> None:
    """Print the bars of a funnel, group by group."""
    columns = [("step", WORD), (unit_of(answer), NUMBER), ("of all", NUMBER), ("of previous", NUMBER),
               ("window over", NUMBER), ("median time", NUMBER)]  # fmt: skip
    if console.width >= WIDE_ENOUGH:
        columns.append(("", WORD))
    groups = [("Everyone" if answer.groups else "", answer.steps)]
    groups += [(group_name(group.kind, group.value), group.steps) for group in answer.groups]
    for place, (title, steps) in enumerate(groups):
        if place:
            console.print()
        table(console, columns, [_funnel_row(step)[: len(columns)] for step in steps], title)
    if answer.incomplete_people:
        console.print(
            f"\n{answer.incomplete_people:,} {unit_of(answer)} entered so lately that their window is not over; "
            "the column 'window over' leaves them out."
        )
    show_several(console, answer.several_variations, unit_of(answer))
    if answer.periods:
        console.print()
        _show_periods(console, answer)
    if answer.compared is not None:
        console.print(f"\n{beside(answer, answer.compared)}\n", markup=False)
        show_funnel(console, answer.compared)


def _show_periods(console: Console, answer: FunnelAnswer) -> None:
    columns = [("entered", WORD), *((step.name, NUMBER) for step in answer.steps)]
    if answer.groups:
        columns.insert(0, ("group", WORD))
    rows = []
    for each in answer.periods:
        name = "Everyone" if each.kind == "total" else group_name(each.kind, each.value)
        rows.append([*([name] if answer.groups else []), each.start, *each.people])
    table(console, columns, rows)


def _funnel_row(step: FunnelStep) -> tuple[Any, ...]:
    bar = "█" * round((step.share or 0) * BAR_WIDTH)
    return (step.name, step.people, percent(step.share), percent(step.share_of_previous),
            percent(step.complete_share), duration(step.median_ms), bar)  # fmt: skip
