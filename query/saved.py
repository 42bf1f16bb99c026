"""Saved definitions as questions need them: read, checked before they are saved, and in force at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import duckdb

from expost.clock import from_micros
from expost.errors import InvalidInput, UnknownDefinition, UnknownVersion
from expost.state import definitions as saved
from expost.state.database import State
from expost.state.definitions import SavedDefinition
from expost.state.names import checked_name, name_key

from .activity import ACTIVITY
from .condition import compile_definition
from .definition import Definition, in_force_of
from .interval import Interval
from .reading import check_patterns
from .selector_sql import ENGINE_VERSION

VIEWS = ("events", "elements", "placements", "people", "losses", "rejected")
"""What SQL finds under these names; a definition is a view of its own name beside them."""

PINNED = re.compile(r"(.+)@([0-9]{1,9})", re.DOTALL)


def definition_of(kept: SavedDefinition) -> Definition:
    """One version as it was saved."""
    found = Definition.from_json({"name": kept.name, "version": kept.version, **kept.body})
    interval = Interval(kept.valid_from, kept.valid_until)
    return replace(found, interval=interval, renamed_from=kept.renamed_from)


def in_force_at(state: State, site: str, name: str, version: int | None = None) -> Definition:
    """What a question means by a name: at each time the version in force.

    A pinned version, given or written behind the name (`Signed up@2`), gives the definition as it was when that version
    was its latest: later ones do not count. "Any activity" is there without being saved, as version 0.
    """
    if version is None:
        name, version = pin_of(state, site, name)
    built_in = find_built_in(state, site, name, version)
    if built_in is not None:
        return built_in
    if version is not None:
        saved.find_definition(state, site, name, version)
    history = saved.definition_history(state, site, name)
    return whole_of([each for each in history if version is None or each.version <= version])


def find_built_in(state: State, site: str, name: str, version: int | None = None) -> Definition | None:
    """The definition that is there without being saved, if a name and version mean it.

    One that is saved under its name comes before it, unless version 0 is meant.
    """
    if name_key(name) != name_key(ACTIVITY.name):
        return None
    if version != ACTIVITY.version and _versions(state, site, name):
        return None
    if version not in (None, ACTIVITY.version):
        raise UnknownVersion("definition", ACTIVITY.name, version, [0])
    return ACTIVITY


def pin_of(state: State, site: str, named: str) -> tuple[str, int | None]:
    """The name that is meant, and the version that is pinned behind it (`Signed up@2`), if one is."""
    pinned = PINNED.fullmatch(named)
    if pinned is None:
        return named, None
    name, version = pinned[1], int(pinned[2])
    # Folders of before may have a name that ends so: it is read as it stands where no such version is.
    is_name = version not in _versions(state, site, name) and _versions(state, site, named)
    return (named, None) if is_name else (name, version)


def whole_of(history: list[SavedDefinition]) -> Definition:
    """The definition with these versions, the oldest first, as questions mean it."""
    over = frozenset(each.version for each in history if each.starts_over)
    return in_force_of([definition_of(each) for each in history], over)


def check_definition(definition: Definition) -> None:
    """Refuse what no question could ask: a selector, an expression, a glob or a name that cannot be."""
    checked_name(definition.name, "definition")
    if name_key(definition.name) in VIEWS:
        raise InvalidInput(
            f"A definition cannot be called {definition.name!r}: SQL has a view of that name.",
            hint=f"Definitions are SQL views too, beside {', '.join(VIEWS)}. "
            f"Take another name, such as {definition.name + ' of interest'!r}.",
        )
    compile_definition(definition, "m1")
    with duckdb.connect() as connection:
        check_patterns(connection, definition)


def version_json(kept: SavedDefinition) -> dict[str, Any]:
    """One version with its author and time, in words of JSON."""
    definition = definition_of(kept)
    return definition.to_json() | {
        "engine": kept.engine,
        "author": kept.author,
        "created_at": said_at(kept.created_at),
        "meaning": str(definition),
    }


def built_in_json(built_in: Definition) -> dict[str, Any]:
    """The same of a definition that nobody saved: its one version, of no author and no time."""
    return built_in.to_json() | {
        "engine": ENGINE_VERSION,
        "author": "",
        "created_at": None,
        "meaning": str(built_in),
        "built_in": True,
    }


def said_at(micros: int) -> str:
    """An instant in ISO 8601, in UTC."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def _versions(state: State, site: str, name: str) -> set[int]:
    try:
        return {each.version for each in saved.definition_history(state, site, name)}
    except UnknownDefinition:
        return set()
