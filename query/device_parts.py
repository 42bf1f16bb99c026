"""The moments of the events of devices, sorted by device and moment: some devices after the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .latest_start import Marks, Numbers
from .places import Places, places_of
from .row_order import changes
from .stretches import DAY

Keys: TypeAlias = NDArray[np.uint64]
Rows: TypeAlias = tuple[NDArray[np.int32], Numbers]
"""The place of a device, and a moment, of each of many events."""
PART_EVENTS = 1_000_000
"""So many events at most are sorted together, unless one device has more."""
KEY_BITS = 64


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices in the order of their ids, with the place of each, and which ids are daily."""

    ids: Numbers
    places: Places
    is_daily: Marks
    events: Numbers
    since: int
    until: int

    @staticmethod
    def of(found: pa.Table) -> Devices:
        ids = found["device_id"].to_numpy()
        since = int(found["earliest"].to_numpy().min()) if len(ids) else 0
        until = int(found["latest"].to_numpy().max()) if len(ids) else 0
        events, is_daily = found["events"].to_numpy(), found["is_daily"].to_numpy()
        return Devices(ids, places_of(ids), is_daily, events, since, until)

    def between(self, one: Part, other: Part) -> dict[str, int]:
        """The first device of the one part, and the last one of the other."""
        return {"lowest": int(self.ids[one.first]), "highest": int(self.ids[other.end - 1])}

    def parts(self) -> list[Part]:
        """All devices, some after the others."""
        bits = (self.until - self.since).bit_length()
        come = np.cumsum(self.events)
        found: list[Part] = []
        first, before = 0, 0
        while first < len(self.ids):
            most = int(np.searchsorted(come, before + PART_EVENTS, "right"))
            end = min(max(most, first + 1), first + (1 << (KEY_BITS - bits)), len(self.ids))
            found.append(Part(first, end, self.since, bits))
            first, before = end, int(come[end - 1])
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """The devices from the place `first` to before `end`: place and moment are one integer, of `bits` the moment."""

    first: int
    end: int
    since: int
    bits: int

    def sorted(self, rows: Iterable[Rows]) -> Keys:
        """Place and moment of those rows that are of these devices, in order."""
        found = [np.empty(0, np.uint64)]
        for device, moment in rows:
            is_here = (device >= self.first) & (device < self.end)
            keys = (device[is_here] - self.first).astype(np.uint64) << np.uint64(self.bits)
            found.append(keys | (moment[is_here] - self.since).view(np.uint64))
        whole = np.concatenate(found)
        whole.sort()
        return whole

    def device_of(self, keys: Keys) -> Numbers:
        """The places of devices, counted from the first one here."""
        return (keys >> np.uint64(self.bits)).view(np.int64)

    def moment_of(self, keys: Keys) -> Numbers:
        """The moments."""
        return (keys & np.uint64((1 << self.bits) - 1)).view(np.int64) + self.since

    def starts(self, events: Iterable[Rows], is_daily: Marks, gap: int) -> Keys:
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


def moments_in(batches: Iterable[pa.RecordBatch], places: Places) -> Iterator[Rows]:
    """The place of the device, and the moment, of each row."""
    for batch in batches:
        yield places.of(batch.column("device_id").to_numpy()), batch.column("moment").to_numpy()
