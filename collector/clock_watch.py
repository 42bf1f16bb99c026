"""Whether the clock of this machine was set. Order in the journal never depends on it; `received_at` follows it."""

from __future__ import annotations

import time
from collections.abc import Callable

from expost.clock import Clock

LEAST_SECONDS = 1.0


class ClockWatch:
    """Compares the clock on the wall with one that is never set.

    >>> steady, wall = iter([0.0, 5.0, 6.0]), iter([0, 5_000_000, 86_406_000_000])
    >>> watch = ClockWatch(lambda: next(wall), lambda: next(steady))
    >>> watch.jump(), watch.jump()
    (0.0, 86400.0)
    """

    def __init__(self, clock: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steady = steady
        self._ahead = self._difference()

    def jump(self) -> float:
        """By how many seconds the clock was set since the last look; 0 for less than one, as all day long."""
        before, self._ahead = self._ahead, self._difference()
        jumped = self._ahead - before
        return jumped if abs(jumped) > LEAST_SECONDS else 0.0

    def _difference(self) -> float:
        return self._clock() / 1_000_000 - self._steady()
