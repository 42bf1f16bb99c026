"""The paths page: what people did after an event, or before it, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from expost.query.form_ways import paths_of
from expost.query.paths import PathEdge, Paths, PathsAnswer

from . import chart
from .asked import Ask
from .chart_page import ChartPage
from .desk import Pairs

MORE = ("event", "group", "gap", "top", "as_of")
"""Fields of the second row of the form."""
ENDS = {"after": "went no further", "before": "began here"}


@dataclass(frozen=True, slots=True)
class PathsAsk(Ask):
    """The form of paths."""

    repeated = ("event", "group")

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)


@dataclass(frozen=True, slots=True)
class EdgeView:
    """An edge in words: `width` in per cent of all sessions that came to the step before."""

    source: str
    target: str
    is_page: bool
    sessions: int
    people: int
    share: float
    width: float


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step: where sessions went, the commonest first."""

    number: int
    sessions: int
    edges: tuple[EdgeView, ...]


@dataclass(frozen=True, slots=True)
class PathsView:
    """What `_paths.html` shows."""

    answer: PathsAnswer
    steps: tuple[PathStep, ...]


def paths_view(answer: PathsAnswer, _: Pairs = ()) -> PathsView:
    """Paths as one table for each step."""
    assert isinstance(answer.question, Paths)
    steps = []
    for number, found in groupby(answer.edges, key=lambda edge: edge.step):
        edges = list(found)
        whole = sum(edge.sessions for edge in edges)
        steps.append(PathStep(number, whole, tuple(_edge(edge, answer, whole) for edge in edges)))
    return PathsView(answer, tuple(steps))


def _edge(edge: PathEdge, answer: PathsAnswer, whole: int) -> EdgeView:
    targets = {"end": ENDS[answer.direction], "other": "somewhere else", "other ends": ENDS[answer.direction]}
    is_other = edge.kind.startswith("other")
    source = "anything else" if is_other and edge.source is None else edge.source or answer.anchor
    return EdgeView(
        source,
        edge.target or targets.get(edge.kind, edge.kind),
        edge.kind == "step",
        edge.sessions,
        edge.people,
        edge.sessions / whole if whole else 0.0,
        chart.percent(edge.sessions, whole),
    )


PAGE = ChartPage("paths", ("name",), paths_of, paths_view, PathsAsk)
