"""Everything that is kept of one person, for whoever asks for it: from the lake, the journal and what was rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from .folder import Folder
from .inspection import batches, segments
from .mention import names_one_of
from .readable import read_lake
from .reader import connect
from .redaction import Redaction
from .rejected import SUFFIX
from .segment import STORED
from .snapshot import LakeSnapshot
from .subject import Subject
from .traces import Found, find_person

PARTS = {
    "events": """
        select
            events.* exclude (element_id, device_id, user_id, person_id, group_id)
            , elements.tag as element_tag, elements.dom_id as element_id, elements.class_name as element_class
            , elements.attributes as element_attributes
        from events
        left join elements on elements.element_id = events.element_id
        where event_id in (select event_id from _person_events)
        order by time, page_id, page_seq, event_id
    """,
    "identities": """
        select identities.kind, devices.device, users."user", identities.at, recorded_at, author
        from lake.identities as identities
        left join (select device_id, min(device) as device from lake.devices group by 1) as devices
            on devices.device_id = identities.from_id
        left join (select user_id, min("user") as "user" from lake.users group by 1) as users
            on users.user_id = identities.to_id
        where from_id in (select id from _person_ids) or to_id in (select id from _person_ids)
        order by identities.at
    """,
    "traits": """
        select name, value, traits.at, recorded_at from lake.traits as traits
        where subject_id in (select id from _person_ids)
            or (subject_kind = 'user' and event_id in (select event_id from _person_events))
        order by traits.at
    """,
    "pages": """
        select page_ordinal, last_seq, told_at from lake.page_counts
        where device_id in (select id from _person_ids) order by told_at
    """,
}


def export_person(folder: Folder, subject: Subject, now: int) -> dict[str, Any]:
    """What is kept of a device or user, as data for JSON. Of a user it is all of the person, on whatever device."""

    def read(snapshot: LakeSnapshot) -> tuple[Found, dict[str, Any]]:
        with connect(folder.path, snapshot=snapshot) as connection:
            found = find_person(connection, subject)
            _register(connection, found)
            return found, {part: _rows(connection, query) for part, query in PARTS.items()}

    found, rows = read_lake(folder, read)
    return {
        "site": subject.site,
        "kind": subject.kind,
        "id": found.subject.text,
        "exported_at": now,
        "users": sorted(found.users.values()),
        "devices": sorted(found.devices.values()),
        **rows,
        "waiting": list(_waiting(folder, found)),
        "rejected": list(_rejected(folder, found)),
    }


def _register(connection: duckdb.DuckDBPyConnection, found: Found) -> None:
    connection.execute("create temp table _person_events (event_id varchar)")
    connection.execute("create temp table _person_ids (id bigint)")
    connection.execute("insert into _person_events select unnest($ids)", {"ids": found.event_ids.to_pylist()})
    connection.execute("insert into _person_ids select unnest($ids)", {"ids": found.ids})


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _waiting(folder: Folder, found: Found) -> Iterator[dict[str, Any]]:
    """Batches that were acknowledged and are not in the lake yet, with the events that are theirs."""
    others = Redaction(folder.secret(), found.marks())
    for path in segments(folder.journal):
        if path.suffix == STORED:
            continue
        for batch in batches(path):
            kept = others(batch)
            rest = {event.id for event in kept.events} if kept else set()
            events = [event for event in batch.events if event.id not in rest]
            if events:
                yield msgspec.to_builtins(msgspec.structs.replace(batch, events=events))


def _rejected(folder: Folder, found: Found) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rejected.glob(f"*{SUFFIX}")):
        for line in _lines(path):
            if names_one_of(line, found.texts):
                yield json.loads(line)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
