"""The rules of trends, stickiness and lifecycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .answer import Answer
from .gathering import may_pass_over
from .lifecycle import LIFE_RULE, Lifecycle, LifecycleAnswer, lifecycle
from .measure import Measure
from .reading import Reading
from .rule import (
    TOTAL,
    Counts,
    Explained,
    Other,
    calendar_in_force,
    calendar_rules,
    several_in_force,
    several_rules,
    unit_in_force,
    unit_rules,
)
from .stickiness import STICKY_RULE, Stickiness, StickinessAnswer, stickiness
from .trend import Trend, TrendAnswer
from .trend_arrays import is_for_arrays
from .trend_figures import trend, trend_rules

LIVES = ("new", "returning", "resurrecting", "dormant")


def _answer_trend(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Trend)
    return trend(other.of(reading), other.question)


def _answer_stickiness(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Stickiness)
    return stickiness(other.of(reading), other.question)


def _answer_lifecycle(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Lifecycle)
    return lifecycle(other.of(reading), other.question)


def _trend_makes_relations(reading: Reading, other: Other) -> bool:
    assert isinstance(other.question, Trend)
    return not (may_pass_over(reading) and is_for_arrays(other.question))


def _of_trend(_: Reading, asked: Trend) -> Iterator[Other]:
    yield from unit_rules(asked)
    yield from several_rules(asked)


def _of_stickiness(reading: Reading, asked: Stickiness) -> Iterator[Other]:
    yield from unit_rules(asked)
    yield from calendar_rules(reading, asked)
    yield from several_rules(asked)


def _of_lifecycle(reading: Reading, asked: Lifecycle) -> Iterator[Other]:
    yield from unit_rules(asked)
    yield from calendar_rules(reading, asked)


def _trend_in_force(_: Reading, asked: Trend) -> dict[str, str]:
    groups = {"groups": trend_rules(asked)[0]} if asked.by is not None else {}
    counted = {"people": "Over the whole range each is counted once, in however many periods."}
    return counted | unit_in_force(asked.unit) | groups | several_in_force(asked)


def _stickiness_in_force(reading: Reading, asked: Stickiness) -> dict[str, str]:
    return {
        "periods": STICKY_RULE,
        **calendar_in_force(reading, asked),
        **unit_in_force(asked.unit),
        **several_in_force(asked),
    }


def _lifecycle_in_force(reading: Reading, asked: Lifecycle) -> dict[str, str]:
    return {"lives": LIFE_RULE} | calendar_in_force(reading, asked) | unit_in_force(asked.unit)


def _events_and_people(answer: TrendAnswer) -> Counts:
    """Over the whole range."""
    groups = {
        (each.kind, each.value): (sum(point.events for point in each.points), int(each.measured or 0))
        for each in answer.groups
    }
    return {TOTAL: (answer.events, answer.people)} | groups


def _bar_names(answer: StickinessAnswer) -> tuple[str, ...]:
    return tuple(
        f"in {number} {answer.period}{'s' * (number > 1)}" for number in range(1, len(answer.people) + 1)
    )


def _bars(answer: StickinessAnswer) -> Counts:
    """How many did it in exactly so many periods."""
    return {TOTAL: answer.people} | {(each.kind, each.value): each.people for each in answer.groups}


def _lives(answer: LifecycleAnswer) -> Counts:
    """Over all periods."""
    return {TOTAL: tuple(sum(getattr(each, kind) for each in answer.periods) for kind in LIVES)}


def _of_people(question: Trend) -> Trend:
    # The measure of a group over the whole range stands in the answer; so its people do.
    return replace(question, measure=Measure("people"), per=None, per_measure=None, compare=None)


TREND = Explained(
    _answer_trend,
    _of_trend,
    _trend_in_force,
    lambda _: ("events", "people"),
    _events_and_people,
    asked=_of_people,
    makes_relations=_trend_makes_relations,
)
STICKINESS = Explained(_answer_stickiness, _of_stickiness, _stickiness_in_force, _bar_names, _bars)
LIFECYCLE = Explained(_answer_lifecycle, _of_lifecycle, _lifecycle_in_force, lambda _: LIVES, _lives)
