"""One person on a terminal."""

from __future__ import annotations

from rich.console import Console

from expost.query.live import LiveEvent
from expost.query.timeline import TimelineAnswer
from expost.table import NUMBER, WORD, table

WORDS = {"identify": "is the browser of", "merge": "is the same person as"}


def show_person(console: Console, answer: TimelineAnswer) -> None:
    """Who somebody is, and the links that say so with the edges to undo."""
    users = ", ".join(answer.users) or "nobody named"
    console.print(f"{answer.name} (person_id {answer.person_id}): {users}", markup=False, highlight=False)
    if answer.traits:
        table(console, [("trait", WORD), ("value", WORD), ("since", NUMBER)],
              [(trait.name, trait.value, trait.at) for trait in answer.traits])  # fmt: skip
    if answer.devices:
        columns = [("browser", WORD), ("events", NUMBER), ("first seen", NUMBER), ("last seen", NUMBER)]
        rows = [(each.device, each.events, each.first_seen, each.last_seen) for each in answer.devices]
        table(console, columns, rows)
    if answer.edges:
        links = [
            (
                f"{edge.source} {WORDS[edge.kind]} {edge.target}",
                "in force" if edge.is_in_force else "undone",
                ", ".join(edge.authors),
                edge.last_at,
                " ".join(edge.undo),
            )
            for edge in answer.edges
        ]
        columns = [
            ("link", WORD),
            ("stands", WORD),
            ("said by", WORD),
            ("last said", NUMBER),
            ("to undo", WORD),
        ]
        table(console, columns, links)


def show_timeline(console: Console, answer: TimelineAnswer) -> None:
    """What somebody did, session by session."""
    console.print(f"{answer.name}: {answer.total:,} events", markup=False, highlight=False)
    columns = [("time", NUMBER), ("event", WORD), ("what", WORD), ("page", WORD)]
    for session in answer.sessions:
        where = session.device or "a server"
        rows = [(each.time, each.name or each.type, _what(each), each.path) for each in session.events]
        table(console, columns, rows, title=f"{where}, {session.total:,} events")


def _what(event: LiveEvent) -> str | None:
    return f"{event.flag} = {event.variation}" if event.type == "exposure" else event.label
