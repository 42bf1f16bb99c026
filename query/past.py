"""The matches of one definition as a whole: how many events of how many people, and from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from .condition import EVENTS, CompiledDefinition, compile_definition
from .definition import Definition
from .facts import FACTS, REST, Facts, are_enough, facts_asked
from .held_rows import held_of_files
from .matched import Matched, bounding, tallied
from .moments import Owners
from .reading import Reading, Row
from .statement import Fragment, render

PREFIX = "m1"
IDENTITIES = "select files from lake.snapshot where table_name = 'identities'"
OWNERS = "select device_id, person_id, are_several from lake.people_of_devices"
DEVICES_BESIDE = """
select distinct verdict, device_id from matched where own_user_id is null and device_id is not null"""
EVENT_COLUMNS = ("type", "label", "text", "path", "element_id", "placement_id")


@dataclass(frozen=True, slots=True)
class Past:
    """What a definition has found. `first` and `last` are instants in microseconds, None where nothing matched."""

    matched: Matched
    events: int
    people: int
    first: int | None
    last: int | None


def find_past(reading: Reading, definition: Definition, facts: Facts | None = None) -> Past:
    """Count the matches, in the range of the question, and leave them in the relations that `past.sql` names.

    That has no order and no persons, and so costs a fraction of what `match` does; with `facts`, where these
    suffice, a fraction of that.
    """
    compiled = compile_definition(definition, PREFIX)
    match = reading.elements(compiled)
    values = compiled.parameters
    bounds = (reading.start, reading.end) if reading.has_range else None
    values |= bounding(bounds)
    if reading.chosen is not None:
        # Whose an event is decides whether it counts, and facts do not know it.
        source = reading.source(definition, match, PREFIX, EVENT_COLUMNS)
        rows = reading.run(
            "past_chosen.sql",
            values,
            match=source.match,
            source=source.relation,
            has_bounds=bounds is not None,
            chosen=reading.chosen,
        )
        return _past(reading, definition, compiled, rows)
    reading.run("past_owners.sql", {})
    if facts is not None and bounds is None and are_enough(definition):
        _find_by_facts(reading, definition, match, facts)
    else:
        source = reading.source(definition, match, PREFIX, EVENT_COLUMNS)
        reading.execute(_statement(source.match, source.relation, has_bounds=bounds is not None), values)
    [(ties,)] = reading.run("past_logins.sql", {})
    rows = reading.run("past_people.sql", values if ties else {}, match=match, has_ties=ties > 0)
    return _past(reading, definition, compiled, rows)


def _past(
    reading: Reading, definition: Definition, compiled: CompiledDefinition, rows: Sequence[Row]
) -> Past:
    """What was found, from rows of (is_sure, why it is left out, events, people, first, last)."""
    counted = [row for row in rows if row[0] and row[1] is None]
    _, _, events, people, first, last = counted[0] if counted else (True, None, 0, 0, None, None)
    matched = tallied(reading, [definition], [compiled], [(1, *row[:4]) for row in rows])
    return Past(matched, events, people, first, last)


def _statement(match: CompiledDefinition, source: Fragment, *, has_bounds: bool = False) -> str:
    return render("past.sql", match=match, source=source, has_bounds=has_bounds)


def _find_by_facts(reading: Reading, definition: Definition, match: CompiledDefinition, facts: Facts) -> None:
    reading.say(_statement(match, EVENTS), match.parameters)
    strings = _show_strings(reading, definition, facts)
    told = compile_definition(definition, PREFIX, FACTS, strings).over_elements()
    reading.quietly(render("past_facts.sql", match=told), match.parameters)
    if facts.has_rest:
        rest = compile_definition(definition, PREFIX, REST).over_elements()
        reading.quietly(_statement(rest, REST), match.parameters)
    _count_moments(reading, facts)
    reading.quietly(render("past_joined.sql", has_rest=facts.has_rest), {})


def _show_strings(reading: Reading, definition: Definition, facts: Facts) -> dict[str, Fragment]:
    """Relations of the different strings that the definition has to look through: files hold few, and each once."""
    shown = {}
    for column in sorted({"label", "text", "host", "path"} & set(facts_asked(definition.alternatives))):
        strings = held_of_files(reading, ("strings", column, facts.files), partial(facts.strings_of, column))
        shown[column] = Fragment(f"strings_of_{column}")
        facts.show(shown[column], pa.table({column: strings}))
    return shown


def _count_moments(reading: Reading, facts: Facts) -> None:
    """Make what `past_joined.sql` puts together, from the facts that were found and the events beside them."""
    counts = facts.count_moments("found_facts", _owners(reading))
    if facts.has_rest:
        beside = reading.relation(DEVICES_BESIDE, {}).to_arrow_table()
        verdicts, devices = (beside[name].to_numpy() for name in ("verdict", "device_id"))
        for verdict in set(verdicts.tolist()):
            counts.add_devices(verdict, devices[verdicts == verdict])
    strangers, persons = counts.people()
    found = {"totals": counts.totals(), "quarters": counts.quarters(), "moments": counts.moments(),
             "own_users": counts.own_users(), "strangers": strangers, "persons": persons}  # fmt: skip
    for name, table in found.items():
        facts.show(f"{name}_of_facts", table)


def _owners(reading: Reading) -> Owners:
    """Whose devices are, which stays as it is until there are other identity edges."""
    [(files,)] = reading.connection.execute(IDENTITIES).fetchall()

    def find() -> Owners:
        rows = reading.relation(OWNERS, {}).to_arrow_table()
        devices, persons = (rows[name].to_numpy() for name in ("device_id", "person_id"))
        order = np.argsort(devices)
        are_several = rows["are_several"].to_numpy()
        return Owners(devices[order], persons[order], are_several[order])

    return held_of_files(reading, ("owners", tuple(files)), find)
