"""Ties: how many events of a question share their moment with another one of the same unit.

Page and number order those. By arrays, from the rows that the question gathers, or else from the relations it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import funnel_arrays, funnel_results, retention_arrays, retention_counts
from .breakdown import Flag
from .definition import Definition
from .event_rows import EventRows, joined
from .facts import facts_when_needed
from .funnel import Funnel
from .gathering import by_arrays_or_none, gathered, room_of
from .latest_start import Marks
from .matched import search
from .ordering import Ordering
from .person_map import person_map
from .question import Question
from .reading import Reading
from .retention import Retention
from .row_order import changes

TIES = """\
select cast(coalesce(sum(events), 0) as bigint) as events, count(distinct unit_id) as units
from (
    select unit_id, moment, count(distinct position) as events
    from {relation}
    group by unit_id, moment
    having count(distinct position) > 1
) as ties;"""
SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd number whose bits are mixed: persons and moments that differ hardly ever give the same product and sum."""


@dataclass(frozen=True, slots=True)
class Ties:
    """So many events share their moment with another one of the same unit, of so many units."""

    events: int
    units: int


def ties_by_arrays(reading: Reading, question: Question) -> Ties | None:
    """The ties of a funnel or a retention; None where the portable SQL has to tell. The answer says nothing of it."""
    said, used = len(reading.sql), dict(reading.used)
    try:
        if isinstance(question, Funnel):
            if not funnel_arrays.is_for_arrays(question):
                return None
            asked = funnel_results.asked_of(reading, question)
            return by_arrays_or_none(
                reading, lambda: _counted(reading, asked.definitions, asked.flag, asked.match)
            )
        assert isinstance(question, Retention)
        if not retention_arrays.is_for_arrays(question):
            return None
        kept = retention_counts.asked_of(reading, question)
        return by_arrays_or_none(reading, lambda: _counted(reading, kept.steps, kept.flag, kept.match))
    finally:
        del reading.sql[said:]
        reading.used = used


def ties_in_relations(reading: Reading, question: Question) -> Ties:
    """The same, of what the portable SQL has left of the question."""
    [(events, units)] = reading.execute(_text(question), {})
    return Ties(events, units)


def say_ties(reading: Reading, question: Question) -> None:
    """Let the answer say how the portable SQL counts them."""
    reading.say(_text(question), {})


def _text(question: Question) -> str:
    if not isinstance(question, Retention):
        return TIES.format(relation="counted")
    unit = "person_id" if question.unit.kind == "person" else "unit_id"
    counts = f"where is_sure and left_out is null and {unit} is not null"
    return TIES.format(
        relation=f"(select {unit} as unit_id, moment, position from matched {counts}) as counted"
    )


def _counted(
    reading: Reading, steps: Sequence[Definition], flag: Flag | None, asked: Mapping[str, Any]
) -> Ties:
    searched = search(reading, steps, has_flag=flag is not None, keeps_apart=True, **asked)
    persons = person_map(reading)
    with facts_when_needed(reading.connection, reading.summaries) as find_facts:
        lake, room = Ordering(reading, searched, None, persons, find_facts), room_of(reading)
        with gathered(reading, searched, persons, find_facts, room) as found:
            shared = joined([_sharing(joined(each.rows)) for each in lake.portions(found, room)])
        if not len(shared):
            return Ties(0, 0)
        # One event may be several rows, one for each of its definitions: those of these moments are read again.
        again = lake.read_again(np.unique(shared.moment), np.unique(shared.person), by_flag=False)
    rows = again.counted.rows
    begins = np.flatnonzero(changes(rows.person) | changes(rows.moment))
    many = np.diff(np.append(begins, len(rows)))
    is_tied = many > 1
    return Ties(int(many[is_tied].sum()), len(np.unique(rows.person[begins[is_tied]])))


def _sharing(rows: EventRows) -> EventRows:
    """The rows that share their person and moment with another row, and maybe a few more."""
    mixed = rows.person.astype(np.uint64) * SPREAD + rows.moment.astype(np.uint64)
    order = np.argsort(mixed)
    is_same = ~changes(mixed[order])
    is_shared: Marks = is_same.copy()
    is_shared[:-1] |= is_same[1:]
    return rows.where(order[is_shared])
