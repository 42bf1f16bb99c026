"""The engine and the oracle on random stories: trends, and who people are."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from expost.query.alternative import Alternative
from expost.query.breakdown import Flag
from expost.query.definition import Definition
from expost.query.preview import Preview, PreviewAnswer
from expost.query.trend import Trend, TrendAnswer
from tests.semantics.engine import answer_of, definition_of, matcher_of, table_of
from tests.semantics.happening import Happening, read_story
from tests.semantics.oracle import Oracle
from tests.semantics.stories import HOUR, STEPS, ZONES, agreement, stories


@agreement
@given(
    stories(grain=2 * HOUR, span=60),
    st.sampled_from(STEPS),
    st.sampled_from(("day", "week", "month")),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_a_trend_is_what_counting_by_hand_finds(
    story: list[Happening], step: str, period: str, zone: str, by_flag: bool
) -> None:
    question = Trend(
        definition_of(step),
        period,
        by=Flag("f") if by_flag else None,
        now=datetime(2026, 4, 10, tzinfo=UTC),
        time_zone=zone,
    )
    answer = answer_of(story, question)
    assert isinstance(answer, TrendAnswer)
    said = Oracle(story).trend(matcher_of(step), period, zone=ZoneInfo(zone), flag="f" if by_flag else None)
    assert {group: days for group, days in table_of(answer).items() if days} == said


@agreement
@given(stories(most=16))
@example(
    read_story(["k 02 10:00 identify:u1 seq=1", "k 02 10:00 A seq=2", "k 02 10:00 identify:u2 seq=2 id=z"])
)
def test_people_are_those_of_walking_each_device(story: list[Happening]) -> None:
    everything = Definition(
        "anything", (Alternative(types=("custom", "page_view", "exposure", "identify", "group")),)
    )
    answer = answer_of(story, Preview(everything, now=datetime(2026, 4, 1, tzinfo=UTC)))
    assert isinstance(answer, PreviewAnswer)
    oracle = Oracle(story)
    assert answer.people == len(oracle.people)
    assert answer.events == len(oracle.story)
