"""Retention on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from expost.query.retention import Cohort, PooledPeriod, Retention, RetentionAnswer
from expost.table import NUMBER, WORD, beside, group_name, percent, show_several, table, unit_of


def show_retention(console: Console, answer: RetentionAnswer) -> None:
    """Print cohorts, group by group."""
    assert isinstance(answer.question, Retention)
    unit = unit_of(answer)
    _show_cohorts(
        console, answer.period, answer.cohorts, answer.pooled, "Everyone" if answer.groups else "", unit
    )
    for group in answer.groups:
        console.print()
        _show_cohorts(
            console, answer.period, group.cohorts, group.pooled, group_name(group.kind, group.value), unit
        )
    console.print(f"\n* {_unfinished(answer.question)}")
    show_several(console, answer.several_variations, unit)
    if answer.compared is not None:
        console.print(f"\n{beside(answer, answer.compared)}\n", markup=False)
        show_retention(console, answer.compared)


def _unfinished(question: Retention) -> str:
    """What a cell is that is not complete."""
    if question.mode == "on_or_after":
        return "counted as observed until now: it can still grow."
    if question.rolling:
        return "not everybody's period is over; those alone count for whom it is."
    return "this period is not over, and is left out of 'all'."


def _show_cohorts(
    console: Console,
    period: str,
    cohorts: Sequence[Cohort],
    pooled: Sequence[PooledPeriod],
    title: str,
    unit: str,
) -> None:
    width = max((len(cohort.periods) for cohort in cohorts), default=len(pooled))
    longest = max((cohort.periods for cohort in cohorts), key=len, default=())
    heads = [
        str(each.period) if each.last == each.period else f"{each.period}–{each.last}" for each in longest
    ]
    heads = heads or [str(each.period) for each in pooled]
    columns = [(f"{period} of", WORD), (unit, NUMBER), *((head, NUMBER) for head in heads)]
    rows: list[list[Any]] = []
    for cohort in cohorts:
        cells = [f"{each.people:,}{'' if each.complete else '*'}" for each in cohort.periods]
        rows.append([cohort.start, cohort.size, *cells, *[""] * (width - len(cells))])
    shares = [percent(each.share) for each in pooled][:width]
    if pooled:
        rows.append(["all", sum(cohort.size for cohort in cohorts), *shares, *[""] * (width - len(shares))])
    table(console, columns, rows, title)
