"""Words and short forms that Python says, as what questions hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any, cast

from expost.errors import InvalidInput
from expost.query.breakdown import Breakdown, breakdown_said
from expost.query.cohort import Cohort, Did
from expost.query.definition import definition
from expost.query.duration import parse_duration
from expost.query.form import FALSE, TRUE, parse_moment
from expost.query.measure import HINT as MEASURES
from expost.query.measure import Measure, parse_measure
from expost.query.property_match import PropertyMatch, Scalar
from expost.query.question import Moment, Question, Step, refuse_outside
from expost.query.retention import parse_brackets
from expost.query.share import parse_share
from expost.query.unit import Unit, unit_with
from expost.query.weekday import WEEKDAYS, parse_weekday
from expost.query.word import refuse_unknown_names

By = Breakdown | str | None


def duration_of(given: timedelta | str, name: str) -> timedelta:
    """The length of time that the argument `name` gives, which may be in words."""
    return parse_duration(given, name) if isinstance(given, str) else given


def breakdown_of(
    given: By, several: str | None = None, since: Moment | str | None = None
) -> Breakdown | None:
    """A breakdown, which may be in words.

    `several` says how people count who saw several variations, `since` from when on exposures to the flag count.
    """
    return breakdown_said(given, several, None if since is None else moment_of("exposures_from", since))


def unit_of(given: Unit | str, gap: timedelta | str | None) -> Unit:
    """A unit, which may be in words; `gap` ends a session."""
    if isinstance(given, Unit) and gap is None:
        return given
    return unit_with(str(given), None if gap is None else duration_of(gap, "gap"))


def measure_of(given: Measure | str) -> Measure:
    """A measure, which may be in words."""
    if isinstance(given, str):
        return parse_measure(given)
    if isinstance(given, Measure):
        return given
    raise InvalidInput(f"{given!r} is no measure.", hint=MEASURES)


def brackets_of(given: Sequence[tuple[int, int]] | str) -> tuple[tuple[int, int], ...]:
    """Stretches of periods, which may be in words."""
    if isinstance(given, str):
        return parse_brackets(given)
    if isinstance(given, list | tuple) and all(isinstance(each, tuple) and len(each) == 2 for each in given):
        return tuple(given)
    raise InvalidInput(
        f"brackets is {given!r}, which is no list of stretches.",
        hint='For example: "0,1-3,4-7", or [(0, 0), (1, 3), (4, 7)]',
    )


def properties_of(given: Mapping[str, Scalar] | Sequence[PropertyMatch]) -> tuple[PropertyMatch, ...]:
    """Conditions on properties, which may be given as names with the values that they have."""
    return definition("asked", properties=given).alternatives[0].properties if given else ()


def acts_of(given: Did | str | Sequence[Did | str]) -> tuple[Did, ...]:
    """One act or several, those by name once each."""
    several = [given] if isinstance(given, Did | str) else given
    return tuple(Did(each) if isinstance(each, str) else each for each in several)


def fields_said(
    asked: Mapping[str, Any], question: type[Question] = Question, *, of: str = ""
) -> dict[str, Any]:
    """What is asked, as the question holds it: dates, lengths, weekdays, yes and no in words as what they mean.

    A name that is no field of the question is refused; `of` says what it is no word of, if not of the question. So is
    a value that its field cannot have.
    """
    refuse_unknown_names(asked, names_of(question), of or f"a {question.__name__}")
    return {
        name: _READ[name](name, value) if name in _READ and value is not None else value
        for name, value in asked.items()
    }


def moment_of(name: str, given: Any) -> date | None:
    """The date or time that the argument `name` gives, which may be in words."""
    if isinstance(given, date):
        return given
    if isinstance(given, str):
        return parse_moment(name, given)
    raise InvalidInput(
        f"{name} is {given!r}, which is no date.", hint="For example: '2026-11-02', or a date or a datetime."
    )


def _instant(name: str, given: Any) -> datetime:
    moment = moment_of(name, given)
    if isinstance(moment, datetime):
        return moment
    raise InvalidInput(
        f"{name} is {given!r}, which is no moment of a day.",
        hint="For example: '2026-11-02T08:00:00+01:00', or a datetime.",
    )


def _length(name: str, given: Any) -> timedelta:
    length = duration_of(given, name)
    if isinstance(length, timedelta):
        return length
    raise InvalidInput(
        f"{name} is {given!r}, which is no length of time.", hint="For example: '30d', or a timedelta."
    )


def _weekday(name: str, given: Any) -> int:
    if isinstance(given, str):
        return parse_weekday(given, name)
    refuse_outside(f"{name} is", given, 0, len(WEEKDAYS) - 1, "(Monday is 0), or a day of the week in words")
    return cast(int, given)


def _yes(name: str, given: Any) -> bool:
    if isinstance(given, bool):
        return given
    word = given.lower() if isinstance(given, str) else ""
    if word in TRUE | FALSE:
        return word in TRUE
    raise InvalidInput(f"{name} is {given!r}.", hint="Say True or False.")


def _text(name: str, given: Any) -> str:
    if isinstance(given, str):
        return given
    raise InvalidInput(f"{name} is {given!r}, where text is needed.", hint="For example: 'Europe/Berlin'")


def _environments(name: str, given: Any) -> str | tuple[str, ...]:
    if isinstance(given, str):
        return given
    if isinstance(given, list | tuple) and all(isinstance(each, str) for each in given):
        return tuple(given)
    raise InvalidInput(
        f"{name} is {given!r}, where a name or a list of names is needed.",
        hint="For example: 'production', ['production', 'staging'], or 'all'.",
    )


def _cohorts(name: str, given: Any) -> tuple[str | Cohort, ...]:
    several = [given] if isinstance(given, str | Cohort) else given
    if isinstance(several, list | tuple) and all(isinstance(each, str | Cohort) for each in several):
        return tuple(several)
    raise InvalidInput(
        f"{name} is {given!r}, where a cohort or a list of them is needed.",
        hint="For example: 'Regulars'. List them with: lake.cohorts()",
    )


def _share(_: str, given: Any) -> Any:
    return parse_share(given) if isinstance(given, str) else given


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "start": moment_of,
    "end": moment_of,
    "as_of": moment_of,
    "now": _instant,
    "last": _length,
    "time_zone": _text,
    "week_start": _weekday,
    "bots": _yes,
    "internal": _yes,
    "cache": _yes,
    "rolling": _yes,
    "environment": _environments,
    "cohort": _cohorts,
    "not_cohort": _cohorts,
    "sample": _share,
}
"""What may be said in other words than the question holds, and what reads it."""


def names_of(question: type[Question]) -> frozenset[str]:
    """The names of the fields of a kind of question."""
    return frozenset(each.name for each in fields(question))


def steps_of(given: Step | Sequence[Step]) -> tuple[Step, ...]:
    """One step or several."""
    return tuple(given) if isinstance(given, list | tuple) else (cast(Step, given),)
