"""Notes on what is asked for and never comes: a misspelt name must not look like nothing that happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from .answer import UsedDefinition
from .breakdown import ByProperty, ByTrait, ByValue, Flag
from .condition import json_pointer
from .definition import Definition
from .event_column import column_name
from .event_type import NEVER_HEARD, WITHOUT_ELEMENT
from .property_match import PropertyMatch
from .reading import Reading
from .statement import identifier
from .unit import Unit

TYPES = "select distinct type from lake.events where site = $site order by type;"
NAMES = """\
select distinct name from lake.events
where site = $site and type = 'custom' and name is not null
order by name;"""
TRAITS = "select distinct name from lake.traits where site = $site order by name;"
GROUP_TYPES = "select distinct group_type from lake.groups where site = $site order by group_type;"
VALUES = "select count(*) as events, count(value) as valued from matched;"
HAS_PROPERTY = """\
select 1 from lake.events
where site = $site and contains(properties, $quoted) and json_exists(properties, $property)
limit 1;"""
PROPERTIES = """\
select distinct unnest(json_keys(properties)) as name
from (select properties from lake.events where site = $site and properties is not null limit 10000) as looked_at
order by name;"""
"""The names of properties, from so many events: what is listed helps a reader, and decides nothing."""
MOST_LISTED = 20
"""How many names a note lists."""


def unheard(steps: Sequence[Definition], found: Sequence[UsedDefinition]) -> list[str]:
    """Why a definition that found nothing never will: its types are not captured, or happen on no element."""
    empty = [each for each, used in zip(steps, found, strict=True) if not used.events + used.unknown]
    alternatives = [each for step in empty for each in step.alternatives]
    types = dict.fromkeys(kind for each in alternatives for kind in each.types if NEVER_HEARD.match(kind))
    bare = dict.fromkeys(
        kind for each in alternatives if each.selector for kind in each.types if kind in WITHOUT_ELEMENT
    )
    return [
        *(
            f"Pages never send events of the type {kind!r}: they would come without end, or key by key."
            for kind in types
        ),
        *(f"Events of the type {kind!r} have no element, so no selector matches one." for kind in bare),
    ]


def unseen(reading: Reading, steps: Sequence[Definition], found: Sequence[UsedDefinition]) -> list[str]:
    """What a definition that found nothing asks for and no event of the site has: a type, a name, a property."""
    empty = [each for each, used in zip(steps, found, strict=True) if not used.events + used.unknown]
    alternatives = [each for step in empty for each in step.alternatives]
    types = _in_order(kind for each in alternatives for kind in each.types if not NEVER_HEARD.match(kind))
    names = _in_order(each.event_name for each in alternatives if each.event_name is not None)
    conditions = [condition for each in alternatives for condition in each.properties]
    return [
        *_missing(reading, types, TYPES, "No event of the type {} has arrived", "known types"),
        *_missing(reading, names, NAMES, "No event is called {}", "known names"),
        *unseen_conditions(reading, conditions),
    ]


def unseen_conditions(reading: Reading, conditions: Sequence[PropertyMatch]) -> list[str]:
    """A note for each property, or value of a column, that is asked for and no event of the site has."""
    properties = _in_order(each.name for each in conditions if column_name(each.name) is None)
    return [*unseen_properties(reading, properties), *_unseen_columns(reading, conditions)]


def unseen_properties(reading: Reading, names: Sequence[str]) -> list[str]:
    """A note for each property that no event of the site has."""
    notes = []
    for name in names:
        # The text of the property's name is looked for first, which is fast and nearly always enough.
        values = {"quoted": json.dumps(name, ensure_ascii=False), "property": json_pointer(name)}
        if not reading.quietly(HAS_PROPERTY, values).fetchall():
            known = _names(reading, PROPERTIES)
            notes.append(f"No event has the property {name!r}; {_listed('known properties', known)}.")
    return notes


def _unseen_columns(reading: Reading, conditions: Iterable[PropertyMatch]) -> list[str]:
    """A note for each value of a column that no event of the site has."""
    asked = dict.fromkeys(
        (column_name(each.name), each.value) for each in conditions if each.operator == "is"
    )
    notes = []
    for column, value in asked:
        if column is None or not isinstance(value, str):
            continue
        known = _names(reading, _values_of(column))
        if value not in known:
            notes.append(f"No event has the {column.replace('_', ' ')} {value!r}; {_listed('known', known)}.")
    return notes


def _values_of(column: str) -> str:
    """The statement that lists what is in a column, of which `column_name` knows the name."""
    return (
        f"select distinct {identifier(column)} as value from lake.events\n"
        f"where site = $site and {identifier(column)} is not null order by value;"
    )


def unseen_where(
    steps: Sequence[Definition], found: Sequence[UsedDefinition], wheres: Mapping[int, Definition]
) -> list[str]:
    """A note for each step of which no event is like what narrows it."""
    return [
        f"No event of {steps[number - 1].name!r} has {str(where).removeprefix('anything and ')}."
        for number, where in sorted(wheres.items())
        if not found[number - 1].events + found[number - 1].unknown
    ]


def unseen_value(reading: Reading, by: ByValue | None) -> list[str]:
    """A note where no event that counts has what the answer is split by."""
    match by:
        case ByTrait(name):
            known = _names(reading, TRAITS)
            return (
                [] if name in known else [f"Nobody has the trait {name!r}; {_listed('known traits', known)}."]
            )
        case ByProperty(name):
            events, values = reading.quietly(VALUES, {}).fetchall()[0]
            return [] if values or not events else unsaid(reading, name)
        case _:
            return []


def unsaid(reading: Reading, name: str) -> list[str]:
    """A note that none of the events that were found has a property."""
    return unseen_properties(reading, [name]) or [f"None of these events has the property {name!r}."]


def unseen_group(reading: Reading, unit: Unit) -> list[str]:
    """A note where nobody belongs to a group of the type that is counted."""
    if unit.group_type is None or _names(reading, "select 1 from memberships limit 1;"):
        return []
    known = _listed("known types of groups", _names(reading, GROUP_TYPES))
    return [f"Nobody belongs to a group of the type {unit.group_type!r}; {known}."]


def _missing(reading: Reading, wanted: Sequence[str], select: str, says: str, what: str) -> list[str]:
    """A note for each of those wanted that the select does not find."""
    if not wanted:
        return []
    known = _names(reading, select)
    return [f"{says.format(repr(each))}; {_listed(what, known)}." for each in wanted if each not in known]


def _names(reading: Reading, select: str) -> list[str]:
    """The one column of a select, of which the answer need not say anything."""
    return [each for (each,) in reading.quietly(select, {}).fetchall()]


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def gaps(reading: Reading, steps: Sequence[Definition]) -> list[str]:
    """A note for each stretch of the range in which no version is valid: nothing matches there."""
    told = {
        f"No version of {step.name!r} is valid {gap}: events then match nothing."
        for step in steps
        for gap in step.gaps
        if gap.low < reading.end and gap.high > reading.start
    }
    return sorted(told)


def unseen_flag(reading: Reading, flag: Flag, *, is_seen: bool) -> list[str]:
    """A note where nobody was exposed to the flag: a misspelt name must not look like a flag without effect."""
    if is_seen:
        return []
    known = [name for (name,) in reading.execute(
        "select distinct flag from lake.events\n"
        "where site = $site and type = 'exposure' and flag is not null order by flag;", {},
    )]  # fmt: skip
    if flag.key not in known:
        return [f"No exposure names the flag {flag.key!r}; {_listed('known flags', known)}."]
    if flag.exposures_from is not None:
        return [f"Nobody was exposed to the flag {flag.key!r} at or after {flag.exposures_from.isoformat()}."]
    return [f"Every exposure to the flag {flag.key!r} is left out: bots, internal devices or environments."]


def unseen_environment(reading: Reading) -> list[str]:
    """A note where no event at all has an environment that counts."""
    counted = reading.counting.environments
    if not counted:
        return []
    known = [name for (name,) in reading.execute(
        "select distinct environment from lake.events where site = $site and environment is not null order by 1;", {},
    )]  # fmt: skip
    if not known or not set(counted).isdisjoint(known):
        return []
    named = " or ".join(map(repr, counted))
    return [f"No event has the environment {named}; {_listed('known environments', known)}."]


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_LISTED])) or "none"
    return f"{what}: {shown}{' and more' if len(names) > MOST_LISTED else ''}"
