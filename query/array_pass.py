"""A pass over arrays, for an answer that says the portable SQL, which gives the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from .breakdown import Flag
from .definition import Definition
from .matched import IS_SEEN, Matched, Searched, search, tallied
from .reading import Reading, Row
from .unseen import unseen_flag


class Tables(Protocol):
    """What every pass gives: the rows of tally.sql, and whether anybody was exposed to the flag."""

    @property
    def tally(self) -> list[Row]: ...

    @property
    def is_flag_seen(self) -> bool: ...


Given = TypeVar("Given", bound=Tables)


@dataclass(frozen=True, slots=True)
class Passed(Generic[Given]):
    """What was searched for and found, and what the pass over it gave."""

    searched: Searched
    matched: Matched
    tables: Given


def passed_over(
    reading: Reading,
    steps: Sequence[Definition],
    flag: Flag | None,
    asked: Mapping[str, Any],
    tables_of: Callable[[Searched], Given],
) -> Passed[Given]:
    """What `tables_of` gives of the events of the steps, after which the answer says how to make `matched`.

    `asked` is what `match` would be asked for.
    """
    if flag is not None:
        reading.quote("exposures.sql", reading.exposing(flag), unit=None, has_ties=False)
        reading.quote("exposed.sql", {})
    searched = search(reading, steps, has_flag=flag is not None, keeps_apart=True, **asked)
    tables = tables_of(searched)
    reading.quote("matched.sql", searched.values, has_ties=False, **searched.structure)
    reading.quote("tally.sql", {})
    matched = tallied(reading, steps, searched.compiled, tables.tally, asked.get("wheres", {}))
    if flag is not None:
        reading.say(IS_SEEN, {})
        notes = unseen_flag(reading, flag, is_seen=tables.is_flag_seen)
        matched = replace(matched, notes=(*notes, *matched.notes))
    return Passed(searched, matched, tables)
