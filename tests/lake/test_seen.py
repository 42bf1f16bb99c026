"""The set of event ids that the lake already holds."""

from __future__ import annotations

import uuid

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from expost.lake.moment import DAY
from expost.lake.seen import SeenIds


def set_of(secret: int = 1) -> SeenIds:
    return SeenIds(bytes([secret]) * 32)


@given(groups=st.lists(st.lists(st.integers(0, 60), max_size=12), max_size=12))
def test_it_answers_as_a_set_does(groups: list[list[int]]) -> None:
    seen, model = set_of(), set[int]()
    for day, group in enumerate(groups):
        expected = []
        fresh = set(model)
        for number in group:
            expected.append(number not in fresh)
            fresh.add(number)
        hashes = seen.hashes([str(uuid.UUID(int=number)) for number in group])
        new = seen.are_new(hashes)
        assert new.tolist() == expected
        seen.add(hashes[new], day % 3 * DAY)
        model = fresh
    assert len(seen) == len(model)


def test_ids_are_the_same_in_capitals_and_differ_between_installations() -> None:
    name = "019a0000-ABCD-7000-8000-00000000abcd"
    assert set_of().hashes([name]) == set_of().hashes([name.lower()])
    assert set_of().hashes([name]) != set_of(2).hashes([name])


def test_ids_that_differ_in_one_bit_have_hashes_that_differ() -> None:
    names = [str(uuid.UUID(int=1 << bit)) for bit in range(128)]
    assert len(np.unique(set_of().hashes(names))) == 128


def test_many_small_additions_become_few_arrays() -> None:
    seen = set_of()
    for number in range(500):
        seen.add(seen.hashes([str(uuid.UUID(int=number))]), 0)
    assert len(seen) == 500
    assert len(seen._days[0].arrays) <= 10


def test_a_day_is_dropped_when_all_of_it_is_a_week_old() -> None:
    seen = set_of()
    seen.add(seen.hashes([str(uuid.UUID(int=1))]), 10 * DAY)
    seen.forget(17 * DAY + DAY // 2)
    assert len(seen) == 1
    seen.forget(18 * DAY)
    assert len(seen) == 0
