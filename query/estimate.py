"""Numbers that were estimated from a sample: used as numbers, written with the interval of the true one."""

from __future__ import annotations

from math import floor, sqrt
from typing import Any

Z = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


class Estimate(int):
    """A count that was estimated from `sample` units of a sample, and lies between `low` and `high` (95 %).

    Of events nothing is said about how far off it is: those of one unit come together or not at all. Sums and
    differences of estimates are estimates, of units that are in no two of them, or in one and not in the other. One
    divided by another, of which it is a part, is an estimated share.

    >>> f"{estimate(50, 0.1):,}", estimate(50, 0.1).low, estimate(50, 0.1).high
    ('≈500 (385–650)', 385, 650)
    >>> f"{sum([estimate(20, 0.1), estimate(30, 0.1)]):,}"
    '≈500 (385–650)'
    """

    sample: int
    rate: float
    low: int | None
    high: int | None

    def __new__(cls, value: int, sample: int, rate: float, low: int | None, high: int | None) -> Estimate:
        """The estimate `value`."""
        made = super().__new__(cls, value)
        made.sample, made.rate, made.low, made.high = sample, rate, low, high
        return made

    def __format__(self, how: str) -> str:
        said = f"≈{format(int(self), how)}"
        if self.low is None or self.high is None:
            return said
        return f"{said} ({format(self.low, how)}–{format(self.high, how)})"

    def __add__(self, other: int) -> int:
        return self._with(other, 1)

    def __radd__(self, other: int) -> int:
        return self._with(other, 1)

    def __sub__(self, other: int) -> int:
        return self._with(other, -1)

    def __truediv__(self, other: float) -> float:
        if isinstance(other, Estimate) and self.low is not None and 0 < self.sample <= other.sample:
            return share_estimate(self.sample, other.sample, self.rate) or 0.0
        return int(self) / other

    def __reduce__(self) -> tuple[Any, ...]:
        return Estimate, (int(self), self.sample, self.rate, self.low, self.high)

    def _with(self, other: int, sign: int) -> int:
        if isinstance(other, Estimate):
            is_of_units = self.low is not None and other.low is not None
            return estimate(self.sample + sign * other.sample, self.rate, is_of_units=is_of_units)
        return self if other == 0 else int(self) + sign * int(other)


def estimate(sample: int, rate: float, *, is_of_units: bool = True) -> Estimate:
    """How many there are, if a sample has so many: Wilson's interval, turned round for the unknown number."""
    value = round(sample / rate)
    if not is_of_units or sample < 0:
        return Estimate(value, sample, rate, None, None)
    # (sample - N·rate)² = z²·N·rate·(1 - rate), solved for N.
    spread = Z * Z * (1 - rate)
    middle, width = sample + spread / 2, sqrt(spread * sample + spread * spread / 4)
    low, high = (middle - width) / rate, (middle + width) / rate
    return Estimate(value, sample, rate, max(sample, floor(low + 0.5)), floor(high + 0.5))


class EstimatedShare(float):
    """A share of `n` units of a sample; that of all lies between `low` and `high` (95 %).

    >>> found = share_estimate(30, 100, 0.1)
    >>> f"{float(found):.2f} {found.low:.2f} {found.high:.2f}"
    '0.30 0.22 0.39'
    """

    n: int
    low: float
    high: float

    def __new__(cls, value: float, n: int, low: float, high: float) -> EstimatedShare:
        """The share `value`."""
        made = super().__new__(cls, value)
        made.n, made.low, made.high = n, low, high
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return EstimatedShare, (float(self), self.n, self.low, self.high)


def share_estimate(part: int, whole: int, rate: float) -> EstimatedShare | None:
    """The share of a part of those of a whole who are in the sample, with Wilson's interval; nothing of nobody.

    As the sample is so much of the whole, what it does not tell is that much less: with all of it there is no doubt.
    """
    if whole <= 0:
        return None
    share = part / whole
    if rate >= 1:
        return EstimatedShare(share, whole, share, share)
    spread = Z * Z * (1 - rate) / whole
    middle = (share + spread / 2) / (1 + spread)
    width = sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    return EstimatedShare(share, whole, max(0.0, middle - width), min(1.0, middle + width))
