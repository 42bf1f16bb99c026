"""Sessions on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from rich.console import Console

from expost.query.session_detail import SessionAnswer
from expost.query.sessions import Session, SessionFigures, SessionsAnswer
from expost.table import NUMBER, WORD, group_name, percent, table


def show_sessions(console: Console, answer: SessionsAnswer) -> None:
    """Print the figures, by group and by period, and a page of the list."""
    groups = [
        ("all", answer.figures),
        *((group_name(each.kind, each.value), each.figures) for each in answer.groups),
    ]
    columns = [("sessions of", WORD)] if answer.groups else []
    columns += [
        (name, NUMBER)
        for name in ("sessions", "people", "events", "pages each", "half last up to", "bounces")
    ]
    table(console, columns, [row if answer.groups else row[1:] for row in _figures(groups)])
    console.print()
    shares = [
        (
            each.start,
            each.sessions,
            each.page_views,
            percent(each.bounces / each.viewing if each.viewing else None),
        )
        for each in answer.periods
    ]
    if len(shares) > 1:
        columns = [(answer.period, WORD), ("began", NUMBER), ("page views", NUMBER), ("bounces", NUMBER)]
        table(console, columns, shares)
        console.print()
    # An id is pasted into the next command, so it stays in one line as numbers do.
    columns = [
        ("session", NUMBER),
        ("person", WORD),
        ("began", NUMBER),
        ("lasted", NUMBER),
        ("events", NUMBER),
        ("pages", NUMBER),
        ("entry page", WORD),
        ("exit page", WORD),
    ]
    table(console, columns, [_row(each) for each in answer.sessions])
    console.print(f"\n{len(answer.sessions):,} of {answer.total:,} sessions are listed.")


def show_session(console: Console, answer: SessionAnswer) -> None:
    """Print one session, event by event."""
    session = answer.session
    facts = [
        ("person", session.person),
        ("browser", " ".join(filter(None, (session.browser, session.os, session.device_class))) or None),
        ("country", session.country),
        ("came from", session.referrer or session.traffic_source),
        ("campaign", session.campaign),
        ("saw", ", ".join(session.variations) or None),
        ("lasted", f"{_length(session.duration_ms)}{'' if session.is_over else ', and is not over yet'}"),
    ]
    table(
        console,
        [("session", WORD), (session.session_id, WORD)],
        [fact for fact in facts if fact[1] is not None],
    )
    rows = [(each.time, each.name or each.type, each.label, each.path) for each in answer.events]
    columns = [("time", NUMBER), ("event", WORD), ("label", WORD), ("page", WORD)]
    table(console, columns, rows, title=f"{len(answer.events):,} of {answer.total:,} events")


def _figures(groups: Iterable[tuple[str, SessionFigures]]) -> Iterable[tuple[object, ...]]:
    for name, each in groups:
        pages = "" if each.pages_per_session is None else f"{each.pages_per_session:.2f}"
        yield (
            name,
            each.sessions,
            each.people,
            each.events,
            pages,
            _length(each.median_ms),
            percent(each.bounce_share),
        )


def _row(session: Session) -> tuple[object, ...]:
    return (
        session.session_id,
        session.person,
        session.began_at,
        f"{_length(session.duration_ms)}{'' if session.is_over else '*'}",
        session.events,
        session.page_views,
        session.entry_page,
        session.exit_page,
    )


def _length(duration_ms: float | None) -> str:
    return "" if duration_ms is None else str(timedelta(seconds=round(duration_ms / 1_000)))
