from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from expost.lake.runs import Runs

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20)


@given(st.lists(st.lists(NUMBERS, max_size=30), max_size=12), st.lists(NUMBERS, max_size=30))
def test_runs_are_a_set(groups: list[list[int]], asked: list[int]) -> None:
    runs, known = Runs(), set[int]()
    for group in groups:
        new = list(dict.fromkeys(number for number in group if number not in known))
        runs.add(np.array(new, np.int64))
        known.update(new)
    assert len(runs) == len(known)
    asked += list(known)
    assert runs.holds(np.array(asked, np.int64)).tolist() == [number in known for number in asked]
    assert [np.int64(number) in runs for number in asked] == [number in known for number in asked]
    sizes = [len(array) for array in runs.arrays]
    assert all(larger > 2 * smaller for larger, smaller in pairwise(sizes))
