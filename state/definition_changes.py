"""Many definitions changed together: all of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expost.clock import Clock
from expost.errors import InvalidInput

from .audit import NOBODY, Actor
from .database import State
from .definition_details import Details, set_details
from .definitions import Draft, add_version, latest_version


@dataclass(frozen=True, slots=True)
class Change:
    """What one definition is to become: versions to add, and its details.

    `expected` is its latest version when this was planned, 0 if it had none.
    """

    name: str
    drafts: tuple[Draft, ...]
    details: Details
    expected: int


def apply_changes(
    state: State, site: str, changes: Sequence[Change], *, engine: int, clock: Clock, by: Actor = NOBODY
) -> None:
    """Make all changes at one moment. If a definition has changed since they were planned, none is made."""
    with state.writing() as connection:
        now = clock()
        for change in changes:
            latest = latest_version(connection, site, change.name)
            if (latest.version if latest else 0) != change.expected:
                raise InvalidInput(
                    f"{change.name!r} has changed since the plan was made; nothing was changed.",
                    hint="Plan again: expost definitions diff DIR",
                )
            for draft in change.drafts:
                add_version(connection, site, draft, engine=engine, now=now, by=by)
            set_details(connection, site, change.name, change.details, now=now, by=by)
