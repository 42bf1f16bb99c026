"""The values of a breakdown at the entries that a pass over arrays shows, by the portable SQL over these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from .breakdown import ByValue
from .grouping import GroupKey, make_groups
from .latest_start import Numbers, OrderedRows, Rules, role_bits
from .matched import Searched
from .reading import Reading
from .row_order import changes
from .statement import Fragment, render
from .unit import PERSON

OF_ENTRIES = Fragment("(m.person_id, epoch_us(m.time)) in (select unit_id, moment from shown_entries)")
GROUPS = "select distinct kind, value from valued order by kind, value"
LET_GO = """\
drop table matched; drop view entered; drop table entry_places; drop table shown_entries; drop table valued"""
VALUED = """\
select valued.unit_id, groups.place
from valued
join _groups as groups on groups.kind = valued.kind and groups.value is not distinct from valued.value
order by valued.unit_id"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Events with which attempts begin: `number` counts those of one unit and moment with which one might, in order."""

    unit: Numbers
    moment: Numbers
    number: Numbers


def entries_of(units: Numbers, rows: OrderedRows, start: Numbers, rules: Rules) -> Entry:
    """The events of these rows; `units` are those of the rows."""
    may_begin = (rows.roles & role_bits(rules.entries)) != 0
    before = np.cumsum(may_begin) - may_begin
    is_new = changes(rows.unit) | changes(rows.moment)
    first = np.maximum.accumulate(np.where(is_new, np.arange(len(rows)), 0))
    return Entry(units[rows.unit[start]], rows.moment[start], before[start] - before[first[start]])


@dataclass(frozen=True, slots=True)
class EntryValues:
    """The group of each unit with an entry: a place in `keys`. `unit` is in order."""

    keys: tuple[GroupKey, ...]
    unit: Numbers
    place: Numbers

    def places_of(self, units: Numbers) -> Numbers:
        """The place of the group of each of these units."""
        found: Numbers = self.place[np.searchsorted(self.unit, units)]
        return found


def values_at(
    reading: Reading, searched: Searched, by: ByValue, entries: Sequence[Entry], rules: Rules
) -> EntryValues:
    """The groups of the units that enter so; of this the answer says nothing."""
    whole = Entry(*(
        np.concatenate([np.empty(0, np.int64), *(getattr(each, name) for each in entries)])
        for name in ("unit", "moment", "number")
    ))  # fmt: skip
    few = replace(reading, sql=[], used={})
    columns = {"unit_id": whole.unit, "moment": whole.moment, "number": whole.number}
    reading.connection.register("_entries", pa.table(columns))
    few.quietly(render("shown_entries.sql"), {})
    reading.connection.unregister("_entries")
    few.quietly(_matched_text(searched, rules), searched.values)
    few.quietly(render("entered_shown.sql"), {})
    make_groups(few, dict(searched.values), by, PERSON)
    keys: list[GroupKey] = few.quietly(GROUPS, {}).fetchall()
    kinds, named = zip(*keys, strict=True) if keys else ((), ())
    groups = {"kind": pa.array(kinds, pa.string()), "value": pa.array(named, pa.string())}
    reading.connection.register("_groups", pa.table({**groups, "place": np.arange(len(keys))}))
    found = few.relation(VALUED, {}).to_arrow_table()
    reading.connection.unregister("_groups")
    few.quietly(LET_GO, {})
    return EntryValues(tuple(keys), found["unit_id"].to_numpy(), found["place"].to_numpy())


def is_said(reading: Reading, searched: Searched) -> bool:
    """Whether any of the events that are searched for says the value by which an answer is split."""
    structure = {name: searched.structure[name] for name in ("value", "has_bounds")}
    return any(
        reading.relation(render("has_value.sql", source=source, **structure), searched.values).fetchall()[0][
            0
        ]
        for source in searched.sources
    )


def _matched_text(searched: Searched, rules: Rules) -> str:
    """The statement of the whole, asked of what might begin an attempt at the moments of entries."""
    roles = [(step, number) for step, number in searched.roles if step in rules.entries]
    numbers = sorted({number for _, number in roles})
    structure = searched.structure | {
        "sources": [searched.sources[number - 1] for number in numbers],
        "roles": [(step, numbers.index(number) + 1) for step, number in roles],
        "chosen": OF_ENTRIES,
    }
    # The pass over arrays has made the relations that say whose devices are.
    return render("matched.sql", has_ties=True, has_owners=True, **structure)
