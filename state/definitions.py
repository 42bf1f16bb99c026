"""The shelf of definitions. What a body means is known to `query`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expost.clock import Clock
from expost.errors import UnknownDefinition

from . import shelf
from .audit import NOBODY, Actor
from .database import State
from .schema import DEFINITION_DETAILS, DEFINITIONS
from .shelf import Draft, Kept, Shelf

SHELF = Shelf(
    "definition",
    DEFINITIONS,
    UnknownDefinition,
    DEFINITION_DETAILS,
    more=("engine", "valid_from", "valid_until", "starts_over"),
    meaning=("valid_from", "valid_until"),
)


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
    renamed_from: str | None = None


def definition_draft(
    name: str,
    body: Mapping[str, Any],
    *,
    engine: int,
    valid_from: int | None = None,
    valid_until: int | None = None,
    starts_over: bool = False,
) -> Draft:
    """A version that is not saved yet."""
    more = {
        "engine": engine,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "starts_over": starts_over,
    }
    return Draft(name, body, more, is_another=starts_over)


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
    draft = definition_draft(name, body, engine=engine, valid_from=valid_from, valid_until=valid_until)
    return _saved(shelf.save(state, SHELF, site, draft, clock=clock, by=by))


def definitions(state: State, site: str) -> list[SavedDefinition]:
    """The latest version of every definition of a site, by name."""
    return [_saved(each) for each in shelf.newest(state, SHELF, site)]


def all_versions(state: State, site: str) -> list[list[SavedDefinition]]:
    """Every version of every definition of a site: by name, the oldest first."""
    return [[_saved(each) for each in versions] for versions in shelf.all_versions(state, SHELF, site)]


def definition_history(state: State, site: str, name: str) -> list[SavedDefinition]:
    """Every version of a definition, the oldest first."""
    return [_saved(each) for each in shelf.history(state, SHELF, site, name)]


def find_definition(state: State, site: str, name: str, version: int | None = None) -> SavedDefinition:
    """One version of a definition, the latest unless one is named."""
    return _saved(shelf.find(state, SHELF, site, name, version))


def _saved(kept: Kept) -> SavedDefinition:
    return SavedDefinition(
        site=kept.site,
        name=kept.name,
        version=kept.version,
        body=kept.body,
        author=kept.author,
        created_at=kept.created_at,
        renamed_from=kept.renamed_from,
        **kept.more,
    )
