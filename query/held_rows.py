"""Rows that a question found in a snapshot, held in memory for the next question that asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

from .reading import Reading

MOST_BYTES = 96_000_000
"""What is held for one snapshot; what was asked for the longest ago goes first."""


class Sized(Protocol):
    """What knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        ...


Found = TypeVar("Found", bound=Sized)


def held(reading: Reading, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
    """What is held under `key`, or else what `find` finds."""
    memory: dict[Any, Any] | None = reading.memory
    if memory is None:
        return find()
    found: Found | None = memory.pop(key, None)
    if found is None:
        found = find()
    if found.nbytes <= MOST_BYTES:
        # Last in the dictionary is what was asked for last.
        memory[key] = found
        while sum(each.nbytes for each in memory.values()) > MOST_BYTES:
            del memory[next(iter(memory))]
    return found
