"""What the lake has of somebody: their events, the other ids of the same person, and how many rows are about them."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import msgspec
import pyarrow as pa

from .redaction import Mark
from .subject import Subject

PERSON = "coalesce((select person_id from lake.joined_users where user_id = $id), $id)"
"""The person of a user: whom merges join is erased as one, whichever of their ids is named."""

USERS = f"select $id as user_id union select user_id from lake.joined_users where person_id = {PERSON}"

EVENTS_OF_USER = f"""
    select event_id from lake.events_of_people
    where (is_user and person_id = {PERSON}) or user_id in ({USERS})
"""
EVENTS_OF_DEVICE = "select event_id from lake.events where device_id = $id"

DEVICES_OF_USER = f"""
    select device_id from lake.events_of_people where device_id is not null
    group by device_id having bool_and(is_user and person_id = {PERSON})
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of somebody: the events, and by what else they are known, each id with what it is called.

    `users` are those whom merges join with this one, `devices` the browsers that were theirs alone.
    """

    subject: Subject
    event_ids: pa.Array
    users: dict[int, str] = field(default_factory=dict)
    devices: dict[int, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        """The keyed hashes under which they stand in the lake."""
        return [self.subject.id, *self.users, *self.devices]

    @property
    def texts(self) -> list[str]:
        """What they are called by the browser and by the site."""
        return [text for text in (self.subject.text, *self.users.values(), *self.devices.values()) if text]

    def marks(self, until: int | None = None) -> list[Mark]:
        """What keeps all of them away."""
        kinds = [(self.subject.kind, [self.subject.id]), ("user", self.users), ("device", self.devices)]
        return [Mark(kind, id_, until) for kind, ids in kinds for id_ in ids]


def find_person(connection: duckdb.DuckDBPyConnection, subject: Subject) -> Found:
    """What the lake has of somebody. A user's are the events of the person, on whatever device."""
    values = {"id": subject.id}
    query = EVENTS_OF_USER if subject.kind == "user" else EVENTS_OF_DEVICE
    event_ids = pa.array([row[0] for row in connection.execute(query, values).fetchall()], pa.string())
    if not subject.text:
        subject = msgspec.structs.replace(subject, text=_name_of(connection, subject))
    if subject.kind == "device":
        return Found(subject, event_ids)
    named = f"""
        select joined.user_id, coalesce(min(users."user"), '') from ({USERS}) as joined
        left join lake.users as users on users.user_id = joined.user_id
        where joined.user_id <> $id group by 1"""
    users = dict(connection.execute(named, values).fetchall())
    named = (
        f"select device_id, min(device) from lake.devices where device_id in ({DEVICES_OF_USER}) group by 1"
    )
    return Found(subject, event_ids, users, dict(connection.execute(named, values).fetchall()))


def counts_of(connection: duckdb.DuckDBPyConnection, found: Found) -> dict[str, int]:
    """How many rows an erasure would take out of each table that is about people."""
    connection.register("_erased_events", pa.table({"event_id": found.event_ids}))
    connection.register("_erased_ids", pa.table({"id": pa.array(found.ids, pa.int64())}))
    try:
        [row] = connection.execute(_COUNTS).fetchall()
    finally:
        connection.unregister("_erased_events")
        connection.unregister("_erased_ids")
    return dict(zip(("events", "identities", "traits", "page_counts", "devices"), row, strict=True))


_COUNTS = """
    with gone as (select id from _erased_ids), told as (select event_id from _erased_events)
    select
        (select count(*) from lake.events where event_id in (from told)),
        (select count(*) from lake.identities
            where from_id in (from gone) or to_id in (from gone) or event_id in (from told)),
        (select count(*) from lake.traits where subject_id in (from gone) or event_id in (from told)),
        (select count(*) from lake.page_counts where device_id in (from gone)),
        (select count(distinct device_id) from lake.devices where device_id in (from gone))
"""


def _name_of(connection: duckdb.DuckDBPyConnection, subject: Subject) -> str:
    query = (
        'select min("user") from lake.users where user_id = $id'
        if subject.kind == "user"
        else "select min(device) from lake.devices where device_id = $id"
    )
    [[name]] = connection.execute(query, {"id": subject.id}).fetchall()
    return name or ""
