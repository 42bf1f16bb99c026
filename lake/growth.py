"""How fast the dictionary of elements grows: what the events of a time were the first to happen on, or inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

_SQL = (Path(__file__).parent / "sql" / "growth.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Growth:
    """Events on elements, and how many elements and placements those were the first to need, ancestors included."""

    events: int
    elements: int
    placements: int

    @property
    def elements_rate(self) -> int:
        """New elements for each 1,000 of the events."""
        return _rate(self.elements, self.events)

    @property
    def placements_rate(self) -> int:
        """New placements for each 1,000 of the events."""
        return _rate(self.placements, self.events)


def growth(connection: duckdb.DuckDBPyConnection, since: datetime) -> Growth:
    """What events since then added, in a connection of `expost.lake.reader.connect`."""
    counts = connection.execute(_SQL, {"since": since}).fetchone()
    assert counts is not None
    return Growth(*counts)


def _rate(new: int, events: int) -> int:
    return round(new * 1_000 / events) if events else 0
