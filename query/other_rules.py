"""The rules that decided a funnel or a retention, and what its counts would be under the other ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from expost.errors import InvalidInput

from .breakdown import SEVERAL, Flag
from .explanation import CountsOf, Explanation, ExplanationAnswer, OtherRule
from .funnel import ORDERS, Funnel, FunnelAnswer
from .funnel_counts import counted_funnel
from .grouping import SEVERAL_RULES, GroupKey
from .reading import Reading
from .retention import ENTRIES, RETENTION_MODES, Retention, RetentionAnswer
from .retention_counts import retention

Counts = Mapping[GroupKey, tuple[int, ...]]
TIES = """\
select cast(coalesce(sum(events), 0) as bigint) as events, count(distinct unit_id) as units
from (
    select unit_id, moment, count(distinct position) as events
    from counted
    group by unit_id, moment
    having count(distinct position) > 1
) as ties;"""
SEVERAL_SAYS = {"first": "Whoever saw several variations is in the first one."} | {
    name: rules[0] for name, rules in SEVERAL_RULES.items() if rules
}
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


@dataclass(frozen=True, slots=True)
class _Other:
    """A rule that could be another one: which, what it says, and the question that follows it."""

    rule: str
    setting: str
    says: str
    question: Funnel | Retention
    is_first_only: bool = False


def explanation(reading: Reading, question: Explanation) -> ExplanationAnswer:
    """The counts in force, and those under each other rule, all over the same snapshot."""
    asked = replace(question.of, over=None, compare=None) if isinstance(question.of, Funnel) else question.of
    others = _of_funnel(asked) if isinstance(asked, Funnel) else _of_retention(asked)
    # The one in force comes last and by the portable SQL, so that its relations are there for the ties.
    found = [(other, _counts(_ask(reading, other))) for other in others]
    own = _ask(replace(reading, is_fast=False), _Other("", "", "", asked))
    chosen = _counts(own)
    tied_events, tied_people = _ties(reading, asked)
    return ExplanationAnswer(
        question=question,
        basis=own.basis,
        columns=_columns(own),
        in_force=_in_force(asked),
        groups=_compared(chosen, chosen),
        others=tuple(
            OtherRule(other.rule, other.setting, other.says, _compared(counts, chosen))
            for other, counts in found
        ),
        tied_events=tied_events,
        tied_people=tied_people,
    )


def _ask(reading: Reading, other: _Other) -> FunnelAnswer | RetentionAnswer:
    own = replace(reading, question=other.question)
    if isinstance(other.question, Funnel):
        return counted_funnel(own, other.question, is_first_only=other.is_first_only)
    return retention(own, other.question)


def _of_funnel(asked: Funnel) -> Iterator[_Other]:
    for order in ORDERS:
        try:
            between = asked.between if order == "strict" else ()
            other = replace(asked, order=order, between=between)
        except InvalidInput:
            # Optional steps and windows of their own are not in every order.
            continue
        if order != asked.order:
            yield _Other("order", order, ORDER_SAYS[order], other)
    if asked.order != "any" and len(asked.steps) > 1:
        first, *later = asked.stages
        stages = tuple(replace(each, within=min(each.within or asked.within, asked.within)) for each in later)
        refreshed = replace(asked, steps=(first, *stages), within=asked.within * len(later))
        yield _Other("window", "from each step", "The window counts anew from each step.", refreshed)
    says = "Nobody enters again: the first entry in range alone counts."
    yield _Other("re-entry", "first entry only", says, asked, is_first_only=True)
    if asked.ends_attempt or asked.removes_unit:
        without = replace(asked, ends_attempt=(), removes_unit=())
        yield _Other("exclusions", "none", "Nothing ends an attempt and nobody is removed.", without)
    yield from _of_flag(asked)


def _of_retention(asked: Retention) -> Iterator[_Other]:
    for entry in ENTRIES:
        if entry != asked.entry:
            yield _Other("entry", entry, ENTRY_SAYS[entry], replace(asked, entry=entry))  # type: ignore[arg-type]
    for mode in RETENTION_MODES:
        if mode != asked.mode and not asked.brackets:
            says = "In that period or later." if mode == "on_or_after" else "In that period."
            yield _Other("mode", mode, says, replace(asked, mode=mode))
    setting = "of the calendar" if asked.rolling else "rolling"
    yield _Other("periods", setting, f"Periods are {setting}.", replace(asked, rolling=not asked.rolling))
    yield from _of_flag(asked)


def _of_flag(asked: Funnel | Retention) -> Iterator[_Other]:
    if not isinstance(asked.by, Flag):
        return
    for several in SEVERAL:
        if several != asked.by.several:
            other = replace(asked, by=replace(asked.by, several=several))
            yield _Other("several variations", several, SEVERAL_SAYS[several], other)


def _in_force(asked: Funnel | Retention) -> dict[str, str]:
    several = {"several variations": SEVERAL_SAYS[asked.by.several]} if isinstance(asked.by, Flag) else {}
    if isinstance(asked, Retention):
        periods = "Periods are rolling." if asked.rolling else "Periods are of the calendar."
        mode = "In that period." if asked.mode == "on" else "In that period or later."
        return {"entry": ENTRY_SAYS[asked.entry], "mode": mode, "periods": periods} | several
    return {
        "order": ORDER_SAYS[asked.order],
        "window": "The window counts from the first step.",
        "re-entry": "A person is counted at a step if any attempt reaches it.",
        "ties": "Events of one moment are in the order of their page and number.",
    } | several


def _counts(answer: FunnelAnswer | RetentionAnswer) -> dict[GroupKey, tuple[int, ...]]:
    """Of a funnel people per step; of a retention all who began, and who came back in each cell, over all cohorts."""
    if isinstance(answer, FunnelAnswer):
        steps = {(group.kind, group.value): group.steps for group in answer.groups}
        bars = {("total", None): answer.steps} | steps
        return {key: tuple(each.people for each in found) for key, found in bars.items()}
    assert isinstance(answer.question, Retention)
    lows = [low for low, _ in answer.question.cells]
    tables = {("total", None): answer.cohorts} | {
        (each.kind, each.value): each.cohorts for each in answer.groups
    }
    return {
        key: (
            sum(cohort.size for cohort in cohorts),
            *(
                sum(cell.people for cohort in cohorts for cell in cohort.periods if cell.period == low)
                for low in lows
            ),
        )
        for key, cohorts in tables.items()
    }


def _columns(answer: FunnelAnswer | RetentionAnswer) -> tuple[str, ...]:
    if isinstance(answer, FunnelAnswer):
        return tuple(f"{number} {step.name}" for number, step in enumerate(answer.steps, 1))
    assert isinstance(answer.question, Retention)
    return ("began", *(f"{answer.period} {low}" for low, _ in answer.question.cells))


def _compared(counts: Counts, chosen: Counts) -> tuple[CountsOf, ...]:
    return tuple(
        CountsOf(
            *key,
            people,
            tuple(now - own for now, own in zip(people, chosen[key], strict=True)) if key in chosen else None,
        )
        for key, people in counts.items()
    )


def _ties(reading: Reading, asked: Funnel | Retention) -> tuple[int, int]:
    relation = "counted"
    if isinstance(asked, Retention):
        unit = "person_id" if asked.unit.kind == "person" else "unit_id"
        counts = "where is_sure and left_out is null"
        relation = f"(select {unit} as unit_id, moment, position from matched {counts}) as counted"
    [(events, units)] = reading.execute(TIES.replace("from counted", f"from {relation}"), {})
    return events, units
