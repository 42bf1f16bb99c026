"""The sessions that began in a range, whole: from what lies before it that decides where they begin, to their ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .duration import micros
from .interval import EARLIEST
from .matched import bounding
from .reading import Reading
from .statement import Fragment
from .stretches import find_sessions, find_stretches

LOOK_AHEAD = micros(timedelta(hours=1))
"""How much further is read at first for the ends of sessions that go on after the range; then always twice as much."""


def sessions_in_range(
    reading: Reading, gap: timedelta, of_devices: Fragment | None = None, *, is_numbered: bool = False
) -> Mapping[str, Any]:
    """Make the relation `sessions`, measured; the bounds of the events that were read for it.

    Before the range a gap's length suffices: who did anything in it has a session that began before. After the range
    only devices are read of which a session goes on.
    """
    length = micros(gap)
    low, until = max(reading.start - length, EARLIEST), min(reading.end + length, reading.now + 1)

    def read(first: int, last: int, devices: Fragment | None, *, is_added: bool) -> None:
        bounds = bounding((first, last))
        find_stretches(reading, gap, bounds, of_devices=devices, is_added=is_added, is_measured=True)

    read(low, until, of_devices, is_added=False)
    further = max(LOOK_AHEAD, length)
    while until <= reading.now and _are_running(reading, length, until):
        after = min(until + further, reading.now + 1)
        read(until, after, Fragment("running"), is_added=True)
        until, further = after, further * 2
    find_sessions(reading, gap, is_measured=True, is_numbered=is_numbered)
    reading.quietly("drop table stretches;", {})
    return bounding((low, until))


def _are_running(reading: Reading, gap: int, until: int) -> bool:
    [(devices,)] = reading.run("session_running.sql", {"gap": gap, "until_at": until})
    return bool(devices)
