"""When an event happened: the client's clock, corrected only where it is surely wrong (docs/rules.md 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000
"""Moments are microseconds since 1970, UTC."""
DAY = 86_400 * SECOND

TOLERANCE = 60 * SECOND
"""A client's clock that is off by no more than this is believed."""

OLDEST = 30 * DAY
"""Nothing is older than this at its arrival, history apart: of a browser it is moved here, of a server refused."""

# The years 1 to 9999: what every engine and Python can show.
FIRST, LAST = -62_135_596_800 * SECOND, 253_402_300_799 * SECOND


def micros(millis: float) -> int:
    """Microseconds of a client's milliseconds, inside the years that can be shown."""
    return min(max(round(millis * 1_000), FIRST), LAST)


def micros_of(millis: NDArray[np.float64]) -> NDArray[np.int64]:
    """The same of many at once."""
    return np.clip(np.rint(millis * 1_000), FIRST, LAST).astype(np.int64)


def corrected(client_time: int, offset: int | None) -> int:
    """A client's time by our clock: moved by the whole `offset` if the two clocks surely differ."""
    return client_time if offset is None or abs(offset) <= TOLERANCE else client_time + offset


def event_time(client_time: int, offset: int | None, received_at: int, is_imported: bool) -> int:
    """The time of an event by the rules of docs/rules.md 1.

    `offset` is `received_at` less the sending time by the client's clock, `None` when that was not sent. History from
    an import key is taken as it is.

    >>> event_time(5 * SECOND, offset=59 * SECOND, received_at=64 * SECOND, is_imported=False) // SECOND
    5
    >>> event_time(5 * SECOND, offset=3_600 * SECOND, received_at=3_605 * SECOND, is_imported=False) // SECOND
    3605
    """
    if is_imported:
        return client_time
    return max(min(corrected(client_time, offset), received_at), received_at - OLDEST)


def event_times(
    client_times: NDArray[np.int64],
    offsets: NDArray[np.int64],
    received_at: NDArray[np.int64],
    are_imported: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The same of many at once; an offset of 0 stands for one that was not sent."""
    moved = np.where(np.abs(offsets) <= TOLERANCE, client_times, client_times + offsets)
    bounded = np.maximum(np.minimum(moved, received_at), received_at - OLDEST)
    return np.where(are_imported, client_times, bounded)
