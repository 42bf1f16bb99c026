"""The rules of funnels and of retention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from expost.errors import InvalidInput

from . import funnel_arrays, retention_arrays
from .answer import Answer
from .funnel import ORDERS, Funnel, FunnelAnswer
from .funnel_counts import counted_funnel
from .gathering import may_pass_over
from .reading import Reading
from .retention import ENTRIES, RETENTION_MODES, Retention, RetentionAnswer
from .retention_counts import counted_retention
from .rule import TOTAL, Counts, Explained, Other, several_in_force, several_rules, unit_in_force, unit_rules

ORDER_SAYS = {
    "ordered": "Other events may lie between two steps.",
    "strict": "No event of the steps may lie between two steps.",
    "any": "The steps may come in any order.",
}
ENTRY_SAYS = {
    "first_in_range": "Each begins once, with the first start in range.",
    "first_ever": "Each begins with the first start in kept data, if that is in range.",
    "recurring": "Each begins once in every period.",
}


def _answer_funnel(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Funnel)
    return counted_funnel(other.of(reading), other.question, is_first_only=other.is_first_only)


def _answer_retention(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Retention)
    return counted_retention(other.of(reading), other.question)


def _funnel_makes_relations(reading: Reading, other: Other) -> bool:
    asked = other.question
    assert isinstance(asked, Funnel)
    is_for_arrays = funnel_arrays.is_for_arrays(asked, is_first_only=other.is_first_only)
    return not (may_pass_over(reading) and is_for_arrays)


def _retention_makes_relations(reading: Reading, other: Other) -> bool:
    assert isinstance(other.question, Retention)
    return not (may_pass_over(reading) and retention_arrays.is_for_arrays(other.question))


def _of_funnel(_: Reading, asked: Funnel) -> Iterator[Other]:
    for order in ORDERS:
        try:
            between = asked.between if order == "strict" else ()
            other = replace(asked, order=order, between=between)
        except InvalidInput:
            # Optional steps and windows of their own are not in every order.
            continue
        if order != asked.order:
            yield Other("order", order, ORDER_SAYS[order], other)
    if asked.order != "any" and len(asked.steps) > 1:
        first, *later = asked.stages
        stages = tuple(replace(each, within=min(each.within or asked.within, asked.within)) for each in later)
        refreshed = replace(asked, steps=(first, *stages), within=asked.within * len(later))
        yield Other("window", "from each step", "The window counts anew from each step.", refreshed)
    says = "Nobody enters again: the first entry in range alone counts."
    yield Other("re-entry", "first entry only", says, asked, is_first_only=True)
    if asked.ends_attempt or asked.removes_unit:
        without = replace(asked, ends_attempt=(), removes_unit=())
        yield Other("exclusions", "none", "Nothing ends an attempt and nobody is removed.", without)
    yield from unit_rules(asked)
    yield from several_rules(asked)


def _of_retention(_: Reading, asked: Retention) -> Iterator[Other]:
    for entry in ENTRIES:
        if entry != asked.entry:
            yield Other("entry", entry, ENTRY_SAYS[entry], replace(asked, entry=entry))  # type: ignore[arg-type]
    for mode in RETENTION_MODES:
        if mode != asked.mode and not asked.brackets:
            says = "In that period or later." if mode == "on_or_after" else "In that period."
            yield Other("mode", mode, says, replace(asked, mode=mode))
    setting = "of the calendar" if asked.rolling else "rolling"
    yield Other("periods", setting, f"Periods are {setting}.", replace(asked, rolling=not asked.rolling))
    yield from unit_rules(asked)
    yield from several_rules(asked)


def _funnel_in_force(_: Reading, asked: Funnel) -> dict[str, str]:
    return {
        "order": ORDER_SAYS[asked.order],
        "window": "The window counts from the first step.",
        "re-entry": "A person is counted at a step if any attempt reaches it.",
        "ties": "Events of one moment are in the order of their page and number.",
        **unit_in_force(asked.unit),
        **several_in_force(asked),
    }


def _retention_in_force(_: Reading, asked: Retention) -> dict[str, str]:
    return {
        "entry": ENTRY_SAYS[asked.entry],
        "mode": "In that period." if asked.mode == "on" else "In that period or later.",
        "periods": "Periods are rolling." if asked.rolling else "Periods are of the calendar.",
        **unit_in_force(asked.unit),
        **several_in_force(asked),
    }


def _step_names(answer: FunnelAnswer) -> tuple[str, ...]:
    return tuple(f"{number} {step.name}" for number, step in enumerate(answer.steps, 1))


def _steps(answer: FunnelAnswer) -> Counts:
    """People per step."""
    bars = {TOTAL: answer.steps} | {(group.kind, group.value): group.steps for group in answer.groups}
    return {key: tuple(each.people for each in steps) for key, steps in bars.items()}


def _cell_names(answer: RetentionAnswer) -> tuple[str, ...]:
    return ("began", *(f"{answer.period} {low}" for low in _lows(answer)))


def _cells(answer: RetentionAnswer) -> Counts:
    """All who began, and who came back in each cell, over all cohorts."""
    tables = {TOTAL: answer.cohorts} | {(each.kind, each.value): each.cohorts for each in answer.groups}
    return {
        key: (
            sum(cohort.size for cohort in cohorts),
            *(
                sum(cell.people for cohort in cohorts for cell in cohort.periods if cell.period == low)
                for low in _lows(answer)
            ),
        )
        for key, cohorts in tables.items()
    }


def _lows(answer: RetentionAnswer) -> list[int]:
    assert isinstance(answer.question, Retention)
    return [low for low, _ in answer.question.cells]


FUNNEL = Explained(
    _answer_funnel, _of_funnel, _funnel_in_force, _step_names, _steps,
    asked=lambda question: replace(question, over=None, compare=None), is_ordered=True,
    makes_relations=_funnel_makes_relations,
)  # fmt: skip
RETENTION = Explained(
    _answer_retention, _of_retention, _retention_in_force, _cell_names, _cells,
    asked=lambda question: replace(question, compare=None), is_ordered=True,
    makes_relations=_retention_makes_relations,
)  # fmt: skip
