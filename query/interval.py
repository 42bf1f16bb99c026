"""Stretches of time in which a version of a definition is valid, and which version counts when (docs/rules.md 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from expost.clock import from_micros
from expost.errors import InvalidInput

# Every event lies between these: the years 1 and 9999, in microseconds since 1970.
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """From `start` on and before `end`, in microseconds; None leaves that side open.

    >>> str(Interval(start=0))
    'from 1970-01-01 00:00 UTC'
    """

    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        if not EARLIEST <= self.low < self.high <= LATEST:
            raise InvalidInput(
                f"A version cannot be valid {self}: that is no time at all.",
                hint="It ends before valid_until, so valid_until lies after valid_from.",
            )

    @property
    def low(self) -> int:
        """Where it begins, as a number in any case."""
        return EARLIEST if self.start is None else self.start

    @property
    def high(self) -> int:
        """Where it is over, as a number in any case."""
        return LATEST if self.end is None else self.end

    @property
    def is_bounded(self) -> bool:
        """Whether it is less than all time."""
        return self != ALWAYS

    def __str__(self) -> str:
        sides = (("from", self.start), ("until", self.end))
        return " ".join(f"{word} {_said(micros)}" for word, micros in sides if micros is not None) or "always"

    def to_json(self) -> dict[str, Any]:
        """Only the sides that are bounded."""
        sides = (("valid_from", self.start), ("valid_until", self.end))
        return {
            name: from_micros(micros).isoformat().replace("+00:00", "Z")
            for name, micros in sides
            if micros is not None
        }


ALWAYS = Interval()


class Dated(Protocol):
    """A version with its validity."""

    @property
    def valid_from(self) -> int | None: ...
    @property
    def valid_until(self) -> int | None: ...
    @property
    def starts_over(self) -> bool: ...


Version = TypeVar("Version", bound=Dated)


def in_force(versions: Sequence[Version]) -> tuple[list[tuple[Version, Interval]], list[Interval]]:
    """Which version counts when, by time, and the gaps in which none does. `versions` come oldest first.

    A version counts, while it is valid, instead of all before it: each is laid over those.
    """
    free = [ALWAYS]
    pieces: list[tuple[Version, Interval]] = []
    for version in reversed(versions):
        own = Interval(version.valid_from, version.valid_until)
        pieces += [(version, part) for gap in free if (part := _overlap(gap, own))]
        free = [part for gap in free for part in _without(gap, own)]
        if version.starts_over or not free:
            break
    return sorted(pieces, key=lambda piece: piece[1].low), free


def _overlap(one: Interval, other: Interval) -> Interval | None:
    return _interval(max(one.low, other.low), min(one.high, other.high))


def _without(one: Interval, other: Interval) -> list[Interval]:
    parts = (
        _interval(one.low, min(one.high, other.low)),
        _interval(max(one.low, other.high), one.high),
    )
    return [part for part in parts if part]


def _interval(low: int, high: int) -> Interval | None:
    if low >= high:
        return None
    return Interval(None if low == EARLIEST else low, None if high == LATEST else high)


def _said(micros: int) -> str:
    moment = from_micros(micros)
    precision = (
        "minutes" if micros % 60_000_000 == 0 else "seconds" if micros % 1_000_000 == 0 else "microseconds"
    )
    return f"{moment.replace(tzinfo=None).isoformat(' ', precision)} UTC"
