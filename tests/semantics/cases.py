"""The conformance cases as they are written in the `.toml` files here, and what they ask as questions of the engine."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from expost.query.alternative import Alternative
from expost.query.breakdown import Breakdown, Flag, parse_breakdown
from expost.query.cohort import Cohort
from expost.query.cohort_size import CohortSize
from expost.query.definition import Definition, definition, in_force_of
from expost.query.duration import parse_duration
from expost.query.form import form_of, property_of
from expost.query.form_cohort import cohort_of
from expost.query.funnel import Funnel, Stage
from expost.query.interval import Interval
from expost.query.lifecycle import Lifecycle
from expost.query.measure import parse_measure
from expost.query.paths import Paths
from expost.query.preview import Preview
from expost.query.question import Question
from expost.query.retention import Retention, parse_brackets
from expost.query.sessions import Sessions
from expost.query.stickiness import Stickiness
from expost.query.trend import Trend
from expost.query.unit import Unit, parse_unit
from expost.state.sites import Site

from .engine import definition_of
from .happening import SITE, moment

Case = dict[str, Any]

NOW = datetime(2026, 4, 1, tzinfo=UTC)
HERE = Path(__file__).parent


def read_cases() -> dict[str, Case]:
    """Every case by its name: the file, and which of it."""
    return {
        f"{file.stem}-{number}": case
        for file in sorted(HERE.glob("*.toml"))
        if file.name != "sentences.toml"
        for number, case in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["case"], 1)
    }


def kind_of(case: Case) -> str:
    """Which kind of question a case asks: a key of QUESTIONS."""
    for kind in QUESTIONS:
        if kind in case:
            return kind
    raise AssertionError(f"The case asks nothing: {case['rule']}")


def question_of(case: Case) -> Question:
    """What a case asks."""
    kind = kind_of(case)
    return QUESTIONS[kind](case, case[kind])


def site_of(case: Case) -> Site:
    """The story's site: what it counts unless the question says otherwise."""
    return Site(SITE, SITE, **_with_tuples(case.get("site", {})))


def week_start_of(case: Case) -> int:
    """The first day of the week, from Monday as 0."""
    return int(case[kind_of(case)].get("week_start", 0))


def now_of(case: Case) -> datetime:
    """The moment of asking."""
    if "now" in case:
        return datetime.fromisoformat(case["now"]).replace(tzinfo=UTC)
    return _as_of(case) if "as_of" in case else NOW


def micros_of(moment_: datetime) -> int:
    """A moment in microseconds, as stories have it."""
    return moment(moment_.replace(tzinfo=None).isoformat())


def day_of(text: str | None) -> date | None:
    """A date, or the number of a day of March 2026."""
    return None if text is None else date.fromisoformat(text if "-" in text else f"2026-03-{text}")


def _funnel(case: Case, asked: Mapping[str, Any]) -> Funnel:
    windows = {int(number): parse_duration(text) for number, text in asked.get("windows", {}).items()}
    optional = asked.get("optional", ())
    return Funnel(
        tuple(
            Stage(definition_of(step), windows.get(number), optional=number in optional)
            for number, step in enumerate(asked["steps"], 1)
        ),
        parse_duration(asked["within"]),
        by=_by(asked),
        order=asked.get("order", "ordered"),
        unit=_unit(asked),
        between=tuple(map(definition_of, asked.get("between", ()))),
        ends_attempt=tuple(map(definition_of, asked.get("ends", ()))),
        removes_unit=tuple(map(definition_of, asked.get("removes", ()))),
        **_beside(asked),
        **_common(case, asked),
    )


def _retention(case: Case, asked: Mapping[str, Any]) -> Retention:
    return Retention(
        definition_of(asked["begins"]),
        definition_of(asked["returns"]),
        asked["period"],
        None if "brackets" in asked else asked["periods"],
        by=_by(asked),
        entry=asked.get("entry", "first_in_range"),
        mode=asked.get("mode", "on"),
        rolling=asked.get("rolling", False),
        brackets=parse_brackets(asked["brackets"]) if "brackets" in asked else (),
        unit=_unit(asked),
        **_beside(asked),
        **_common(case, asked),
    )


def _trend(case: Case, asked: Mapping[str, Any]) -> Trend:
    return Trend(
        definition_of(asked["of"]),
        asked["period"],
        by=_by(asked),
        measure=parse_measure(asked.get("measure", "events")),
        per=definition_of(asked["per"]) if "per" in asked else None,
        per_measure=parse_measure(asked["per_measure"]) if "per_measure" in asked else None,
        **_common(case, asked),
    )


def _preview(case: Case, asked: Mapping[str, Any]) -> Preview:
    if "versions" in case:
        previewed = _versions(case["versions"], asked.get("version"))
    elif "types" in asked:
        text = definition("shared", text=asked["text"]).alternatives[0].text if "text" in asked else None
        previewed = Definition("asked", (Alternative(types=tuple(asked["types"]), text=text),))
    else:
        given = dict(asked)
        if "query" in given:
            given["query"] = {name: value or None for name, value in given["query"].items()}
        previewed = definition("asked", **given)
    return Preview(previewed, now=now_of(case), **_says(case))


def _versions(versions: list[dict[str, Any]], pinned: int | None) -> Definition:
    """A saved definition with these versions, followed or pinned."""
    saved, over = [], []
    for number, version in enumerate(versions[:pinned], 1):
        given = dict(version)
        sides = [given.pop(side, None) for side in ("valid_from", "valid_until")]
        if given.pop("starts_over", False):
            over.append(number)
        interval = Interval(*(moment(*side.split()) if side else None for side in sides))
        saved.append(replace(definition("asked", **given), version=number, interval=interval))
    return in_force_of(saved, frozenset(over))


def _stickiness(case: Case, asked: Mapping[str, Any]) -> Stickiness:
    return Stickiness(definition_of(asked["of"]), asked["period"], **_common(case, asked))


def _lifecycle(case: Case, asked: Mapping[str, Any]) -> Lifecycle:
    return Lifecycle(definition_of(asked["of"]), asked["period"], **_common(case, asked))


def _paths(case: Case, asked: Mapping[str, Any]) -> Paths:
    direction, steps = asked.get("direction", "after"), asked.get("steps", 4)
    return Paths(definition_of(asked["of"]), direction, steps=steps, **_common(case, asked))


def _sessions(case: Case, asked: Mapping[str, Any]) -> Sessions:
    named = ("person", "device", "period", "order", "limit", "offset")
    return Sessions(
        did=tuple(map(definition_of, asked.get("did", ()))),
        properties=tuple(map(property_of, asked.get("properties", ()))),
        by=_by(asked),
        gap=parse_duration(asked.get("gap", "30min")),
        **{name: asked[name] for name in named if name in asked},
        **_common(case, asked),
    )


def cohort_said(name: str, asked: Mapping[str, Any]) -> Cohort:
    """A cohort in the words of an address."""
    pairs = [
        (word, each) for word, said in asked.items() for each in ([said] if isinstance(said, str) else said)
    ]
    return cohort_of(name, form_of(pairs))


def _beside(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of whom it is asked, and what it stands beside."""
    compare = asked.get("compare")
    return {
        "cohort": (cohort_said("own", asked["cohort"]),) if "cohort" in asked else (),
        "compare": cohort_said("beside", compare) if isinstance(compare, Mapping) else compare,
    }


def _cohort(case: Case, asked: Mapping[str, Any]) -> CohortSize:
    return CohortSize(cohort_said("asked", asked), now=now_of(case), **_says(case))


QUESTIONS: dict[str, Callable[[Case, Mapping[str, Any]], Question]] = {
    "funnel": _funnel,
    "retention": _retention,
    "trend": _trend,
    "preview": _preview,
    "cohort": _cohort,
    "stickiness": _stickiness,
    "lifecycle": _lifecycle,
    "paths": _paths,
    "sessions": _sessions,
}


def _unit(asked: Mapping[str, Any]) -> Unit:
    unit = parse_unit(asked.get("unit", "person"))
    return replace(unit, gap=parse_duration(asked["gap"])) if "gap" in asked else unit


def _by(asked: Mapping[str, Any]) -> Breakdown | None:
    if "split" in asked:
        return parse_breakdown(asked["split"])
    since = asked.get("exposures_from")
    moment_ = None if since is None else datetime.fromisoformat(since)
    return Flag(asked["by"], asked.get("several", "first"), moment_) if "by" in asked else None


def _common(case: Case, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What every question says of its range, and of who counts."""
    return {
        "start": day_of(asked.get("from")),
        "end": day_of(asked.get("to")),
        "now": now_of(case),
        "time_zone": asked.get("tz", "UTC"),
        **_says(case),
    }


def _says(case: Case) -> dict[str, Any]:
    """What the question itself says about who counts."""
    as_of = {"as_of": _as_of(case)} if "as_of" in case else {}
    return _with_tuples(case.get("says", {})) | as_of


def _as_of(case: Case) -> datetime:
    return datetime.fromisoformat(case["as_of"]).replace(tzinfo=UTC)


def _with_tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
