"""Rows that a question found in a snapshot or a file, held in memory for the next question that asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

from .reading import Reading

MOST_BYTES = 96_000_000
"""What is held for one snapshot, and of files; what was asked for the longest ago goes first."""
MOST_RESULTS = 1_000
"""So many at most, as some take no byte and yet a place."""


class Sized(Protocol):
    """What knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        ...


Found = TypeVar("Found", bound=Sized)


def held(reading: Reading, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
    """What is held under `key`, or else what `find` finds."""
    return _held(reading.memory, key, find)


def held_of_files(reading: Reading, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
    """The same, where `key` names the files in which `find` looks, and so stays true of any other snapshot."""
    return _held(reading.memory_of_files, key, find)


def _held(memory: dict[Any, Any] | None, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
    if memory is None:
        return find()
    found: Found | None = memory.pop(key, None)
    if found is None:
        found = find()
    if found.nbytes <= MOST_BYTES:
        # Last in the dictionary is what was asked for last.
        memory[key] = found
        while len(memory) > MOST_RESULTS or sum(each.nbytes for each in memory.values()) > MOST_BYTES:
            del memory[next(iter(memory))]
    return found
