"""Shelves: each keeps one kind of thing under names, in versions that never change; what a body means is not known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select

from expost.clock import Clock
from expost.errors import UnknownName, UnknownVersion

from .audit import NOBODY, Actor, note
from .database import State
from .names import checked_name, name_key
from .sites import find_site


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of thing, called `noun`: its tables, and the error of a name that it does not have.

    `more` are columns that its versions have beside the body; those in `meaning` make another version when they differ.
    `details` is where owner, tags, note and archive are kept, if they are.
    """

    noun: str
    versions: Table
    unknown: Callable[[str, Sequence[str]], UnknownName]
    details: Table | None = None
    more: tuple[str, ...] = ()
    meaning: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a thing; it never changes. `more` has the further columns of its shelf.

    `renamed_from` is said of a version that was saved just now: what all versions were shown as until then.
    """

    site: str
    name: str
    version: int
    body: Mapping[str, Any]
    author: str
    created_at: int
    more: Mapping[str, Any] = field(default_factory=dict)
    renamed_from: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is not saved yet. One that `is_another` becomes a version even if it says the same."""

    name: str
    body: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)
    is_another: bool = False


def save(state: State, shelf: Shelf, site: str, draft: Draft, *, clock: Clock, by: Actor = NOBODY) -> Kept:
    """The version that says the same: the latest one of that name if it does, else a new one after it."""
    find_site(state, site)
    with state.writing() as connection:
        return put(connection, shelf, site, draft, now=clock(), by=by)


def put(connection: Connection, shelf: Shelf, site: str, draft: Draft, *, now: int, by: Actor) -> Kept:
    """The same inside a transaction of the caller's."""
    name = checked_name(draft.name, shelf.noun)
    before = latest(connection, shelf, site, name)
    if before is not None and _says(shelf, before) == _says(shelf, draft) and not draft.is_another:
        return before
    version = before.version + 1 if before else 1
    values = {
        "site": site,
        "key": name_key(name),
        "name": name,
        "version": version,
        "body": json.dumps(draft.body, ensure_ascii=False, sort_keys=True),
        "author": by.who,
        "created_at": now,
    }
    connection.execute(insert(shelf.versions).values(values | dict(draft.more)))
    note(connection, now, by, f"{shelf.noun} saved", name, f"version {version} on {site}")
    made = latest(connection, shelf, site, name)
    assert made is not None
    is_renamed = before is not None and before.name != name
    return replace(made, renamed_from=before.name) if before and is_renamed else made


def latest(connection: Connection, shelf: Shelf, site: str, name: str) -> Kept | None:
    """The latest version of a name, if it has one."""
    row = connection.execute(
        _named(shelf, site, name).order_by(shelf.versions.c.version.desc()).limit(1)
    ).first()
    return None if row is None else _kept(shelf, row)


def newest(state: State, shelf: Shelf, site: str) -> list[Kept]:
    """The latest version of everything on the shelf, by name."""
    table = shelf.versions
    last = (
        select(table.c.key, func.max(table.c.version).label("version"))
        .where(table.c.site == site)
        .group_by(table.c.key)
        .subquery()
    )
    query = (
        select(table)
        .join(last, (table.c.key == last.c.key) & (table.c.version == last.c.version))
        .where(table.c.site == site)
        .order_by(table.c.key)
    )
    with state.reading() as connection:
        return [_kept(shelf, row) for row in connection.execute(query)]


def all_versions(state: State, shelf: Shelf, site: str) -> list[list[Kept]]:
    """Every version of everything on the shelf: by name, the oldest first."""
    table = shelf.versions
    query = select(table).where(table.c.site == site).order_by(table.c.key, table.c.version)
    with state.reading() as connection:
        rows = connection.execute(query).all()
    return [[_kept(shelf, row) for row in group] for _, group in groupby(rows, key=lambda row: row.key)]


def history(state: State, shelf: Shelf, site: str, name: str) -> list[Kept]:
    """Every version of one thing, the oldest first."""
    query = _named(shelf, site, name).order_by(shelf.versions.c.version)
    with state.reading() as connection:
        found = [_kept(shelf, row) for row in connection.execute(query)]
    if not found:
        raise shelf.unknown(name, [each.name for each in newest(state, shelf, site)])
    return found


def find(state: State, shelf: Shelf, site: str, name: str, version: int | None = None) -> Kept:
    """One version of one thing, the latest unless one is named."""
    versions = history(state, shelf, site, name)
    if version is None:
        return versions[-1]
    for each in versions:
        if each.version == version:
            return each
    raise UnknownVersion(shelf.noun, versions[-1].name, version, [each.version for each in versions])


def _named(shelf: Shelf, site: str, name: str) -> Any:
    table = shelf.versions
    return select(table).where(table.c.site == site, table.c.key == name_key(name))


def _kept(shelf: Shelf, row: Row[Any]) -> Kept:
    more = {name: getattr(row, name) for name in shelf.more}
    return Kept(row.site, row.name, row.version, json.loads(row.body), row.author, row.created_at, more)


def _says(shelf: Shelf, version: Kept | Draft) -> tuple[object, ...]:
    return version.body, *(version.more.get(name) for name in shelf.meaning)
