"""Cohorts as they were saved: versions of a JSON body under a name. What a body means is known to `query`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select

from expost.clock import Clock
from expost.errors import UnknownCohort

from .audit import NOBODY, Actor, note
from .database import State
from .names import name_key
from .schema import COHORTS


@dataclass(frozen=True, slots=True)
class SavedCohort:
    """One version of a cohort."""

    site: str
    name: str
    version: int
    body: Mapping[str, Any]
    author: str
    created_at: int


def save_cohort(
    state: State, site: str, name: str, body: Mapping[str, Any], *, clock: Clock, by: Actor = NOBODY
) -> SavedCohort:
    """The version of `name` that says the same: the latest one if it does, else a new one after it."""
    with state.writing() as connection:
        row = connection.execute(_versions(site, name).limit(1)).first()
        latest = None if row is None else _saved(row)
        if latest is not None and latest.body == body:
            return latest
        version = latest.version + 1 if latest else 1
        made = SavedCohort(site, name, version, dict(body), by.who, clock())
        connection.execute(
            insert(COHORTS).values(
                site=site,
                key=name_key(name),
                name=name,
                version=version,
                body=json.dumps(body, ensure_ascii=False, sort_keys=True),
                author=by.who,
                created_at=made.created_at,
            )
        )
        note(connection, made.created_at, by, "cohort saved", name, f"version {version} on {site}")
        return made


def cohorts(state: State, site: str) -> list[SavedCohort]:
    """The latest version of every cohort of a site, by name."""
    query = select(COHORTS).where(COHORTS.c.site == site).order_by(COHORTS.c.key, COHORTS.c.version)
    with state.reading() as connection:
        latest = {row.key: row for row in connection.execute(query)}
    return [_saved(row) for row in latest.values()]


def find_cohort(state: State, site: str, name: str) -> SavedCohort:
    """The latest version of a cohort."""
    with state.reading() as connection:
        row = connection.execute(_versions(site, name).limit(1)).first()
    if row is None:
        raise UnknownCohort(name, [each.name for each in cohorts(state, site)])
    return _saved(row)


def remove_cohort(state: State, site: str, name: str, *, clock: Clock, by: Actor = NOBODY) -> SavedCohort:
    """Forget a cohort with all its versions; gives the latest of them."""
    found = find_cohort(state, site, name)
    with state.writing() as connection:
        connection.execute(delete(COHORTS).where(COHORTS.c.site == site, COHORTS.c.key == name_key(name)))
        note(connection, clock(), by, "cohort removed", found.name, f"on {site}")
    return found


def _versions(site: str, name: str) -> Any:
    return (
        select(COHORTS)
        .where(COHORTS.c.site == site, COHORTS.c.key == name_key(name))
        .order_by(COHORTS.c.version.desc())
    )


def _saved(row: Row[Any]) -> SavedCohort:
    return SavedCohort(row.site, row.name, row.version, json.loads(row.body), row.author, row.created_at)
