"""The events of facts as arrays: a fact says once what its events match, and their moments lie in plain arrays.

Nothing of a file of events is decoded for them. What cannot be told from facts comes from `event_rows.sql`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.summary import MomentArrays

from .event_rows import EventRows
from .facts import Facts
from .latest_start import Bits, Marks, Numbers
from .person_map import LEFT_OUT, Owners

MOST_TOGETHER = 1 << 17
"""So many events of a file are looked at together, and those of one fact whatever they are."""


@dataclass(frozen=True, slots=True)
class FactEvents:
    """Moments of facts, some of one file of events: of `many` of each of the `facts`, those that are `inside`."""

    facts: Numbers
    many: Numbers
    inside: Numbers | None
    moment: Numbers
    device: Numbers
    is_device: Marks | None

    def of_fact(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is given for each fact, for each moment."""
        found = np.repeat(values[self.facts], self.many)
        return found if self.inside is None else found[self.inside]


def events_of(facts: Facts, found: pa.Table, bounds: tuple[int, int] | None = None) -> Iterator[FactEvents]:
    """The moments of these facts, with `bounds` those from the first to before the second microsecond."""
    files, firsts, counts = (_numbers(found, name) for name in ("file_number", "first_moment", "events"))
    # In the order in which they lie.
    in_order = np.argsort(files << 32 | firsts)
    ends = np.searchsorted(files[in_order], np.arange(len(facts.summaries) + 1))
    for number, summary in enumerate(facts.summaries):
        moments = summary.arrays()
        for place, chosen in enumerate(_together(in_order[ends[number] : ends[number + 1]], counts)):
            if place:
                moments.let_go()
            yield _moments_of(chosen, firsts[chosen], counts[chosen], moments, bounds)


def _together(chosen: Numbers, counts: Numbers) -> Iterator[Numbers]:
    """The chosen facts one after the other, so many at a time that memory holds their events."""
    if len(chosen):
        part = np.cumsum(counts[chosen]) // MOST_TOGETHER
        yield from np.split(chosen, np.flatnonzero(part[1:] != part[:-1]) + 1)


def _moments_of(
    chosen: Numbers, firsts: Numbers, many: Numbers, moments: MomentArrays, bounds: tuple[int, int] | None
) -> FactEvents:
    until = np.cumsum(many)
    place = np.repeat(firsts - until + many, many)
    place += np.arange(len(place))
    moment, inside = moments.micros[place], None
    if bounds is not None:
        inside = np.flatnonzero((moment >= bounds[0]) & (moment < bounds[1]))
        place, moment = place[inside], moment[inside]
    device = moments.device[place]
    is_device = None if moments.is_device is None else moments.is_device[device]
    return FactEvents(chosen, many, inside, moment, moments.devices[device], is_device)


@dataclass(frozen=True, slots=True)
class RowsOfFacts:
    """Rows of facts that match: `rows` with their persons, where `is_known` says that there is one, unless all are."""

    rows: EventRows
    is_known: Marks | None


def rows_of_facts(
    facts: Facts, found: pa.Table, owners: Owners, bounds: tuple[int, int] | None
) -> Iterator[RowsOfFacts]:
    """What surely matches among the events of these facts, rows of fact_rows.sql; the mark is why it is left out."""
    sure = sure_ones(found)
    roles = _column(sure, "surely" if "surely" in sure.column_names else "possibly")
    left_out: Bits = _column(sure, "left_out")
    is_left_out = bool(left_out.any())
    for events in events_of(facts, sure, bounds):
        person, is_known, marks = persons_of(events, sure, owners)
        if marks is None:
            marks = np.zeros(len(person), np.uint8)
        if is_left_out:
            marks |= events.of_fact(left_out)
        yield RowsOfFacts(EventRows(person, events.moment, events.of_fact(roles), marks), is_known)


def sure_ones(found: pa.Table) -> pa.Table:
    """Those of these facts that surely match: the table itself, not a copy, where all of them do."""
    if "surely" not in found.column_names:
        return found
    is_sure = _column(found, "surely") != 0
    return found if is_sure.all() else found.filter(pa.array(is_sure))


def persons_of(
    events: FactEvents, found: pa.Table, owners: Owners
) -> tuple[Numbers, Marks | None, Bits | None]:
    """Whose these events are, which of them are somebody's (None: all), and the marks of their persons, if any."""
    person, marks = owners.of_devices(events.device)
    is_known = events.is_device
    own = found["own_user_id"]
    if own.null_count == len(own):
        return person, is_known, marks
    has_own = events.of_fact(np.asarray(own.is_valid()))
    users = owners.of_users(own.fill_null(0).to_numpy())
    person = np.where(has_own, events.of_fact(users), person)
    if marks is not None:
        marks = np.where(has_own, np.uint8(0), marks)
    return person, None if is_known is None else is_known | has_own, marks


def sum_of_events(found: pa.Table) -> int:
    """How many events these facts have."""
    return int(_numbers(found, "events").sum())


def counts_of(
    facts: Facts, found: pa.Table, steps: Iterable[int], bounds: tuple[int, int] | None
) -> dict[tuple[int, bool, int], int]:
    """How many events there are by (step, whether surely, the number of why they are left out)."""
    events = _numbers(found, "events")
    if bounds is not None:
        rows = np.arange(len(events))
        inside = [each.of_fact(rows) for each in events_of(facts, found, bounds)]
        events = np.bincount(np.concatenate([np.empty(0, np.int64), *inside]), minlength=len(events))
    possibly, reason = _column(found, "possibly"), _column(found, "left_out")
    surely = _column(found, "surely") if "surely" in found.column_names else possibly
    counts: dict[tuple[int, bool, int], int] = {}
    for step in steps:
        for is_sure, bits in ((True, surely), (False, possibly & ~surely)):
            rows = np.flatnonzero(bits & (1 << (step - 1)))
            # Exact: a sum of events is far below the integers that a float holds.
            sums = np.bincount(reason[rows], events[rows], LEFT_OUT + 1)
            counts |= {(step, is_sure, each): int(sums[each]) for each in np.flatnonzero(sums).tolist()}
    return counts


def _numbers(found: pa.Table, name: str) -> Numbers:
    return _column(found, name).astype(np.int64)


def _column(found: pa.Table, name: str) -> NDArray[Any]:
    column: NDArray[Any] = found[name].to_numpy()
    return column
