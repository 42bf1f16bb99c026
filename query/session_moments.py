"""The sessions of the events that a question asks for, by sorting the moments of devices: what `sessions.sql` says.

Joined by stretches of time, a device of many events and many sessions costs the product of both. Here each event is
told its session, so a join by device and moment is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.unused_memory import give_back

from .duration import micros
from .kept_events import Source
from .latest_start import Marks, Numbers
from .places import Places, places_of
from .reading import Reading
from .row_order import changes
from .statement import render
from .stretches import DAY

Keys = NDArray[np.uint64]
PART_EVENTS = 2_000_000
"""So many events at most are sorted together, unless one device has more."""
MOST_ASKED = 3_000_000
MANY = 1_000_000
"""Where more are asked for, the memory in which they were found is given back."""
BATCH = 1 << 18
KEY_BITS = 64
MADE = "create or replace temp table session_moments (device_id bigint, moment bigint, session_id bigint)"


def hold_session_moments(
    reading: Reading, sources: Sequence[Source], values: Mapping[str, Any], gap: timedelta
) -> bool:
    """Make the relation `session_moments`: for each device and moment of an event of the sources its session.

    Sessions have the numbers that `sessions.sql` gives them. `values` may hold bounds of the time. False, and no
    relation, where so many events are asked for that memory is better left to the engine, which may use the disk.
    """
    has_bounds = "from_time" in values
    text = render("device_spans.sql", has_bounds=has_bounds)
    found = reading.relation(text, values).to_arrow_table()
    devices = _Devices(
        found["device_id"].to_numpy(),
        places_of(found["device_id"].to_numpy()),
        found["is_daily"].to_numpy(),
    )
    # An event that several definitions find is told its session once.
    relations = {
        each.relation: [other.match for other in sources if other.relation == each.relation]
        for each in sources
    }
    text = render("session_moments.sql", relations=list(relations.items()), has_bounds=has_bounds)
    asked, many = [], 0
    for rows in _moments(reading.relation(text, values).to_arrow_reader(BATCH), devices.places):
        asked.append(rows)
        many += len(rows[0])
        if many > MOST_ASKED:
            return False
    if many > MANY:
        # The engine may want it in what follows.
        give_back()
    reading.quietly(MADE, {})
    events = render("device_moments.sql", has_bounds=has_bounds)
    sessions = 0
    for part in _parts(found):
        ends = devices.ids[part.first], devices.ids[part.end - 1]
        between = {**values, "lowest": int(ends[0]), "highest": int(ends[1])}
        batches = reading.relation(events, between).to_arrow_reader(BATCH)
        starts = part.starts(_moments(batches, devices.places), devices.is_daily, micros(gap))
        keys = part.sorted(asked)
        keys = keys[changes(keys)]
        session = sessions + np.searchsorted(starts, keys, "right")
        sessions += len(starts)
        told = pa.table({**part.parted(keys, devices.ids), "session_id": session})
        # There it may go to the disk where memory is short.
        reading.connection.register("_told", told)
        reading.quietly("insert into session_moments select * from _told", {})
        reading.connection.unregister("_told")
    return True


@dataclass(frozen=True, slots=True)
class _Devices:
    """All devices in the order of their ids, with the place of each, and which ids are daily."""

    ids: Numbers
    places: Places
    is_daily: Marks


@dataclass(frozen=True, slots=True)
class _Part:
    """The devices from the place `first` to before `end`: place and moment are one integer, of `bits` the moment."""

    first: int
    end: int
    since: int
    bits: int

    def sorted(self, rows: Iterable[tuple[NDArray[np.int32], Numbers]]) -> Keys:
        """Place and moment of those rows that are of these devices, in order."""
        found = [np.empty(0, np.uint64)]
        for device, moment in rows:
            is_here = (device >= self.first) & (device < self.end)
            keys = (device[is_here] - self.first).astype(np.uint64) << np.uint64(self.bits)
            found.append(keys | (moment[is_here] - self.since).view(np.uint64))
        whole = np.concatenate(found)
        whole.sort()
        return whole

    def parted(self, keys: Keys, ids: Numbers) -> dict[str, Numbers]:
        """The ids of devices, and the moments."""
        return {"device_id": ids[self.first + self.device_of(keys)], "moment": self.moment_of(keys)}

    def device_of(self, keys: Keys) -> Numbers:
        """The places of devices, counted from the first one here."""
        return (keys >> np.uint64(self.bits)).view(np.int64)

    def moment_of(self, keys: Keys) -> Numbers:
        """The moments."""
        return (keys & np.uint64((1 << self.bits) - 1)).view(np.int64) + self.since

    def starts(self, events: Iterable[tuple[NDArray[np.int32], Numbers]], is_daily: Marks, gap: int) -> Keys:
        """With which events sessions begin, in order."""
        keys = self.sorted(events)
        device = self.device_of(keys)
        begins = changes(device)
        begins[1:] |= np.diff(keys) > np.uint64(gap)
        is_daily = is_daily[self.first : self.end]
        if is_daily.any():
            # A daily id is nobody on the next day.
            begins |= changes(self.moment_of(keys) // DAY) & is_daily[device]
        return keys[begins]


def _parts(devices: pa.Table) -> Iterator[_Part]:
    """All devices, some after the others."""
    if not len(devices):
        return
    since = int(devices["earliest"].to_numpy().min())
    bits = int(devices["latest"].to_numpy().max() - since).bit_length()
    come = np.cumsum(devices["events"].to_numpy())
    first, before = 0, 0
    while first < len(devices):
        most = int(np.searchsorted(come, before + PART_EVENTS, "right"))
        end = min(max(most, first + 1), first + (1 << (KEY_BITS - bits)), len(devices))
        yield _Part(first, end, since, bits)
        first, before = end, int(come[end - 1])


def _moments(
    batches: Iterable[pa.RecordBatch], places: Places
) -> Iterator[tuple[NDArray[np.int32], Numbers]]:
    """The place of the device, and the moment, of each row."""
    for batch in batches:
        yield places.of(batch.column("device_id").to_numpy()), batch.column("moment").to_numpy()
