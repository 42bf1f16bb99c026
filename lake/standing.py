"""What each commit of events says of the other tables: the version that they stood at.

The commit of events is the last of a group of segments. So a table that is not so far any more has lost the last
entries of its log, which no gap shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deltalake import Transaction

from .delta_log import find_table
from .schema import TABLES
from .table import Table

EVENTS = "events"
OTHERS = tuple(name for name in TABLES if name != EVENTS)


@dataclass(frozen=True, slots=True)
class Behind:
    """A table that stood at the version `was`, and stands at `is_at` now; −1 where it is gone."""

    table: str
    was: int
    is_at: int


def standing(tables: Mapping[str, Table]) -> list[Transaction]:
    """What a commit of events carries."""
    return [Transaction(_application(name), tables[name].version) for name in OTHERS]


def find_behind(lake: Path) -> list[Behind]:
    """The tables of a lake that are not so far any more as its events say."""
    events = find_table(lake / EVENTS)
    found = []
    for name in OTHERS if events is not None else ():
        assert events is not None
        was = events.transaction_version(_application(name))
        table = find_table(lake / name)
        is_at = -1 if table is None else table.version()
        if was is not None and is_at < was:
            found.append(Behind(name, was, is_at))
    return found


def _application(name: str) -> str:
    return f"{name} stood at"
