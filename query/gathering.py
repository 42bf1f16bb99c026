"""The events of a question as arrays, found with one look at the lake.

Of files with a summary the facts tell what matches (`fact_rows.py`); of others, and where a definition asks what no
fact knows, the events are read, without the columns that order events of one moment: those are wide (`tied.py`). Rows
that memory does not hold go aside (`rows_aside.py`), and come back as those of some people after the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.clock import to_micros
from expost.lake.unused_memory import give_back

from .any_order import TooManyShared
from .event_rows import EventRows, joined
from .fact_rows import counts_of, rows_of_facts, sum_of_events, sure_ones
from .facts import FACTS, REST, Facts
from .held_rows import held
from .latest_start import Bits, Marks, Numbers
from .matched import Searched
from .person_map import LEFT_OUT, NOBODY, UNCLEAR, Logins, PersonMap, settled
from .portion import Portion, portion_of
from .reading import Reading, Row
from .rows_aside import EVERYBODY, RowsAside, Stretch
from .scan import Member, asked_of, groups_of, rows_text
from .tied import TooManyTies

REASONS = (None, "bots", "internal", "environment")
"""Why an event is left out, by the number that left_out_number.sql gives."""
MOST_ROLES = 31
BATCH = 1 << 18

Found = TypeVar("Found")
FindFacts = Callable[[], Facts | None]
"""Gives the facts of the lake's summaries, if there are any that may be used."""

ROW_BYTES = 48
"""What a row takes while rows are put in order."""
SHARE = 0.5
"""How much such rows may take, beside what the engine may (`engine_memory.py`)."""
PORTION_SHARE = 0.25
"""How many of the rows that memory holds come back together from the disk."""


class TooManyRows(Exception):
    """More rows of one person, or of a few whom the hash does not part, than may be in memory together."""


def may_pass_over(reading: Reading) -> bool:
    """Whether arrays may answer at all.

    Not where only some people are chosen: time alone does not say whose the events at a login are.
    """
    return reading.is_fast and reading.chosen is None


def by_arrays_or_none(reading: Reading, found: Callable[[], Found]) -> Found | None:
    """What is found by arrays, unless the portable SQL has to answer: then the answer says nothing of the attempt."""
    if not may_pass_over(reading):
        return None
    said = len(reading.sql)
    try:
        return found()
    except (TooManyTies, TooManyRows, TooManyShared):
        del reading.sql[said:]
        return None


@dataclass(frozen=True, slots=True)
class Room:
    """How many rows may be in memory: `held` those of everybody, and `together` of those that come back from the disk.

    Of people whom the hash does not part there may be `most` together.
    """

    held: int
    together: int
    most: int


@dataclass(slots=True)
class Gathered:
    """What one look at the lake found: `rows` of everybody, in memory or aside, and counts of events.

    `at_logins` are moments at which events of whomever lie at a login: more than the time says whose those are.
    `events` are counted by (step, whether surely, the number of why they are left out).
    """

    rows: Portion | RowsAside
    at_logins: Numbers
    events: dict[tuple[int, bool, int], int]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays; of what lies aside more than anybody holds."""
        return self.at_logins.nbytes + (sys.maxsize if isinstance(self.rows, RowsAside) else self.rows.nbytes)

    def portions(self, room: Room) -> Iterator[tuple[Stretch, Portion]]:
        """The rows of all people together, or of some after the others. Raises TooManyRows."""
        if isinstance(self.rows, Portion):
            yield EVERYBODY, self.rows
            return
        for stretch in self.rows.stretches(room.together):
            if stretch.many > room.most:
                raise TooManyRows
            yield stretch, portion_of(self.rows.between(stretch))


@dataclass
class Tally:
    """Counts of events and of people left out."""

    events: dict[tuple[int, bool, int], int]
    people: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, portion: Portion) -> None:
        """Count those people whose events are left out."""
        for step, is_sure, reason in self.events:
            if is_sure and reason:
                many = portion.people_left_out(step, reason)
                self.people[step, reason] = self.people.get((step, reason), 0) + many

    def rows(self) -> list[Row]:
        """The rows of tally.sql: (step, is_sure, why it is left out, events, people); 0 people of those that count."""
        return [
            (step, is_sure, REASONS[reason], events, self.people.get((step, reason), 0) if is_sure else 0)
            for (step, is_sure, reason), events in sorted(self.events.items())
        ]


def room_of(reading: Reading) -> Room:
    """The room for rows that the memory of a question leaves."""
    [(text,)] = reading.relation("select current_setting('memory_limit')", {}).fetchall()
    number, unit = str(text).split()
    memory = float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit)
    most_rows = int(memory * SHARE) // ROW_BYTES
    return Room(most_rows, int(most_rows * PORTION_SHARE), most_rows)


@contextmanager
def gathered(
    reading: Reading, searched: Searched, persons: PersonMap, find_facts: FindFacts, room: Room
) -> Iterator[Gathered]:
    """Every event of every step, by time alone; what that leaves unclear at a login has the mark UNCLEAR.

    What there is no room for lies aside until the block ends. Raises QueryLimit where the disk has no room either.
    """
    with ExitStack() as stack:

        def find() -> Gathered:
            return _Search(reading, searched, persons, find_facts, room.held, stack).gathered()

        about = (searched.meaning, searched.roles, reading.counting.values(), reading.site, searched.values)
        found = held(reading, ("rows", repr(about)), find)
        if isinstance(found.rows, Portion):
            # What is held for other questions stays as it is, though this one lets go of what it has passed over.
            found = replace(found, rows=replace(found.rows, rows=list(found.rows.rows)))
        yield found


@dataclass
class _Search:
    reading: Reading
    searched: Searched
    persons: PersonMap
    find_facts: FindFacts
    most_held: int
    stack: ExitStack
    counted: list[EventRows] = field(default_factory=list)
    left_out: list[EventRows] = field(default_factory=list)
    nobody: list[EventRows] = field(default_factory=list)
    aside: RowsAside | None = None
    at_logins: list[Numbers] = field(default_factory=list)
    events: dict[tuple[int, bool, int], int] = field(default_factory=dict)
    rows: int = 0
    logins: Logins = field(init=False)

    def __post_init__(self) -> None:
        # Found before any rows are read, as the connection gives those of one statement at a time.
        self.logins = self.persons.logins

    def gathered(self) -> Gathered:
        """What is found by facts, and by events."""
        by_facts, by_events = groups_of(self.searched)
        facts = self.find_facts() if by_facts else None
        if facts is None:
            by_events += by_facts
        else:
            self.look_at_facts(facts, [asked_of(group, FACTS) for group in by_facts])
            if facts.has_rest:
                by_events += [asked_of(group, REST) for group in by_facts]
        if by_events:
            self.look_at_events(by_events)
        at_logins = np.unique(np.concatenate([np.empty(0, np.int64), *self.at_logins]))
        if self.aside is not None:
            self.aside.write()
            give_back()
            return Gathered(self.aside, at_logins, self.events)
        portion = Portion(self.counted, joined(self.left_out), joined(self.nobody))
        return Gathered(portion, at_logins, self.events)

    def look_at_facts(self, facts: Facts, groups: Sequence[Sequence[Member]]) -> None:
        """Add what facts tell."""
        text = rows_text("fact_rows.sql", self.searched, groups)
        found = pa.concat_tables(
            self.reading.relation(text, self.searched.values).to_arrow_table() for _ in facts.in_parts()
        )
        bounds = None
        if self.searched.structure["has_bounds"]:
            values = self.searched.values
            bounds = to_micros(values["from_time"]), to_micros(values["until_time"])
        numbers = {member.number for group in groups for member in group}
        steps = [step for step, number in self.searched.roles if number in numbers]
        for key, count in counts_of(facts, found, steps, bounds).items():
            self.events[key] = self.events.get(key, 0) + count
        if bounds is None and sum_of_events(found) > self.most_held:
            self.put_aside()
        # What does not surely match has been counted: no copy of it is held beside the rows.
        found = sure_ones(found)
        if self.aside is not None:
            give_back()
        for each in rows_of_facts(facts, found, self.persons.owners, bounds):
            self.add(each.rows, each.is_known)
        if self.aside is not None:
            give_back()

    def look_at_events(self, groups: Sequence[Sequence[Member]]) -> None:
        """Add what is read from events themselves."""
        persons = self.persons
        text = rows_text(
            "event_rows.sql",
            self.searched,
            groups,
            has_merges=persons.has_merges,
            has_daily=persons.has_daily,
        )
        for batch in self.reading.relation(text, self.searched.values).to_arrow_reader(BATCH):
            self.add(*_sure(batch, self.events))

    def add(self, rows: EventRows, is_known: Marks | None) -> None:
        """Put rows where they belong."""
        self.reading.go_on()
        rows = settled(self.logins, rows)
        is_at_login = (rows.marks & UNCLEAR) != 0
        if is_at_login.any():
            self.at_logins.append(np.unique(rows.moment[is_at_login]))
        counts = (rows.marks & LEFT_OUT) == 0
        if is_known is not None and not is_known.all():
            nobody = rows.where(counts & ~is_known)
            self.hold(self.nobody, replace(nobody, marks=nobody.marks | np.uint8(NOBODY)))
            rows, counts = rows.where(is_known), counts[is_known]
        if not counts.all():
            self.hold(self.left_out, rows.where(~counts))
            rows = rows.where(counts)
        self.hold(self.counted, rows)

    def hold(self, among: list[EventRows], rows: EventRows) -> None:
        """Put these rows among others, or all of them aside."""
        self.rows += len(rows)
        if self.aside is not None:
            self.aside.put(rows)
            return
        among.append(rows)
        if self.rows > self.most_held:
            self.put_aside()

    def put_aside(self) -> None:
        """Put all rows aside, and those that are still to come."""
        self.aside = self.stack.enter_context(closing(RowsAside(self.reading.spill)))
        for each in (self.counted, self.left_out, self.nobody):
            while each:
                self.aside.put(each.pop())


def _sure(batch: pa.RecordBatch, events: dict[tuple[int, bool, int], int]) -> tuple[EventRows, Marks | None]:
    """The rows of a batch that surely match, all being counted in `events`; which have a person, unless all have."""
    possibly, marks = _column(batch, "possibly"), _column(batch, "marks")
    surely = _column(batch, "surely") if "surely" in batch.schema.names else possibly
    reason = (marks & LEFT_OUT).astype(np.int64)
    _count(surely, reason, events, is_sure=True)
    person = batch.column("person_id")
    is_known = np.asarray(person.is_valid()) if person.null_count else None
    person = person.fill_null(0) if person.null_count else person
    rows = EventRows(person.to_numpy(zero_copy_only=False), _column(batch, "moment"), surely, marks)
    if surely is possibly:
        return rows, is_known
    unsure: Bits = np.bitwise_and(possibly, np.invert(surely))
    _count(unsure, reason, events, is_sure=False)
    is_sure = surely != 0
    return rows.where(is_sure), None if is_known is None else is_known[is_sure]


def _count(roles: Bits, reason: Numbers, events: dict[tuple[int, bool, int], int], *, is_sure: bool) -> None:
    combined = roles.astype(np.int64) << 2 | reason
    if roles.dtype == np.uint8:
        counts = np.bincount(combined)
        keys = np.flatnonzero(counts)
        counts = counts[keys]
    else:
        keys, counts = np.unique(combined, return_counts=True)
    for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
        for step in range(1, MOST_ROLES + 1):
            if key >> (step + 1) & 1:
                place = (step, is_sure, key & 3)
                events[place] = events.get(place, 0) + count


def _column(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    found: NDArray[Any] = batch.column(name).to_numpy(zero_copy_only=False)
    return found
