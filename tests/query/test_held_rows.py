"""What is held of one question for the next: in bounds, also where it takes no byte."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from expost.query import held_rows
from expost.query.held_rows import held
from expost.query.reading import Reading


@dataclass(frozen=True)
class Sized:
    nbytes: int


@pytest.mark.parametrize(("nbytes", "many"), [(0, 3), (40, 2)])
def test_what_was_asked_for_the_longest_ago_makes_room(
    monkeypatch: pytest.MonkeyPatch, nbytes: int, many: int
) -> None:
    monkeypatch.setattr(held_rows, "MOST_BYTES", 100)
    monkeypatch.setattr(held_rows, "MOST_RESULTS", 3)
    memory: dict[Any, Any] = {}
    reading = cast(Reading, SimpleNamespace(memory=memory))
    for number in range(5):
        held(reading, (number,), lambda: Sized(nbytes))
    assert list(memory) == [(number,) for number in range(5 - many, 5)]
