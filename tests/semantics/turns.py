"""Little room in memory: rows of questions go aside, and people come back one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from expost.query import funnel_arrays, funnel_counts, gathering, retention_arrays, trend_arrays, trend_counts
from expost.query.event_rows import EventRows
from expost.query.gathering import Room
from expost.query.reading import Reading
from expost.query.rows_aside import RowsAside, Stretch


@contextmanager
def room(each: Room) -> Iterator[list[int]]:
    """Rows have so much room in memory; gives how many came back from the disk together each time."""
    came: list[int] = []

    class Counted(RowsAside):
        def between(self, stretch: Stretch) -> EventRows:
            found = super().between(stretch)
            came.append(len(found))
            return found

    with (
        patch.object(funnel_arrays, "room_of", lambda _: each),
        patch.object(retention_arrays, "room_of", lambda _: each),
        patch.object(trend_arrays, "room_of", lambda _: each),
        patch.object(gathering, "RowsAside", Counted),
    ):
        yield came


@contextmanager
def turns(together: int = 1) -> Iterator[list[int]]:
    """All rows go aside, and people come back one after the other, or a few who have so many rows."""
    with room(Room(0, together, 1_000_000)) as came:
        yield came


@contextmanager
def told_by_arrays() -> Iterator[list[bool]]:
    """Gives of each funnel and trend whether arrays answered it, and not the portable SQL."""
    told: list[bool] = []

    def by_arrays_or_none(reading: Reading, find: Callable[[], object]) -> object:
        found = gathering.by_arrays_or_none(reading, find)
        told.append(found is not None)
        return found

    with (
        patch.object(funnel_counts, "by_arrays_or_none", by_arrays_or_none),
        patch.object(trend_counts, "by_arrays_or_none", by_arrays_or_none),
    ):
        yield told
