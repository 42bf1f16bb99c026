"""Stories: the events of a conformance case, one line each, and the lake that holds them.

    ann 02 10:00 A                       device ann, the 2nd of March 2026, a custom event called A
    ann 02 10:00:00.000001 view:/cart    to the microsecond; a page view
    ann 2026-03-29T00:30 A               any other day
    ann 02 10:01 identify:alice          the site names the device's user
    ann 02 10:02 exposure:f=treatment    exposure to a flag
    ann 02 10:02 group:company=acme      the person belongs to a group
    server 02 10:03 A user=alice         a server's event about a user
    editor 02 10:04 merge:alice=bob id=m  an editor joins two users
    editor 02 10:05 undo:m               an editor withdraws an edge, which is named by the id of its line

Times are UTC. `recorded=2026-03-03T10:00` says when it was received (an event) or recorded (an edge), if not at its
own time. `key=value` pairs after it set other columns: page, seq, id, user, bot, internal, environment, daily,
consent, imported, label, text, marks, path, host, query, hash, release, browser, country, campaign, `p.NAME=JSON` for
properties, and `t.NAME=JSON` for what `identify` says of the user. Without `page`, every device has
one page; without `seq`, events are numbered in the order of the lines.
"""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expost.clock import to_micros
from expost.ids import ZERO_UUID, keyed_hash
from expost.lake.held import forget
from expost.lake.part import write_part
from expost.lake.reader import HELPERS, VIEWS, create_views, known_by, rows_of
from expost.lake.schema import TABLES
from expost.lake.summary import make_summary

SITE = "shop"
TYPES = {
    "view": "page_view",
    "identify": "identify",
    "exposure": "exposure",
    "click": "click",
    "group": "group",
    "merge": "merge",
    "undo": "undo",
}
EDGES = ("merge", "undo")
"""What editors say. It is no event."""


@dataclass(frozen=True)
class Happening:
    """One event of a story, as plainly as it can be said."""

    device: str | None
    user: str | None
    at: int
    page_id: str
    page_seq: int
    event_id: str
    type: str
    name: str | None = None
    flag: str | None = None
    variation: str | None = None
    path: str | None = None
    is_bot: bool = False
    is_internal: bool = False
    environment: str = "production"
    is_daily: bool = False
    source: str = "browser"
    group: tuple[str, str] | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    recorded: int = 0
    into: str | None = None
    undoes: str | None = None

    @property
    def order(self) -> tuple[int, str, int, str]:
        """The total order of events (docs/rules.md 1)."""
        return (self.at, self.page_id, self.page_seq, self.event_id)


def read_story(lines: Iterable[str]) -> list[Happening]:
    """The events of a case."""
    return [_read_line(line, number) for number, line in enumerate(lines, 1)]


def moment(day: str, clock: str = "") -> int:
    """`02`, `10:00` or one ISO date and time, as microseconds since 1970."""
    text = f"2026-03-{day}T{clock}" if len(day) == 2 else day
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _read_line(line: str, number: int) -> Happening:
    words = shlex.split(line)
    device = words.pop(0)
    at = moment(words[0]) if "T" in words[0] else moment(words[0], words.pop(1))
    kind, _, detail = words[1].partition(":")
    given = dict(word.split("=", 1) for word in words[2:])
    is_server = device == "server"
    properties = {key[2:]: json.loads(value) for key, value in given.items() if key.startswith("p.")}
    columns: dict[str, Any] = {
        key: given[key]
        for key in ("label", "text", "host", "query", "hash", "release", "browser", "country", "campaign")
        if key in given
    }
    columns["marks"] = given["marks"].split(",") if "marks" in given else []
    columns["properties"] = json.dumps(properties)
    if "imported" in given:
        columns["imported"] = True
    flag, _, variation = detail.partition("=")
    user = given.get("user") or (detail if kind == "identify" else flag if kind == "merge" else None)
    return Happening(
        device=given.get("device") if is_server or kind in EDGES else device,
        user=user,
        at=at,
        page_id=ZERO_UUID if is_server else given.get("page", f"page-of-{device}"),
        page_seq=0 if is_server else int(given.get("seq", number)),
        event_id=given.get("id", f"event-{number:04}"),
        type=TYPES.get(kind, "custom"),
        name=None if ":" in words[1] else kind,
        flag=flag if kind == "exposure" else None,
        variation=variation if kind == "exposure" else None,
        path=detail if kind == "view" else given.get("path"),
        is_bot="bot" in given,
        is_internal="internal" in given,
        environment=given.get("environment", "production"),
        is_daily="daily" in given,
        source="server" if is_server else "browser",
        group=(flag, variation) if kind == "group" else None,
        traits={key[2:]: json.loads(value) for key, value in given.items() if key.startswith("t.")},
        columns=columns,
        recorded=moment(given["recorded"]) if "recorded" in given else at,
        into=variation if kind == "merge" else None,
        undoes=detail if kind == "undo" else None,
    )


def identity(kind: str, name: str | None, site: str = SITE) -> int | None:
    """The id of a device or user of a story."""
    return None if name is None else keyed_hash(site.encode(), kind, name)


@contextmanager
def lake_of(
    story: Sequence[Happening], as_of: int | None = None, *, has_views: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake in memory that holds the story, or what of it was known by `as_of`; with `has_views` those for people."""
    connection, filled = _held(has_views)
    rows = _tables({SITE: story})
    for name in filled | rows.keys():
        connection.register("given", pa.Table.from_pylist(rows.get(name, []), schema=TABLES[name]))
        connection.execute(
            f"create or replace table lake.{name} as select * from given{known_by(name, as_of)}"
        )
        connection.unregister("given")
    # Tables that follow from these, and without those that questions about the story before kept beside them.
    create_views(connection, ("persons.sql",))
    filled.clear()
    filled.update(rows)
    try:
        yield connection
    finally:
        forget(connection)


@contextmanager
def lake_of_stories(stories: Mapping[str, Sequence[Happening]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake of its own that holds several stories, each that of the site under whose name it stands."""
    with _lake_with(_tables(stories)) as connection:
        yield connection


@cache
def _held(has_views: bool) -> tuple[duckdb.DuckDBPyConnection, set[str]]:
    """A lake without a row, made once, and the names of the tables that the story before filled."""
    return _lake_with({}, has_views=has_views), set()


def _lake_with(
    rows: Mapping[str, list[dict[str, Any]]], *, has_views: bool = False
) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("create schema lake")
    for name, schema in TABLES.items():
        connection.register("given", pa.Table.from_pylist(rows.get(name, []), schema=schema))
        connection.execute(f"create table lake.{name} as select * from given")
        connection.unregister("given")
    create_views(connection, HELPERS + VIEWS * has_views)
    return connection


def _tables(stories: Mapping[str, Sequence[Happening]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table that the stories of these sites fill."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for site, story in stories.items():
        for happening in story:
            for name, row in _rows(site, happening):
                rows[name].append(row)
    return rows


@contextmanager
def put_in_files(connection: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Path]:
    """Let the connection read its events from a file below `folder`, as questions do; the cache with its summary."""
    events = folder / "lake" / "events"
    events.mkdir(parents=True)
    rows = connection.sql("select * from lake.events").to_arrow_table().cast(TABLES["events"])
    file = events / write_part(events, rows, data_change=True).path
    assert make_summary(folder / "cache", file)
    connection.execute("drop table lake.events")
    connection.execute(f"create view lake.events as {rows_of(connection, [str(file)], TABLES['events'])}")
    connection.execute("create table lake.snapshot (table_name varchar, version bigint, files varchar[])")
    connection.execute("insert into lake.snapshot values ('events', 0, [$file])", {"file": str(file)})
    try:
        yield folder / "cache"
    finally:
        connection.execute("drop view lake.events")
        connection.execute("drop table lake.snapshot")
        connection.register("given", rows)
        connection.execute("create table lake.events as select * from given")
        connection.unregister("given")


def _rows(site: str, happening: Happening) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows that a line puts into the lake, each with the name of its table."""
    for user in filter(None, (happening.user, happening.into)):
        yield "users", {"user_id": identity("user", user, site), "site": site, "user": user}
    if happening.type in EDGES:
        yield "identities", _edge_row(site, happening)
        return
    yield "events", _event_row(site, happening)
    if happening.device is not None:
        device = {"device_id": identity("device", happening.device, site), "site": site}
        yield "devices", device | {"device": happening.device, "is_daily": happening.is_daily}
    if happening.group is not None:
        group_type, name = happening.group
        group = {"group_id": identity("group", ":".join(happening.group), site), "site": site}
        yield "groups", group | {"group_type": group_type, "group": name}
    for row in _trait_rows(site, happening):
        yield "traits", row
    if happening.type == "identify" and happening.device is not None:
        yield "identities", _edge_row(site, happening)


def _event_row(site: str, happening: Happening) -> dict[str, Any]:
    return {
        "event_id": happening.event_id,
        "time": happening.at,
        "received_at": happening.recorded,
        "site": site,
        "device_id": identity("device", happening.device, site),
        "user_id": identity("user", happening.user, site),
        "group_id": identity("group", ":".join(happening.group), site) if happening.group else None,
        "page_id": happening.page_id,
        "page_seq": happening.page_seq,
        "type": happening.type,
        "name": happening.name,
        "flag": happening.flag,
        "variation": happening.variation,
        "path": happening.path,
        "is_bot": happening.is_bot,
        "is_internal": happening.is_internal,
        "environment": happening.environment,
        "source": happening.source,
        **happening.columns,
    }


def _trait_rows(site: str, happening: Happening) -> list[dict[str, Any]]:
    return [
        {
            "site": site,
            "subject_kind": "user",
            "subject_id": identity("user", happening.user, site),
            "name": name,
            "value": json.dumps(value),
            "at": happening.at,
            "page_id": happening.page_id,
            "page_seq": happening.page_seq,
            "event_id": happening.event_id,
            "recorded_at": happening.recorded,
        }
        for name, value in happening.traits.items()
    ]


def _edge_row(site: str, happening: Happening) -> dict[str, Any]:
    ends = {
        "identify": (identity("device", happening.device, site), identity("user", happening.user, site)),
        "merge": (identity("user", happening.user, site), identity("user", happening.into, site)),
        "undo": (None, None),
    }[happening.type]
    return {
        "edge_id": edge_id(happening.event_id, site),
        "site": site,
        "kind": happening.type,
        "from_id": ends[0],
        "to_id": ends[1],
        "at": happening.at,
        "page_id": happening.page_id,
        "page_seq": happening.page_seq,
        "event_id": happening.event_id,
        "recorded_at": happening.recorded,
        "author": "editor" if happening.type in EDGES else "browser",
        "undoes": None if happening.undoes is None else edge_id(happening.undoes, site),
    }


def edge_id(line_id: str, site: str = SITE) -> int:
    """The id of the edge that the line with this id makes."""
    return keyed_hash(site.encode(), "edge", line_id)
