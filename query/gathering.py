"""The events of a question as arrays, found with as few looks at the lake as can be.

Of files with a summary the facts tell what matches (`fact_rows.py`); of others, and where a definition asks what no
fact knows, the events are read, without the columns that order events of one moment: those are wide (`tied.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.clock import to_micros

from .any_order import TooManyShared
from .event_rows import EventRows, Turn, joined
from .fact_rows import counts_of, rows_of_facts, sum_of_events
from .facts import FACTS, REST, Facts
from .held_rows import held
from .latest_start import Bits, Marks, Numbers, role_bits
from .matched import Searched
from .person_map import LEFT_OUT, UNCLEAR, Logins, PersonMap, settled
from .reading import Reading, Row
from .row_order import changes
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
MOST_TURN_BITS = 6


class TooManyRows(Exception):
    """More rows than may be in memory together, if so `many` are known."""

    def __init__(self, many: int = 0) -> None:
        super().__init__(many)
        self.many = many


def by_arrays_or_none(reading: Reading, found: Callable[[], Found]) -> Found | None:
    """What is found by arrays, unless the portable SQL has to answer: then the answer says nothing of the attempt.

    It has to where only some people are chosen: time alone does not say whose the events at a login are.
    """
    if not reading.is_fast or reading.chosen is not None:
        return None
    said = len(reading.sql)
    try:
        return found()
    except (TooManyTies, TooManyRows, TooManyShared):
        del reading.sql[said:]
        return None


@dataclass(slots=True)
class Gathered:
    """What one look at the lake found: rows that count, in batches, rows that are `left_out`, and counts of events.

    `nobody` are rows that count and have no person. `at_logins` are moments at which events of whomever lie at a login:
    more than the time says whose those are. `events` are counted by (step, whether surely, the number of why they are
    left out).
    """

    rows: list[EventRows]
    left_out: EventRows
    nobody: EventRows
    at_logins: Numbers
    events: dict[tuple[int, bool, int], int]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        rows = sum(each.nbytes for each in (*self.rows, self.left_out, self.nobody))
        return rows + self.at_logins.nbytes

    def tally(self) -> list[Row]:
        """The rows of tally.sql: (step, is_sure, why it is left out, events, people); 0 people of those that count."""
        return [
            (step, is_sure, REASONS[reason], events, self._people(step, reason) if is_sure and reason else 0)
            for (step, is_sure, reason), events in sorted(self.events.items())
        ]

    def _people(self, step: int, reason: int) -> int:
        is_so = (self.left_out.roles & role_bits([step])) != 0
        is_so &= (self.left_out.marks & LEFT_OUT) == reason
        return int(changes(np.sort(self.left_out.person[is_so])).sum())


@dataclass
class Tally:
    """Counts of events and of people left out, of some people after the others."""

    found: dict[tuple[int, bool, str | None], tuple[int, int]] = field(default_factory=dict)

    def add(self, gathered: Gathered) -> None:
        """Add what was found of other people; events are counted of everybody each time."""
        for *key, events, people in gathered.tally():
            place = tuple(key)
            _, before = self.found.get(place, (0, 0))
            self.found[place] = events, before + people

    def rows(self) -> list[Row]:
        """The rows of tally.sql."""
        return [(*key, *counts) for key, counts in self.found.items()]


def in_turns(reading: Reading, look: Callable[[Turn, int], None]) -> None:
    """Look at everybody: at all people together, or where memory is short at some at a time.

    `look` is told how many rows it may hold and raises TooManyRows before it counted anything of a turn. Raises that
    where a turn has too many though the first one had not, or though people take as many turns as there can be.
    """
    most_rows = int(_memory_bytes(reading) * SHARE) // ROW_BYTES
    bits = 0
    while True:
        try:
            look(Turn(0, bits), most_rows - (most_rows // 8 if bits else 0))
        except TooManyRows as problem:
            if bits == MOST_TURN_BITS:
                raise
            bits = min(max(bits + 1, (problem.many // max(1, most_rows)).bit_length()), MOST_TURN_BITS)
        else:
            break
    # No turn is as large as another: that the first one left some room is what the others have to spare.
    for number in range(1, 1 << bits):
        look(Turn(number, bits), most_rows)


def _memory_bytes(reading: Reading) -> int:
    """The memory that the engine may take."""
    [(text,)] = reading.relation("select current_setting('memory_limit')", {}).fetchall()
    number, unit = str(text).split()
    return int(float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit))


def gather(
    reading: Reading,
    searched: Searched,
    persons: PersonMap,
    find_facts: FindFacts,
    turn: Turn,
    most_rows: int,
) -> Gathered:
    """Every event of every step, by time alone; what that leaves unclear at a login has the mark UNCLEAR.

    Rows are those of the people of the `turn`, moments of logins and counts of events those of everybody. Raises
    TooManyRows.
    """

    def find() -> Gathered:
        search = _Search(reading, searched, persons, find_facts, turn, most_rows)
        return search.gathered()

    if not turn.is_whole:
        return find()
    about = (searched.meaning, searched.roles, reading.counting.values(), reading.site, searched.values)
    # What is held stays as it is, though rows at logins are put in the place of others.
    return replace(held(reading, ("rows", repr(about)), find))


@dataclass
class _Search:
    reading: Reading
    searched: Searched
    persons: PersonMap
    find_facts: FindFacts
    turn: Turn
    most_rows: int
    counted: list[EventRows] = field(default_factory=list)
    left_out: list[EventRows] = field(default_factory=list)
    nobody: list[EventRows] = field(default_factory=list)
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
        return Gathered(self.counted, joined(self.left_out), joined(self.nobody), at_logins, self.events)

    def look_at_facts(self, facts: Facts, groups: Sequence[Sequence[Member]]) -> None:
        """Add what facts tell."""
        text = rows_text("fact_rows.sql", self.searched, groups)
        found = self.reading.relation(text, self.searched.values).to_arrow_table()
        many = sum_of_events(found)
        if many >> self.turn.bits > self.most_rows:
            raise TooManyRows(many)
        bounds = None
        if self.searched.structure["has_bounds"]:
            values = self.searched.values
            bounds = to_micros(values["from_time"]), to_micros(values["until_time"])
        numbers = {member.number for group in groups for member in group}
        steps = [step for step, number in self.searched.roles if number in numbers]
        for key, count in counts_of(facts, found, steps, bounds).items():
            self.events[key] = self.events.get(key, 0) + count
        for each in rows_of_facts(facts, found, self.persons.owners, bounds):
            self.add(each.rows, each.is_known)
        facts.let_go()

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
        """Put rows where they belong, those of the people of this turn."""
        # First whose they are, then whose turn it is.
        rows = settled(self.logins, rows)
        is_at_login = (rows.marks & UNCLEAR) != 0
        if is_at_login.any():
            self.at_logins.append(np.unique(rows.moment[is_at_login]))
        counts = (rows.marks & LEFT_OUT) == 0
        if is_known is not None and not is_known.all():
            nobody = rows.where(counts & ~is_known)
            if not self.turn.is_whole:
                # They are nobody's, so their time says whose turn it is.
                nobody = nobody.where(self.turn.has(nobody.moment))
            self.hold(self.nobody, nobody)
            rows, counts = rows.where(is_known), counts[is_known]
        if not counts.all():
            self.hold(self.left_out, self.turn.of(rows.where(~counts)))
            rows = rows.where(counts)
        self.hold(self.counted, self.turn.of(rows))

    def hold(self, among: list[EventRows], rows: EventRows) -> None:
        """Put these rows among others; raises TooManyRows."""
        self.rows += len(rows)
        if self.rows > self.most_rows:
            raise TooManyRows
        among.append(rows)


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
