"""Paths: what people did after an event, or before it, in the same session."""

from __future__ import annotations

from typing import Any

from .answer import PathEdge, PathsAnswer
from .definition import Alternative, Definition
from .glob import check_glob, glob_expression
from .interval import EARLIEST
from .question import Paths
from .reading import Reading, match
from .statement import Fragment
from .unit import Unit

PAGES = Definition("page views", (Alternative(types=("page_view",)),))
RULES = (
    "Of each session the {which} such event in range counts; a page or event that repeats itself at once is one step.",
    "An edge counts sessions, each once per step; together the edges of a step are the sessions that came to the one "
    "before.",
)


def paths(reading: Reading, question: Paths) -> PathsAnswer:
    """The edges of each step, and where sessions ended."""
    is_after = question.direction == "after"
    anchor = reading.definition(question.anchor)
    nodes = [reading.definition(each) for each in question.events]
    for glob in question.groups:
        check_glob(glob)
    bounds = (reading.start, reading.now + 1) if is_after else (EARLIEST, min(reading.end, reading.now + 1))
    matched = match(
        reading,
        [anchor, *nodes, PAGES],
        keep=("path",),
        bounds=bounds,
        unit=Unit("session", gap=question.gap),
    )
    values: dict[str, Any] = {"steps": question.steps, "top": question.top}
    values |= {f"node_{step}": each.name for step, each in enumerate(nodes, 2)}
    for number, glob in enumerate(question.groups, 1):
        values |= {f"glob_{number}": glob, f"glob_expression_{number}": glob_expression(glob)}
    rows = reading.run(
        "paths.sql",
        values,
        is_after=is_after,
        nodes=[(step, Fragment(f"$node_{step}")) for step in range(2, len(nodes) + 2)],
        globs=[
            (Fragment(f"$glob_{number}"), Fragment(f"$glob_expression_{number}"))
            for number in range(1, len(question.groups) + 1)
        ],
    )
    [(sessions, people)] = reading.execute(
        "select count(*) as sessions, count(distinct person_id) as people from anchors;", {}
    )
    which = "first" if is_after else "last"
    return PathsAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions[:-1],
            left_out=matched.left_out,
            notes=[*matched.notes, *(rule.format(which=which) for rule in RULES)],
        ),
        anchor=anchor.name,
        direction=question.direction,
        sessions=sessions,
        people=people,
        edges=tuple(PathEdge(*row) for row in rows),
    )
