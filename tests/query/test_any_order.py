"""Funnels in any order over arrays give what sharing out the events of each attempt one by one gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.query import any_order
from expost.query.any_order import TooManyShared, shares_events, shown_in_any_order
from expost.query.attempt import shapes_of
from expost.query.definition import definition
from expost.query.funnel import Stage
from expost.query.funnel_any import shared_attempts
from expost.query.latest_start import NEVER_AT, OrderedRows, Rules, Shown

NOW = 30


@dataclass(frozen=True)
class Drawn:
    """Rows of a few units in their order, and a funnel of `steps` steps whose next role ends attempts."""

    rows: OrderedRows
    steps: int
    within: int

    @property
    def rules(self) -> Rules:
        stages = [Stage(definition(str(number), track="x")) for number in range(self.steps)]
        return Rules(shapes_of(stages), self.within, NOW, ends=(self.steps + 1,), in_any_order=True)

    def attempts(self) -> list[tuple[int, ...]]:
        """(unit, whether of what is after the exposure, reached, reached of complete ones, moments), one by one."""
        rows, entry = self.rows, self.rows.is_entry
        assert rows.is_after is not None
        told = [
            (unit, place, int(rows.moment[place]), step, bool(entry[place]),
             int(rows.moment[place]) + self.within < NOW, bool(rows.is_after[place]))
            for place, unit in enumerate(rows.unit.tolist())
            for step in range(1, self.steps + 2)
            if rows.roles[place] >> (step - 1) & 1
        ]  # fmt: skip
        found = shared_attempts(told, self.steps, frozenset({self.steps + 1}), self.within, by_flag=True)
        return sorted(
            (unit, after, reached, complete, *(row[6] for row in events))
            for (unit, after, reached, complete), events in groupby(found, key=lambda row: row[:4])
        )


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    steps = draw(st.integers(1, 5))
    many = draw(st.integers(1, 14))
    numbers = st.lists(st.integers(0, 20), min_size=many, max_size=many)
    unit, moment = np.sort(draw(numbers)) % 3, np.array(draw(numbers), np.int64)
    unit.sort()
    roles = np.array(draw(st.lists(st.integers(1, (2 << steps) - 1), min_size=many, max_size=many)), np.uint8)
    is_entry, is_after = (
        np.array(draw(st.lists(st.booleans(), min_size=many, max_size=many)), bool) for _ in range(2)
    )
    is_entry &= (roles & ((1 << steps) - 1)) != 0
    moment = moment[np.lexsort((moment, unit))]
    rows = OrderedRows(3, unit.astype(np.int32), moment, roles, is_entry, is_after)
    return Drawn(rows, steps, draw(st.integers(1, 15)))


def listed(shown: Shown, after: bool) -> list[tuple[int, ...]]:
    return [
        (unit, after, reached, complete, *(at for each in shown.at.values() if (at := int(each[place])) != NEVER_AT))
        for place, (unit, reached, complete) in enumerate(
            zip(shown.unit.tolist(), shown.reached.tolist(), shown.reached_complete.tolist(), strict=True)
        )
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(drawn())
def test_attempts_are_those_of_sharing_out_events_one_by_one(given: Drawn) -> None:
    of_all, after = shown_in_any_order(given.rows, given.rules)
    assert after is not None
    assert sorted(listed(of_all, False) + listed(after, True)) == given.attempts()
    assert (given.rows.moment[of_all.start] == of_all.at[1]).all()


@settings(max_examples=30, deadline=None)
@given(drawn())
def test_attempts_that_are_looked_at_a_few_at_a_time_are_the_same(given: Drawn) -> None:
    whole = [listed(each, False) for each in shown_in_any_order(given.rows, given.rules) if each is not None]
    with pytest.MonkeyPatch.context() as few:
        few.setattr(any_order, "MOST_TOGETHER", 3)
        again = [
            listed(each, False) for each in shown_in_any_order(given.rows, given.rules) if each is not None
        ]
    assert again == whole


def rows_of(*roles: int) -> OrderedRows:
    many = len(roles)
    return OrderedRows(
        1, np.zeros(many, np.int32), np.arange(many, dtype=np.int64), np.array(roles, np.uint32), np.ones(many, bool)
    )  # fmt: skip


def rules_of(steps: int) -> Rules:
    stages = [Stage(definition(str(number), track="x")) for number in range(steps)]
    return Rules(shapes_of(stages), timedelta(days=1) // timedelta(microseconds=1), NOW, in_any_order=True)


def test_more_steps_than_have_their_sets_in_an_integer_are_left_to_the_portable_sql() -> None:
    with pytest.raises(TooManyShared):
        shown_in_any_order(rows_of(0b1111111), rules_of(7))


def test_steps_that_share_nothing_may_be_as_many_as_a_funnel_has() -> None:
    of_all, _ = shown_in_any_order(rows_of(*(1 << step for step in reversed(range(20)))), rules_of(20))
    assert of_all.reached.tolist() == [20]
    assert not shares_events(rows_of(1, 2, 4), rules_of(3))


def test_two_pairs_of_steps_share_events_apart() -> None:
    of_all, _ = shown_in_any_order(rows_of(0b0011, 0b1100, 0b0001, 0b0001, 0b1000), rules_of(4))
    assert of_all.reached.tolist() == [4]
    assert of_all.at[4].tolist() == [4]
