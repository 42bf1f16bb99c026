"""The loss meter: how many events were numbered in pages and are not here, and whether that is known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from expost.clock import from_micros

from .answer import Answer, as_row, plain
from .interval import EARLIEST, LATEST
from .question import MAX_LISTED, Question, refuse_other, refuse_outside
from .reading import Reading

GROUP, GROUPED, COUNT = 1, 0, 2
EXACT_RULE = (
    "A page is exact when a later batch of its browser told its last number, as far as that batch. "
    "Of any other page at least the numbers up to the latest one that arrived were there."
)
WAY_RULE = "What is still on its way, or was rejected, counts as missing."
TRACELESS_RULE = (
    "A browser's first and last pages, and those of visitors without storage, can be lost without a trace."
)


@dataclass(frozen=True, slots=True)
class Losses(Question):
    """How many events pages numbered that are not here, by day, page (host and path) or browser.

    The range, bots, internal devices and environment are those of pages. `limit` is how many pages or browsers are
    given, those that miss most first; days are given all.
    """

    by: str = "day"
    limit: int = 100

    def __post_init__(self) -> None:
        refuse_other("The split of losses", self.by, ("day", "page", "browser"))
        refuse_outside("Losses list", self.limit, 1, MAX_LISTED, "pages or browsers")


@dataclass(frozen=True, slots=True)
class Tally:
    """What was numbered and what is here, of one day, page or browser.

    `value` is the day, `host/path` or the device id; None stands for pages of which nothing arrived.
    `missing_pages` are such pages. `exact_pages` are those whose last number is known.
    """

    value: str | None
    expected: int
    received: int
    missing: int
    pages: int
    missing_pages: int
    exact_pages: int

    @property
    def share(self) -> float | None:
        """How much of what was expected is missing, between 0 and 1."""
        return self.missing / self.expected if self.expected else None

    @property
    def is_exact(self) -> bool:
        """Whether `missing` is all that is missing, and not a lower bound."""
        return self.exact_pages == self.pages

    def to_json(self) -> dict[str, Any]:
        """All of it in words of JSON."""
        return as_row(self) | {"share": self.share, "is_exact": self.is_exact}


@dataclass(frozen=True, slots=True)
class LossesAnswer(Answer):
    """What is missing: `total`, and `groups` by day, page or browser; there are `distinct` of those."""

    by: str
    total: Tally
    groups: tuple[Tally, ...]
    distinct: int

    def to_json(self) -> Any:
        """The total's fields, then the groups and the basis."""
        body = {name: value for name, value in self.total.to_json().items() if name != "value"}
        groups = [each.to_json() for each in self.groups]
        basis = cast(dict[str, Any], plain(self.basis))
        return {"by": self.by} | body | {"groups": groups, "distinct": self.distinct} | basis

    def rows(self) -> list[dict[str, Any]]:
        """One row per group."""
        return [{self.by: each.value} | {name: value for name, value in each.to_json().items() if name != "value"}
                for each in self.groups]  # fmt: skip


def losses(reading: Reading, question: Losses) -> LossesAnswer:
    """What is missing, in total and by day, page or browser."""
    values: dict[str, Any] = {"most": question.limit}
    if reading.has_range:
        low, high = (from_micros(min(max(bound, EARLIEST), LATEST)) for bound in (reading.start, reading.end))
        values |= {"from_time": low, "until_time": high}
    rows = reading.run("losses.sql", values, by=question.by, has_bounds=reading.has_range)
    totals = {row[1]: row for row in rows if row[0] == GROUP}
    total = _tally(None, totals[None]) if None in totals else Tally(None, 0, 0, 0, 0, 0, 0)
    received = sum(row[4] for row in totals.values())
    left_out = [(reason, row[4], row[9]) for reason, row in totals.items() if reason is not None]
    tallies = [_tally(row[2], row) for row in rows if row[0] == GROUPED]
    [distinct] = [row[3] for row in rows if row[0] == COUNT]
    return LossesAnswer(
        question=question,
        basis=reading.basis(
            left_out=reading.counting.left_out(left_out, received) if received else (),
            notes=[EXACT_RULE, WAY_RULE, TRACELESS_RULE, *reading.counting.notes()],
        ),
        by=question.by,
        total=total,
        groups=tuple(_with_every_day(tallies) if question.by == "day" else tallies),
        distinct=distinct,
    )


def _tally(value: str | None, row: Sequence[Any]) -> Tally:
    _, _, _, expected, received, missing, pages, missing_pages, exact_pages, _ = row
    return Tally(value, expected, received, missing, pages, missing_pages, exact_pages)


def _with_every_day(tallies: Sequence[Tally]) -> list[Tally]:
    """The days from the first to the last, those without a page as well."""
    found = {date.fromisoformat(each.value): each for each in tallies if each.value is not None}
    if not found:
        return []
    first, last = min(found), max(found)
    days = (first + timedelta(days=past) for past in range((last - first).days + 1))
    return [found.get(day) or Tally(day.isoformat(), 0, 0, 0, 0, 0, 0) for day in days]
