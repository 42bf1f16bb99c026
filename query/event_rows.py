"""The events of a question as arrays in the order of their persons: what a pass over millions of them works on.

They are read without the columns that order events of one moment: ids of events and pages are wide, and hardly any two
events of a person share a microsecond. Where some do, or where one lies at the moment of a login or an exposure, all
events of those moments are read again, by the statement that `match` runs over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .definition import Alternative, Definition
from .held_rows import held
from .interval import Interval
from .kept_events import LAKE, Source
from .latest_start import Bits, Marks, Numbers, role_bits
from .matched import Searched, types_of
from .reading import Reading, Row
from .row_order import changes
from .statement import Fragment, render

REASONS = (None, "bots", "internal", "environment")
"""Why an event is left out, by the number that left_out_number.sql gives."""
MOST_ROLES = 31
BATCH = 1 << 18
NO_MOMENT = np.iinfo(np.int64).max
"""The moment of an exposure that never was."""
TIED = """\
select
    person_id, moment, position, cast(bit_or(cast(1 as uinteger) << (step - 1)) as uinteger) as roles
    , cast(
        coalesce(case left_out when 'bots' then 1 when 'internal' then 2 when 'environment' then 3 end, 0)
        + case when bool_or(is_daily) then 4 else 0 end as utinyint
    ) as marks
    , {after} as is_after
from matched
where is_sure and person_id is not null
group by person_id, moment, position, left_out
order by person_id, moment, position;"""
TIED_EVENTS = """\
create or replace temp table tied_events as
select * from lake.events where site = $site and time in ({chosen});"""
FEW_MOMENTS = 500
MOST_MOMENTS = 50_000
"""Of so many at most the order is looked at on its own: where more are shared, it is known of all events at once."""
LEFT_OUT, DAILY, UNCLEAR = 3, 4, 8
"""Bits of the marks of event_rows.sql."""


T = TypeVar("T")


class TooManyTies(Exception):
    """So many events share their moments with others that arrays are no gain."""


def by_arrays_or_none(reading: Reading, found: Callable[[], T]) -> T | None:
    """What is found by arrays, unless the portable SQL has to answer: then the answer says nothing of the attempt.

    It has to where only some people are chosen: time alone does not say whose the events at a login are.
    """
    if not reading.is_fast or reading.chosen is not None:
        return None
    said = len(reading.sql)
    try:
        return found()
    except TooManyTies:
        del reading.sql[said:]
        return None


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at a relation for the events of some definitions, which are told apart by the bits of their roles."""

    relation: Fragment
    expressions: Sequence[Fragment]
    condition: Fragment
    possibly: Fragment
    surely: Fragment
    places: Sequence[tuple[Fragment, int]] = ()
    of_event: Fragment | None = None


@dataclass(slots=True)
class EventRows:
    """Events of known persons that surely match. The bits of `marks` are those of event_rows.sql.

    Where the order of a moment had to be looked at, its rows have an `order`, and `is_after` says whether they come
    after their person's exposure.
    """

    person: Numbers
    moment: Numbers
    roles: Bits
    marks: Bits
    order: Numbers | None = None
    is_after: Marks | None = None

    def __len__(self) -> int:
        return len(self.person)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays, before any order was looked at."""
        return self.person.nbytes + self.moment.nbytes + self.roles.nbytes + self.marks.nbytes

    def where(self, chosen: Marks | Numbers) -> EventRows:
        """Some of them, or the same in another order."""
        return EventRows(
            self.person[chosen],
            self.moment[chosen],
            self.roles[chosen],
            self.marks[chosen],
            None if self.order is None else self.order[chosen],
            None if self.is_after is None else self.is_after[chosen],
        )


@dataclass(slots=True)
class Gathered:
    """What one look at the lake found: rows that count, in batches, rows that are `left_out`, and counts of events.

    `nobody` are rows that count and have no person. `events` are counted by (step, whether surely, the number of why
    they are left out).
    """

    rows: list[EventRows]
    left_out: EventRows
    nobody: EventRows
    events: dict[tuple[int, bool, int], int]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(each.nbytes for each in (*self.rows, self.left_out, self.nobody))

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


@dataclass(frozen=True, slots=True)
class PersonMap:
    """What is known of persons in this lake: whether users are joined with others, and whether ids are daily."""

    has_merges: bool
    has_daily: bool


def person_map(reading: Reading) -> PersonMap:
    """Make the relations that say whose a device is, once for a connection."""
    reading.quietly(render("login_moments.sql"), {})
    facts = """
        select exists (select 1 from lake.joined_users), exists (select 1 from lake.devices where is_daily)"""
    [(has_merges, has_daily)] = reading.relation(facts, {}).fetchall()
    return PersonMap(has_merges, has_daily)


def gather(reading: Reading, searched: Searched, persons: PersonMap) -> Gathered:
    """Every event of every step, by time alone; what that leaves unclear at a login has the mark UNCLEAR."""
    key = (
        "rows",
        repr((searched.meaning, searched.roles, reading.counting.values(), reading.site, searched.values)),
    )
    found = held(reading, key, lambda: _gathered(reading, searched, persons))
    # What is held stays as it is, though rows at logins are put in the place of others.
    return replace(found)


def _gathered(reading: Reading, searched: Searched, persons: PersonMap) -> Gathered:
    has_unknown = any(source.match.has_unknown for source in searched.sources)
    bits_type = "utinyint" if max(step for step, _ in searched.roles) <= 8 else "uinteger"
    statement = render(
        "event_rows.sql",
        scans=list(_scans(searched, bits_type)),
        has_bounds=searched.structure["has_bounds"],
        has_unknown=has_unknown,
        has_merges=persons.has_merges,
        has_daily=persons.has_daily,
        bits_type=Fragment(bits_type),
    )
    events: dict[tuple[int, bool, int], int] = {}
    counted, left_out, nobody = [], [], []
    for batch in batches_of(reading, statement, searched.values):
        rows, is_known = _sure(batch, events)
        counts = (rows.marks & LEFT_OUT) == 0
        if is_known is not None:
            nobody.append(rows.where(counts & ~is_known))
            rows, counts = rows.where(is_known), counts[is_known]
        counted.append(rows.where(counts))
        left_out.append(rows.where(~counts))
    found = Gathered(counted, joined(left_out), joined(nobody), events)
    settle(reading, [*found.rows, found.left_out])
    return found


def settle(reading: Reading, batches: Sequence[EventRows]) -> None:
    """Say whose the rows are that are of devices of several users, and leave the mark UNCLEAR at logins alone."""
    places = [np.flatnonzero(rows.marks & UNCLEAR) for rows in batches]
    if not any(len(place) for place in places):
        return
    devices, moments = (
        np.concatenate([getattr(rows, name)[place] for rows, place in zip(batches, places, strict=True)])
        for name in ("person", "moment")
    )
    persons, is_at_login = persons_at(reading, devices, moments)
    ends = np.cumsum([len(place) for place in places])[:-1]
    for rows, place, person, at_login in zip(
        batches, places, np.split(persons, ends), np.split(is_at_login, ends), strict=True
    ):
        rows.person[place] = person
        rows.marks[place[~at_login]] &= 255 - UNCLEAR


def persons_at(reading: Reading, devices: Numbers, moments: Numbers) -> tuple[Numbers, Marks]:
    """Whose devices of several users were at these moments, and whether a login was at that very moment."""
    rows = pa.table({"place": np.arange(len(devices)), "device_id": devices, "moment": moments})
    reading.connection.register("unclear", rows)
    found = reading.relation(render("row_persons.sql"), {}).to_arrow_table()
    reading.connection.unregister("unclear")
    by_place = np.argsort(found["place"].to_numpy())
    return found["person_id"].to_numpy()[by_place], found["is_at_login"].to_numpy()[by_place]


def reread(reading: Reading, searched: Searched, *, by_flag: bool) -> EventRows:
    """All events of the moments in `tied`, in their order and with their persons, by the statement of the whole."""
    # Once for all definitions: then what each of them asks is asked of few events.
    moments = reading.relation(f"select moment from tied limit {FEW_MOMENTS + 1}", {}).fetchall()
    # Files skip what lies at none of a few moments that are written out, and read all columns to join many.
    few = ", ".join(f"make_timestamptz({moment:d})" for (moment,) in moments)
    chosen = few if 0 < len(moments) <= FEW_MOMENTS else "select make_timestamptz(moment) from tied"
    reading.quietly(TIED_EVENTS.format(chosen=chosen), {})
    sources = [
        replace(each, relation=Fragment("tied_events")) if each.relation == LAKE else each
        for each in searched.sources
    ]
    structure = searched.structure | {
        "sources": sources, "has_positions": True, "keep": [], "further": [], "by_flag": by_flag
    }  # fmt: skip
    reading.quietly(render("matched.sql", has_ties=True, **structure), searched.values)
    after = "coalesce(bool_or(is_after_exposure), false)" if by_flag else "false"
    found = reading.relation(TIED.format(after=after), {}).to_arrow_table()
    wide = max(step for step, _ in searched.roles) > 8
    return EventRows(
        found["person_id"].to_numpy(),
        found["moment"].to_numpy(),
        found["roles"].to_numpy().astype(np.uint32 if wide else np.uint8),
        found["marks"].to_numpy().astype(np.uint8),
        found["position"].to_numpy(),
        found["is_after"].to_numpy(),
    )


def batches_of(reading: Reading, text: str, values: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """The rows of a statement that is no part of what gives the answer, as they come."""
    yield from reading.relation(text, values).to_arrow_reader(BATCH)


def hold_moments(reading: Reading, moments: Numbers) -> None:
    """Make the relation `tied` of these moments. Raises TooManyTies where the order is better known of all events."""
    if len(moments) > MOST_MOMENTS:
        raise TooManyTies
    reading.connection.register("_tied", pa.table({"moment": moments}))
    reading.connection.execute("create or replace temp table tied as select moment from _tied")
    reading.connection.unregister("_tied")


def joined(batches: Sequence[EventRows]) -> EventRows:
    """One after the other."""
    if not batches:
        nothing = np.empty(0, np.int64)
        return EventRows(nothing, nothing, np.empty(0, np.uint8), np.empty(0, np.uint8))
    if len(batches) == 1:
        return batches[0]
    order = is_after = None
    if any(each.order is not None for each in batches):
        order = np.concatenate(
            [np.zeros(len(each), np.int64) if each.order is None else each.order for each in batches]
        )
        is_after = np.concatenate(
            [np.zeros(len(each), bool) if each.is_after is None else each.is_after for each in batches]
        )
    return EventRows(
        np.concatenate([each.person for each in batches]),
        np.concatenate([each.moment for each in batches]),
        np.concatenate([each.roles for each in batches]),
        np.concatenate([each.marks for each in batches]),
        order,
        is_after,
    )


def replaced(rows: EventRows, moments: Numbers, by: EventRows) -> EventRows:
    """The rows with `by` in the place of all that are at these moments."""
    return joined([rows.where(~np.isin(rows.moment, moments)), by])


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


def _scans(searched: Searched, bits_type: str) -> Iterator[Scan]:
    """As few scans as can be, such that no event is in two of them unless it is read from kept files."""
    bits = _bits(searched.roles)
    members = list(zip(searched.searched, searched.sources, range(1, len(searched.sources) + 1), strict=True))
    kept = [each for each in members if each[1].relation != LAKE]
    for _, source, number in kept:
        yield _alone(source, bits[number], bits_type)
    for group in _of_shared_types([each for each in members if each[1].relation == LAKE]):
        if len(group) == 1:
            yield _alone(group[0][1], bits[group[0][2]], bits_type)
        elif _are_places(group, searched.narrowed):
            yield _of_places(group, bits)
        else:
            yield _together(group, bits, bits_type)


_Member = tuple[Definition, Source, int]


def _bits(roles: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for step, number in roles:
        found[number] = found.get(number, 0) | 1 << (step - 1)
    return found


def may_be(kind: str, definition: Definition) -> bool:
    """Whether a definition may find events of this type."""
    types = types_of(definition)
    return types is None or kind in types


def _of_shared_types(members: Sequence[_Member]) -> list[list[_Member]]:
    """The definitions that may find the same event, together."""
    groups: list[tuple[frozenset[str] | None, list[_Member]]] = []
    for member in members:
        types = types_of(member[0])
        apart, shared = [], [member]
        for of_group, group in groups:
            if types is None or of_group is None or types & of_group:
                shared = [*group, *shared]
                types = None if types is None or of_group is None else types | of_group
            else:
                apart.append((of_group, group))
        groups = [*apart, (types, shared)]
    return [group for _, group in groups]


def _alone(source: Source, bits: int, bits_type: str) -> Scan:
    surely = f"case when coalesce({source.match.surely}, false) then {bits} else 0 end::{bits_type}"
    return Scan(
        source.relation,
        source.match.expressions(),
        source.match.possibly,
        Fragment(f"{bits}::{bits_type}"),
        Fragment(surely if source.match.has_unknown else f"{bits}::{bits_type}"),
    )


def _together(group: Sequence[_Member], bits: Mapping[int, int], bits_type: str) -> Scan:
    """Definitions that may find the same event: each is asked of it."""

    def asked(answer: str) -> Fragment:
        parts = (
            f"case when coalesce({getattr(source.match, answer)}, false) then {bits[number]} else 0 end"
            for _, source, number in group
        )
        return Fragment(f"({' | '.join(parts)})::{bits_type}")

    either = " or ".join(f"({source.match.possibly})" for _, source, _ in group)
    return Scan(
        LAKE,
        [each for _, source, _ in group for each in source.match.expressions()],
        Fragment(f"({either})"),
        asked("possibly"),
        asked("surely"),
    )


def _are_places(group: Sequence[_Member], narrowed: frozenset[int]) -> bool:
    """Whether nothing but one selector each, over the same ids, tells these definitions apart."""
    first = group[0]
    return narrowed.isdisjoint(number for _, _, number in group) and all(
        _is_place(definition, source)
        and types_of(definition) == types_of(first[0])
        and source.match.selectors[0].compiled.grain == first[1].match.selectors[0].compiled.grain
        for definition, source, _ in group
    )


def _is_place(definition: Definition, source: Source) -> bool:
    if len(definition.alternatives) != 1 or len(source.match.selectors) != 1:
        return False
    [alternative] = definition.alternatives
    said = Alternative(
        types=alternative.types,
        selector=alternative.selector,
        target_only=alternative.target_only,
        pierce=alternative.pierce,
    )
    return alternative == said and alternative.interval == Interval()


def _of_places(group: Sequence[_Member], bits: Mapping[int, int]) -> Scan:
    """Selectors are sets of places: one join finds the events of all of them."""
    [first, *_] = group
    selectors = [source.match.selectors[0] for _, source, _ in group]
    types = sorted(types_of(first[0]) or ())
    # The values of the first one name the types.
    names = [
        f"${name}"
        for name, value in first[1].match.parameters.items()
        if isinstance(value, str) and value in types
    ]
    condition = f"e.type in ({', '.join(names)})" if types else "true"
    return Scan(
        LAKE,
        [],
        Fragment(condition),
        Fragment("places.possibly"),
        Fragment("places.surely"),
        [
            (Fragment(each.relation), bits[number])
            for each, (_, _, number) in zip(selectors, group, strict=True)
        ],
        Fragment(selectors[0].compiled.grain.of_event),
    )
