"""The retention page: cohorts in a table whose cells are tinted by the share that came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from expost.query.answer import Cohort, PooledPeriod, RetentionAnswer
from expost.query.form import retention_of

from . import chart, group
from .asked import Ask, ask_of
from .desk import Desk, Outcome
from .page import render, twin

LENGTHS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class RetentionAsk(Ask):
    """The form of retention."""

    @property
    def begins(self) -> str:
        """The start event."""
        return self.one("start")

    @property
    def returns(self) -> str:
        """The return event; empty for the same."""
        return self.one("return")

    @property
    def period(self) -> str:
        """A day or a week."""
        return self.one("period", "week")

    @property
    def periods(self) -> str:
        """How many periods after the first."""
        return self.one("periods", "8")

    @property
    def entry(self) -> str:
        """Which start event counts."""
        return self.one("entry", "first_in_range")


@dataclass(frozen=True, slots=True)
class Cell:
    """`people` of `size` came back."""

    people: int
    size: int
    tint: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A cohort, or the pooled row. A cell is None while its period has not begun."""

    label: str
    start: date | None
    size: int | None
    cells: tuple[Cell | None, ...]
    is_pooled: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of rows under one heading."""

    label: str
    head: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RetentionView:
    """What `_retention.html` shows."""

    answer: RetentionAnswer
    heads: tuple[str, ...]
    total: Table
    groups: tuple[Table, ...]
    comparison: Table
    several: float | None
    data_begins: datetime | None
    has_people: bool
    greatest: float


def retention_view(answer: RetentionAnswer) -> RetentionView:
    """A retention's answer as tables, all tinted to one scale."""
    today = answer.basis.now.astimezone(ZoneInfo(answer.basis.time_zone)).date()
    heads = _begun(answer, today)
    cohorts = [*answer.cohorts, *(cohort for each in answer.groups for cohort in each.cohorts)]
    shares = [cell.people / cell.size for each in cohorts for cell in each.periods if cell.size]
    scale = _Scale(answer.period, today, heads, max(shares, default=0.0))
    groups = [(group.label(each.kind, each.value), each) for each in answer.groups]
    return RetentionView(
        answer=answer,
        heads=tuple(f"{answer.period.capitalize()} {number}" for number in range(heads)),
        total=_table("everyone", answer.cohorts, answer.pooled, scale),
        groups=tuple(_table(name, each.cohorts, each.pooled, scale) for name, each in groups),
        comparison=Table(
            "the groups",
            "Group",
            tuple(_pooled(name, each.pooled, _people(each.cohorts), scale) for name, each in groups),
        ),
        several=answer.several_variations,
        data_begins=answer.data_begins,
        has_people=any(each.size for each in answer.cohorts),
        greatest=scale.greatest,
    )


def add_retention(router: APIRouter, desk: Desk) -> None:
    """`/retention` and its twins."""

    @router.get("/retention")
    async def retention(request: Request) -> Response:
        """The page."""
        ask = RetentionAsk(*await ask_of(desk, request))
        outcome = await desk.outcome(lambda: retention_of(ask.form)) if "start" in ask.form else Outcome()
        view = retention_view(outcome.answer) if outcome.answer else None
        return render(
            desk, request, "retention.html", status=outcome.status, ask=ask, view=view, error=outcome.error
        )

    @router.get("/retention.json")
    @router.get("/retention.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(retention_of(desk.form_of(request))))


@dataclass(frozen=True, slots=True)
class _Scale:
    """What all tables of a page share: the length of a period, today, how many periods are shown, the darkest share."""

    period: str
    today: date
    heads: int
    greatest: float

    def cell(self, people: int, size: int, *, complete: bool) -> Cell:
        return Cell(people, size, chart.tint(people, size * self.greatest), complete)


def _table(label: str, cohorts: Sequence[Cohort], pooled: Sequence[PooledPeriod], scale: _Scale) -> Table:
    rows = tuple(_cohort(each, scale) for each in cohorts)
    head = "Week of" if scale.period == "week" else "Day"
    return Table(label, head, (*rows, _pooled("All, pooled", pooled, _people(cohorts), scale)))


def _cohort(cohort: Cohort, scale: _Scale) -> Row:
    length = LENGTHS[scale.period]
    cells = tuple(
        scale.cell(each.people, each.size, complete=each.complete)
        if cohort.start + each.period * length <= scale.today
        else None
        for each in cohort.periods[: scale.heads]
    )
    return Row("", cohort.start, cohort.size, cells)


def _pooled(label: str, pooled: Sequence[PooledPeriod], size: int, scale: _Scale) -> Row:
    cells = tuple(
        scale.cell(each.people, each.size, complete=True) if each.size else None
        for each in pooled[: scale.heads]
    )
    return Row(label, None, size, cells, is_pooled=True)


def _begun(answer: RetentionAnswer, today: date) -> int:
    """How many periods have begun for the oldest cohort: what lies beyond is empty for all."""
    length = LENGTHS[answer.period]
    begun = [
        sum(each.start + cell.period * length <= today for cell in each.periods) for each in answer.cohorts
    ]
    return max(begun, default=0)


def _people(cohorts: Sequence[Cohort]) -> int:
    return sum(each.size for each in cohorts)
