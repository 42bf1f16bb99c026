"""Paths of the engine and of the oracle, which walks each session, on random stories."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query import session_edge
from expost.query.paths import Paths, PathsAnswer
from tests.semantics.engine import answer_of, definition_of, matcher_of
from tests.semantics.happening import Happening
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_paths import paths
from tests.semantics.stories import FIRST, MINUTE, STEPS, agreement, stories

GRAIN = 10 * MINUTE


@agreement
@given(
    story=stories(most=16),
    anchor=st.sampled_from(STEPS),
    nodes=st.lists(st.sampled_from(("A", "B", "view:/b")), max_size=2, unique=True),
    is_after=st.booleans(),
    steps=st.integers(1, 3),
    edges=st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(6, 12)),
    now=st.integers(6, 14),
    is_grouped=st.booleans(),
    top=st.sampled_from((1, 50)),
    first_look=st.sampled_from((GRAIN // 2, 3 * GRAIN, session_edge.FIRST_LOOK)),
)
def test_paths_are_what_walking_each_session_finds(
    story: list[Happening],
    anchor: str,
    nodes: list[str],
    is_after: bool,
    steps: int,
    edges: tuple[int | None, int | None],
    now: int,
    is_grouped: bool,
    top: int,
    first_look: int,
) -> None:
    start, end = (None if edge is None else FIRST + GRAIN * edge for edge in edges)
    moment = FIRST + GRAIN * now
    question = Paths(
        definition_of(anchor),
        direction="after" if is_after else "before",
        steps=steps,
        top=top,
        events=tuple(map(definition_of, nodes)),
        groups=("/b*", "/b") if is_grouped else (),
        gap=timedelta(minutes=25),
        start=None if start is None else from_micros(start),
        end=None if end is None else from_micros(end),
        now=from_micros(moment),
    )
    with patch.object(session_edge, "FIRST_LOOK", first_look):
        answer = answer_of(story, question)
    assert isinstance(answer, PathsAnswer)
    said = paths(
        Oracle(story, unit="session", gap=25 * MINUTE),
        matcher_of(anchor),
        [(node, matcher_of(node)) for node in nodes],
        lambda path: "/b*" if is_grouped and path == "/b" else path,
        is_after=is_after,
        steps=steps,
        start=start,
        end=end,
        now=moment,
    )
    told = {
        (edge.step, edge.source, edge.target): edge.sessions
        for edge in answer.edges
        if "other" not in edge.kind
    }
    if top > 1:
        assert told == said
    assert told.items() <= said.items()
    # Nothing is lost in what is not told apart: the edges of a step are the sessions that came to the one before.
    by_step = Counter[int]()
    for edge in answer.edges:
        by_step[edge.step] += edge.sessions
    expected = Counter[int]()
    for (step, _, _), sessions in said.items():
        expected[step] += sessions
    assert by_step == expected
    assert answer.sessions == expected[1]
