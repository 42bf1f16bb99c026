"""Many things of a shelf changed together: all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expost.clock import Clock
from expost.errors import InvalidInput

from .audit import NOBODY, Actor
from .database import State
from .details import Details, set_details
from .shelf import Draft, Shelf, latest, put


@dataclass(frozen=True, slots=True)
class Change:
    """What one thing is to become: versions to add, and its details.

    `expected` is its latest version when this was planned, 0 if it had none.
    """

    name: str
    drafts: tuple[Draft, ...]
    details: Details
    expected: int


def apply_changes(
    state: State, shelf: Shelf, site: str, changes: Sequence[Change], *, clock: Clock, by: Actor = NOBODY
) -> None:
    """Make all changes at one moment. If one of the things has changed since they were planned, none is made."""
    with state.writing() as connection:
        now = clock()
        for change in changes:
            before = latest(connection, shelf, site, change.name)
            if (before.version if before else 0) != change.expected:
                raise InvalidInput(
                    f"{change.name!r} has changed since the plan was made; nothing was changed.",
                    hint=f"Plan again: expost {shelf.noun}s diff DIR",
                )
            for draft in change.drafts:
                put(connection, shelf, site, draft, now=now, by=by)
            set_details(connection, shelf, site, change.name, change.details, now=now, by=by)
