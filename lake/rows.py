"""Accepted batches as columns: what each table of the lake gets from them. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from expost.ids import ZERO_UUID

from .address import split_url
from .batch import DAILY_PREFIX, Accepted, Event, View, is_nobody
from .dictionary import Dictionary, ElementTable
from .element import Row
from .enrichment import COLUMNS, enrich
from .moment import event_time, micros
from .schema import TABLES

BATCH_COLUMNS = (
    "received_at", "sent_at", "client_offset_ms", "imported", "site", "device_id", "session_ordinal", "page_id",
    "page_ordinal", "viewport_width", "viewport_height", "consent", "release", "environment", "source", "user_agent",
    "is_internal", "consent_version",
)  # fmt: skip
VIEW_COLUMNS = ("host", "path", "query", "hash", "title", "referrer")
EVENT_COLUMNS = (
    "event_id", "time", "client_time", "user_id", "group_id", "page_seq", "type", "name", "element_id", "text",
    "label", "marks", "x", "y", "is_trusted", "flag", "variation", "flag_version", "rule", "verified", "properties",
    "placement_id",
)  # fmt: skip

_canonical = msgspec.json.Encoder(order="sorted").encode
_NO_VIEW: Row = (None,) * len(VIEW_COLUMNS)


def json_text(value: object) -> str:
    """Canonical JSON: keys sorted, no spaces."""
    return _canonical(value).decode()


class Rows:
    """Collects batches, then gives the columns of every table. What a batch says once is held once."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._batches: list[Row] = []
        self._views: list[Row] = [_NO_VIEW]
        self._events: list[Row] = []
        self._identities: list[Row] = []
        self._traits: list[Row] = []
        self._page_counts: list[Row] = []
        self._batch_of: list[int] = []
        self._view_of: list[int] = []

    def __len__(self) -> int:
        return len(self._events)

    def add(self, accepted: Accepted, events: Iterable[Event] | None = None) -> None:
        """Take a batch, or those `events` of it that are new to the lake."""
        chosen = accepted.events if events is None else events
        batch = _Batch(accepted, self._dictionary)
        row = len(self._batches)
        self._batches.append(batch.row())
        self._page_counts += batch.page_counts(self._dictionary)
        views: dict[int, int] = {}
        for event in chosen:
            view = views.get(event.view)
            if view is None:
                view = views[event.view] = self._view(accepted.views, event.view)
            self._batch_of.append(row)
            self._view_of.append(view)
            self._events.append(self._event(batch, event))

    def tables(self) -> dict[str, pa.Table]:
        """The rows of every table that gets any, by its name, in the order in which they are committed."""
        dictionaries = {table: list(rows.values()) for table, rows in self._dictionary.fresh.items()}
        rows = dictionaries | {
            "identities": self._identities, "traits": self._traits, "page_counts": self._page_counts,
        }  # fmt: skip
        made = {}
        for table, schema in TABLES.items():
            if table == "events":
                if self._events:
                    made[table] = self._event_table()
            elif rows[table]:
                made[table] = _table(schema, rows[table])
        return made

    def _view(self, views: Sequence[View], position: int) -> int:
        if not views:
            return 0
        if position < 0:
            raise IndexError("An event names a view before the first one.")
        view = views[position]
        address = split_url(view.url)
        self._views.append(
            (address.host, address.path, address.query, address.hash, view.title, view.referrer)
        )
        return len(self._views) - 1

    def _event(self, batch: _Batch, event: Event) -> Row:
        accepted, dictionary = batch.accepted, self._dictionary
        event_id = event.id.lower()
        client_time = batch.client_time(event)
        time = batch.received_at if client_time is None else batch.time(client_time)
        user_id = None
        if event.user is not None and not is_nobody(event.user):
            user_id = dictionary.user(accepted.site, event.user)
        group_id = None
        if event.group and event.group_type and not is_nobody(event.group):
            group_id = dictionary.group(accepted.site, event.group_type, event.group)
        element_id, placement_id = batch.elements.place_of(event.el) if event.el >= 0 else (None, None)
        if event.type == "identify" or event.type == "group":
            self._people(batch, event, event_id, time, user_id, group_id)
        return (
            event_id,
            time,
            client_time,
            user_id,
            group_id,
            batch.sequence(event),
            event.type,
            event.name,
            element_id,
            event.text,
            event.label,
            batch.marks(event),
            event.x,
            event.y,
            event.trusted,
            event.flag,
            event.variation,
            event.flag_version,
            event.rule,
            # No flag service serves from here yet, so nothing confirms what a page reports.
            False if event.type == "exposure" else None,
            batch.properties(event),
            placement_id,
        )

    def _people(
        self, batch: _Batch, event: Event, event_id: str, time: int, user_id: int | None, group_id: int | None
    ) -> None:
        site, seq = batch.accepted.site, batch.sequence(event)
        kind, subject = ("user", user_id) if event.type == "identify" else ("group", group_id)
        if subject is None:
            return
        order = (time, batch.page_id, seq, event_id, batch.received_at)
        if kind == "user" and batch.device_id is not None:
            edge = self._dictionary.edge(site, event_id)
            self._identities.append(
                (edge, site, "identify", batch.device_id, subject, *order, batch.author, None)
            )
        for name, value in event.traits.items():
            self._traits.append((site, kind, subject, name, json_text(value), *order))

    def _event_table(self) -> pa.Table:
        columns = _spread(BATCH_COLUMNS, self._batches, self._batch_of)
        columns |= _spread(VIEW_COLUMNS, self._views, self._view_of)
        columns |= dict(
            zip(EVENT_COLUMNS, map(_array, EVENT_COLUMNS, zip(*self._events, strict=True)), strict=True)
        )
        schema = TABLES["events"]
        columns |= {name: pa.nulls(len(self._events), schema.field(name).type) for name in COLUMNS}
        return enrich(pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema))


class _Batch:
    """What the events of one batch share."""

    __slots__ = (
        "_properties",
        "accepted",
        "author",
        "device_id",
        "elements",
        "offset",
        "page_id",
        "received_at",
    )

    def __init__(self, accepted: Accepted, dictionary: Dictionary) -> None:
        self.accepted = accepted
        self.received_at = accepted.received_at
        self.offset = None if accepted.sent_at is None else self.received_at - micros(accepted.sent_at)
        self.page_id = accepted.page.id.lower() if accepted.page else ZERO_UUID
        self.author = "import" if accepted.is_imported else "browser" if accepted.page else "server"
        self.elements = ElementTable(dictionary, accepted.descriptors, accepted.elements)
        self._properties: dict[int, str] = {}
        self.device_id: int | None = None
        if not is_nobody(accepted.device):
            is_daily = accepted.consent == "cookieless" or accepted.device.startswith(DAILY_PREFIX)
            self.device_id = dictionary.device(accepted.site, accepted.device, is_daily)

    def row(self) -> Row:
        """The columns that are the same for all its events."""
        accepted = self.accepted
        width, height = accepted.viewport[:2] if len(accepted.viewport) >= 2 else (None, None)
        return (
            self.received_at,
            None if self.offset is None else self.received_at - self.offset,
            None if self.offset is None else self.offset / 1_000,
            accepted.is_imported,
            accepted.site,
            self.device_id,
            accepted.session,
            self.page_id,
            accepted.page.ordinal if accepted.page else 0,
            width,
            height,
            accepted.consent,
            accepted.release,
            accepted.environment,
            "browser" if accepted.page else "server",
            accepted.user_agent,
            accepted.is_internal,
            accepted.consent_version,
        )

    def page_counts(self, dictionary: Dictionary) -> list[Row]:
        """What its browser says of pages that were left, as far as it is new."""
        accepted, page = self.accepted, self.accepted.page
        is_daily = accepted.consent != "full" or accepted.device.startswith(DAILY_PREFIX)
        if page is None or not page.ordinal or self.device_id is None or is_daily or accepted.is_imported:
            return []
        # A batch is made when its last event has happened.
        told_at = self.time(micros(page.start + max((event.t for event in accepted.events), default=0.0)))
        is_new = self.device_id in dictionary.fresh["devices"]
        return dictionary.page_counts.rows(
            accepted.site, self.device_id, told_at, page.ordinal, accepted.counts, is_new
        )

    def client_time(self, event: Event) -> int | None:
        """When it happened by the client's clock."""
        page = self.accepted.page
        if page is not None:
            return micros(page.start + event.t)
        return None if event.time is None else micros(event.time)

    def sequence(self, event: Event) -> int:
        """Its place among events of the same moment: of a page its number, of history its place in the source."""
        return event.seq if self.accepted.page or self.accepted.is_imported else 0

    def time(self, client_time: int) -> int:
        """When it happened, after correction."""
        return event_time(client_time, self.offset, self.received_at, self.accepted.is_imported)

    def marks(self, event: Event) -> list[str]:
        """What is not whole: of the event (`text`, `label`) and of its view (`url`, `title`, `referrer`)."""
        views = self.accepted.views
        of_view = views[event.view].marks if views else []
        return event.marks + of_view if of_view else event.marks

    def properties(self, event: Event) -> str:
        """Properties put on by `set`, under the event's own, as canonical JSON."""
        if event.set < 0:
            return json_text(event.properties) if event.properties else "{}"
        if event.properties:
            return json_text(self.accepted.sets[event.set] | event.properties)
        text = self._properties.get(event.set)
        if text is None:
            text = self._properties[event.set] = json_text(self.accepted.sets[event.set])
        return text


def _spread(names: Sequence[str], rows: Sequence[Row], places: Sequence[int]) -> dict[str, pa.Array]:
    """One column per name, in which each event has the value of the row that it names."""
    indices = pa.array(places, pa.int32())
    return {
        name: _array(name, values).take(indices)
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    return _typed(values, TABLES["events"].field(name).type)


def _typed(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    # From integers by a cast: building timestamps from Python values is several times slower.
    if pa.types.is_timestamp(type_):
        return pa.array(values, pa.int64()).cast(type_)
    return pa.array(values, type_)


def _table(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [_typed(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
