"""The order of events at one moment as summaries tell it: then no file of events is read for it.

A summary knows which of the events of one device and microsecond came first (`lake/summary_tables.py`). It is believed
where all that a question found of a person at a moment is among the events of one device in one file. What has others
beside it, in another file or on another device, is for `tied.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.summary import Summary

from .event_rows import EventRows
from .facts import Facts
from .first_exposures import FirstExposures
from .latest_start import Marks, Numbers
from .matched import Searched
from .moments import places_of
from .person_map import UNCLEAR, Owners
from .reading import Reading
from .row_order import changes
from .scan import asked_of, groups_of, rows_text
from .statement import Fragment, render
from .tied import TiedRows

TIED_FACTS = Fragment("tied_facts")
"""The relation of the facts of tied events, with the columns of all facts."""
FIRST = np.int64(0xFFFFFFFF)
NOT_TOLD = -1


@dataclass(frozen=True, slots=True)
class Told:
    """Events in their order, with whether they are after the exposure; and of which of the unclear rows that is all."""

    rows: TiedRows
    is_told: Marks


@dataclass(frozen=True, slots=True)
class Exposed:
    """Who saw a flag when."""

    flag: str
    firsts: FirstExposures


def told_ties(
    reading: Reading,
    searched: Searched,
    facts: Facts,
    owners: Owners,
    unclear: EventRows,
    exposed: Exposed | None,
) -> Told:
    """The events of the people of whom summaries tell the order at all moments that are unclear.

    `unclear` are all rows that a question found at those moments of those people.
    """
    runs = _runs_of(unclear)
    tied = _tied_events(facts, owners, runs)
    if len(tied):
        _show(facts, tied.fact)
    roles = _roles(reading, searched, tied.fact) if len(tied) else tied.fact
    is_after = _is_after(reading, tied, exposed)
    found = np.flatnonzero((roles != 0) & (is_after != NOT_TOLD))
    found = found[runs.are_all_in(tied.group[found], tied.run[found], roles[found])]
    whole = runs.people_of(tied.run[found])
    found = found[whole[runs.person[tied.run[found]]]]
    rows = EventRows(
        tied.person[found],
        tied.moment[found],
        roles[found].astype(unclear.roles.dtype),
        tied.marks[found],
    )
    return Told(TiedRows(rows, is_after[found] > 0), whole[runs.person[runs.of_rows]])


@dataclass(frozen=True, slots=True)
class _Runs:
    """The moments of people at which rows are unclear: `of_rows` says of each row which one.

    `person` and `moment` of each are places in `persons` and `moments`, which are in order as runs are.
    """

    persons: Numbers
    moments: Numbers
    person: Numbers
    moment: Numbers
    of_rows: Numbers
    roles: NDArray[np.unsignedinteger[Any]]

    def find(self, persons: Numbers, moments: Numbers) -> Numbers:
        """Which of them those of these persons and moments are, −1 where none."""
        person, moment = _places(self.persons, persons), _places(self.moments, moments)
        key = np.where((person >= 0) & (moment >= 0), person * len(self.moments) + moment, -1)
        return _places(self.person * len(self.moments) + self.moment, key)

    def are_all_in(self, group: Numbers, run: Numbers, roles: Numbers) -> Marks:
        """Of events in groups of one run each: whether their group has as many of each roles as its run."""
        wanted, many = np.unique(self.of_rows << 32 | self.roles, return_counts=True)
        there, many_there = np.unique(group << 32 | roles, return_counts=True)
        run_of = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
        run_of[group] = run
        of_group = there >> 32
        place = _places(wanted, run_of[of_group] << 32 | there & FIRST)
        is_same = (place >= 0) & (many[place] == many_there)
        # Rows of the same person, moment and roles decide something together or not at all, so none is missing there.
        same = np.bincount(of_group[is_same], minlength=len(run_of))
        needed = np.bincount(wanted >> 32, minlength=len(self.person))
        found: Marks = (same == needed[run_of])[group]
        return found

    def people_of(self, told: Numbers) -> Marks:
        """Which people have all of their runs among these."""
        is_told = np.zeros(len(self.person), bool)
        is_told[told] = True
        whole = np.ones(len(self.persons), bool)
        whole[self.person[~is_told]] = False
        return whole


def _runs_of(unclear: EventRows) -> _Runs:
    persons, person = np.unique(unclear.person, return_inverse=True)
    moments, moment = np.unique(unclear.moment, return_inverse=True)
    runs, of_rows = np.unique(person * len(moments) + moment, return_inverse=True)
    return _Runs(persons, moments, runs // len(moments), runs % len(moments), of_rows, unclear.roles)


@dataclass(frozen=True, slots=True)
class _Tied:
    """Events in their order, those of one moment, device and file in one `group`, which is one of a `run`.

    `fact` is the number of the file and, below that, the first moment of the fact. `marks` are those of the person.
    """

    fact: Numbers
    person: Numbers
    marks: NDArray[np.uint8]
    moment: Numbers
    group: Numbers
    run: Numbers

    def __len__(self) -> int:
        return len(self.fact)


def _tied_events(facts: Facts, owners: Owners, runs: _Runs) -> _Tied:
    """What summaries say of those runs, but for devices of which time says whose they were."""
    parts = [_of_file(number, each, owners, runs) for number, each in enumerate(facts.summaries)]
    # Groups of each file have numbers of their own.
    ends = np.cumsum([int(each.group.max(initial=-1)) + 1 for each in parts])
    group = [part.group + end for part, end in zip(parts, [0, *ends[:-1]], strict=True)]
    return _Tied(
        np.concatenate([each.fact for each in parts]),
        np.concatenate([each.person for each in parts]),
        np.concatenate([each.marks for each in parts]),
        np.concatenate([each.moment for each in parts]),
        np.concatenate(group),
        np.concatenate([each.run for each in parts]),
    )


def _of_file(number: int, summary: Summary, owners: Owners, runs: _Runs) -> _Tied:
    times = summary.ties.column("time").view(pa.int64()).to_numpy()
    first, last = (np.searchsorted(times, runs.moments, side) for side in ("left", "right"))
    at = places_of(first, last - first)
    moment, place = times[at], summary.ties.column("moment").to_numpy()[at]
    begins = summary.facts.column("first_moment").to_numpy()
    begin = begins[np.searchsorted(begins, place, "right") - 1]
    # Mapped for these few places alone: around each the system maps sixteen pages, which are given back at once.
    moments = summary.arrays()
    device = moments.devices[moments.device[place]]
    person, marks = owners.of_devices(device)
    marks = np.zeros(len(place), np.uint8) if marks is None else marks.astype(np.uint8)
    run = runs.find(person, moment)
    group = np.cumsum(changes(moment) | changes(device)) - 1
    kept = np.flatnonzero((run >= 0) & ((marks & UNCLEAR) == 0))
    fact = np.int64(number) << 32 | begin.astype(np.int64)
    return _Tied(fact[kept], person[kept], marks[kept], moment[kept], group[kept], run[kept])


def _show(facts: Facts, fact: Numbers) -> None:
    """Make the relation of these facts."""
    wanted = np.unique(fact)
    batches = []
    for number, summary in enumerate(facts.summaries):
        begins = wanted[wanted >> 32 == number] & FIRST
        rows = np.searchsorted(summary.facts.column("first_moment").to_numpy(), begins)
        taken = summary.facts.take(pa.array(rows))
        batches.append(taken.append_column("file_number", pa.array(np.full(len(rows), number, np.int32))))
        summary.let_go()
    facts.show(TIED_FACTS, pa.Table.from_batches(batches))


def _roles(reading: Reading, searched: Searched, fact: Numbers) -> Numbers:
    """What each event surely matches, by its fact: 0 where it matches nothing, does not count, or a server told it."""
    by_facts, _ = groups_of(searched)
    if not by_facts:
        return np.zeros(len(fact), np.int64)
    text = rows_text("fact_rows.sql", searched, [asked_of(group, TIED_FACTS) for group in by_facts])
    found = reading.relation(text, searched.values).to_arrow_table()
    roles = found["surely" if "surely" in found.column_names else "possibly"].to_numpy().astype(np.int64)
    counts = (found["left_out"].to_numpy() == 0) & np.asarray(found["own_user_id"].is_null())
    return _of_facts(found.filter(pa.array(counts)), roles[counts], fact)


def _is_after(reading: Reading, tied: _Tied, exposed: Exposed | None) -> NDArray[np.int8]:
    """Whether each event is after its person's exposure; NOT_TOLD where that lies at its moment, but elsewhere."""
    if exposed is None or not len(tied):
        return np.zeros(len(tied), np.int8)
    firsts = exposed.firsts
    at = firsts.moment_at(firsts.places_of(tied.person))
    is_after = (tied.moment > at).astype(np.int8)
    is_at = tied.moment == at
    if is_at.any():
        text = render("exposure_facts.sql", relation=TIED_FACTS)
        found = reading.relation(text, {"flag": exposed.flag}).to_arrow_table()
        found = found.filter(found["own_user_id"].is_null())
        exposures = np.flatnonzero(_of_facts(found, np.ones(len(found), np.int64), tied.fact))
        place = np.full(int(tied.group.max()) + 1, len(tied))
        np.minimum.at(place, tied.group[exposures], exposures)
        place = place[tied.group]
        is_known = (place < len(tied)) & ~np.isin(tied.person, firsts.doubled)
        is_later = (np.arange(len(tied)) >= place).astype(np.int8)
        is_after[is_at] = np.where(is_known, is_later, np.int8(NOT_TOLD))[is_at]
    return is_after


def _of_facts(found: pa.Table, values: Numbers, fact: Numbers) -> Numbers:
    """For each event what is given for its fact, one of the facts that were found; 0 for others."""
    if not len(found):
        return np.zeros(len(fact), np.int64)
    keys = found["file_number"].to_numpy().astype(np.int64) << 32 | found["first_moment"].to_numpy()
    order = np.argsort(keys)
    place = _places(keys[order], fact)
    return np.where(place >= 0, values[order][place], 0)


def _places(known: Numbers, values: Numbers) -> Numbers:
    """Where each value stands among those known, which are in order; −1 where nowhere."""
    if not len(known):
        return np.full(len(values), -1)
    place = np.searchsorted(known[:-1], values)
    return np.where(known[place] == values, place, -1)
