"""The trials of a reconciliation: its funnel with one rule less each time, in the order of the causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from .funnel import Funnel, Stage
from .reading import Reading
from .unit import PERSON, Unit

EVER = timedelta(days=36_500)
"""Longer than anything is kept."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The funnel without the rules up to `cause`."""

    cause: str
    reading: Reading
    funnel: Funnel
    forgiven: frozenset[str] = frozenset()
    is_of_units: bool = True
    """Whether it counts what the funnel does; the last one counts browsers of people, and people of groups."""


def trials(reading: Reading, base: Funnel) -> Iterator[Trial]:
    """The funnel with one rule less each time; rules that say nothing here are passed over."""
    trial = Trial("", reading, replace(base, by=None))
    for cause, give_up in _GIVEN_UP:
        without = give_up(trial)
        if without is not None:
            trial = replace(without, cause=cause)
            yield trial
    if base.unit.kind == "person":
        yield _of_others(trial, "other_person", Unit("device"))
    elif base.unit.kind == "group":
        yield _of_others(trial, "other_group", PERSON)


def _of_others(trial: Trial, cause: str, unit: Unit) -> Trial:
    return replace(trial, cause=cause, funnel=replace(trial.funnel, unit=unit), is_of_units=False)


def _without_range(trial: Trial) -> Trial | None:
    if not trial.reading.has_range:
        return None
    funnel = replace(trial.funnel, start=None, end=None)
    return replace(trial, reading=replace(trial.reading, question=funnel), funnel=funnel)


def _without_days(trial: Trial) -> Trial:
    return replace(trial, forgiven=trial.forgiven | {"daily"})


def _without_windows(trial: Trial) -> Trial:
    steps = tuple(replace(each, within=None) for each in trial.funnel.stages)
    return replace(trial, funnel=replace(trial.funnel, within=EVER, steps=steps))


def _without_exclusions(trial: Trial) -> Trial | None:
    if not (trial.funnel.ends_attempt or trial.funnel.removes_unit):
        return None
    return replace(trial, funnel=replace(trial.funnel, ends_attempt=(), removes_unit=()))


def _without_order(trial: Trial) -> Trial | None:
    *before, last = trial.funnel.stages
    if trial.funnel.order == "any" or not before:
        return None
    # In any order no step is optional; who came to the last one need not have done the others.
    steps = tuple(
        Stage(each.step, where=each.where) for each in (*before, last) if not each.optional or each is last
    )
    return replace(trial, funnel=replace(trial.funnel, order="any", between=(), steps=steps))


def _without_cohorts(trial: Trial) -> Trial | None:
    if trial.reading.chosen is None:
        return None
    return replace(trial, reading=replace(trial.reading, chosen=None))


def _in_all_environments(trial: Trial) -> Trial | None:
    return _counting(trial, environments=()) if trial.reading.counting.environments else None


def _with_internal(trial: Trial) -> Trial | None:
    return None if trial.reading.counting.internal else _counting(trial, internal=True)


def _with_bots(trial: Trial) -> Trial | None:
    return None if trial.reading.counting.bots else _counting(trial, bots=True)


def _counting(trial: Trial, **changes: Any) -> Trial:
    counting = replace(trial.reading.counting, **changes)
    return replace(trial, reading=replace(trial.reading, counting=counting))


def _with_unknown(trial: Trial) -> Trial:
    return replace(trial, forgiven=trial.forgiven | {"unknown"})


_GIVEN_UP: tuple[tuple[str, Callable[[Trial], Trial | None]], ...] = (
    ("out_of_range", _without_range),
    ("consent", _without_days),
    ("outside_window", _without_windows),
    ("excluded", _without_exclusions),
    ("out_of_order", _without_order),
    ("not_in_cohort", _without_cohorts),
    ("other_environment", _in_all_environments),
    ("internal", _with_internal),
    ("bot", _with_bots),
    ("selector_unknown", _with_unknown),
)
