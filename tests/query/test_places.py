from __future__ import annotations

import numpy as np
import pytest

from expost.query.places import places_of


@pytest.mark.parametrize("many", [0, 1, 2, 5_000])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_each_number_stands_where_it_is_known_and_others_nowhere(many: int, share: float) -> None:
    chance = np.random.default_rng(many)
    known = chance.permutation(np.unique(chance.integers(-(2**63), 2**63 - 1, many)))
    asked = chance.integers(-(2**63), 2**63 - 1, 20_000)
    if many:
        # The last one known too, as its place is what −1 means to an array.
        asked = np.where(chance.random(len(asked)) < share, chance.choice(known, len(asked)), asked)
        asked[0] = known[-1]
    where = {number: place for place, number in enumerate(known.tolist())}
    found = places_of(known).of(asked)
    assert found.dtype == np.int32
    assert found.tolist() == [where.get(number, -1) for number in asked.tolist()]


def test_numbers_of_one_hash_are_told_apart_in_further_tables() -> None:
    known = np.arange(50_000, dtype=np.int64) ** 3
    places = places_of(known)
    assert len(places.tables) > 2
    assert places.of(known).tolist() == list(range(len(known)))
    assert not (places.of(known[1:] + 1)[1:] >= 0).any()
