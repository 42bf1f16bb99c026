"""The flags that exposures name, and their variations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from expost.clock import from_micros

from .answer import Answer, as_row
from .question import Question
from .reading import Reading


@dataclass(frozen=True, slots=True)
class FlagList(Question):
    """The flags that exposures name, and their variations."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A variation as exposures name it. `people` whose first exposure was to it; `exposed` who ever saw it."""

    value: str
    people: int
    exposed: int
    exposures: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class SeenFlag:
    """A flag as exposures name it. `several_variations` is the share of its people who saw several."""

    key: str
    people: int
    several_variations: float | None
    variations: tuple[Variation, ...]


@dataclass(frozen=True, slots=True)
class FlagsAnswer(Answer):
    """Every flag seen in exposures."""

    flags: tuple[SeenFlag, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per variation."""
        return [
            {"flag": flag.key} | as_row(variation) for flag in self.flags for variation in flag.variations
        ]


def flag_list(reading: Reading, question: FlagList) -> FlagsAnswer:
    """Every flag that exposures name."""
    rows = reading.run("flags.sql", {})
    flags = []
    for (key, people, several), variations in groupby(rows, key=lambda row: row[:3]):
        flags.append(
            SeenFlag(
                key,
                people,
                several / people if people else None,
                tuple(_variation(*row[3:]) for row in variations),
            )
        )
    tally = reading.execute(
        "select left_out, count(*), count(distinct person_id) from reported group by left_out;", {}
    )
    left_out = reading.counting.left_out(
        (row for row in tally if row[0] is not None), sum(row[1] for row in tally)
    )
    basis = reading.basis(left_out=left_out, notes=reading.counting.notes())
    return FlagsAnswer(question=question, basis=basis, flags=tuple(flags))


def _variation(
    value: str, people: int, exposed: int, exposures: int, first_seen: int, last_seen: int
) -> Variation:
    return Variation(value, people, exposed, exposures, from_micros(first_seen), from_micros(last_seen))
