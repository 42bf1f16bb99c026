"""The retention page: cohorts in a table whose cells are tinted by the share that came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from expost.query.activity import ACTIVITY
from expost.query.form_retention import retention_of
from expost.query.retention import Cohort, PooledPeriod, Retention, RetentionAnswer, RetentionGroup
from expost.state.names import name_key

from . import chart, group
from .asked import Ask
from .beside import beside_pairs
from .chart_page import ChartPage
from .desk import Pairs

MORE = ("mode", "rolling", "brackets", "unit", "several", "exposures_from", "compare", "week_start", "as_of")
"""Fields of the second row of the form."""
HEADS = {"day": "Day", "week": "Week of", "month": "Month of"}


@dataclass(frozen=True, slots=True)
class RetentionAsk(Ask):
    """The form of retention."""

    @property
    def begins(self) -> str:
        """The start event; empty for any activity."""
        name = self.one("start_event")
        return "" if name_key(name) == name_key(ACTIVITY.name) and name not in dict(self.saved) else name

    @property
    def returns(self) -> str:
        """The return event; empty for the same."""
        return self.one("return_event")

    @property
    def period(self) -> str:
        """A day or a week."""
        return self.one("period", "week")

    @property
    def periods(self) -> str:
        """How many periods after the first; empty for eight, or where stretches are said."""
        return self.one("periods")

    @property
    def entry(self) -> str:
        """Which start event counts."""
        return self.one("entry", "first_in_range")

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)


@dataclass(frozen=True, slots=True)
class Cell:
    """`people` of `size` came back. `pairs` is the address of who they are; None where that is no single cohort."""

    people: int
    size: int
    tint: int
    complete: bool
    pairs: Pairs | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A cohort, or the pooled row. A cell is None while its period has not begun."""

    label: str
    start: date | None
    size: int | None
    cells: tuple[Cell | None, ...]
    is_pooled: bool = False
    pairs: Pairs | None = None


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
    comparison: Table | None
    several: float | None
    data_begins: datetime | None
    has_people: bool
    greatest: float
    hatched: str
    compared: RetentionView | None


def retention_view(answer: RetentionAnswer, pairs: Pairs = ()) -> RetentionView:
    """A retention's answer, and that beside it, as tables, all tinted to one scale."""
    greatest = max(_greatest(each) for each in (answer, answer.compared) if each is not None)
    return _view(answer, pairs, greatest)


def _greatest(answer: RetentionAnswer) -> float:
    """The greatest share of any cell."""
    cohorts = [*answer.cohorts, *(cohort for each in answer.groups for cohort in each.cohorts)]
    shares = (cell.people / cell.size for each in cohorts for cell in each.periods if cell.size)
    return max(shares, default=0.0)


def _view(answer: RetentionAnswer, pairs: Pairs, greatest: float) -> RetentionView:
    question, compared = answer.question, answer.compared
    assert isinstance(question, Retention)
    heads = _heads(answer)
    scale = _Scale(answer.period, len(heads), greatest)
    whose = group.everyone(question) if question.cohort else "everyone"
    groups = [(group.label(each.kind, each.value), each) for each in answer.groups]
    return RetentionView(
        answer=answer,
        heads=heads,
        total=_table(whose, answer.cohorts, answer.pooled, scale, tuple(pairs)),
        groups=tuple(
            _table(
                name,
                each.cohorts,
                each.pooled,
                scale,
                (*pairs, ("kind", each.kind), *((("value", each.value),) if each.value is not None else ())),
            )
            for name, each in groups
        ),
        comparison=_comparison(groups, scale),
        several=answer.several_variations,
        data_begins=answer.data_begins,
        has_people=any(each.size for each in answer.cohorts),
        greatest=scale.greatest,
        hatched=_hatched(question),
        compared=_view(compared, beside_pairs(pairs, question, compared.question), greatest)
        if compared
        else None,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """What all tables of a page share: the kind of period, how many cells a row has, the darkest share."""

    period: str
    heads: int
    greatest: float

    def cell(self, people: int, size: int, *, complete: bool) -> Cell:
        return Cell(people, size, chart.tint(people, size * self.greatest), complete)


def _table(
    label: str, cohorts: Sequence[Cohort], pooled: Sequence[PooledPeriod], scale: _Scale, pairs: Pairs
) -> Table:
    rows = tuple(_cohort(each, scale, pairs) for each in cohorts)
    if pooled:
        rows = (*rows, _pooled("All, pooled", pooled, _people(cohorts), scale))
    return Table(label, HEADS[scale.period], rows)


def _hatched(question: Retention) -> str:
    """What a cell is that is not complete."""
    if question.mode == "on_or_after":
        return "whoever comes back later adds to it, so it is never complete and nothing is pooled."
    if question.rolling:
        return "for some of the cohort the period is not over; it counts those alone for whom it is."
    return "the period is not over, the number can still grow, and it is left out of the pooled row."


def _comparison(groups: Sequence[tuple[str, RetentionGroup]], scale: _Scale) -> Table | None:
    """The pooled rows side by side, where there are any."""
    rows = [_pooled(name, each.pooled, _people(each.cohorts), scale) for name, each in groups if each.pooled]
    return Table("the groups", "Group", tuple(rows)) if rows else None


def _cohort(cohort: Cohort, scale: _Scale, pairs: Pairs) -> Row:
    own = (*pairs, ("cohort_day", cohort.start.isoformat()))
    cells = [
        replace(
            scale.cell(each.people, each.size, complete=each.complete), pairs=(*own, ("at", str(each.period)))
        )
        for each in cohort.periods
    ]
    # What is not listed has not begun, or of rolling periods is over for nobody.
    return Row("", cohort.start, cohort.size, (*cells, *[None] * (scale.heads - len(cells))), pairs=own)


def _pooled(label: str, pooled: Sequence[PooledPeriod], size: int, scale: _Scale) -> Row:
    cells = tuple(
        scale.cell(each.people, each.size, complete=True) if each.size else None
        for each in pooled[: scale.heads]
    )
    return Row(label, None, size, cells, is_pooled=True)


def _heads(answer: RetentionAnswer) -> tuple[str, ...]:
    """What the cells of the longest row are called: `Week 0`, or a stretch such as `Week 1–3`."""
    longest = max((each.periods for each in answer.cohorts), key=len, default=())
    return tuple(
        f"{answer.period.capitalize()} {cell.period}" + (f"–{cell.last}" if cell.last > cell.period else "")
        for cell in longest
    )


def _people(cohorts: Sequence[Cohort]) -> int:
    return sum(each.size for each in cohorts)


PAGE = ChartPage("retention", ("start_event", "period"), retention_of, retention_view, RetentionAsk)
