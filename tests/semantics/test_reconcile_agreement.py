"""Whatever happened, each id has one cause, and it is counted just when its person is behind the last bar."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.breakdown import Flag
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.person import PeopleAnswer
from expost.query.reconcile import CAUSES, Reconcile, ReconcileAnswer
from expost.query.unit import parse_unit
from tests.semantics.engine import answer_of, definition_of
from tests.semantics.happening import Happening
from tests.semantics.stories import FIRST, HOUR, STEPS, USERS, agreement, edges, stories

NOW = from_micros(FIRST + 400 * HOUR)
Told = list[Happening]


@st.composite
def told(draw: st.DrawFn) -> Told:
    """A story, and what editors said about its people."""
    story = draw(stories(most=14))
    return [*story, *draw(edges(story, most=2))]


funnels = st.builds(
    Funnel,
    st.lists(st.sampled_from(STEPS).map(definition_of), min_size=1, max_size=3).map(tuple),
    st.sampled_from((timedelta(minutes=30), timedelta(hours=2))),
    by=st.none() | st.just(Flag("f")),
    order=st.sampled_from(("ordered", "strict", "any")),
    ends_attempt=st.lists(st.sampled_from(STEPS[:3]).map(definition_of), max_size=1).map(tuple),
    start=st.none() | st.just(from_micros(FIRST + HOUR // 2)),
    end=st.none() | st.just(from_micros(FIRST + HOUR)),
    bots=st.booleans(),
    now=st.just(NOW),
)


def reconciled(story: Told, funnel: Funnel, ids: tuple[str, ...], name: str | None = None) -> ReconcileAnswer:
    answer = answer_of(story, Reconcile(funnel, ids, name))
    assert isinstance(answer, ReconcileAnswer)
    return answer


IDS = {"person": USERS, "device": ("d1", "d2", "d3"), "group:company": ("g1", "g2")}
"""What the units of stories are called."""


@pytest.mark.parametrize("unit", IDS)
@settings(agreement, max_examples=10)
@given(story=told(), funnel=funnels)
def test_each_id_has_one_cause_and_is_counted_just_when_its_unit_is_behind_the_last_bar(
    unit: str, story: Told, funnel: Funnel
) -> None:
    ids, funnel = IDS[unit], replace(funnel, unit=parse_unit(unit))
    answer = reconciled(story, funnel, (*ids, "nobody ever"))
    last = len(funnel.steps)
    behind = answer_of(story, FunnelPeople(funnel, last, limit=10_000))
    assert isinstance(behind, PeopleAnswer)
    people = {each.person_id for each in behind.people}
    assert [each.id for each in answer.ids] == [*ids, "nobody ever"]
    assert {each.cause for each in answer.ids} <= CAUSES.keys()
    # The counts are those of the list.
    assert {each.cause: each.ids for each in answer.causes} == Counter(each.cause for each in answer.ids)
    there = {"counted", "same_person", "before_exposure"}
    for each in answer.ids:
        assert (each.cause in there) == (each.person_id in people), each
    counted = [each.person_id for each in answer.ids if each.cause == "counted"]
    assert len(counted) == len(set(counted)) == answer.counted
    listed = {each.person_id for each in answer.ids if each.cause in there}
    assert answer.unlisted == len(people - listed) == answer.people - len(listed)
    if funnel.by is None:
        assert all(each.cause != "before_exposure" for each in answer.ids)
    else:
        whole = answer_of(story, funnel)
        assert isinstance(whole, FunnelAnswer)
        # Several ids of one unit have that cause together.
        before = {each.person_id for each in answer.ids if each.cause == "before_exposure"}
        assert len(before) <= (whole.steps[-1].outside_groups or 0) + sum(
            group.steps[-1].people for group in whole.groups if group.kind == "before exposure"
        )
    assert answer.ids[-1].cause == "never_captured"


@settings(agreement, max_examples=10)
@given(story=told(), funnel=funnels, unit=st.sampled_from(sorted(IDS)))
def test_an_id_alone_has_the_cause_that_it_has_among_others(story: Told, funnel: Funnel, unit: str) -> None:
    funnel = replace(funnel, unit=parse_unit(unit))
    values = ("pro", "3", "gone")
    together = {each.id: each.cause for each in reconciled(story, funnel, values, "plan").ids}
    for value in values:
        [alone] = reconciled(story, funnel, (value,), "plan").ids
        if together[value] == "same_person":
            assert alone.cause == "counted"
        else:
            assert alone.cause == together[value]
    assert together["gone"] == "never_captured"
