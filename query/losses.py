"""The loss meter: how many events were numbered in pages and are not here, and whether that is known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from expost.clock import from_micros

from .answer import LossesAnswer, Tally
from .interval import EARLIEST, LATEST
from .question import Losses
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
