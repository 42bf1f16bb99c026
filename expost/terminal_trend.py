"""A trend on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from expost.query.trend import TrendAnswer
from expost.table import NUMBER, WORD, cell, group_name, show_several, table, unit_of


def show_trend(console: Console, answer: TrendAnswer) -> None:
    """Print the points of a trend, group by group."""
    columns = [(answer.period, WORD), ("events", NUMBER), (unit_of(answer), NUMBER)]
    has_measure = answer.measure not in ("events", "people")
    if has_measure:
        columns.append((answer.measure, NUMBER))
    groups = [("Everyone" if answer.groups else "", answer.points)]
    groups += [(group_name(group.kind, group.value), group.points) for group in answer.groups]
    for place, (title, points) in enumerate(groups):
        if place:
            console.print()
        rows = [(f"{point.start:%Y-%m-%d}" + (f" {point.start:%H:%M}" if answer.period == "hour" else ""),
                 point.events, point.people, *([point.value] if has_measure else [])) for point in points]  # fmt: skip
        table(console, columns, rows, title)
    console.print(f"\n{answer.events:,} events by {answer.people:,} {unit_of(answer)}.")
    if has_measure:
        console.print(f"Over the whole range: {escape(cell(answer.measure))} is {cell(answer.value)}.")
    show_several(console, answer.several_variations, unit_of(answer))
    if answer.compared is not None:
        asked = answer.compared.question
        console.print(f"\nThe period before, from {asked.start} until {asked.end}:\n")
        show_trend(console, answer.compared)
