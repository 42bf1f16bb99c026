"""Whether something has become rarer: an exact test of a rate, in the standard library alone."""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p

NEGLIGIBLE = 1e-18
"""A term this much smaller than the sum so far, with all after it, changes no digit of it."""


def fallen_rate(recent: int, recent_exposure: float, before: int, before_exposure: float) -> float:
    """How probable it is that so few came lately, or fewer, if they come as often as before.

    Of all that came, each falls into the recent stretch with the share that this has of the whole exposure (the exact
    conditional test of two Poisson rates).

    >>> round(fallen_rate(0, 7, 28, 28), 9) == round(0.8**28, 9)
    True
    """
    return binomial_below(recent, recent + before, recent_exposure / (recent_exposure + before_exposure))


def binomial_below(successes: int, trials: int, share: float) -> float:
    """The probability of at most so many successes.

    >>> binomial_below(1, 2, 0.5)
    0.75
    """
    if successes >= trials or share <= 0:
        return 1.0
    if share >= 1:
        return 0.0
    if successes >= trials * share:
        # Beyond the middle the other end is the smaller one, and is summed instead.
        return 1.0 - _sum(trials - successes - 1, trials, 1 - share)
    return _sum(successes, trials, share)


def _sum(successes: int, trials: int, share: float) -> float:
    """The terms from `successes` down to none, which fall fast below the middle."""
    if successes < 0:
        return 0.0
    largest = _log_term(successes, trials, share)
    total = term = 1.0
    for count in range(successes, 0, -1):
        term *= count * (1 - share) / ((trials - count + 1) * share)
        total += term
        if term < NEGLIGIBLE * total:
            break
    return min(1.0, exp(largest) * total) if largest > -inf else 0.0


def _log_term(successes: int, trials: int, share: float) -> float:
    ways = lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)
    return ways + successes * log(share) + (trials - successes) * log1p(-share)
