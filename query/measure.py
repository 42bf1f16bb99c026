"""Measures: what a trend counts or computes of the events of a period."""

from __future__ import annotations

import re
from dataclasses import dataclass

from expost.errors import InvalidInput

COUNTS = ("events", "people", "per_person")
"""Measures of any event. `people` are the units; `per_person` is how many events each of them has on average."""
OF_NUMBERS = ("sum", "mean", "min", "max")
PERCENTILE = re.compile(r"p([1-9][0-9]?)", re.ASCII)
HINT = "One of: events, people, per_person, sum:NAME, mean:NAME, min:NAME, max:NAME, median:NAME, p95:NAME."


@dataclass(frozen=True, slots=True)
class Measure:
    """A count, or `of` a property what is computed of its numbers: `sum`, `mean`, `min`, `max`, `p95`."""

    kind: str = "events"
    of: str | None = None

    def __post_init__(self) -> None:
        is_of_numbers = self.kind in OF_NUMBERS or PERCENTILE.fullmatch(self.kind) is not None
        if not is_of_numbers and self.kind not in COUNTS:
            raise InvalidInput(f"{self!s} is no measure.", hint=HINT)
        if is_of_numbers and not self.of:
            raise InvalidInput(
                f"{self.kind!r} of what? It needs the name of a property.",
                hint=f"For example: {self.kind}:price",
            )
        if not is_of_numbers and self.of is not None:
            raise InvalidInput(f"{self.kind!r} is of events, not of a property.", hint=HINT)

    @property
    def percentile(self) -> int | None:
        """Which percentile is asked for, if one is."""
        match = PERCENTILE.fullmatch(self.kind)
        return int(match[1]) if match else None

    def __str__(self) -> str:
        return self.kind if self.of is None else f"{self.kind}:{self.of}"


EVENTS = Measure()


def parse_measure(text: str) -> Measure:
    """`events`, `people`, `per_person`, or `sum`, `mean`, `min`, `max`, `median`, `p95` with `:` and a property.

    >>> parse_measure("median:price"), str(parse_measure("per_person"))
    (Measure(kind='p50', of='price'), 'per_person')
    """
    kind, _, name = text.partition(":")
    return Measure({"median": "p50", "average": "mean"}.get(kind, kind), name or None)
