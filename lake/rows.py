"""Accepted batches as columns: what each table of the lake gets from them. Nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from expost.ids import ZERO_UUID

from .batch import DAILY_PREFIX, Accepted, Event, is_nobody
from .dictionary import Dictionary
from .element import Row
from .event_table import EventTable, Filled, column_of, json_text
from .moment import event_time, micros
from .schema import TABLES

PEOPLE = ("identify", "group")
"""The types of events that say who somebody is."""


class Rows:
    """Collects batches, then gives the columns of every table."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._events = EventTable(dictionary)
        self._device_ids: list[int | None] = []
        self._page_counts: list[Row] = []

    def __len__(self) -> int:
        return len(self._events.events)

    def add(self, accepted: Accepted, events: Sequence[Event] | None = None) -> None:
        """Take a batch, or those `events` of it that are new to the lake."""
        is_daily = accepted.consent != "full" or accepted.device.startswith(DAILY_PREFIX)
        device_id = None
        if not is_nobody(accepted.device):
            device_id = self._dictionary.device(accepted.site, accepted.device, is_daily)
            if not is_daily:
                self._page_counts += self._pages(accepted, device_id)
        self._device_ids.append(device_id)
        self._events.add(accepted, accepted.events if events is None else events, device_id)

    def tables(self) -> dict[str, pa.Table]:
        """The rows of every table that gets any, by its name, in the order in which they are committed."""
        filled = self._events.fill() if len(self) else None
        identities: list[Row] = []
        traits: list[Row] = []
        if filled is not None:
            self._people(filled, identities, traits)
        rows = {table: list(rows.values()) for table, rows in self._dictionary.fresh.items()}
        rows |= {"identities": identities, "traits": traits, "page_counts": self._page_counts}
        made = {}
        for table, schema in TABLES.items():
            if table == "events":
                if filled is not None:
                    made[table] = filled.rows
            elif rows[table]:
                made[table] = _table(schema, rows[table])
        return made

    def _people(self, filled: Filled, identities: list[Row], traits: list[Row]) -> None:
        """The identity edges and traits that events say."""
        batch_of = self._events.batch_of()
        for number, event in enumerate(self._events.events):
            if event.type not in PEOPLE:
                continue
            accepted = self._events.batches[batch_of[number]]
            device_id = self._device_ids[batch_of[number]]
            of_user = event.type == "identify"
            kind, ids = ("user", filled.user_ids) if of_user else ("group", filled.group_ids)
            subject = ids[number]
            if subject is None:
                continue
            site, page, event_id = accepted.site, accepted.page, event.id.lower()
            page_id = page.id.lower() if page else ZERO_UUID
            order = (
                int(filled.times[number]), page_id, int(filled.sequence[number]), event_id, accepted.received_at,
            )  # fmt: skip
            if of_user and device_id is not None:
                edge = self._dictionary.edge(site, event_id)
                author = "import" if accepted.is_imported else "browser" if page else "server"
                identities.append((edge, site, "identify", device_id, subject, *order, author, None))
            for name, value in event.traits.items():
                traits.append((site, kind, subject, name, json_text(value), *order))

    def _pages(self, accepted: Accepted, device_id: int) -> list[Row]:
        """What a browser says of pages that were left, as far as it is new."""
        page = accepted.page
        if page is None or not page.ordinal or accepted.is_imported:
            return []
        # A batch is made when its last event has happened.
        last = micros(page.start + max([event.t for event in accepted.events], default=0.0))
        offset = None if accepted.sent_at is None else accepted.received_at - micros(accepted.sent_at)
        told_at = event_time(last, offset, accepted.received_at, is_imported=False)
        is_new = device_id in self._dictionary.fresh["devices"]
        return self._dictionary.page_counts.rows(
            accepted.site, device_id, told_at, page.ordinal, accepted.counts, is_new
        )


def _table(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [column_of(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
