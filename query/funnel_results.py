"""Funnels: from the question to the relation `results`, which every number, list and event comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .attempt import StepShape, shapes_of, shown_of, starts_of
from .breakdown import Flag
from .definition import Definition
from .duration import micros
from .funnel import Funnel
from .funnel_any import prepare_any
from .grouping import breakdown_values, kept_columns, make_groups
from .matched import Matched, match, unit_column
from .reading import Reading
from .statement import Fragment

FORGIVEN = {
    "unknown": "update matched set is_sure = true where not is_sure;",
    "daily": "update matched set is_daily = false where is_daily;",
}
"""What makes an event that may match one that does, and lets the window of a daily id reach past its day."""
CANDIDATE = Fragment("unit_id, is_exposed_only, reached, step, position, moment")


@dataclass(frozen=True, slots=True)
class Asked:
    """A funnel with its definitions found: the events of `definitions` are those of the steps, then of the rules.

    `match` is what `match` and `search` are asked for, `structure` and `values` what the statements are.
    """

    question: Funnel
    steps: tuple[Definition, ...]
    shapes: tuple[StepShape, ...]
    definitions: list[Definition]
    numbered: dict[str, list[int]]
    flag: Flag | None
    match: dict[str, Any]
    structure: dict[str, Any]
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The relation `results` of a reading, and what its statements need to know."""

    steps: tuple[Definition, ...]
    shapes: tuple[StepShape, ...]
    matched: Matched
    values: dict[str, Any]


def asked_of(reading: Reading, question: Funnel, *, keep: Sequence[str] = ()) -> Asked:
    """What a funnel asks; `keep` are columns of the event that its statements need."""
    stages, shapes = question.stages, shapes_of(question.stages)
    steps = [reading.definition(stage.step) for stage in stages]
    roles = {
        name: [reading.definition(each) for each in named]
        for name, named in (
            ("blocks", question.between),
            ("ends", question.ends_attempt),
            ("removes", question.removes_unit),
        )
    }
    others = [each for named in roles.values() for each in named]
    numbers = iter(range(len(steps) + 1, len(steps) + len(others) + 1))
    numbered = {name: [next(numbers) for _ in named] for name, named in roles.items()}
    if question.order == "strict" and not question.between:
        numbered["blocks"] = [shape.number for shape in shapes]
    flag = question.by if isinstance(question.by, Flag) else None
    structure = {
        "stages": shapes,
        "required": [shape for shape in shapes if not shape.is_optional],
        "unit": unit_column(question.unit),
        "within": micros(question.within),
        "starts": starts_of(by_flag=flag is not None),
        "readings": shown_of(by_flag=flag is not None),
        "by_flag": flag is not None,
        "entries": _listed(range(1, len(shapes) + 1) if question.order == "any" else [1]),
        "candidate": CANDIDATE if question.order != "strict" else Fragment(f"{CANDIDATE}, block"),
        "has_links": question.order == "strict" or any(shape.within for shape in shapes),
        **{name: _listed(each) for name, each in numbered.items()},
    }
    match_ = {
        "keep": tuple(dict.fromkeys((*keep, *kept_columns(question.by)))),
        "bounds": _bounds(reading, question),
        "unit": question.unit,
        "by": breakdown_values(question.by),
        "wheres": {number: stage.where for number, stage in enumerate(stages, 1) if stage.where is not None},
    }
    values = {"within": micros(question.within)}
    return Asked(question, tuple(steps), shapes, [*steps, *others], numbered, flag, match_, structure, values)


def prepare(
    reading: Reading,
    question: Funnel,
    *,
    keep: Sequence[str] = (),
    is_first_only: bool = False,
    forgiven: Iterable[str] = (),
) -> Prepared:
    """Make the relation `results`; with `is_first_only` no entry of a unit counts but its first.

    `forgiven` are rules of FORGIVEN that do not hold.
    """
    asked = asked_of(reading, question, keep=keep)
    matched = make_matched(reading, asked)
    for rule in forgiven:
        reading.execute(FORGIVEN[rule], {})
    make_results(reading, asked, is_first_only=is_first_only)
    return Prepared(asked.steps, asked.shapes, matched, asked.values)


def make_matched(reading: Reading, asked: Asked) -> Matched:
    """Make the relation `matched`, and by flag `exposed` before it."""
    return match(reading, asked.definitions, flag=asked.flag, **asked.match)


def make_results(reading: Reading, asked: Asked, *, is_first_only: bool = False) -> None:
    """Make the relation `results` of the relation `matched`."""
    values, structure, question = asked.values, asked.structure, asked.question
    reading.run("funnel_counted.sql", values, **structure)
    if is_first_only:
        reading.run("funnel_first.sql", {})
    if question.order == "any":
        prepare_any(reading, values, structure, ends=frozenset(asked.numbered["ends"]))
    else:
        reading.run("funnel.sql", values, **structure)
    reading.run("entered.sql", {})
    groups = make_groups(reading, values, question.by, question.unit)
    by_flag = asked.flag is not None
    reading.run("funnel_results.sql", values, by_flag=by_flag, relation=Fragment("shown"), **groups)


def _listed(numbers: Iterable[int]) -> Fragment:
    return Fragment(", ".join(map(str, numbers)))


def _bounds(reading: Reading, question: Funnel) -> tuple[int, int] | None:
    if not reading.has_range:
        return None
    return reading.start, reading.end + micros(question.within)
