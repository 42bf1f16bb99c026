"""Questions as forms: the fields by which people would ask the same. The inverse of the readers beside it, `form_*.py`.

The form is whole: what a question took from a default is written as well, so that it means the same when the default is
another one. What a site decides unless a question does (time zone, environments, bots) is left to the site.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from expost.errors import InvalidInput

from .alternative import Alternative
from .breakdown import Breakdown, ByCohort, ByColumn, ByProperty, ByTrait
from .cohort import Cohort
from .definition import Definition
from .duration import format_duration
from .form import Form, property_of
from .funnel import Funnel, Stage
from .lifecycle import Lifecycle
from .paths import Paths
from .property_match import PropertyMatch
from .question import COHORT_COMPARED, Comparable, Moment, Question, Saved, Step
from .retention import Retention, format_brackets
from .sessions import Sessions
from .stickiness import Stickiness
from .trend import Trend
from .unit import Unit
from .weekday import WEEKDAYS

Pairs = Iterable[tuple[str, str | Sequence[str] | None]]


def fields_of(question: Question) -> Form:
    """The form of a question, in the order in which people would say it; neither its site nor its `now` are in it."""
    written = _WRITERS.get(type(question))
    if written is None:
        raise InvalidInput(
            f"A {type(question).__name__} is no question that is kept.",
            hint="Funnels, retention, trends, stickiness, lifecycles, paths and lists of sessions are.",
        )
    return _form([*written(question), *_common(question)])


def common_fields(question: Question) -> Form:
    """What a question says that every question may say, as a form."""
    return _form(_common(question))


def _form(pairs: Pairs) -> Form:
    lists = {name: [value] if isinstance(value, str) else list(value or ()) for name, value in pairs}
    return {name: values for name, values in lists.items() if values}


def _funnel(question: Funnel) -> Pairs:
    yield "step", [_step(stage.step) for stage in question.stages]
    yield "within", format_duration(question.within)
    yield "order", question.order
    yield "between", list(map(_step, question.between))
    yield "ends_attempt", list(map(_step, question.ends_attempt))
    yield "removes_unit", list(map(_step, question.removes_unit))
    stages = list(enumerate(question.stages, 1))
    yield "optional", [str(number) for number, each in stages if each.optional]
    yield (
        "step_within",
        [f"{number}={format_duration(each.within)}" for number, each in stages if each.within],
    )
    yield "where", [f"{number}:{text}" for number, each in stages for text in _where(each)]
    yield "over", question.over
    yield "compare", _compared(question)
    yield from _unit(question.unit)
    yield from _by(question.by)


def _retention(question: Retention) -> Pairs:
    yield "start_event", _step(question.begins)
    yield "return_event", _step(question.returns)
    yield "period", question.period
    yield "periods", None if question.brackets else str(question.cells[-1][1])
    yield "entry", question.entry
    yield "mode", question.mode
    yield "rolling", "yes" if question.rolling else None
    yield "brackets", format_brackets(question.brackets) or None
    yield "compare", _compared(question)
    yield from _unit(question.unit)
    yield from _by(question.by)


def _trend(question: Trend) -> Pairs:
    yield "name", _step(question.definition)
    yield "period", question.period
    yield "measure", str(question.measure)
    yield "per", None if question.per is None else _step(question.per)
    yield "per_measure", None if question.per_measure is None else str(question.per_measure)
    yield "compare", question.compare
    yield from _unit(question.unit)
    yield from _by(question.by)


def _stickiness(question: Stickiness) -> Pairs:
    yield "name", _step(question.definition)
    yield "period", question.period
    yield from _unit(question.unit)
    yield from _by(question.by)


def _lifecycle(question: Lifecycle) -> Pairs:
    yield "name", _step(question.definition)
    yield "period", question.period
    yield from _unit(question.unit)


def _paths(question: Paths) -> Pairs:
    yield "name", _step(question.anchor)
    yield "direction", question.direction
    yield "steps", str(question.steps)
    yield "top", str(question.top)
    yield "event", list(map(_step, question.events))
    yield "group", list(question.groups)
    yield "gap", format_duration(question.gap)


def _sessions(question: Sessions) -> Pairs:
    if question.person is not None or question.device is not None:
        raise InvalidInput(
            "A report is about everybody: whom it named would still stand in it after they were erased.",
            hint="Leave the person, or the device, out; or keep the people as a cohort and ask for that.",
        )
    yield "did", list(map(_step, question.did))
    yield "property", _written_properties(question.properties, "first events")
    yield "period", question.period
    yield "order", question.order
    yield "limit", str(question.limit)
    yield "offset", str(question.offset) if question.offset else None
    yield "gap", format_duration(question.gap)
    yield from _by(question.by)


_WRITERS: Mapping[type[Question], Callable[[Any], Pairs]] = {
    Funnel: _funnel,
    Retention: _retention,
    Trend: _trend,
    Stickiness: _stickiness,
    Lifecycle: _lifecycle,
    Paths: _paths,
    Sessions: _sessions,
}


def _common(question: Question) -> Pairs:
    yield "from", _moment(question.start)
    yield "to", _moment(question.end)
    yield "last", None if question.last is None else format_duration(question.last)
    yield "time_zone", question.time_zone
    yield "week_start", None if question.week_start is None else WEEKDAYS[question.week_start]
    yield "environment", question.environment
    yield "bots", _yes(question.bots)
    yield "internal", _yes(question.internal)
    yield "as_of", _moment(question.as_of)
    yield "sample", None if question.sample is None else repr(question.sample)
    yield "cohort", list(map(_cohort, question.cohort))
    yield "not_cohort", list(map(_cohort, question.not_cohort))


def _compared(question: Comparable) -> str | None:
    beside = question.compare
    return beside if isinstance(beside, str | None) else f"{COHORT_COMPARED}{_cohort(beside)}"


def _unit(unit: Unit) -> Pairs:
    yield "unit", str(unit)
    # It says something of sessions alone.
    yield "gap", format_duration(unit.gap) if unit.kind == "session" else None


def _by(by: Breakdown | None) -> Pairs:
    match by:
        case None:
            return
        case ByColumn(name):
            yield "by", name
        case ByProperty(name):
            yield "by", f"property:{name}"
        case ByTrait(name, latest):
            yield "by", f"latest_trait:{name}" if latest else f"trait:{name}"
        case ByCohort(cohort):
            yield "by", f"cohort:{_cohort(cohort)}"
        case _:
            yield "by", f"flag:{by.key}"
            yield "several", by.several
            yield "exposures_from", _moment(by.exposures_from)


def _step(step: Step) -> str:
    """The name of a definition, with the version where one is pinned."""
    match step:
        case str():
            return step
        case Saved(name, version):
            return name if version is None else f"{name}@{version}"
    if step.version is None:
        raise InvalidInput(
            f"The event {step.name!r} is not saved, so nothing can ask about it later.",
            hint="Save it first: define it, and ask about its name.",
        )
    return step.name if step.version else f"{step.name}@{step.version}"


def _cohort(cohort: str | Cohort) -> str:
    if isinstance(cohort, Cohort) and cohort.version is None:
        raise InvalidInput(
            f"The cohort {cohort.name!r} is not saved, so nothing can ask about it later.",
            hint="Save it first, and ask about its name.",
        )
    return cohort.name if isinstance(cohort, Cohort) else cohort


def _where(stage: Stage) -> list[str]:
    if stage.where is None:
        return []
    properties = _properties(stage.where)
    if not properties:
        raise _unwritten(_step(stage.step))
    return _written_properties(properties, _step(stage.step))


def _written_properties(properties: Iterable[PropertyMatch], of: str) -> list[str]:
    texts = []
    for each in properties:
        texts.append(_property(each))
        if property_of(texts[-1]) != each:
            raise _unwritten(of)
    return texts


def _unwritten(of: str) -> InvalidInput:
    return InvalidInput(
        f"The condition on {of!r} has no words in a form.",
        hint="Properties that are there, or are something, have: define the rest as an event of its own.",
    )


def _properties(where: Definition) -> tuple[PropertyMatch, ...]:
    """The conditions on properties, where there are no others."""
    if len(where.alternatives) != 1:
        return ()
    [alternative] = where.alternatives
    found = alternative.properties
    return found if found and alternative == Alternative(properties=found) else ()


def _property(condition: PropertyMatch) -> str:
    if condition.operator == "exists":
        return condition.name
    plain = f"{condition.name}={condition.value}"
    is_plain = isinstance(condition.value, str) and condition.value and property_of(plain) == condition
    return plain if is_plain else f"{condition.name}={json.dumps(condition.value, ensure_ascii=False)}"


def _moment(moment: Moment | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _yes(said: bool | None) -> str | None:
    return None if said is None else "yes" if said else "no"
