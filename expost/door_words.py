"""Words and short forms that Python says, as what questions hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any, cast

from expost.query.breakdown import Breakdown, parse_breakdown
from expost.query.cohort import Cohort, Did
from expost.query.duration import parse_duration
from expost.query.form import parse_moment
from expost.query.measure import Measure, parse_measure
from expost.query.question import Question, Step
from expost.query.share import parse_share
from expost.query.unit import Unit, unit_with
from expost.query.word import refuse_unknown_names

By = Breakdown | str | None


def duration_of(given: timedelta | str) -> timedelta:
    """A length of time, which may be in words."""
    return parse_duration(given) if isinstance(given, str) else given


def breakdown_of(given: By) -> Breakdown | None:
    """A breakdown, which may be in words."""
    return parse_breakdown(given) if isinstance(given, str) else given


def unit_of(given: Unit | str, gap: timedelta | str | None) -> Unit:
    """A unit, which may be in words; `gap` ends a session."""
    if isinstance(given, Unit) and gap is None:
        return given
    return unit_with(str(given), None if gap is None else duration_of(gap))


def measure_of(given: Measure | str) -> Measure:
    """A measure, which may be in words."""
    return parse_measure(given) if isinstance(given, str) else given


def acts_of(given: Did | str | Sequence[Did | str]) -> tuple[Did, ...]:
    """One act or several, those by name once each."""
    several = [given] if isinstance(given, Did | str) else given
    return tuple(Did(each) if isinstance(each, str) else each for each in several)


def fields_said(
    asked: Mapping[str, Any], question: type[Question] = Question, *, of: str = ""
) -> dict[str, Any]:
    """What is asked, in words that the question knows: a single cohort as a list of it, dates in words as dates.

    A name that is no field of the question is refused; `of` says what it is no word of, if not of the question.
    """
    refuse_unknown_names(asked, names_of(question), of or f"a {question.__name__}")
    said = dict(asked)
    for name in ("cohort", "not_cohort"):
        if name in said:
            each = said[name]
            said[name] = (each,) if isinstance(each, str | Cohort) else tuple(each)
    for name in ("start", "end", "as_of"):
        if isinstance(said.get(name), str):
            said[name] = parse_moment(name, said[name])
    if isinstance(said.get("sample"), str):
        said["sample"] = parse_share(said["sample"])
    if said.get("last") is not None:
        said["last"] = duration_of(said["last"])
    return said


def names_of(question: type[Question]) -> frozenset[str]:
    """The names of the fields of a kind of question."""
    return frozenset(each.name for each in fields(question))


def steps_of(given: Step | Sequence[Step]) -> tuple[Step, ...]:
    """One step or several."""
    return tuple(given) if isinstance(given, list | tuple) else (cast(Step, given),)
