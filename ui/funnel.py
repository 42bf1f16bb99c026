"""The funnel page: bars with their numbers, step by step and group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from expost.query.form_funnel import funnel_of
from expost.query.funnel import Funnel, FunnelAnswer, FunnelStep
from expost.query.funnel_counts import PERCENTILES
from expost.query.question import MAX_STEPS

from . import chart, group
from .asked import Ask
from .beside import beside_pairs
from .chart_page import ChartPage
from .desk import Pairs
from .format import window

LEAST_STEPS = 3
MORE = (
    "order",
    "unit",
    "several",
    "exposures_from",
    "ends_attempt",
    "removes_unit",
    "optional",
    "where",
    "step_within",
    "between",
    "over",
    "compare",
    "week_start",
    "as_of",
)
"""Fields of the second row of the form."""


@dataclass(frozen=True, slots=True)
class FunnelAsk(Ask):
    """The funnel's form."""

    repeated = ("ends_attempt", "removes_unit", "between")

    @property
    def steps(self) -> list[str]:
        """The steps as chosen, and room for one more."""
        chosen = list(self.form.get("step", ()))
        room = max(LEAST_STEPS, min(len(chosen) + 1, MAX_STEPS))
        return chosen + [""] * (room - len(chosen))

    @property
    def within(self) -> str:
        """The conversion window."""
        return self.one("within", "7d")

    @property
    def numbers(self) -> list[str]:
        """The numbers of the steps after the first, which may be optional."""
        return [str(number) for number in range(2, len(self.steps) + 1)]

    @property
    def optional(self) -> tuple[str, ...]:
        """The numbers of those that are."""
        return tuple(self.form.get("optional", ()))

    @property
    def wheres(self) -> tuple[str, ...]:
        """What steps are narrowed to, and room for one more."""
        return (*self.form.get("where", ()), "")

    @property
    def step_windows(self) -> tuple[str, ...]:
        """Windows of steps, and room for one more."""
        return (*self.form.get("step_within", ()), "")

    @property
    def more(self) -> bool:
        """Whether anything is said that only the second row of the form has fields for."""
        return any(self.form.get(name) for name in MORE)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `width` of those who entered are here, `width_before` were at the step before."""

    label: str
    colour: int
    people: int
    share: float | None
    width: float
    width_before: float
    people_pairs: Pairs


@dataclass(frozen=True, slots=True)
class StepView:
    """One step with its bars. Those who went no further are None at the last step."""

    name: str
    people: int
    share: float | None
    median_ms: float | None
    dropped_off: int | None
    dropped_share: float | None
    bars: tuple[Bar, ...]
    dropped_pairs: Pairs


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group of the legend and of the table."""

    kind: str
    value: str | None
    label: str
    colour: int
    people: int
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class TimesRow:
    """How long the shown attempts took from the first step to this one, one time for each percentile."""

    name: str
    from_start_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """Those of a group who entered in one period; `incomplete` if the window of some is not over."""

    label: str
    start: date
    people: tuple[int, ...]
    share: float | None
    incomplete: bool


@dataclass(frozen=True, slots=True)
class FunnelView:
    """What `_funnel.html` shows."""

    answer: FunnelAnswer
    steps: tuple[StepView, ...]
    groups: tuple[GroupView, ...]
    table: tuple[GroupView, ...]
    window: str
    incomplete: int
    share: float | None
    complete_share: float | None
    outside: tuple[tuple[str, int], ...]
    several: float | None
    percentiles: tuple[int, ...]
    times: tuple[TimesRow, ...]
    over: str | None
    periods: tuple[PeriodRow, ...]
    compared: FunnelView | None


def funnel_view(answer: FunnelAnswer, pairs: Pairs = ()) -> FunnelView:
    """A funnel's answer as bars, groups and notes; `pairs` are the address of the question, for links into it."""
    question = answer.question
    assert isinstance(question, Funnel)
    groups = tuple(
        GroupView(
            each.kind,
            each.value,
            group.label(each.kind, each.value),
            group.colour(place),
            _entered(each.steps),
            each.steps,
        )
        for place, each in enumerate(answer.groups)
    )
    everyone = group.everyone(question)
    total = GroupView("", None, everyone, 1, _entered(answer.steps), answer.steps)
    last = answer.steps[-1]
    return FunnelView(
        answer=answer,
        steps=tuple(
            _step(answer.steps, place, groups or (total,), pairs) for place in range(len(answer.steps))
        ),
        groups=groups,
        table=(total, *groups),
        window=window(question.within),
        incomplete=answer.incomplete_people,
        share=last.share,
        complete_share=last.complete_share,
        outside=tuple((step.name, step.outside_groups) for step in answer.steps if step.outside_groups),
        several=answer.several_variations,
        percentiles=PERCENTILES,
        times=tuple(
            TimesRow(step.name, tuple(step.times.from_start_ms[each] for each in PERCENTILES))
            for step in answer.steps
            if step.times is not None
        ),
        over=question.over,
        periods=tuple(
            PeriodRow(
                group.label("" if each.kind == "total" else each.kind, each.value) or everyone,
                each.start,
                each.people,
                each.people[-1] / each.people[0] if each.people[0] else None,
                bool(each.incomplete_people),
            )
            for each in answer.periods
        ),
        compared=_compared(answer, question, pairs),
    )


def _compared(answer: FunnelAnswer, question: Funnel, pairs: Pairs) -> FunnelView | None:
    if answer.compared is None:
        return None
    return funnel_view(answer.compared, beside_pairs(pairs, question, answer.compared.question))


def _entered(steps: Sequence[FunnelStep]) -> int:
    return steps[0].people if steps else 0


def _step(steps: Sequence[FunnelStep], place: int, groups: Sequence[GroupView], pairs: Pairs) -> StepView:
    step = steps[place]
    is_last = place == len(steps) - 1
    return StepView(
        name=step.name,
        people=step.people,
        share=step.share,
        median_ms=step.median_ms if place else None,
        dropped_off=None if is_last else step.dropped_off,
        dropped_share=None if is_last or not step.people else step.dropped_off / step.people,
        bars=tuple(_bar(each, place, pairs) for each in groups),
        dropped_pairs=(*pairs, ("at", str(place + 1)), ("dropped_off", "yes")),
    )


def _bar(shown: GroupView, place: int, pairs: Pairs) -> Bar:
    # Each bar is scaled to its own group's entries, so that groups of different sizes compare by their rates.
    step, before = shown.steps[place], shown.steps[max(0, place - 1)]
    return Bar(
        label=shown.label,
        colour=shown.colour,
        people=step.people,
        share=step.share,
        width=chart.percent(step.people, shown.people),
        width_before=chart.percent(before.people, shown.people),
        people_pairs=(*pairs, ("at", str(place + 1)), ("kind", shown.kind), ("value", shown.value or "")),
    )


PAGE = ChartPage("funnel", ("step",), funnel_of, funnel_view, FunnelAsk)
