"""Rows that are put into the order of people and time hold no memory that the pass over them may have."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from expost.query.event_rows import EventRows
from expost.query.latest_start import Bits, Marks, Numbers
from expost.query.row_order import in_order


def batch(begin: int, end: int) -> EventRows:
    number = np.arange(begin, end)
    return EventRows(number % 7, number, np.ones(len(number), np.uint8), np.zeros(len(number), np.uint8))


def everything(_: EventRows, number: Numbers, __: int) -> Marks:
    return np.ones(len(number), bool)


@pytest.mark.parametrize("many", [1, 2])
def test_what_was_put_in_order_is_let_go(many: int) -> None:
    batches = [batch(100 * place, 100 * place + 100) for place in range(many)]
    given = [weakref.ref(each.moment) for each in batches]
    parts = in_order(batches, everything)
    first = next(parts)
    assert [each() for each in given] == [None] * many
    assert len(first) == 100 * many
    assert list(parts) == []


def test_parts_that_are_given_together_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expost.query.row_order.PART_ROWS", 10)
    sorted_: list[weakref.ref[Bits]] = []

    def where(rows: EventRows, chosen: Marks | Numbers) -> EventRows:
        part = EventRows(*(getattr(rows, name)[chosen] for name in EventRows.__slots__))
        sorted_.append(weakref.ref(part.roles))
        return part

    monkeypatch.setattr(EventRows, "where", where)
    [whole] = in_order([batch(0, 100)], everything)
    assert len(sorted_) > 1
    assert len(whole) == 100
    assert (np.diff(whole.unit) >= 0).all()
    assert [each() for each in sorted_] == [None] * len(sorted_)
