"""Names that something has already: what it means and since when, said before anybody saves over it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from expost.clock import from_micros
from expost.query.answer import plain
from expost.query.definition import Definition
from expost.query.naming import free_name
from expost.state.names import name_key

from .desk import Desk


@dataclass(frozen=True, slots=True)
class Taken:
    """The definition that has a name. `is_same` if what is to be saved means that too, and at the same times.

    Nothing has the name `free`.
    """

    name: str
    version: int
    meaning: str
    since: datetime
    is_archived: bool
    is_same: bool
    free: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def next_version(self) -> int:
        """What saving under this name would make."""
        return self.version + 1

    def to_json(self) -> dict[str, Any]:
        """For a page's script."""
        said: dict[str, Any] = plain(asdict(self))
        return said


async def find_taken(desk: Desk, name: str, site: str, meant: Definition | None = None) -> Taken | None:
    """What a name means already, archived or not; `meant` is what would be saved under it, with its interval."""
    key = name_key(name)
    saved = await saved_of(desk, site)
    for each, is_archived in saved:
        if name_key(each.name) == key:
            first, *_ = await desk.call("history", each.name, site=site)
            return Taken(
                name=each.name,
                version=each.version or 1,
                meaning=str(each),
                since=datetime.fromisoformat(first["created_at"]),
                is_archived=is_archived,
                is_same=meant is not None and (meant.body(), meant.interval) == (each.body(), each.interval),
                free=free_name([name.strip()], {name_key(other.name) for other, _ in saved}),
                valid_from=_instant(each.interval.start),
                valid_until=_instant(each.interval.end),
            )
    return None


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


async def taken_keys(desk: Desk, site: str) -> set[str]:
    """The names that something has, as names are compared."""
    return {name_key(each.name) for each, _ in await saved_of(desk, site)}


async def saved_of(desk: Desk, site: str) -> list[tuple[Definition, bool]]:
    """Every definition, and whether it is archived."""
    return [
        (each, is_archived)
        for is_archived in (False, True)
        for each in await desk.call("definitions", site=site, archived=is_archived)
    ]
