"""Definitions as they were saved: versions of a JSON body under a name. What a body means is known to `query`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from expost.clock import Clock
from expost.errors import UnknownDefinition

from .audit import NOBODY, Actor, note
from .database import State
from .names import name_key
from .schema import DEFINITIONS
from .sites import find_site


@dataclass(frozen=True, slots=True)
class SavedDefinition:
    """One version of a definition; it never changes. `engine` is the version of the selector engine at that time.

    It is valid from `valid_from` on and before `valid_until`, in microseconds; None leaves that side open. Inside these
    it counts instead of the versions before it; with `starts_over` those count nowhere any more.
    """

    site: str
    name: str
    version: int
    body: Mapping[str, Any]
    engine: int
    author: str
    created_at: int
    valid_from: int | None = None
    valid_until: int | None = None
    starts_over: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is not saved yet."""

    name: str
    body: Mapping[str, Any]
    valid_from: int | None = None
    valid_until: int | None = None
    starts_over: bool = False


def save_definition(
    state: State,
    site: str,
    name: str,
    body: Mapping[str, Any],
    *,
    engine: int,
    clock: Clock,
    by: Actor = NOBODY,
    valid_from: int | None = None,
    valid_until: int | None = None,
) -> SavedDefinition:
    """The version of `name` that says the same: the latest one if it does, else a new one after it."""
    find_site(state, site)
    draft = Draft(name, body, valid_from, valid_until)
    with state.writing() as connection:
        return add_version(connection, site, draft, engine=engine, now=clock(), by=by)


def add_version(
    connection: Connection, site: str, draft: Draft, *, engine: int, now: int, by: Actor
) -> SavedDefinition:
    """The same for a draft, inside a transaction of the caller's."""
    latest = latest_version(connection, site, draft.name)
    if latest is not None and _says(latest) == _says(draft) and not draft.starts_over:
        return latest
    version = latest.version + 1 if latest else 1
    values = {
        "site": site,
        "key": name_key(draft.name),
        "name": draft.name,
        "version": version,
        "body": json.dumps(draft.body, ensure_ascii=False, sort_keys=True),
        "engine": engine,
        "author": by.who,
        "created_at": now,
        "valid_from": draft.valid_from,
        "valid_until": draft.valid_until,
        "starts_over": draft.starts_over,
    }
    connection.execute(insert(DEFINITIONS).values(values))
    note(connection, now, by, "definition saved", draft.name, f"version {version} on {site}")
    saved = latest_version(connection, site, draft.name)
    assert saved is not None
    return saved


def definitions(state: State, site: str) -> list[SavedDefinition]:
    """The latest version of every definition of a site, by name."""
    newest = (
        select(DEFINITIONS.c.key, func.max(DEFINITIONS.c.version).label("version"))
        .where(DEFINITIONS.c.site == site)
        .group_by(DEFINITIONS.c.key)
        .subquery()
    )
    query = (
        select(DEFINITIONS)
        .join(newest, (DEFINITIONS.c.key == newest.c.key) & (DEFINITIONS.c.version == newest.c.version))
        .where(DEFINITIONS.c.site == site)
        .order_by(DEFINITIONS.c.key)
    )
    with state.reading() as connection:
        return [_saved(row) for row in connection.execute(query)]


def all_versions(state: State, site: str) -> list[list[SavedDefinition]]:
    """Every version of every definition of a site: by name, the oldest first."""
    query = (
        select(DEFINITIONS)
        .where(DEFINITIONS.c.site == site)
        .order_by(DEFINITIONS.c.key, DEFINITIONS.c.version)
    )
    with state.reading() as connection:
        rows = connection.execute(query).all()
    return [[_saved(row) for row in group] for _, group in groupby(rows, key=lambda row: row.key)]


def definition_history(state: State, site: str, name: str) -> list[SavedDefinition]:
    """Every version of a definition, the oldest first."""
    query = (
        select(DEFINITIONS)
        .where(DEFINITIONS.c.site == site, DEFINITIONS.c.key == name_key(name))
        .order_by(DEFINITIONS.c.version)
    )
    with state.reading() as connection:
        found = [_saved(row) for row in connection.execute(query)]
    if not found:
        raise UnknownDefinition(name, [each.name for each in definitions(state, site)])
    return found


def find_definition(state: State, site: str, name: str, version: int | None = None) -> SavedDefinition:
    """One version of a definition, the latest unless one is named."""
    history = definition_history(state, site, name)
    if version is None:
        return history[-1]
    for each in history:
        if each.version == version:
            return each
    known = [f"{each.name} (version {each.version})" for each in history]
    raise UnknownDefinition(f"{name} (version {version})", known)


def latest_version(connection: Connection, site: str, name: str) -> SavedDefinition | None:
    """The latest version of a name, if it has one."""
    query = (
        select(DEFINITIONS)
        .where(DEFINITIONS.c.site == site, DEFINITIONS.c.key == name_key(name))
        .order_by(DEFINITIONS.c.version.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else _saved(row)


def _saved(row: Row[Any]) -> SavedDefinition:
    return SavedDefinition(
        site=row.site,
        name=row.name,
        version=row.version,
        body=json.loads(row.body),
        engine=row.engine,
        author=row.author,
        created_at=row.created_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        starts_over=row.starts_over,
    )


def _says(version: SavedDefinition | Draft) -> tuple[Mapping[str, Any], int | None, int | None]:
    return version.body, version.valid_from, version.valid_until
