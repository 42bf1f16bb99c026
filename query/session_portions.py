"""The events of a question of sessions in portions: all those of some sessions, then all those of others.

What is asked of each session alone adds up, so memory holds the events of one portion and not those of the lake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .definition import Definition
from .matched import Matched, Searched, prepare_units, search, tallied
from .reading import Reading, Row
from .session_moments import turns
from .statement import render
from .unit import Unit

UNFINISHED = "select session_id from session_moments where unclear > 0"
"""The sessions with events that a later turn finds."""
START = """\
create or replace temp table unfinished as select * from matched limit 0"""
SET_ASIDE = f"""\
insert into unfinished select * from matched where unit_id in ({UNFINISHED});
delete from matched where unit_id in ({UNFINISHED})"""
TAKE_BACK = """\
insert into matched select * from unfinished;
delete from unfinished"""
EVENTS = "select step, is_sure, left_out, count(*) from matched group by step, is_sure, left_out"
PEOPLE = """\
insert into left_out_people
select distinct step, left_out, person_id from matched where left_out is not null and is_sure"""
MADE_PEOPLE = """\
create or replace temp table left_out_people (step bigint, left_out varchar, person_id bigint)"""
COUNTED_PEOPLE = """\
select step, left_out, count(distinct person_id) from left_out_people group by step, left_out"""
LET_GO = "\n".join(f"drop table if exists {name};" for name in ("matched", "unfinished", "left_out_people"))


def match_in_portions(
    reading: Reading, steps: Sequence[Definition], add: Callable[[], None], *, unit: Unit, **asked: Any
) -> Matched:
    """Call `add` each time that the relation `matched` holds all events of some sessions, which are in no other one.

    `unit` is a session, and `asked` what else `match` would be asked for; the answer says that `matched` was made as a
    whole. In the end there is no such relation.
    """
    prepare_units(reading, unit, asked.get("bounds"), is_quoted=True)
    searched = search(reading, steps, unit=unit, **asked)
    reading.quote("matched.sql", searched.values, has_ties=False, **searched.structure)
    reading.quote("tally.sql", {})
    reading.quietly(MADE_PEOPLE, {})
    tally = _Tally(reading)
    for _ in _portions(reading, searched, unit):
        tally.add()
        add()
    rows = tally.rows()
    reading.quietly(LET_GO, {})
    return tallied(reading, steps, searched.compiled, rows)


def _portions(reading: Reading, searched: Searched, unit: Unit) -> Iterator[None]:
    """Each time `matched` holds whole sessions; those with events that are still unclear wait in `unfinished`."""
    structure = {"has_ties": False, **searched.structure}
    is_added = has_begun = False
    for turn in turns(reading, searched.sources, searched.values, unit.gap):
        reading.go_on()
        text = render("matched.sql", **{**structure, "turn": turn, "is_added": is_added})
        reading.quietly(text, {**searched.values, **turn.values})
        is_added = turn.goes_on
        if not has_begun:
            reading.quietly(START, {})
            has_begun = True
        if not turn.goes_on:
            reading.quietly(SET_ASIDE if turn.leaves_some else TAKE_BACK, {})
            yield


@dataclass
class _Tally:
    """Adds up what tally.sql says of each portion. A person may be in several of them."""

    reading: Reading
    events: Counter[tuple[int, bool, str | None]] = field(default_factory=Counter)

    def add(self) -> None:
        """Count what is in `matched` now."""
        for step, is_sure, reason, events in self.reading.quietly(EVENTS, {}).fetchall():
            self.events[step, is_sure, reason] += events
        self.reading.quietly(PEOPLE, {})

    def rows(self) -> list[Row]:
        """The rows of tally.sql, without people where they decide nothing."""
        found = self.reading.quietly(COUNTED_PEOPLE, {}).fetchall()
        people = {(step, reason): many for step, reason, many in found}
        return [
            (step, is_sure, reason, events, people.get((step, reason), 0) if is_sure else 0)
            for (step, is_sure, reason), events in sorted(self.events.items(), key=_in_order)
        ]


def _in_order(item: tuple[tuple[int, bool, str | None], int]) -> tuple[int, bool, bool, str]:
    (step, is_sure, reason), _ = item
    return step, is_sure, reason is None, reason or ""
