"""What is said of a thing on a shelf beside its meaning: owner, tags, note, archive. Rows only grow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from expost.clock import Clock

from .audit import NOBODY, Actor, note
from .database import State
from .names import name_key
from .shelf import Shelf, find


@dataclass(frozen=True, slots=True)
class Details:
    """What was said last of each. What is archived is not listed; whoever names it is still answered."""

    owner: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"owner": self.owner, "tags": list(self.tags), "note": self.note, "archived": self.archived}


@dataclass(frozen=True, slots=True)
class DetailChange:
    """One of them as it was set, by whom and when."""

    detail: str
    value: Any
    author: str
    recorded_at: int


def details(state: State, shelf: Shelf, site: str) -> dict[str, Details]:
    """The details of everything on the shelf that has any, by its name as names are compared."""
    table = _table(shelf)
    query = select(table).where(table.c.site == site).order_by(table.c.id)
    found: dict[str, dict[str, Any]] = {}
    with state.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.key, {})[row.detail] = json.loads(row.value)
    return {key: details_of(values) for key, values in found.items()}


def details_of(values: Mapping[str, Any]) -> Details:
    """Details from what JSON holds; what is not said is as in a thing of which nothing was said."""
    return Details(
        owner=values.get("owner", ""),
        tags=tuple(values.get("tags", ())),
        note=values.get("note", ""),
        archived=values.get("archived", False),
    )


def find_details(state: State, shelf: Shelf, site: str, name: str) -> Details:
    """The details of one thing, which exists."""
    return details(state, shelf, site).get(name_key(find(state, shelf, site, name).name), Details())


def detail_history(state: State, shelf: Shelf, site: str, name: str) -> list[DetailChange]:
    """Every change of the details of one thing, the oldest first."""
    with state.reading() as connection:
        return [
            DetailChange(row.detail, json.loads(row.value), row.author, row.recorded_at)
            for row in connection.execute(_of(_table(shelf), site, name))
        ]


def describe(
    state: State, shelf: Shelf, site: str, name: str, wanted: Details, *, clock: Clock, by: Actor = NOBODY
) -> Details:
    """Set the details of a thing that exists; what is as it was adds no row."""
    called = find(state, shelf, site, name).name
    with state.writing() as connection:
        set_details(connection, shelf, site, called, wanted, now=clock(), by=by)
    return wanted


def describe_as(
    state: State,
    shelf: Shelf,
    site: str,
    name: str,
    given: Mapping[str, Any],
    *,
    clock: Clock,
    by: Actor = NOBODY,
) -> Details:
    """The details after those given are set; what is None stays as it is."""
    said = {detail: value for detail, value in given.items() if value is not None}
    wanted = details_of(find_details(state, shelf, site, name).to_json() | said)
    return describe(state, shelf, site, name, wanted, clock=clock, by=by)


def set_details(
    connection: Connection, shelf: Shelf, site: str, name: str, wanted: Details, *, now: int, by: Actor
) -> None:
    """The same inside a transaction of the caller's."""
    table, noun = _table(shelf), shelf.noun
    rows = connection.execute(_of(table, site, name))
    before = details_of({row.detail: json.loads(row.value) for row in rows}).to_json()
    for detail, value in wanted.to_json().items():
        if value == before[detail]:
            continue
        row = {"site": site, "key": name_key(name), "detail": detail, "author": by.who}
        said = {"value": json.dumps(value, ensure_ascii=False), "recorded_at": now}
        connection.execute(insert(table).values(row | said))
        action = {"archived": f"{noun} archived" if value else f"{noun} taken back from the archive"}
        note(connection, now, by, action.get(detail, f"{noun}'s {detail} set"), name, f"on {site}")


def _table(shelf: Shelf) -> Table:
    assert shelf.details is not None
    return shelf.details


def _of(table: Table, site: str, name: str) -> Any:
    return select(table).where(table.c.site == site, table.c.key == name_key(name)).order_by(table.c.id)
