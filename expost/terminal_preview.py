"""The past of a definition on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from expost.query.preview import PreviewAnswer, SampleElement
from expost.table import NUMBER, WORD, cell, percent, sparkline, table


def show_preview(console: Console, answer: PreviewAnswer) -> None:
    """Print the past of a definition."""
    show_count(console, answer)
    show_rest(console, answer)


def show_count(console: Console, answer: PreviewAnswer) -> None:
    """Print how many events match, which is known first."""
    share = f" ({percent(answer.unknown_share)})" if answer.unknown else ""
    rows = [
        ("events", answer.events),
        ("people", answer.people),
        ("unknown", f"{answer.unknown:,}{share}"),
        ("first seen", answer.first_seen),
        ("last seen", answer.last_seen),
        (f"the last {len(answer.days)} days", sparkline([day.events for day in answer.days])),
    ]
    table(console, [(answer.name, WORD), ("", NUMBER)], rows)
    for reason in answer.unknown_reasons:
        console.print(f"unknown: {escape(cell(reason.says))} ({reason.events:,})", style="dim")


def show_rest(console: Console, answer: PreviewAnswer) -> None:
    """Print texts, pages, elements and overlaps."""
    for name, found, distinct in (
        ("text", answer.texts, answer.distinct_texts),
        ("page", answer.pages, answer.distinct_pages),
    ):
        if found:
            console.print()
            table(
                console,
                [(f"{name} ({distinct:,} distinct)", WORD), ("events", NUMBER)],
                [(c.value, c.events) for c in found],
            )
    if answer.samples:
        console.print()
        rows_of_samples = [(_chain_text(sample), sample.events) for sample in answer.samples]
        table(console, [("element, what matched in brackets", WORD), ("events", NUMBER)], rows_of_samples)
    if answer.overlaps:
        console.print()
        columns = [
            ("also matches", WORD),
            ("events of both", NUMBER),
            ("of these", NUMBER),
            ("of its own", NUMBER),
        ]
        shared = [
            (each.name, each.events, percent(each.share), percent(each.share_of_other))
            for each in answer.overlaps
        ]
        table(console, columns, shared)


def _chain_text(sample: SampleElement) -> str:
    names = (
        f"[{level.descriptor}]" if level.is_match else level.descriptor for level in reversed(sample.chain)
    )
    return " › ".join(names)
