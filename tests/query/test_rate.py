"""The exact test of a rate, against scipy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from expost.query.rate import binomial_below, fallen_rate


@given(trials=st.integers(1, 3_000), part=st.floats(0, 1), share=st.floats(0.001, 0.999))
def test_the_tail_of_a_binomial_is_that_of_scipy(trials: int, part: float, share: float) -> None:
    successes = round(part * trials)
    expected = float(stats.binom.cdf(successes, trials, share))
    assert binomial_below(successes, trials, share) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@given(recent=st.integers(0, 60), before=st.integers(0, 4_000), days=st.integers(1, 14))
def test_a_fallen_rate_is_the_exact_conditional_test_of_two_poisson_rates(
    recent: int, before: int, days: int
) -> None:
    found = fallen_rate(recent, days, before, 28)
    if recent + before == 0:
        assert found == 1.0
        return
    exact = stats.binomtest(recent, recent + before, days / (days + 28), alternative="less").pvalue
    assert found == pytest.approx(exact, rel=1e-8, abs=1e-12)


def test_chances_far_below_what_a_float_rounds_to_nothing_keep_their_size() -> None:
    assert fallen_rate(0, 7, 2_000, 28) == pytest.approx(0.8**2_000, rel=1e-9)
    assert 0 < fallen_rate(3, 7, 3_000, 28) < 1e-250


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_at_an_end_is_certain(share: float) -> None:
    assert binomial_below(0, 10, share) == 1.0 - share
    assert binomial_below(10, 10, share) == 1.0
