"""The page of the loss meter: one figure, columns by day, and which pages and browsers miss most."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response

from expost.errors import ExpostError
from expost.query.form import Form
from expost.query.form_seen import losses_of
from expost.query.losses import LossesAnswer, Tally

from . import chart
from .asked import Ask, Offer
from .chart import Column
from .desk import Desk
from .format import day, number, plural, share
from .page import render, twin
from .trend import ValueTick

LISTED = 10
SPLIT = ("by", "limit")
"""Fields that the page says itself: it shows all three splits."""


@dataclass(frozen=True, slots=True)
class LossRow:
    """One day, page or browser in a table. `name` is None for pages of which nothing arrived."""

    name: str | None
    tally: Tally
    share: str
    known: str


@dataclass(frozen=True, slots=True)
class LossTable:
    """Those that miss most first; `more` of them are not listed."""

    title: str
    head: str
    rows: tuple[LossRow, ...]
    more: int


@dataclass(frozen=True, slots=True)
class LossesView:
    """What `_losses.html` shows."""

    answer: LossesAnswer
    headline: str
    words: str
    exact_share: str
    others: int
    columns: tuple[Column, ...]
    y_ticks: tuple[ValueTick, ...]
    x_labels: tuple[str, ...]
    days: tuple[LossRow, ...]
    tables: tuple[LossTable, ...]


def losses_view(by_day: LossesAnswer, by_page: LossesAnswer, by_browser: LossesAnswer) -> LossesView:
    """The three answers as a figure, a chart and tables."""
    total = by_day.total
    dates = [date.fromisoformat(each.value) for each in by_day.groups if each.value]
    labels = [day(each) for each in dates]
    values = [100 * (each.share or 0) for each in by_day.groups]
    titles = [f"{label}: {_words(each)}" for label, each in zip(labels, by_day.groups, strict=True)]
    is_exact = [each.is_exact for each in by_day.groups]
    return LossesView(
        answer=by_day,
        headline=share(total.missing, total.expected),
        words=_words(total),
        exact_share=share(total.exact_pages, total.pages),
        others=total.pages - total.exact_pages,
        columns=tuple(chart.columns(values, titles, is_exact)),
        y_ticks=tuple(ValueTick(f"{tick.label}%", 100 - tick.place) for tick in chart.value_ticks(values)),
        x_labels=chart.chosen_labels(labels),
        days=tuple(_row(label, each) for label, each in zip(labels, by_day.groups, strict=True)),
        tables=(
            _table("Pages that miss most", "Page", by_page),
            _table("Browsers that miss most", "Browser", by_browser),
        ),
    )


def add_losses(router: APIRouter, desk: Desk) -> None:
    """`/losses` and its twins."""

    async def view_of(form: Form) -> LossesView:
        few = {"limit": [str(LISTED)]}
        asked = [losses_of({**form, **few, "by": [by]}) for by in ("day", "page", "browser")]
        return losses_view(*await asyncio.gather(*map(desk.answer, asked)))

    @router.get("/losses")
    async def losses(request: Request) -> Response:
        """The page."""
        form = desk.form_of(request, without=frozenset(SPLIT))
        ask = Ask(form, Offer((), ()))
        try:
            view, error = await view_of(form), None
        except ExpostError as problem:
            view, error = None, problem
        status = 200 if error is None else error.status
        return render(desk, request, "losses.html", status=status, ask=ask, view=view, error=error)

    @router.get("/losses.json")
    @router.get("/losses.sql")
    async def twins(request: Request) -> Response:
        """The twins; `by` chooses the split."""
        return twin(request, await desk.answer(losses_of(desk.form_of(request))))


def _table(title: str, head: str, answer: LossesAnswer) -> LossTable:
    # A page or browser that misses nothing is no answer to what misses most.
    missing = [each for each in answer.groups if each.missing]
    more = answer.distinct - len(answer.groups) if len(missing) == len(answer.groups) else 0
    return LossTable(title, head, tuple(_row(each.value, each) for each in missing), more)


def _row(name: str | None, tally: Tally) -> LossRow:
    known = "" if not tally.pages else "exact" if tally.is_exact else "at least"
    return LossRow(name, tally, share(tally.missing, tally.expected), known)


def _words(tally: Tally) -> str:
    """How much is missing, as a sentence goes on: `at least 12 of 1,004 events (1.2%)`."""
    if not tally.pages:
        return "no page"
    bound = "exactly" if tally.is_exact else "at least"
    events = plural(tally.expected, "event")
    missing = f"{number(tally.missing)} of {number(tally.expected)} {events}"
    return f"{bound} {missing} ({share(tally.missing, tally.expected)})"
