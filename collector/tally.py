"""What the collector has counted since it started: plain numbers that cost nothing to raise, read by `/metrics`."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from expost.lake.rejected import kind_of

from .accept import Verdict

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

MOST_REASONS = 50
OTHER = "another reason"


class Histogram:
    """How often a value fell below each of some bounds.

    >>> histogram = Histogram((1, 2))
    >>> for value in (0.5, 1, 1.5, 9): histogram.observe(value)
    >>> histogram.cumulative(), histogram.sum
    ([2, 3, 4], 12.0)
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_all(self, values: Sequence[float]) -> None:
        """Count each of these."""
        bounds, counts = self.bounds, self._counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self.sum += sum(values)

    def cumulative(self) -> list[int]:
        """How many values were at most each bound, and last how many there were."""
        return list(accumulate(self._counts))


@dataclass(slots=True)
class Tally:
    """Counts since the server started: `answers` by status, `rejected` by reason, `limited` by who sent too much.

    `dropped_files` are files of what was rejected that went before their time: a site may have so many bytes.
    """

    answers: Counter[int] = field(default_factory=Counter)
    accepted_events: int = 0
    duplicate_events: int = 0
    conflicting_events: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)
    acknowledged: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    clock_jumps: int = 0
    dropped_files: int = 0

    def count(self, status: int, verdict: Verdict, seconds: float) -> None:
        """A batch was acknowledged, so many seconds after its head arrived."""
        self.answers[status] += 1
        self.accepted_events += verdict.accepted
        self.duplicate_events += verdict.duplicates
        self.conflicting_events += verdict.conflicts
        self.acknowledged.observe(seconds)
        for each in verdict.refused:
            self.reject(each.reason)

    def count_all(self, status: int, taken: Sequence[tuple[Verdict, float]], now: float) -> None:
        """Batches of which nothing was refused were acknowledged by `now`, each with the moment its head arrived."""
        self.answers[status] += len(taken)
        for verdict, _ in taken:
            self.accepted_events += verdict.accepted
            self.duplicate_events += verdict.duplicates
            self.conflicting_events += verdict.conflicts
        self.acknowledged.observe_all([now - began for _, began in taken])

    def reject(self, reason: str) -> None:
        """An event, or a whole batch, was rejected."""
        kind = kind_of(reason)
        # Senders decide in part what a reason says: of their making there must not be any number.
        self.rejected[kind if kind in self.rejected or len(self.rejected) < MOST_REASONS else OTHER] += 1
