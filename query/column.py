"""Columns of an SQL answer: names that tell them apart, and values that a reader in JavaScript cannot misread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# JavaScript reads every JSON number as a double, which tells whole numbers apart up to here only.
LARGEST_EXACT = 2**53


def column_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names, a repeated one with a number that makes it another.

    >>> column_names(["a", "a", "b", "a"]), column_names(["a", "a", "a_1"])
    (('a', 'a_1', 'b', 'a_2'), ('a', 'a_2', 'a_1'))
    """
    given = list(names)
    taken = set(given)
    seen: set[str] = set()
    found = []
    for name in given:
        unique, number = name, 0
        while unique in seen or (number and unique in taken):
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        found.append(unique)
    return tuple(found)


def exact_values(values: Sequence[Any]) -> Sequence[Any]:
    """The column for JSON: all its whole numbers as text if one of them is beyond what a double holds.

    >>> exact_values([1, 2**60]), exact_values([1, 2]), exact_values([[1, 2**60], None])
    (['1', '1152921504606846976'], [1, 2], [['1', '1152921504606846976'], None])
    """
    return [_written(value) for value in values] if any(map(_is_beyond, values)) else values


def _is_beyond(value: Any) -> bool:
    match value:
        case int():
            return abs(value) > LARGEST_EXACT
        case Mapping():
            return any(map(_is_beyond, value.values()))
        case list() | tuple():
            return any(map(_is_beyond, value))
        case _:
            return False


def _written(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return str(value)
        case Mapping():
            return {key: _written(each) for key, each in value.items()}
        case list() | tuple():
            return [_written(each) for each in value]
        case _:
            return value
