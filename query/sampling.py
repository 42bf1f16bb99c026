"""Sampling for size: a share of those who are counted, chosen by the hash that their id is; counts are estimates.

Units are sampled and not events, so that no funnel is torn. The same units are chosen whatever is asked, so that steps,
groups and periods of one answer fit together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from expost.errors import InvalidInput, NotBuilt

from .answer import Answer, Sampled, SampledCount, SampledShare
from .estimate import Estimate, EstimatedShare, estimate, share_estimate
from .funnel import Funnel, FunnelPeople, FunnelStep
from .question import Question
from .reading import Reading
from .retention import PooledPeriod, Retention, RetentionPeople
from .share import PARTS
from .statement import Fragment
from .stickiness import Stickiness
from .trend import Trend, TrendPeople
from .unit import PERSON

Asked = TypeVar("Asked", bound=Answer)

ESTIMATED = (Funnel, Retention, Trend, Stickiness)
LISTED = (FunnelPeople, RetentionPeople, TrendPeople)

OF_UNITS = frozenset(
    {
        "people",
        "size",
        "dropped_off",
        "complete_people",
        "incomplete_people",
        "outside_groups",
        "shared_people",
    }
)
OF_EVENTS = frozenset({"events"})
SAME = 1e-9


def with_sample(reading: Reading) -> Reading:
    """The reading with only those units chosen that are in the sample which the question asks for."""
    question = reading.question
    rate = question.sample
    if rate is None:
        return reading
    _check(question, rate)
    if rate == 1:
        return reading
    unit = getattr(_opened(question), "unit", PERSON)
    if unit.kind == "session":
        # They have no id of their own that another snapshot would give them again.
        raise NotBuilt("Sessions cannot be sampled.", hint="Devices can: --unit device")
    column = "m.person_id" if unit.kind == "person" else "m.unit_id"
    is_in = f"abs({column} % {PARTS}) < {round(rate * PARTS)}"
    chosen = is_in if reading.chosen is None else f"{reading.chosen}\n    and {is_in}"
    return replace(reading, chosen=Fragment(chosen), notes=(*reading.notes, _rule(question, rate)))


def estimated(answer: Asked) -> Asked:
    """The answer with every count as an estimate, if it is of a sample."""
    rate = answer.question.sample
    if rate is None or rate >= 1 or not isinstance(answer.question, ESTIMATED):
        return answer
    scaled = cast(Asked, _scaled(answer, rate))
    if isinstance(answer.question, Trend):
        scaled = _with_values(scaled)
    found = list(_found(scaled))
    counts = {place: _said(each) for place, each in found if isinstance(each, Estimate)}
    shares = {
        place: SampledShare(each.n, float(each), each.low, each.high)
        for place, each in found
        if isinstance(each, EstimatedShare)
    }
    return replace(scaled, basis=replace(scaled.basis, sampled=Sampled(rate, counts, shares)))


def _check(question: Question, rate: float) -> None:
    if not 1 / PARTS <= rate <= 1:
        raise InvalidInput(f"A sample of {rate:g} is no share.", hint="From 0.01% to 100%, such as 10%.")
    if not isinstance(question, (*ESTIMATED, *LISTED)):
        raise NotBuilt(
            "This kind of question is not asked of a sample.",
            hint="Funnels, retention, trends and stickiness are.",
        )
    asked = _opened(question)
    if isinstance(asked, Trend) and (asked.measure.kind not in ("events", "people") or asked.per is not None):
        raise NotBuilt(
            f"The measure {asked.measure} is not estimated from a sample.", hint="Events and people are."
        )


def _opened(question: Question) -> Question:
    inner = (getattr(question, name, None) for name in ("funnel", "retention", "trend"))
    return next((each for each in inner if isinstance(each, Question)), question)


def _rule(question: Question, rate: float) -> str:
    if isinstance(question, LISTED):
        return (
            f"Only those in a sample of {rate:.4g} of all are listed, and their number is that of the sample."
        )
    return (
        f"Estimated: a sample of {rate:.4g} of all who are counted, chosen by the hash of their id, each with all of "
        "their events. Counts with ≈ are those of the sample divided by that share; shares are the sample's own, "
        "each with its interval."
    )


def _scaled(value: Any, rate: float, name: str = "") -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return estimate(value, rate, is_of_units=name in OF_UNITS) if name in OF_UNITS | OF_EVENTS else value
    if isinstance(value, tuple):
        if value and isinstance(value[0], FunnelStep):
            return tuple(_step(value, place, rate) for place in range(len(value)))
        return tuple(_scaled(each, rate, name) for each in value)
    if isinstance(value, PooledPeriod):
        share = _share_of(value.people, value.size, value.share, rate)
        return replace(_fields_scaled(value, rate), share=share)
    if is_dataclass(value) and not isinstance(value, type | Question):
        return _fields_scaled(value, rate)
    return value


def _fields_scaled(value: Any, rate: float) -> Any:
    changed = {
        each.name: _scaled(getattr(value, each.name), rate, each.name)
        for each in fields(value)
        if each.name not in ("question", "ask") and each.init
    }
    return replace(value, **changed)


def _step(steps: tuple[FunnelStep, ...], place: int, rate: float) -> FunnelStep:
    step, first = steps[place], steps[0]
    changed = _fields_scaled(step, rate)
    if not place:
        # Of those who entered all did, whoever is in the sample.
        return cast(FunnelStep, changed)
    before = steps[place - 1]
    return cast(
        FunnelStep,
        replace(
            changed,
            share=_share_of(step.people, first.people, step.share, rate),
            share_of_previous=_share_of(step.people, before.people, step.share_of_previous, rate),
            complete_share=_share_of(step.complete_people, first.complete_people, step.complete_share, rate),
        ),
    )


def _share_of(part: int, whole: int, share: float | None, rate: float) -> float | None:
    """The share with its interval, where it is that of these counts: after an optional step it is of an earlier one."""
    if not share or not whole or abs(part / whole - share) < SAME:
        return None if share is None else share_estimate(part, whole, rate)
    return share_estimate(part, round(part / share), rate)


def _with_values(answer: Any) -> Any:
    """A trend whose measured values are its estimates."""
    name = answer.question.measure.kind

    def measured(point: Any) -> Any:
        return replace(point, value=None if point.value is None else float(getattr(point, name)))

    groups = tuple(
        replace(group, points=tuple(map(measured, group.points)), measured=_share(group.measured, answer))
        for group in answer.groups
    )
    value = None if answer.value is None else float(getattr(answer, name))
    return replace(answer, points=tuple(map(measured, answer.points)), groups=groups, value=value)


def _share(measured: float | None, answer: Any) -> float | None:
    return None if measured is None else measured / answer.question.sample


def _found(value: Any, place: str = "") -> Iterator[tuple[str, Estimate | EstimatedShare]]:
    if isinstance(value, Estimate | EstimatedShare):
        yield place, value
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _found(each, f"{place}.{number}")
    elif is_dataclass(value) and not isinstance(value, type | Question):
        for each in fields(value):
            if each.name not in ("question", "ask"):
                yield from _found(getattr(value, each.name), f"{place}.{each.name}".lstrip("."))


def _said(count: Estimate) -> SampledCount:
    return SampledCount(count.sample, int(count), count.low, count.high)
