"""Sessions as a relation of a reading: what devices did in short stretches of time, and the sessions these make."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .duration import micros
from .reading import Reading
from .statement import Fragment

DAY = 86_400_000_000
PARTS_OF_A_DAY: list[int] = sorted(
    2**two * 3**three * 5**five for two in range(14) for three in range(4) for five in range(9)
)
"""Every number of microseconds of which a day is a multiple."""


def find_stretches(
    reading: Reading,
    gap: timedelta,
    bounds: Mapping[str, Any],
    *,
    of_devices: Fragment | None = None,
    is_added: bool = False,
    is_measured: bool = False,
    is_quoted: bool = False,
) -> None:
    """Make the relation `stretches` of the events between these bounds, of all if there are none.

    With `is_quoted` the answer says so, and nothing is made.
    """
    values = {"stretch": stretch_of(gap), **bounds}
    run = reading.quote if is_quoted else reading.run
    run(
        "stretches.sql",
        values,
        has_bounds=bool(bounds),
        of_devices=of_devices,
        is_added=is_added,
        is_measured=is_measured,
    )


def find_sessions(
    reading: Reading,
    gap: timedelta,
    *,
    is_measured: bool = False,
    is_numbered: bool = True,
    is_quoted: bool = False,
) -> None:
    """Make the relation `sessions` of the relation `stretches`; with `is_quoted` the answer says so alone."""
    values = {"gap": micros(gap)}
    run = reading.quote if is_quoted else reading.run
    run("sessions.sql", values, is_measured=is_measured, is_numbered=is_numbered)


def stretch_of(gap: timedelta) -> int:
    """The longest part of a day, in microseconds, that is no longer than the gap.

    >>> stretch_of(timedelta(minutes=30)) == micros(timedelta(minutes=30))
    True
    >>> stretch_of(timedelta(minutes=35)) == micros(timedelta(minutes=32))
    True
    """
    return PARTS_OF_A_DAY[bisect_right(PARTS_OF_A_DAY, micros(gap)) - 1]
