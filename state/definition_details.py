"""What is said about a definition beside its meaning: owner, tags, note, and whether it is archived. Rows only grow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from expost.clock import Clock

from .audit import NOBODY, Actor, note
from .database import State
from .definitions import find_definition
from .names import name_key
from .schema import DEFINITION_DETAILS as TABLE


@dataclass(frozen=True, slots=True)
class Details:
    """What was said last of each. An archived definition is not listed; questions that name it are still answered."""

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


def details(state: State, site: str) -> dict[str, Details]:
    """The details of every definition of a site that has any, by its name as names are compared."""
    query = select(TABLE).where(TABLE.c.site == site).order_by(TABLE.c.id)
    found: dict[str, dict[str, Any]] = {}
    with state.reading() as connection:
        for row in connection.execute(query):
            found.setdefault(row.key, {})[row.detail] = json.loads(row.value)
    return {key: details_of(values) for key, values in found.items()}


def details_of(values: Mapping[str, Any]) -> Details:
    """Details from what JSON holds; what is not said is as in a definition of which nothing was said."""
    return Details(
        owner=values.get("owner", ""),
        tags=tuple(values.get("tags", ())),
        note=values.get("note", ""),
        archived=values.get("archived", False),
    )


def detail_history(state: State, site: str, name: str) -> list[DetailChange]:
    """Every change of the details of one definition, the oldest first."""
    query = select(TABLE).where(TABLE.c.site == site, TABLE.c.key == name_key(name)).order_by(TABLE.c.id)
    with state.reading() as connection:
        return [
            DetailChange(row.detail, json.loads(row.value), row.author, row.recorded_at)
            for row in connection.execute(query)
        ]


def describe(
    state: State, site: str, name: str, wanted: Details, *, clock: Clock, by: Actor = NOBODY
) -> Details:
    """Set the details of a definition that exists; what is as it was adds no row."""
    called = find_definition(state, site, name).name
    with state.writing() as connection:
        set_details(connection, site, called, wanted, now=clock(), by=by)
    return wanted


def set_details(
    connection: Connection, site: str, name: str, wanted: Details, *, now: int, by: Actor
) -> None:
    """The same inside a transaction of the caller's."""
    key = name_key(name)
    query = select(TABLE).where(TABLE.c.site == site, TABLE.c.key == key).order_by(TABLE.c.id)
    before = details_of({row.detail: json.loads(row.value) for row in connection.execute(query)}).to_json()
    for detail, value in wanted.to_json().items():
        if value == before[detail]:
            continue
        row = {"site": site, "key": key, "detail": detail, "value": json.dumps(value, ensure_ascii=False)}
        connection.execute(insert(TABLE).values(row | {"author": by.who, "recorded_at": now}))
        action = {"archived": "definition archived" if value else "definition taken back from the archive"}
        note(connection, now, by, action.get(detail, f"definition's {detail} set"), name, f"on {site}")
