"""The shelf of cohorts. What a body means is known to `query`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, select, update

from expost.clock import Clock
from expost.errors import UnknownCohort

from . import shelf
from .audit import NOBODY, Actor, note
from .database import State
from .names import name_key
from .schema import COHORTS
from .shelf import Draft, Kept, Shelf

SHELF = Shelf("cohort", COHORTS, UnknownCohort)


def save_cohort(
    state: State, site: str, name: str, body: Mapping[str, Any], *, clock: Clock, by: Actor = NOBODY
) -> Kept:
    """The version of `name` that says the same: the latest one if it does, else a new one after it."""
    return shelf.save(state, SHELF, site, Draft(name, body), clock=clock, by=by)


def cohorts(state: State, site: str) -> list[Kept]:
    """The latest version of every cohort of a site, by name."""
    return shelf.newest(state, SHELF, site)


def find_cohort(state: State, site: str, name: str) -> Kept:
    """The latest version of a cohort."""
    return shelf.find(state, SHELF, site, name)


def remove_cohort(state: State, site: str, name: str, *, clock: Clock, by: Actor = NOBODY) -> Kept:
    """Forget a cohort with all its versions; gives the latest of them."""
    found = find_cohort(state, site, name)
    with state.writing() as connection:
        connection.execute(delete(COHORTS).where(COHORTS.c.site == site, COHORTS.c.key == name_key(name)))
        note(connection, clock(), by, "cohort removed", found.name, f"on {site}")
    return found


LISTS = ("users", "devices")


def forget_listed(state: State, ids: Collection[int]) -> int:
    """Take these ids out of the lists of all versions of all cohorts; how many versions had one.

    A version never changes its meaning, but who was erased is named nowhere any more.
    """
    gone = set(map(str, ids))
    changed = 0
    with state.writing() as connection:
        for id_, text in connection.execute(select(COHORTS.c.id, COHORTS.c.body)).all():
            body = json.loads(text)
            kept = {name: [each for each in body[name] if each not in gone] for name in LISTS if name in body}
            if any(len(kept[name]) < len(body[name]) for name in kept):
                anew = json.dumps(body | kept, ensure_ascii=False, sort_keys=True)
                connection.execute(update(COHORTS).where(COHORTS.c.id == id_).values(body=anew))
                changed += 1
    return changed
