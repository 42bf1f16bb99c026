"""Cohorts of the engine and of the oracle, on random stories: who is in one, and answers about those alone."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.breakdown import Breakdown, ByCohort, ByProperty, ByTrait, Flag
from expost.query.cohort import Cohort, Did, Sequel
from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.property_match import PropertyMatch
from expost.query.retention import Retention, RetentionAnswer
from expost.query.unit import PERSON, Unit
from tests.semantics.engine import answer_of, assert_same, bars_of, definition_of, matcher_of
from tests.semantics.figures import figures_of
from tests.semantics.happening import Happening, identity
from tests.semantics.oracle import Oracle
from tests.semantics.oracle_cohort import members
from tests.semantics.oracle_funnel import Plan, funnel
from tests.semantics.stories import FIRST, HOUR, STEPS, agreement, stories

PRO = PropertyMatch("plan", "is", "pro")
steps = st.sampled_from(STEPS)
dids = st.builds(
    Did,
    steps,
    st.integers(1, 3),
    st.none() | st.sampled_from((timedelta(hours=2), timedelta(hours=9))),
    st.sampled_from(((), (PRO,), (PropertyMatch("plan", "is", 3),))),
)
USERS = [identity("user", name) or 0 for name in ("u1", "u2")]
DEVICES = [identity("device", name) or 0 for name in ("d1", "d2")]


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Any mix of conditions that says something."""
    said: dict[str, Any] = {
        "did": tuple(draw(st.lists(dids, max_size=2))),
        "did_not": tuple(draw(st.lists(dids, max_size=1))),
        "sequence": draw(
            st.none()
            | st.builds(
                Sequel, st.lists(steps, min_size=2, max_size=3).map(tuple), st.just(timedelta(hours=4))
            )
        ),
        "traits": draw(st.sampled_from(((), (), (PRO,)))),
        "users": draw(st.sampled_from(((), (), tuple(USERS[:1])))),
        "devices": draw(st.sampled_from(((), (), tuple(DEVICES[:1])))),
    }
    if not any(said.values()):
        said["did"] = (Did("A"),)
    return Cohort("C", **said)


@settings(agreement, max_examples=10)
@given(story=stories(grain=HOUR, span=14), cohort=cohorts(), now=st.integers(3, 20), is_in=st.booleans())
def test_a_cohort_is_who_is_found_by_looking_at_everybody(
    story: list[Happening], cohort: Cohort, now: int, is_in: bool
) -> None:
    moment = FIRST + HOUR * now
    oracle = Oracle(story)
    found = members(oracle, cohort, moment, matcher_of)
    known = {person for person, events in oracle.people.items() if events[0].at <= moment}
    size = answer_of(story, CohortSize(cohort, now=from_micros(moment)))
    assert isinstance(size, CohortAnswer)
    assert (size.people, size.everyone) == (len(found & known), len(known))

    answer = answer_of(
        story,
        Funnel(
            (definition_of("A"), definition_of("view:/**")),
            timedelta(hours=6),
            by=ByCohort(cohort),
            cohort=(cohort,) if is_in else (),
            not_cohort=() if is_in else (cohort,),
            now=from_micros(moment),
        ),
    )
    assert isinstance(answer, FunnelAnswer)
    chosen = Oracle(story)
    chosen.people = {person: events for person, events in oracle.people.items() if (person in found) == is_in}
    said = funnel(
        chosen,
        Plan((matcher_of("A"), matcher_of("view:/**")), 6 * HOUR),
        now=moment,
        value=lambda _: "in" if is_in else "not in",
    )["groups"]
    expected = {group: table["steps"] for group, table in said.items()} or {"total": [0, 0]}
    assert bars_of(answer) == expected

    events = [each for told in chosen.people.values() for each in told if matcher_of("A")(each)]
    people = {person for person, told in chosen.people.items() if any(map(matcher_of("A"), told))}
    asked = Preview(
        definition_of("A"),
        cohort=(cohort,) if is_in else (),
        not_cohort=() if is_in else (cohort,),
        now=from_micros(moment),
    )
    past = answer_of(story, asked)
    assert isinstance(past, PreviewAnswer)
    assert (past.events, past.people) == (len(events), len(people))
    assert (past.overlaps, sum(text.events for text in past.texts)) == ((), 0)


def bars_among(oracle: Oracle, people: set[str], now: int) -> dict[str, list[int]]:
    """The bars of the funnel below, of these people alone, by hand."""
    chosen = copy(oracle)
    chosen.people = {person: events for person, events in oracle.people.items() if person in people}
    steps = tuple(map(matcher_of, ("A", "view:/**")))
    found = funnel(chosen, Plan(steps, 6 * HOUR), now=now)["groups"]
    return {group: table["steps"] for group, table in found.items()} or {"total": [0, 0]}


@settings(agreement, max_examples=8)
@given(
    story=stories(grain=HOUR, span=14), own=st.none() | cohorts(), beside=cohorts(), now=st.integers(3, 20)
)
def test_a_funnel_beside_a_cohort_is_the_two_by_hand_and_so_many_are_in_both(
    story: list[Happening], own: Cohort | None, beside: Cohort, now: int
) -> None:
    moment = FIRST + HOUR * now
    question = Funnel(
        (definition_of("A"), definition_of("view:/**")),
        timedelta(hours=6),
        cohort=(own,) if own is not None else (),
        compare=beside,
        now=from_micros(moment),
    )
    answer = answer_of(story, question)
    assert isinstance(answer, FunnelAnswer)
    assert answer.compared is not None
    oracle = Oracle(story)
    everybody = set(oracle.people)
    here = everybody if own is None else members(oracle, own, moment, matcher_of)
    there = members(oracle, beside, moment, matcher_of)
    assert bars_of(answer) == bars_among(oracle, here, moment)
    assert bars_of(answer.compared) == bars_among(oracle, there, moment)
    assert answer.shared_people == bars_among(oracle, here & there, moment)["total"][0]
    assert_same(answer, answer_of(story, question, is_fast=False))


questions: st.SearchStrategy[Funnel | Retention] = st.builds(
    Funnel,
    steps=st.just((definition_of("A"), definition_of("view:/**"))),
    within=st.just(timedelta(hours=6)),
    order=st.sampled_from(("ordered", "strict", "any")),
) | st.builds(
    Retention,
    begins=st.just(definition_of("A")),
    returns=st.just(definition_of("view:/**")),
    period=st.just("day"),
    periods=st.just(2),
    entry=st.sampled_from(("first_in_range", "first_ever", "recurring")),
    rolling=st.booleans(),
)
units = st.sampled_from((PERSON, Unit("device"), Unit("session"), Unit("group", "company")))
breakdowns = st.sampled_from((None, Flag("f"), Flag("f", "as_treated"), ByProperty("plan"), ByTrait("plan")))


@settings(agreement, max_examples=12)
@given(
    story=stories(grain=HOUR, span=40),
    question=questions,
    unit=units,
    by=breakdowns,
    own=st.none() | cohorts(),
    beside=cohorts(),
)
def test_whatever_is_counted_either_side_is_as_if_asked_alone(
    story: list[Happening],
    question: Funnel | Retention,
    unit: Unit,
    by: Breakdown | None,
    own: Cohort | None,
    beside: Cohort,
) -> None:
    asked = replace(question, unit=unit, by=by, now=from_micros(FIRST + HOUR * 60))
    here = replace(asked, cohort=(own,) if own is not None else ())
    answer = answer_of(story, replace(here, compare=beside))
    assert isinstance(answer, FunnelAnswer | RetentionAnswer)
    assert answer.compared is not None
    for side, alone in ((answer, here), (answer.compared, replace(asked, cohort=(beside,)))):
        apart = answer_of(story, alone)
        assert (
            figures_of(replace(side, compared=None, shared_people=None))["expect"]
            == figures_of(apart)["expect"]
        )
        assert side.basis.left_out == apart.basis.left_out
    assert_same(answer, answer_of(story, replace(here, compare=beside), is_fast=False))
