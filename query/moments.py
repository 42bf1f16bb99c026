"""When, and on whose devices, the events of some facts happened: counted without a row for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from expost.lake.schema import ID, TIME
from expost.lake.summary import Summary

QUARTER = 900_000_000
"""Microseconds of a quarter of an hour: days begin at one in every time zone."""
COUNTED = 1
"""The verdict of an event that counts (`verdict.sql`)."""
BATCH_EVENTS = 500_000
"""So many moments are in memory at a time, unless a single fact has more."""

VERDICT = pa.int8()
EVENTS = pa.int64()
Whole = TypeVar("Whole", np.int32, np.int64)

MOMENTS = pa.schema([("time", TIME), ("device_id", ID), ("own_user_id", ID), ("verdict", VERDICT)])
TOTALS = pa.schema([("verdict", VERDICT), ("events", EVENTS), ("first", TIME), ("last", TIME)])
QUARTERS = pa.schema([("quarter", pa.int64()), ("events", EVENTS)])
FOUND_ON = pa.schema([("verdict", VERDICT), ("own_user_id", ID), ("device_id", ID)])


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """Facts of one file that a definition finds: where their moments begin, how many they are, and what they count."""

    firsts: NDArray[np.int64]
    events: NDArray[np.int64]
    verdicts: NDArray[np.int8]
    owners: pa.Array

    def of(self, chosen: NDArray[np.int64]) -> FoundFacts:
        """Some of them, by their places."""
        return FoundFacts(
            self.firsts[chosen],
            self.events[chosen],
            self.verdicts[chosen],
            self.owners.take(pa.array(chosen)),
        )

    def alike(self) -> Iterator[tuple[int, bool, FoundFacts]]:
        """Those of one verdict, of servers' events or not, and of few events at a time."""
        is_own = self.owners.is_valid().to_numpy(zero_copy_only=False)
        kinds = self.verdicts.astype(np.int64) * 2 + is_own
        for kind in _counts(kinds)[0].tolist():
            chosen = np.flatnonzero(kinds == kind)
            pieces = np.cumsum(self.events[chosen]) // BATCH_EVENTS
            for piece in np.split(chosen, np.flatnonzero(np.diff(pieces)) + 1):
                yield kind // 2, bool(kind % 2), self.of(piece)


@dataclass
class MomentCounts:
    """What is known of the moments of the facts that were added.

    `several` are the devices of several users. Of these alone `moments` holds each moment, because it decides
    whose the device was.
    """

    several: pa.Array
    _totals: list[tuple[int, int, int, int]] = field(default_factory=list)
    _quarters: list[NDArray[np.int32]] = field(default_factory=list)
    _events: list[NDArray[np.int64]] = field(default_factory=list)
    _devices: dict[int, list[NDArray[np.int64]]] = field(default_factory=dict)
    _owners: list[tuple[int, pa.Array]] = field(default_factory=list)
    _moments: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, summary: Summary, found: FoundFacts) -> None:
        """Count the moments of these facts of a summary as well."""
        for verdict, is_own, facts in found.alike():
            places = places_of(facts.firsts, facts.events)
            times = summary.times[places]
            self._totals.append((verdict, len(times), int(times.min()), int(times.max())))
            if verdict == COUNTED:
                quarters, events = _counts((times // QUARTER).astype(np.int32))
                self._quarters.append(quarters)
                self._events.append(events)
            if is_own:
                self._owners.append((verdict, facts.owners.unique()))
            else:
                self._add_devices(summary, verdict, places, times)

    def _add_devices(
        self, summary: Summary, verdict: int, places: NDArray[np.int64], times: NDArray[np.int64]
    ) -> None:
        numbers = summary.device_numbers[places]
        found, _ = _counts(numbers)
        devices = summary.devices.take(pa.array(found))
        # The device of an event may be null, and then it is nobody's.
        self._devices.setdefault(verdict, []).append(pc.drop_null(devices).to_numpy())
        shared = found[pc.is_in(devices, self.several).to_numpy(zero_copy_only=False)]
        if len(shared):
            is_shared = np.zeros(len(summary.devices), bool)
            is_shared[shared] = True
            chosen = np.flatnonzero(is_shared[numbers])
            self._moments.append(pa.record_batch([
                pa.array(times[chosen]).cast(TIME),
                summary.devices.take(pa.array(numbers[chosen])),
                pa.nulls(len(chosen), ID),
                pa.array(np.full(len(chosen), verdict, np.int8)),
            ], MOMENTS))  # fmt: skip

    def moments(self) -> pa.Table:
        """Every moment on a device of several users: when, which device, and the verdict."""
        return pa.Table.from_batches(self._moments, MOMENTS)

    def totals(self) -> pa.Table:
        """Events and the first and last time by verdict, in a row or several."""
        columns = zip(*self._totals, strict=True) if self._totals else ((), (), (), ())
        verdicts, events, first, last = map(list, columns)
        return pa.table(
            [
                pa.array(verdicts, VERDICT),
                pa.array(events, EVENTS),
                pa.array(first, pa.int64()).cast(TIME),
                pa.array(last, pa.int64()).cast(TIME),
            ],
            schema=TOTALS,
        )

    def quarters(self) -> pa.Table:
        """The events that count by the quarter of an hour since 1970, in a row or several."""
        return pa.table([_joined(self._quarters), _joined(self._events)], schema=QUARTERS)

    def found_on(self) -> pa.Table:
        """On which devices, or of which users that a server named: each once for a verdict."""
        tables = [
            pa.table(
                [pa.array(np.full(len(owners), verdict, np.int8)), owners, pa.nulls(len(owners), ID)],
                schema=FOUND_ON,
            )
            for verdict, owners in self._owners
        ]
        for verdict, parts in self._devices.items():
            devices, _ = _counts(np.concatenate(parts))
            columns = [np.full(len(devices), verdict, np.int8), pa.nulls(len(devices), ID), devices]
            tables.append(pa.table([pa.array(each) for each in columns], schema=FOUND_ON))
        return pa.concat_tables(tables) if tables else FOUND_ON.empty_table()


def places_of(firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """So many places from each of the first ones on, in that order.

    >>> places_of(np.array([7, 2]), np.array([2, 1]))
    array([7, 8, 2])
    """
    ends = np.cumsum(counts)
    return np.repeat(firsts - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)


def _counts(values: NDArray[Whole]) -> tuple[NDArray[Whole], NDArray[np.int64]]:
    """The different values, and how often each is there: `numpy.unique` takes many times as long."""
    ordered = np.sort(values)
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    return ordered[begins], np.diff(begins, append=len(ordered))


def _joined(parts: Iterable[NDArray[np.int32]] | Iterable[NDArray[np.int64]]) -> pa.Array:
    return pa.array(np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64))
