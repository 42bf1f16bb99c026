"""Merges and undos on random stories: the engine says what the oracle says, and what was undone never was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.alternative import Alternative
from expost.query.answer import Answer
from expost.query.breakdown import ByTrait, Flag
from expost.query.definition import Definition
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Question
from expost.query.retention import Retention, RetentionAnswer
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import parse_unit
from tests.semantics import oracle_funnel
from tests.semantics.engine import answer_of, bars_of, definition_of, matcher_of, table_of
from tests.semantics.happening import SITE, Happening, lake_of, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.stories import FIRST, HOUR, USERS, edges, stories

NOW = datetime(2026, 4, 10, tzinfo=UTC)
EVERYTHING = Definition(
    "anything", (Alternative(types=("custom", "page_view", "exposure", "identify", "group")),)
)
A, B, AN_HOUR = definition_of("A"), definition_of("view:/**"), timedelta(hours=1)
QUESTIONS: tuple[Question, ...] = (
    Preview(EVERYTHING, now=NOW),
    Funnel((A, B), AN_HOUR, now=NOW),
    Funnel((A, B), AN_HOUR, by=Flag("f"), now=NOW),
    Funnel((A, B), AN_HOUR, by=ByTrait("plan", latest=True), now=NOW),
    Funnel((A, B), AN_HOUR, unit=parse_unit("group:company"), now=NOW),
    Retention(B, B, "day", 2, now=NOW),
    Trend(B, "day", by=Flag("f"), now=NOW),
)
PAIRS = st.sampled_from(USERS)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Told = tuple[list[Happening], list[Happening]]


@st.composite
def told(draw: st.DrawFn) -> Told:
    """A story, and what editors said about its people."""
    story = draw(stories(most=14))
    return story, draw(edges(story))


@few
@given(told(), st.one_of(st.none(), st.integers(0, 8)))
def test_people_are_those_that_the_edges_known_by_then_join(given_story: Told, hours: int | None) -> None:
    story, said = given_story
    as_of = None if hours is None else FIRST + HOUR * hours
    question = Preview(EVERYTHING, now=NOW, as_of=None if as_of is None else from_micros(as_of))
    answer = answer_of([*story, *said], question)
    assert isinstance(answer, PreviewAnswer)
    oracle = Oracle([*story, *said], as_of=as_of)
    assert (answer.people, answer.events) == (len(oracle.people), len(oracle.story))


@few
@given(told(), st.sampled_from((None, "f")))
def test_a_funnel_of_merged_people_is_what_walking_their_events_finds(
    given_story: Told, flag: str | None
) -> None:
    story = [*given_story[0], *given_story[1]]
    steps = ("A", "view:/**")
    question = Funnel(
        tuple(map(definition_of, steps)), timedelta(hours=1), by=Flag(flag) if flag else None, now=NOW
    )
    answer = answer_of(story, question)
    assert isinstance(answer, FunnelAnswer)
    plan = oracle_funnel.Plan(tuple(map(matcher_of, steps)), HOUR)
    said = oracle_funnel.funnel(Oracle(story), plan, now=FIRST + 1_000 * HOUR, flag=flag)
    expected = {group: table["steps"] for group, table in said["groups"].items()} or {"total": [0, 0]}
    assert bars_of(answer) == expected


@few
@given(told(), st.lists(st.tuples(PAIRS, PAIRS), min_size=1, max_size=3), st.sampled_from(QUESTIONS))
def test_merge_then_undo_leaves_every_query_unchanged(
    given_story: Told, merges: list[tuple[str, str]], question: Question
) -> None:
    story = [*given_story[0], *given_story[1]]
    more = [f"editor 2026-04-01T00:00 merge:{one}={other} id=m{n}" for n, (one, other) in enumerate(merges)]
    undone = [*more, *(f"editor 2026-04-02T00:00 undo:m{number}" for number in range(len(merges)))]
    before = _shown(answer_of(story, question))
    assert _shown(answer_of([*story, *read_story(undone)], question)) == before
    # And as of a moment before all of it, the merges alone change nothing.
    earlier = replace(question, as_of=datetime(2026, 3, 31, 23, tzinfo=UTC))
    assert _shown(answer_of([*story, *read_story(more)], earlier)) == before


@few
@given(told())
def test_the_views_for_people_and_the_questions_know_the_same_persons(given_story: Told) -> None:
    story = [*given_story[0], *given_story[1]]
    oracle = Oracle(story)
    with lake_of(story, has_views=True) as lake:
        shown = dict(lake.execute("select event_id, person_id from events").fetchall())
        known = dict(lake.execute("select event_id, person_id from lake.events_of_people").fetchall())
        people = lake.execute("select count(*) from people").fetchall()
    assert shown == known
    by_hand = {event.event_id: oracle.person(event) for event in oracle.everything}
    assert _parts(known) == _parts(by_hand)
    assert people == [(len({person for person in by_hand.values() if person}),)]


def _shown(answer: Answer) -> object:
    match answer:
        case PreviewAnswer():
            return answer.events, answer.people, answer.first_seen, answer.last_seen
        case FunnelAnswer():
            return bars_of(answer)
        case RetentionAnswer() | TrendAnswer():
            return table_of(answer)
        case _:
            raise AssertionError(f"{type(answer).__name__} in a law about {SITE}")


def _parts(owners: Mapping[str, object]) -> set[frozenset[str]]:
    """Which events are of one person each."""
    of: dict[object, set[str]] = {}
    for event, person in owners.items():
        if person is not None:
            of.setdefault(person, set()).add(event)
    return {frozenset(events) for events in of.values()}
