"""What helps to define, on a terminal: differences of versions, suggested selectors, what has no name yet."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from expost.query.difference import DifferenceAnswer
from expost.query.health import HealthAnswer
from expost.query.suggested import SuggestionsAnswer
from expost.query.unnamed import UnnamedAnswer
from expost.table import NUMBER, WORD, cell, table


def show_difference(console: Console, answer: DifferenceAnswer) -> None:
    """Print what changes sides between two versions."""
    versions = [(answer.old, answer.old_meaning), (answer.new, answer.new_meaning)]
    table(console, [("version in effect", NUMBER), ("meaning", WORD)], versions, title=answer.name)
    console.print()
    said = {
        "only_old": f"only {answer.old}",
        "only_new": f"only {answer.new}",
        "both": "both",
        "unknown": "unknown",
    }
    table(
        console,
        [("matched by", WORD), ("events", NUMBER), ("people", NUMBER)],
        [(said[each.side], each.events, each.people) for each in answer.sides],
    )
    if answer.samples:
        console.print()
        columns = [(name, WORD) for name in ("matched by", "time", "type", "what", "page", "element")]
        rows = [
            (said[each.side], each.time, each.type, each.said, each.path, each.chain)
            for each in answer.samples
        ]
        table(console, columns, rows)


def show_suggestions(console: Console, answer: SuggestionsAnswer) -> None:
    """Print suggested selectors, and what they avoid."""
    console.print(escape(cell(f"{answer.element}: {answer.events:,} events in 90 days")))
    console.print()
    table(
        console,
        [("selector", WORD), ("text", WORD), ("score", NUMBER), ("why", WORD)],
        [(each.selector, each.text, each.score, each.reason) for each in answer.suggestions],
    )
    for each in answer.avoided:
        console.print(escape(cell(f"Avoided: {each.token} {each.why}.")))


def show_health(console: Console, answer: HealthAnswer) -> None:
    """Print how each definition does, and below what could repair those that are broken."""
    columns = [("definition", WORD), ("is", WORD), ("days", NUMBER), ("people", NUMBER), ("expected", NUMBER),
               ("last seen", NUMBER)]  # fmt: skip
    rows = [
        (each.name, each.state, each.days, each.recent, f"{each.expected:,.1f}", each.last_seen)
        for each in answer.states
    ]
    table(console, columns, rows)
    for each in answer.states:
        for repair in each.repairs:
            found = f"{repair.selector}: {repair.why}; {repair.events:,} events since."
            console.print(f"\n{escape(cell(each.name))} may be {escape(cell(found))}")
            console.print(f"  {escape(cell(each.command(repair)))}")


def show_unnamed(console: Console, answer: UnnamedAnswer) -> None:
    """Print interactions that have no name."""
    if not answer.groups:
        console.print("Every interaction that is counted has a name.")
        return
    table(
        console,
        [("people", NUMBER), ("events", NUMBER), ("last seen", NUMBER), ("name", WORD), ("on", WORD), ("text", WORD),
         ("page", WORD)],
        [(each.people, each.events, each.last_seen, each.name, f"{each.kind} {each.selector}", each.text,
          each.on_path)
         for each in answer.groups],
    )  # fmt: skip
    if answer.more:
        console.print(f"and {answer.more:,} more, each of no more people than the last of these")
    console.print(f"\n{answer.events:,} events of {answer.people:,} people have no name.")
    if answer.field_clicks:
        console.print(
            f"{answer.field_clicks:,} clicks on fields make no line: the changes of those fields say more."
        )
    if answer.unknown:
        console.print(
            f"{answer.unknown:,} of them a definition might match: what would decide was cut, masked or never kept."
        )
