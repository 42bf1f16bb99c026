"""The time, as an argument: functions that need it take a `Clock`, so that tests can set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns the moment as microseconds since 1970 (UTC)."""


def wall_clock() -> int:
    """Now, in microseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of a moment in microseconds."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly (no float)."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
