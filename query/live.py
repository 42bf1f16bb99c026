"""What arrives: the latest events, one event whole, and the flags that exposures name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from expost.clock import from_micros
from expost.errors import InvalidInput, UnknownName

from .answer import EventAnswer, FlagsAnswer, LiveAnswer, LiveEvent, SeenFlag, Variation
from .chain import Chain, chains, summary, with_selectors
from .question import EventDetail, FlagList, Live
from .reading import Reading

MOST_EVENTS = 1_000
LIVE_COLUMNS = (
    "event_id", "time", "received_at", "type", "name", "label", "text", "host", "path", "title", "person", "flag",
    "variation", "metric", "value",
)  # fmt: skip
IDS = ("device_id", "user_id", "group_id", "person_id", "element_id", "placement_id")


def live(reading: Reading, question: Live) -> LiveAnswer:
    """The latest events as they arrived, newest first."""
    if not 1 <= question.latest <= MOST_EVENTS:
        raise InvalidInput(f"The live view shows 1 to {MOST_EVENTS} events, not {question.latest}.")
    values = {"latest": question.latest, "types": list(question.types)}
    found = reading.run("live.sql", values, has_types=bool(question.types))
    rows = [dict(zip(reading.columns(), row, strict=True)) for row in found]
    by_placement = chains(reading, "latest")
    kept = reading.execute(
        "select type, count(*) from lake.events where site = $site group by type order by 2 desc, 1;", {}
    )
    return LiveAnswer(
        question=question,
        basis=reading.basis(),
        events=tuple(live_event(row, by_placement) for row in rows),
        total=sum(count for _, count in kept),
        types=tuple(kind for kind, _ in kept),
    )


def event_detail(reading: Reading, question: EventDetail) -> EventAnswer:
    """One event whole, and its chain with a selector and its past count at every level."""
    values = {"event_id": question.event_id}
    rows = reading.execute(
        "select * from events where site = $site and event_id = $event_id limit 1;", values
    )
    if not rows:
        raise UnknownName("event", question.event_id, [], list_with="expost live, or GET /api/v1/live")
    event: dict[str, Any] = dict(zip(reading.columns(), rows[0], strict=True))
    reading.execute(
        "create or replace temp table chosen as\n"
        "select coalesce(placement_id, element_id) as placement_id\n"
        "from lake.events where site = $site and event_id = $event_id limit 1;",
        values,
    )
    chain = chains(reading, "chosen").get(event["placement_id"], ())
    chain = with_selectors(reading, chain, event["type"])
    return EventAnswer(
        question=question,
        basis=reading.basis(),
        event={
            name: str(value) if name in IDS and value is not None else value for name, value in event.items()
        },
        chain=chain,
    )


def flag_list(reading: Reading, question: FlagList) -> FlagsAnswer:
    """Every flag that exposures name."""
    rows = reading.run("flags.sql", {})
    flags = []
    for (key, people, several), variations in groupby(rows, key=lambda row: row[:3]):
        flags.append(
            SeenFlag(
                key,
                people,
                several / people if people else None,
                tuple(_variation(*row[3:]) for row in variations),
            )
        )
    tally = reading.execute(
        "select left_out, count(*), count(distinct person_id) from reported group by left_out;", {}
    )
    left_out = reading.counting.left_out(
        (row for row in tally if row[0] is not None), sum(row[1] for row in tally)
    )
    basis = reading.basis(left_out=left_out, notes=reading.counting.notes())
    return FlagsAnswer(question=question, basis=basis, flags=tuple(flags))


def live_event(row: Mapping[str, Any], by_placement: Mapping[int, Chain]) -> LiveEvent:
    """One row of events as an event in one line."""
    chain = by_placement.get(row["placement_id"])
    plain = {name: row[name] for name in LIVE_COLUMNS}
    return LiveEvent(
        **plain,
        person_id=None if row["person_id"] is None else str(row["person_id"]),
        chain=summary(chain) if chain else None,
        is_bot=bool(row["is_bot"]),
        is_internal=bool(row["is_internal"]),
        environment=row["environment"] or "",
    )


def _variation(
    value: str, people: int, exposed: int, exposures: int, first_seen: int, last_seen: int
) -> Variation:
    return Variation(value, people, exposed, exposures, from_micros(first_seen), from_micros(last_seen))
