"""Sessions of a range answered: which are asked about, their figures, and a page of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from expost.clock import from_micros

from .answer import LeftOut
from .breakdown import ByCohort, ByProperty
from .calendar import first_day, period_number
from .condition import CompiledDefinition, compile_definition
from .definition import definition
from .duration import format_duration, micros
from .found_person import find_person
from .interval import EARLIEST, LATEST
from .matched import Matched, event_value, search, tallied
from .person import stranger
from .question import MAX_LISTED
from .reading import Reading, Row
from .session_id import session_id
from .session_range import sessions_in_range
from .sessions import (
    FIRST_COLUMNS,
    PERCENTILES,
    Length,
    Session,
    SessionFigures,
    SessionGroup,
    SessionPeriod,
    Sessions,
    SessionsAnswer,
)
from .statement import Fragment, identifier
from .unit import Unit
from .unseen import unsaid, unseen_conditions, unseen_environment

MAX_GROUPS = 25
SESSION_RULE = (
    "A session ends after {gap} without any event of its device, whatever they are. It belongs as a whole to the range "
    "in which it began. Its length is that of all events; events, page views and pages are of what counts."
)
BOUNCE_RULE = (
    "A bounce is a session with exactly one page view, whatever else was done on that page; the share is of the "
    "sessions with a page view."
)
PERSON_RULE = "The person of a session is the one of its first event that counts."
RUNNING_NOTE = "Not over yet: {count:,} of {all:,} {sessions}. They may become longer, and a bounce none."
EARLIER_NOTE = "Began before the range, go on in it, and are not counted: {count:,} {sessions}."
DAILY_NOTE = "Of cookieless browsers, for which midnight UTC ends a session: {count:,} of {all:,} {sessions}."
DEVICELESS_NOTE = (
    "Without a device, as a server or an import may send them, and so of no session: "
    "{count:,} of the events here."
)
REASONS = {1: "bots", 2: "internal", 3: "environment"}
"""What left_out_number.sql says."""


def sessions(reading: Reading, question: Sessions) -> SessionsAnswer:
    """The sessions that began in range."""
    found = tell_sessions(reading, question)
    gap = {"gap": micros(question.gap)}
    rows = reading.run(
        "session_totals.sql",
        gap,
        percentiles=PERCENTILES,
        is_split=question.by is not None,
        groups=MAX_GROUPS,
    )
    groups = [(kind, value, _figures(row)) for kind, value, *row in rows]
    [figures] = [each for kind, _, each in groups if kind == "total"]
    values = {"week_start": reading.calendar.week_start}
    periods = {row[0]: row[1:] for row in reading.run("session_periods.sql", values, period=question.period)}
    listed = list_sessions(reading, question, found.bounds)
    notes = found.notes(reading, question.gap)
    notes += [*found.earlier_note(), *_running(figures), *_daily(reading, figures)]
    notes += _unseen(reading, question, found.bounds, {kind: each for kind, _, each in groups})
    return SessionsAnswer(
        question=question,
        basis=reading.basis(definitions=found.matched.definitions, left_out=found.left_out, notes=notes),
        figures=figures,
        period=question.period,
        periods=tuple(_periods(reading, question, periods)),
        groups=tuple(
            SessionGroup(*each)
            for each in sorted(
                groups, key=lambda each: (ORDER.index(each[0]), -each[2].sessions, each[1] or "")
            )
            if each[0] != "total"
        ),
        sessions=listed,
    )


ORDER = ("total", "value", "other", "no value")


@dataclass(frozen=True, slots=True)
class Told:
    """The relation `told` of a reading: the sessions that are asked about, and what else there is to say."""

    bounds: Mapping[str, Any]
    matched: Matched
    left_out: tuple[LeftOut, ...]
    earlier: int

    def notes(self, reading: Reading, gap: timedelta) -> list[str]:
        """The rules that decided."""
        notes = [*self.matched.notes, SESSION_RULE.format(gap=format_duration(gap)), BOUNCE_RULE, PERSON_RULE]
        return [*notes, *reading.counting.notes()] if not self.matched.definitions else notes

    def earlier_note(self) -> list[str]:
        """How many sessions that are not of the range touch it."""
        return (
            [EARLIER_NOTE.format(count=self.earlier, sessions=_sessions(self.earlier))]
            if self.earlier
            else []
        )


def tell_sessions(reading: Reading, question: Sessions) -> Told:
    """Make the relation `told`: the sessions that began in range and are asked about, with their person."""
    person = _asked_devices(reading, question)
    of_devices = Fragment("asked_devices") if question.device or person is not None else None
    bounds = sessions_in_range(reading, question.gap, of_devices, is_numbered=bool(question.did))
    earlier = _earlier(reading)
    reading.run("session_owners.sql", bounds)
    has_unclear = bool(reading.execute("select 1 from owned where is_unclear limit 1;", {}))
    if has_unclear:
        reading.run("session_shared.sql", bounds)
    left_out = _left_out(reading, bounds, has_unclear=has_unclear)
    matched = _match(reading, question, bounds)
    values = dict(bounds)
    value = event_value(question.by, values)
    first = _first(question)
    if first is not None:
        first = reading.elements(first)
        values |= first.parameters
    of_all = value is not None or first is not None
    if of_all or has_unclear:
        reading.run("session_firsts.sql", values, of_all=of_all, value=value, match=first)
    if person is not None:
        reading.run("session_theirs.sql", {**bounds, "person": person})
    reading.run(
        "session_told.sql",
        {},
        has_firsts=of_all or has_unclear,
        has_value=value is not None,
        parting=reading.parting if isinstance(question.by, ByCohort) else None,
        has_match=first is not None,
        chosen=reading.chosen,
        of_person=person is not None,
        did=range(1, len(question.did) + 1),
    )
    # What led here is as large as the sessions themselves, and takes memory from what is asked of them.
    reading.quietly(
        "drop table sessions; drop table owned; drop table if exists shared; drop table if exists firsts;", {}
    )
    return Told(bounds, matched, left_out, earlier)


def _earlier(reading: Reading) -> int:
    if reading.start <= EARLIEST:
        return 0
    text = "select count(*) from sessions where began < $start_at and events > 0;"
    [(earlier,)] = reading.execute(text, {})
    return int(earlier)


def list_sessions(reading: Reading, question: Sessions, bounds: Mapping[str, Any]) -> tuple[Session, ...]:
    """A page of the sessions in the relation `told`."""
    values = {**bounds, "limit": question.limit, "offset": question.offset}
    columns = [identifier(name) for name in FIRST_COLUMNS]
    rows = reading.run("session_page.sql", values, order=question.order, columns=columns)
    names = reading.columns()
    seen: dict[tuple[int, int], list[str]] = {}
    for device_id, began, flag, variation in reading.run("session_variations.sql", bounds):
        seen.setdefault((device_id, began), []).append(f"{flag}={variation}")
    over = reading.now - micros(question.gap)
    return tuple(_session(dict(zip(names, row, strict=True)), seen, over) for row in rows)


def _session(row: Mapping[str, Any], seen: Mapping[tuple[int, int], Sequence[str]], over: int) -> Session:
    device_id, began, ended = row["device_id"], row["began"], row["ended"]
    person_id = str(row["person_id"])
    called: str | None = row["name"]
    return Session(
        session_id=session_id(device_id, began),
        person_id=person_id,
        person=called if row["is_user"] and called is not None else stranger(person_id),
        is_user=bool(row["is_user"]),
        device_id=str(device_id),
        device=row["device"],
        is_daily=bool(row["is_daily"]),
        began_at=from_micros(began),
        ended_at=from_micros(ended),
        duration_ms=(ended - began) / 1_000,
        is_over=ended < over,
        events=row["events"],
        page_views=row["page_views"],
        is_bounce=row["page_views"] == 1,
        host=row["host"],
        entry_page=row["entry_page"],
        exit_page=row["exit_page"],
        **{name: row[name] for name in FIRST_COLUMNS},
        variations=tuple(seen.get((device_id, began), ())),
    )


def _asked_devices(reading: Reading, question: Sessions) -> int | None:
    """Make the relation `asked_devices`, if the question names a device or a person; the person."""
    if question.device is not None:
        reading.run("session_device.sql", {"device": question.device})
    if question.person is None:
        return None
    person, users = find_person(reading, question.person)
    if question.device is None:
        reading.run("session_devices.sql", {"person": person, "users": [user_id for user_id, _ in users]})
    return person


def _match(reading: Reading, question: Sessions, bounds: Mapping[str, Any]) -> Matched:
    """Make the relation `matched` of what has to be done in a session."""
    if not question.did:
        return Matched((), (), ())
    steps = [reading.definition(each) for each in question.did]
    searched = search(
        reading, steps, bounds=(EARLIEST, LATEST), has_positions=False, unit=Unit("session", gap=question.gap)
    )
    reading.run("matched.sql", {**searched.values, **bounds}, has_ties=False, **searched.structure)
    return tallied(reading, steps, searched.compiled, reading.run("tally.sql", {}))


def _first(question: Sessions) -> CompiledDefinition | None:
    if not question.properties:
        return None
    return compile_definition(definition("first", properties=question.properties), "first")


def _left_out(reading: Reading, bounds: Mapping[str, Any], *, has_unclear: bool) -> tuple[LeftOut, ...]:
    """What does not count in the sessions of the range."""
    text = (
        "select sum(events), sum(of_bots), sum(internal), sum(elsewhere)\nfrom owned\n"
        "where of_bots + internal + elsewhere > 0 or events > 0;"
    )
    [(events, *counts)] = reading.execute(text, {})
    if not any(counts):
        return ()
    people: dict[int, int] = dict(reading.run("session_left_out.sql", bounds, has_unclear=has_unclear))
    found = [
        (REASONS[number], count, people.get(number, 0)) for number, count in enumerate(counts, 1) if count
    ]
    return reading.counting.left_out(found, events + sum(counts))


def _figures(row: Sequence[Any]) -> SessionFigures:
    sessions, people, devices, events, views, viewing, bounces, running, lengths, median = row
    return SessionFigures(
        sessions, people, devices, events or 0, views or 0, viewing, bounces, running,
        tuple(
            Length(percentile, None if lasted is None else lasted / 1_000)
            for percentile, lasted in zip(PERCENTILES, lengths or [None] * len(PERCENTILES), strict=True)
        ),
        median,
    )  # fmt: skip


def _periods(reading: Reading, question: Sessions, found: Mapping[int, Row]) -> list[SessionPeriod]:
    """Every period from the first to the last, also those without a session."""
    if not found and question.start is None:
        return []
    calendar, period = reading.calendar, question.period

    def number_of(micros: int) -> int:
        return period_number(calendar, calendar.day(micros), period)

    present = number_of(reading.now)
    first = number_of(reading.start) if reading.start > EARLIEST else min(found)
    last = min(number_of(reading.end - 1), present) if reading.end < LATEST else present
    if last - first >= MAX_LISTED:
        first = min(found, default=last)
    return [
        SessionPeriod(first_day(calendar, number, period), *_counts(found, number), complete=number < present)
        for number in range(first, last + 1)
    ]


def _counts(found: Mapping[int, Row], number: int) -> tuple[int, int, int, int]:
    sessions, page_views, viewing, bounces = found.get(number, (0, 0, 0, 0))
    return sessions, page_views, viewing, bounces


def _sessions(count: int) -> str:
    return "session" if count == 1 else "sessions"


def _running(figures: SessionFigures) -> list[str]:
    if not figures.running:
        return []
    return [
        RUNNING_NOTE.format(count=figures.running, all=figures.sessions, sessions=_sessions(figures.sessions))
    ]


def _unseen(
    reading: Reading, question: Sessions, bounds: Mapping[str, Any], counted: Mapping[str, SessionFigures]
) -> list[str]:
    """What is asked for and never comes: it must not look like nothing that happened."""
    notes = []
    if question.device is not None and not reading.quietly("select 1 from asked_devices;", {}).fetchall():
        notes.append(f"No device is called {question.device!r}.")
    if not counted["total"].sessions:
        notes += [*unseen_conditions(reading, question.properties), *unseen_environment(reading)]
        notes += _without_device(reading, bounds)
    elif isinstance(question.by, ByProperty) and set(counted) == {"total", "no value"}:
        notes += unsaid(reading, question.by.name)
    return notes


def _without_device(reading: Reading, bounds: Mapping[str, Any]) -> list[str]:
    text = (
        "select count(*) from lake.events\n"
        "where site = $site and device_id is null and time >= $from_time and time < $until_time;"
    )
    [(count,)] = reading.quietly(text, bounds).fetchall()
    return [DEVICELESS_NOTE.format(count=count)] if count else []


def _daily(reading: Reading, figures: SessionFigures) -> list[str]:
    text = (
        "select count(*)\nfrom told\nwhere device_id in (select device_id from lake.devices where is_daily);"
    )
    [(count,)] = reading.execute(text, {})
    return (
        [DAILY_NOTE.format(count=count, all=figures.sessions, sessions=_sessions(figures.sessions))]
        if count
        else []
    )
