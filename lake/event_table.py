"""The rows of `events`: what a batch says once is held once, and each column is made of all events together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.ids import ZERO_UUID

from .address import split_url
from .agent import Agent, agent_of
from .arrival import Arrival, arrival_of
from .batch import Accepted, Event, is_nobody
from .bot import bot_class, bot_rule
from .dictionary import Dictionary
from .element import Row
from .enrichment import RULES
from .moment import event_times, micros, micros_of
from .part import REPEATING
from .schema import EVENTS

BATCH_COLUMNS = (
    "received_at", "sent_at", "client_offset_ms", "imported", "site", "device_id", "session_ordinal", "page_id",
    "page_ordinal", "viewport_width", "viewport_height", "consent", "release", "environment", "source", "user_agent",
    "is_internal", "consent_version", "enriched_by", "country", *Agent._fields,
)  # fmt: skip
VIEW_COLUMNS = ("host", "path", "query", "hash", "title", "referrer", *Arrival._fields)

_canonical = msgspec.json.Encoder(order="sorted").encode
_NO_VIEW: Row = (None,) * len(VIEW_COLUMNS)
_NOWHERE = (None, None)

Numbers = NDArray[np.int64]


def json_text(value: object) -> str:
    """Canonical JSON: keys sorted, no spaces."""
    return _canonical(value).decode()


class Filled(NamedTuple):
    """The rows, their repeating texts as dictionaries, and of each event what other tables say of it too."""

    rows: pa.Table
    times: Numbers
    sequence: Numbers
    user_ids: Sequence[int | None]
    group_ids: Sequence[int | None]


class EventTable:
    """Collects the events of batches, then gives their rows."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self.batches: list[Accepted] = []
        self.events: list[Event] = []
        self._sizes: list[int] = []
        self._batch_rows: list[Row] = []
        self._views: list[Row] = [_NO_VIEW]
        self._view_marks: list[list[str]] = [[]]
        self._first_views: list[int] = []
        self._places: list[tuple[int | None, int | None]] = []

    def add(self, accepted: Accepted, events: Sequence[Event], device_id: int | None) -> None:
        """Take these events of a batch."""
        self.batches.append(accepted)
        self.events += events
        self._sizes.append(len(events))
        self._batch_rows.append(_batch_row(accepted, device_id))
        self._first_views.append(len(self._views))
        for view in accepted.views:
            self._views.append(_view_row(view.url, view.title, view.referrer))
            self._view_marks.append(view.marks)
        place_of = self._dictionary.places(accepted)
        self._places += [place_of(event.el) if event.el >= 0 else _NOWHERE for event in events]

    def batch_of(self) -> Numbers:
        """The place of each event's batch in `batches`."""
        return np.repeat(np.arange(len(self.batches)), self._sizes)

    def fill(self) -> Filled:
        """Make the rows. There must be an event."""
        events, batch_of = self.events, self.batch_of()
        view_of = self._view_of(batch_of)
        client_times, times = self._times(batch_of)
        user_ids, group_ids = self._users(batch_of), self._groups(batch_of)
        element_ids, placement_ids = zip(*self._places, strict=True)
        sequence = self._sequence(batch_of)
        types = [event.type for event in events]
        columns = _spread(BATCH_COLUMNS, self._batch_rows, batch_of)
        columns |= _spread(VIEW_COLUMNS, self._views, view_of)
        made = {
            "event_id": [event.id.lower() for event in events],
            "time": times,
            "client_time": client_times,
            "user_id": user_ids,
            "group_id": group_ids,
            "page_seq": sequence,
            "type": types,
            "name": [event.name for event in events],
            "element_id": element_ids,
            "placement_id": placement_ids,
            "text": [event.text for event in events],
            "label": [event.label for event in events],
            "marks": self._marks(view_of),
            "x": [event.x for event in events],
            "y": [event.y for event in events],
            "is_trusted": [event.trusted for event in events],
            "flag": [event.flag for event in events],
            "variation": [event.variation for event in events],
            "flag_version": [event.flag_version for event in events],
            "rule": [event.rule for event in events],
            # No flag service serves from here yet, so nothing confirms what a page reports.
            "verified": [False if type_ == "exposure" else None for type_ in types],
            "properties": self._properties(batch_of),
        }
        columns |= {name: column_of(values, EVENTS.field(name).type) for name, values in made.items()}
        rows = pa.Table.from_arrays([columns[name] for name in EVENTS.names], EVENTS.names)
        return Filled(rows, times, sequence, user_ids, group_ids)

    def _view_of(self, batch_of: Numbers) -> Numbers:
        """The row of each event's view, the first where its batch has none."""
        named = np.array([event.view for event in self.events])
        counts = np.array([len(batch.views) for batch in self.batches])[batch_of]
        has_view = counts > 0
        if (has_view & ((named < 0) | (named >= counts))).any():
            raise IndexError("An event names a view that its batch does not have.")
        return np.where(has_view, np.array(self._first_views)[batch_of] + named, 0)

    def _sequence(self, batch_of: Numbers) -> Numbers:
        """The place of each among events of one moment: of a page its number, of history its place in the source."""
        are_numbered = np.array([batch.page is not None or batch.is_imported for batch in self.batches])
        return np.where(are_numbered[batch_of], np.array([event.seq for event in self.events]), 0)

    def _times(self, batch_of: Numbers) -> tuple[pa.Array, Numbers]:
        """When each happened by the client's clock, null where nobody says it, and after correction."""
        batches = self.batches
        starts = np.array([np.nan if batch.page is None else batch.page.start for batch in batches])[batch_of]
        millis = starts + np.array([event.t for event in self.events])
        told = ~np.isnan(millis)
        if not told.all():
            own = np.array([np.nan if event.time is None else event.time for event in self.events])
            millis = np.where(told, millis, own)
            told = ~np.isnan(millis)
        client_times = micros_of(np.where(told, millis, 0.0))
        received_at = np.array([batch.received_at for batch in batches])[batch_of]
        offsets = np.array([_offset(batch) or 0 for batch in batches])[batch_of]
        are_imported = np.array([batch.is_imported for batch in batches])[batch_of]
        times = event_times(client_times, offsets, received_at, are_imported)
        return pa.array(client_times, mask=~told), np.where(told, times, received_at)

    def _users(self, batch_of: Numbers) -> list[int | None]:
        found: list[int | None] = [None] * len(self.events)
        for number, event in enumerate(self.events):
            user = event.user
            if user is not None and not is_nobody(user):
                found[number] = self._dictionary.user(self.batches[batch_of[number]].site, user)
        return found

    def _groups(self, batch_of: Numbers) -> list[int | None]:
        found: list[int | None] = [None] * len(self.events)
        for number, event in enumerate(self.events):
            group = event.group
            if group and event.group_type and not is_nobody(group):
                site = self.batches[batch_of[number]].site
                found[number] = self._dictionary.group(site, event.group_type, group)
        return found

    def _marks(self, view_of: Numbers) -> pa.Array:
        """What is not whole: of each event (`text`, `label`) and of its view (`url`, `title`, `referrer`)."""
        marks, marks_of = list(self._view_marks), view_of.copy()
        for number, event in enumerate(self.events):
            if event.marks:
                marks_of[number] = len(marks)
                marks.append(event.marks + self._view_marks[view_of[number]])
        return pa.array(marks, EVENTS.field("marks").type).take(pa.array(marks_of))

    def _properties(self, batch_of: Numbers) -> list[str]:
        """Properties put on by `set`, under the event's own, as canonical JSON."""
        texts = ["{}"] * len(self.events)
        of_sets: dict[tuple[int, int], str] = {}
        for number, event in enumerate(self.events):
            own, position = event.properties, event.set
            if position < 0:
                if own:
                    texts[number] = json_text(own)
                continue
            batch = int(batch_of[number])
            put_on = self.batches[batch].sets[position]
            if own:
                texts[number] = json_text(put_on | own)
                continue
            text = of_sets.get((batch, position))
            if text is None:
                text = of_sets[batch, position] = json_text(put_on)
            texts[number] = text
        return texts


def column_of(values: Any, type_: pa.DataType) -> pa.Array:
    """A column of Python values or numbers."""
    if isinstance(values, pa.Array):
        return values.cast(type_)
    # From integers by a cast: building timestamps from Python values is several times slower.
    if pa.types.is_timestamp(type_):
        return pa.array(values, pa.int64()).cast(type_)
    return pa.array(values, type_)


def _batch_row(accepted: Accepted, device_id: int | None) -> Row:
    """The columns that are the same for all events of a batch."""
    width, height = accepted.viewport[:2] if len(accepted.viewport) >= 2 else (None, None)
    page, offset = accepted.page, _offset(accepted)
    return (
        accepted.received_at,
        None if offset is None else accepted.received_at - offset,
        None if offset is None else offset / 1_000,
        accepted.is_imported,
        accepted.site,
        device_id,
        accepted.session,
        page.id.lower() if page else ZERO_UUID,
        page.ordinal if page else 0,
        width,
        height,
        accepted.consent,
        accepted.release,
        accepted.environment,
        "browser" if page else "server",
        accepted.user_agent,
        accepted.is_internal,
        accepted.consent_version,
        RULES,
        accepted.country or None,
        *agent_of(accepted.user_agent),
    )


def _offset(accepted: Accepted) -> int | None:
    """How far the sender's clock is behind ours, in microseconds."""
    return None if accepted.sent_at is None else accepted.received_at - micros(accepted.sent_at)


@lru_cache(maxsize=2_000)
def _view_row(url: str, title: str, referrer: str) -> Row:
    """The columns that are the same for all events of a view."""
    address = split_url(url)
    arrival = arrival_of(address.host, address.query, referrer)
    return (address.host, address.path, address.query, address.hash, title, referrer, *arrival)


def forget_texts() -> None:
    """Forget what was met in pages and browsers: the addresses, titles and user agents of whoever was erased too."""
    for remembered in (_view_row, arrival_of, agent_of, bot_rule, bot_class):
        remembered.cache_clear()


def _spread(names: Sequence[str], rows: Sequence[Row], places: Numbers) -> dict[str, pa.Array]:
    """One column per name, in which each event has the value of the row that it names."""
    indices = pa.array(places)
    columns = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        column = column_of(values, EVENTS.field(name).type)
        if name in REPEATING:
            # Of texts that repeat only the numbers are spread, and nobody has to find out again that they repeat.
            encoded = column.dictionary_encode()
            columns[name] = pa.DictionaryArray.from_arrays(encoded.indices.take(indices), encoded.dictionary)
        else:
            columns[name] = column.take(indices)
    return columns
