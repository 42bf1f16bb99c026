"""When, and on whose devices, the events of some facts happened: counted without a row for each of them."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.schema import ID, TIME
from expost.lake.summary import Summary

from .row_order import changes

QUARTER = 900_000_000
"""Microseconds of a quarter of an hour: days begin at one in every time zone."""
COUNTED = 1
"""The verdict of an event that counts (`verdict.sql`)."""
BATCH_EVENTS = 500_000
"""So many moments are in memory at a time, unless a single fact has more."""

FEW = 8
"""Numbers are sorted where they are so many times fewer than there could be, and else marked."""

VERDICT = pa.int8()
EVENTS = pa.int64()
Whole = TypeVar("Whole", np.int32, np.int64)

MOMENTS = pa.schema([("time", TIME), ("device_id", ID), ("own_user_id", ID), ("verdict", VERDICT)])
TOTALS = pa.schema([("verdict", VERDICT), ("events", EVENTS), ("first", TIME), ("last", TIME)])
QUARTERS = pa.schema([("quarter", pa.int64()), ("events", EVENTS)])
OWN_USERS = pa.schema([("verdict", VERDICT), ("own_user_id", ID)])
STRANGERS = pa.schema([("verdict", VERDICT), ("people", EVENTS)])
PERSONS = pa.schema([("verdict", VERDICT), ("person_id", ID)])


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """Facts of one file that a definition finds: where their moments begin, how many they are, and what they count."""

    firsts: NDArray[np.int64]
    events: NDArray[np.int64]
    verdicts: NDArray[np.int8]
    own_users: pa.Array

    def of(self, chosen: NDArray[np.int64]) -> FoundFacts:
        """Some of them, by their places."""
        return FoundFacts(
            self.firsts[chosen],
            self.events[chosen],
            self.verdicts[chosen],
            self.own_users.take(pa.array(chosen)),
        )

    def alike(self) -> Iterator[tuple[int, bool, FoundFacts]]:
        """Those of one verdict, of servers' events or not, and of few events at a time."""
        is_own = self.own_users.is_valid().to_numpy(zero_copy_only=False)
        kinds = self.verdicts.astype(np.int64) * 2 + is_own
        for kind in _counts(kinds)[0].tolist():
            chosen = np.flatnonzero(kinds == kind)
            pieces = np.cumsum(self.events[chosen]) // BATCH_EVENTS
            for piece in np.split(chosen, np.flatnonzero(np.diff(pieces)) + 1):
                yield kind // 2, bool(kind % 2), self.of(piece)


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose the devices are, of those that are somebody's: in order, with their person, or of several users."""

    devices: NDArray[np.int64]
    persons: NDArray[np.int64]
    are_several: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.devices.nbytes + self.persons.nbytes + self.are_several.nbytes


@dataclass
class MomentCounts:
    """What is known of the moments of the facts that were added, and of the other devices.

    Of devices that several users had `moments` holds each moment, because it decides whose the device was.
    """

    owners: Owners
    _totals: list[tuple[int, int, int, int]] = field(default_factory=list)
    _quarters: list[NDArray[np.int64]] = field(default_factory=list)
    _events: list[NDArray[np.int64]] = field(default_factory=list)
    _devices: dict[int, list[NDArray[np.int64]]] = field(default_factory=dict)
    _own_users: list[tuple[int, pa.Array]] = field(default_factory=list)
    _moments: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, summary: Summary, found: FoundFacts) -> None:
        """Count the moments of these facts of a summary as well."""
        devices = summary.devices
        is_shared = np.zeros(len(devices) + 1, bool)
        is_shared[_numbers(devices, self.owners.devices[self.owners.are_several])] = True
        for verdict, is_own, facts in found.alike():
            places = places_of(facts.firsts, facts.events)
            times = summary.times[places]
            self._totals.append((verdict, len(times), int(times.min()), int(times.max())))
            if verdict == COUNTED:
                quarters, events = _quarters(times)
                self._quarters.append(quarters)
                self._events.append(events)
            if is_own:
                self._own_users.append((verdict, facts.own_users.unique()))
                continue
            numbers = summary.device_numbers[places]
            found_on = _different(numbers, len(devices) + 1)
            # An event without a device is nobody's.
            self.add_devices(verdict, devices[found_on[: np.searchsorted(found_on, len(devices))]])
            shared = np.flatnonzero(is_shared[numbers])
            if len(shared):
                self._moments.append(_moments(times[shared], devices[numbers[shared]], verdict))

    def add_devices(self, verdict: int, devices: NDArray[np.int64]) -> None:
        """On these devices there were events of that verdict."""
        self._devices.setdefault(verdict, []).append(devices)

    def join(self, other: MomentCounts) -> None:
        """Take what another one knows of other facts."""
        self._totals += other._totals
        self._quarters += other._quarters
        self._events += other._events
        self._own_users += other._own_users
        self._moments += other._moments
        for verdict, parts in other._devices.items():
            self._devices.setdefault(verdict, []).extend(parts)

    def moments(self) -> pa.Table:
        """Every moment on a device of several users: when, which device, and the verdict."""
        return pa.Table.from_batches(self._moments, MOMENTS)

    def totals(self) -> pa.Table:
        """Events and the first and last time by verdict, in a row or several."""
        columns = zip(*self._totals, strict=True) if self._totals else ((), (), (), ())
        verdicts, events, first, last = map(list, columns)
        times = [pa.array(each, pa.int64()).cast(TIME) for each in (first, last)]
        return pa.table([pa.array(verdicts, VERDICT), pa.array(events, EVENTS), *times], schema=TOTALS)

    def quarters(self) -> pa.Table:
        """The events that count by the quarter of an hour since 1970, in a row or several."""
        return pa.table([_joined(self._quarters), _joined(self._events)], schema=QUARTERS)

    def own_users(self) -> pa.Table:
        """The users that servers named, by verdict."""
        rows = [
            pa.record_batch([pa.array(np.full(len(users), verdict, np.int8)), users], OWN_USERS)
            for verdict, users in self._own_users
        ]
        return pa.Table.from_batches(rows, OWN_USERS)

    def people(self) -> tuple[pa.Table, pa.Table]:
        """By verdict, how many devices were nobody's, and the persons of the others that one user had."""
        strangers, persons = [], []
        for verdict, parts in self._devices.items():
            devices, _ = _counts(np.concatenate(parts))
            is_there = np.zeros(len(self.owners.devices), bool)
            if len(devices):
                nearest = np.searchsorted(devices[:-1], self.owners.devices)
                is_there = devices[nearest] == self.owners.devices
            strangers.append((verdict, len(devices) - int(is_there.sum())))
            found, _ = _counts(self.owners.persons[is_there & ~self.owners.are_several])
            columns = [np.full(len(found), verdict, np.int8), found]
            persons.append(pa.record_batch([pa.array(each) for each in columns], PERSONS))
        counts = [pa.array([each[place] for each in strangers], STRANGERS.types[place]) for place in (0, 1)]
        return pa.table(counts, schema=STRANGERS), pa.Table.from_batches(persons, PERSONS)


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
    begins = np.flatnonzero(changes(ordered))
    return ordered[begins], np.diff(begins, append=len(ordered))


def _quarters(times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The quarters of an hour, and how many of the times are in each."""
    quarters = times // QUARTER
    first = int(quarters.min())
    if int(quarters.max()) - first > len(quarters):
        return _counts(quarters)
    events = np.bincount(quarters - first)
    found = np.flatnonzero(events)
    return found + first, events[found]


def _different(numbers: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """The different ones of many numbers below `count`, in order."""
    if len(numbers) * FEW < count:
        return _counts(numbers)[0].astype(np.int64)
    are_there = np.zeros(count, bool)
    are_there[numbers] = True
    return np.flatnonzero(are_there)


def _numbers(ordered: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of those wanted that are there."""
    if not len(ordered):
        return np.zeros(0, np.int64)
    nearest = np.searchsorted(ordered[:-1], wanted)
    found: NDArray[np.int64] = nearest[ordered[nearest] == wanted]
    return found


def _moments(times: NDArray[np.int64], devices: NDArray[np.int64], verdict: int) -> pa.RecordBatch:
    verdicts = np.full(len(times), verdict, np.int8)
    columns = [pa.array(times).cast(TIME), pa.array(devices), pa.nulls(len(times), ID), pa.array(verdicts)]
    return pa.record_batch(columns, MOMENTS)


def _joined(parts: Iterable[NDArray[np.int64]]) -> pa.Array:
    return pa.array(np.concatenate([np.zeros(0, np.int64), *parts]))
