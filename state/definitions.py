"""Definitions as they were saved: versions of a JSON body under a name. What a body means is known to `query`."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from expost.clock import Clock
from expost.errors import UnknownDefinition

from .database import State
from .schema import DEFINITIONS
from .sites import find_site


@dataclass(frozen=True, slots=True)
class SavedDefinition:
    """One version of a definition; it never changes. `engine` is the version of the selector engine at that time."""

    site: str
    name: str
    version: int
    body: Mapping[str, Any]
    engine: int
    author: str
    created_at: int


def definition_key(name: str) -> str:
    """What names are compared by: equal for names that a reader would take for the same.

    >>> definition_key("Signed  up") == definition_key("ＳＩＧＮＥＤ up ")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def save_definition(
    state: State,
    site: str,
    name: str,
    body: Mapping[str, Any],
    *,
    engine: int,
    clock: Clock,
    author: str = "",
) -> SavedDefinition:
    """The version of `name` that has this body: the latest one if it is the same, else a new one after it."""
    find_site(state, site)
    with state.writing() as connection:
        latest = _latest(connection, site, name)
        if latest is not None and latest.body == body:
            return latest
        values = {
            "site": site,
            "key": definition_key(name),
            "name": name,
            "version": latest.version + 1 if latest else 1,
            "body": json.dumps(body, ensure_ascii=False, sort_keys=True),
            "engine": engine,
            "author": author,
            "created_at": clock(),
        }
        connection.execute(insert(DEFINITIONS).values(values))
        saved = _latest(connection, site, name)
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


def definition_history(state: State, site: str, name: str) -> list[SavedDefinition]:
    """Every version of a definition, the oldest first."""
    query = (
        select(DEFINITIONS)
        .where(DEFINITIONS.c.site == site, DEFINITIONS.c.key == definition_key(name))
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


def _latest(connection: Connection, site: str, name: str) -> SavedDefinition | None:
    query = (
        select(DEFINITIONS)
        .where(DEFINITIONS.c.site == site, DEFINITIONS.c.key == definition_key(name))
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
    )
