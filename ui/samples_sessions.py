"""Made-up sessions, for the patterns page and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from expost.query.breakdown import ByColumn
from expost.query.session_detail import SessionAnswer, SessionDetail
from expost.query.sessions import (
    PERCENTILES,
    Length,
    Session,
    SessionFigures,
    SessionGroup,
    SessionPeriod,
    Sessions,
    SessionsAnswer,
)

from .samples import LONG, NASTY, NOW, basis
from .samples_events import live_event

NOTHING: Mapping[str, Any] = MappingProxyType({})
RULE = "A bounce is a session with exactly one page view, whatever else was done on that page."


def session(place: int = 0, **said: Any) -> Session:
    """One of a list; every third is a bounce, and the first one is not over."""
    began, lasted = NOW - timedelta(minutes=17 * place + 4), timedelta(seconds=place * place * 37 % 2_400)
    is_bounce = place % 3 == 1
    made = Session(
        session_id=f"{place:016x}-64c1346a9f080",
        person_id=str(83_920_174 * (place + 3)),
        person=f"person-{place}@example.org" if place % 2 else f"stranger {17_400 + place}",
        is_user=bool(place % 2),
        device_id=str(place),
        device=f"019ab3f2-77c1-7{place:03}",
        is_daily=place % 5 == 4,
        began_at=began,
        ended_at=began + lasted,
        duration_ms=lasted / timedelta(milliseconds=1),
        is_over=place > 0,
        events=3 + place * 7 % 40,
        page_views=1 if is_bounce else 2 + place % 4,
        is_bounce=is_bounce,
        host="tea.example",
        entry_page="/tea/sencha",
        exit_page="/tea/sencha" if is_bounce else "/checkout",
        referrer="search.example",
        traffic_source="search.example",
        traffic_medium=None,
        campaign="autumn" if place % 4 == 2 else None,
        channel="search",
        country="DE",
        browser="Firefox",
        os="Linux",
        device_class="desktop",
        variations=("new-checkout=treatment",) if place % 2 else (),
    )
    return replace(made, **said)


def figures(sessions: int = 1_204) -> SessionFigures:
    """The figures of so many."""
    return SessionFigures(
        sessions,
        sessions * 3 // 4,
        sessions * 4 // 5,
        sessions * 11,
        sessions * 5 // 2,
        sessions,
        sessions // 3,
        min(sessions, 6),
        tuple(
            Length(percentile, 1_000.0 * percentile * percentile / 7 if sessions else None)
            for percentile in PERCENTILES
        ),
        2 if sessions else None,
    )


def sessions(
    count: int = 50, days: int = 14, *, by: bool = False, said: Mapping[str, Any] = NOTHING
) -> SessionsAnswer:
    """A list of so many, of `days` days."""
    first = NOW.date() - timedelta(days=days - 1)
    periods = tuple(
        SessionPeriod(first + timedelta(days=day), n := 60 + day * 37 % 50, n * 2, n, n // 3, day < days - 1)
        for day in range(days if count else 0)
    )
    groups = (
        SessionGroup("value", "desktop", figures(700)),
        SessionGroup("value", NASTY, figures(300)),
        SessionGroup("other", None, figures(150)),
        SessionGroup("no value", None, figures(54)),
    )
    total = count if count < 2 else 1_204
    return SessionsAnswer(
        Sessions(start=date(2026, 11, 10), by=ByColumn("device_class") if by else None),
        basis((RULE,)),
        figures(total),
        "day",
        periods,
        groups if by else (),
        tuple(session(place, **said) for place in range(count)),
    )


def opened(events: int = 12, said: Mapping[str, Any] = NOTHING) -> SessionAnswer:
    """One session with so many events."""
    found = tuple(live_event(number) for number in reversed(range(min(events, 500))))
    began: datetime = found[0].time
    return SessionAnswer(
        SessionDetail("3f2a91c04be7d580-64c1346a9f080"),
        basis((RULE,)),
        session(
            3, began_at=began, ended_at=NOW, duration_ms=(NOW - began) / timedelta(milliseconds=1), **said
        ),
        events,
        found,
    )


HOSTILE = {
    "person": NASTY,
    "entry_page": "/" + NASTY,
    "exit_page": LONG,
    "campaign": NASTY,
    "variations": (NASTY,),
}
"""What a visitor may have put into a session."""
