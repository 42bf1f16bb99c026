"""Paths: what people did after an event, or before it, in the same session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from expost.errors import InvalidInput

from .alternative import Alternative
from .answer import as_row
from .definition import Definition
from .explanation import ExplainedAnswer
from .glob import check_glob, glob_expression
from .matched import Matched, match
from .path_edges import PathEdges
from .question import MAX_STEPS, Question, Step, refuse_other, refuse_outside
from .reading import Reading, Row
from .session_edge import began_over
from .session_portions import match_in_portions
from .statement import Fragment
from .unit import SESSION_GAP, Unit

PAGES = Definition("page views", (Alternative(types=("page_view",)),))
RULES = (
    "Of each session the {which} such event in range counts; a page or event that repeats itself at once is one step.",
    "An edge counts sessions, each once per step; together the edges of a step are the sessions that came to the one "
    "before.",
)
ANCHORS = "select count(*) as sessions, count(distinct person_id) as people from anchors;"
MAX_PATH_STEPS = 20
MAX_PATH_EDGES = 1_000


@dataclass(frozen=True, slots=True)
class Paths(Question):
    """What people did in the same session after (or before) `anchor`, step by step.

    A step is an event of one of `events`, called by its name, or else a view of a page, called by the first glob of
    `groups` that fits its path, or by the path. `top`: how many edges of a step are told apart; the rest are `other`.
    """

    anchor: Step
    direction: str = "after"
    steps: int = 4
    top: int = 10
    events: tuple[Step, ...] = ()
    groups: tuple[str, ...] = ()
    gap: timedelta = SESSION_GAP

    def __post_init__(self) -> None:
        refuse_other("The direction of paths", self.direction, ("after", "before"))
        refuse_outside("Paths have", self.steps, 1, MAX_PATH_STEPS, "steps")
        refuse_outside("Paths tell apart", self.top, 1, MAX_PATH_EDGES, "edges of a step")
        if len(self.events) > MAX_STEPS or len(self.groups) > 100:
            raise InvalidInput(
                f"Paths name at most {MAX_STEPS} definitions and 100 groups of pages.",
                hint="Widen the globs: /docs/** gathers what lies below.",
            )


@dataclass(frozen=True, slots=True)
class PathEdge:
    """How many sessions went from `source` to `target` as their step number `step`, and of how many people.

    `source` is None for the anchor itself. `kind`: `step`, `end` (no further step, so no target), `other` and `other
    ends` (all that is not told apart).
    """

    step: int
    kind: str
    source: str | None
    target: str | None
    sessions: int
    people: int


@dataclass(frozen=True, slots=True)
class PathsAnswer(ExplainedAnswer):
    """What `sessions` of `people` did after (or before) the anchor; of each step the commonest edges come first."""

    anchor: str
    direction: str
    sessions: int
    people: int
    edges: tuple[PathEdge, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per edge."""
        return [as_row(each) for each in self.edges]


def paths(reading: Reading, question: Paths) -> PathsAnswer:
    """The edges of each step, and where sessions ended."""
    asked = _asked_of(reading, question)
    found = (_in_portions if reading.is_fast else _by_relations)(reading, asked)
    which = "first" if asked.is_after else "last"
    return PathsAnswer(
        question=question,
        basis=reading.basis(
            definitions=found.matched.definitions[:-1],
            left_out=found.matched.left_out,
            notes=[*found.matched.notes, *(rule.format(which=which) for rule in RULES)],
        ),
        anchor=asked.definitions[0].name,
        direction=question.direction,
        sessions=found.sessions,
        people=found.people,
        edges=tuple(PathEdge(*row) for row in found.rows),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What paths ask: of `match`, and of their own statement."""

    is_after: bool
    definitions: Sequence[Definition]
    match: Mapping[str, Any]
    values: Mapping[str, Any]
    structure: Mapping[str, Any]


def _asked_of(reading: Reading, question: Paths) -> _Asked:
    is_after = question.direction == "after"
    anchor = reading.definition(question.anchor)
    nodes = [reading.definition(each) for each in question.events]
    for glob in question.groups:
        check_glob(glob)
    if is_after:
        bounds = (reading.start, reading.now + 1)
    else:
        bounds = (began_over(reading, reading.start, question.gap), min(reading.end, reading.now + 1))
    values: dict[str, Any] = {"steps": question.steps, "top": question.top}
    values |= {f"node_{step}": each.name for step, each in enumerate(nodes, 2)}
    for number, glob in enumerate(question.groups, 1):
        values |= {f"glob_{number}": glob, f"glob_expression_{number}": glob_expression(glob)}
    return _Asked(
        is_after,
        [anchor, *nodes, PAGES],
        {"keep": ("path",), "bounds": bounds, "unit": Unit("session", gap=question.gap)},
        values,
        {
            "is_after": is_after,
            "nodes": [(step, Fragment(f"$node_{step}")) for step in range(2, len(nodes) + 2)],
            "globs": [
                (Fragment(f"$glob_{number}"), Fragment(f"$glob_expression_{number}"))
                for number in range(1, len(question.groups) + 1)
            ],
        },
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What was matched, the rows of paths.sql, and how many sessions and people have the anchor."""

    matched: Matched
    rows: Sequence[Row]
    sessions: int
    people: int


def _by_relations(reading: Reading, asked: _Asked) -> _Found:
    """By the portable SQL, over all events at once."""
    matched = match(reading, asked.definitions, **asked.match)
    rows = reading.run("paths.sql", asked.values, **asked.structure)
    [(sessions, people)] = reading.execute(ANCHORS, {})
    return _Found(matched, rows, sessions, people)


def _in_portions(reading: Reading, asked: _Asked) -> _Found:
    """The same of some sessions after the others; the answer has the portable SQL, which gives the same."""
    edges = PathEdges(reading, asked.values, asked.structure)
    matched = match_in_portions(reading, asked.definitions, edges.add, **asked.match)
    reading.quote("paths.sql", asked.values, **asked.structure)
    reading.say(ANCHORS, {})
    return _Found(matched, *edges.rows())
