"""The matches of one definition as a whole: how many events of how many people, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass

from .condition import EVENTS, CompiledDefinition, compile_definition
from .definition import Definition
from .facts import FACTS, REST, Facts, are_enough
from .matched import Matched, bounding, tallied
from .reading import Reading
from .statement import Fragment, render

PREFIX = "m1"
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
    reading.run("past_owners.sql", {})
    if facts is not None and not reading.has_range and are_enough(definition):
        _find_by_facts(reading, definition, match, facts)
    else:
        bounds = (reading.start, reading.end) if reading.has_range else None
        values |= bounding(bounds)
        source = reading.source(definition, match, PREFIX, EVENT_COLUMNS)
        reading.execute(_statement(source.match, source.relation, has_bounds=bounds is not None), values)
    [(ties,)] = reading.run("past_logins.sql", {})
    rows = reading.run("past_people.sql", values if ties else {}, match=match, has_ties=ties > 0)
    counted = [row for row in rows if row[0] and row[1] is None]
    _, _, events, people, first, last = counted[0] if counted else (True, None, 0, 0, None, None)
    matched = tallied(reading, [definition], [compiled], [(1, *row[:4]) for row in rows])
    return Past(matched, events, people, first, last)


def _statement(match: CompiledDefinition, source: Fragment, *, has_bounds: bool = False) -> str:
    return render("past.sql", match=match, source=source, has_bounds=has_bounds)


def _find_by_facts(reading: Reading, definition: Definition, match: CompiledDefinition, facts: Facts) -> None:
    reading.say(_statement(match, EVENTS), match.parameters)
    told = compile_definition(definition, PREFIX, FACTS).over_elements()
    reading.quietly(render("past_facts.sql", match=told), match.parameters)
    several = reading.relation("select device_id from lake.people_of_devices where are_several", {})
    counts = facts.count_moments("found_facts", several.to_arrow_table().column(0).combine_chunks())
    told_of = {
        "totals": counts.totals(),
        "quarters": counts.quarters(),
        "found_on": counts.found_on(),
        "moments": counts.moments(),
    }
    for name, table in told_of.items():
        facts.show(f"{name}_of_facts", table)
    if facts.has_rest:
        rest = compile_definition(definition, PREFIX, REST).over_elements()
        reading.quietly(_statement(rest, REST), match.parameters)
    reading.quietly(render("past_joined.sql", has_rest=facts.has_rest), {})
