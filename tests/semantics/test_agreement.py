"""The engine and the oracle on random stories: full of ties, shared devices, daily ids and several variations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.answer import FunnelAnswer, PreviewAnswer, RetentionAnswer, TrendAnswer
from expost.query.breakdown import Flag
from expost.query.definition import Alternative, Definition
from expost.query.question import Funnel, Preview, Retention, Trend
from tests.semantics.engine import answer_of, bars_of, definition_of, matcher_of, medians_of, table_of
from tests.semantics.happening import Happening, moment, read_story
from tests.semantics.oracle import Oracle

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
WHATS = (
    "A",
    "B",
    "C",
    "view:/a",
    "view:/b",
    "exposure:f=red",
    "exposure:f=blue",
    "identify:u1",
    "identify:u2",
)
STEPS = ("A", "B", "C", "view:/a", "view:/**", "type:custom")
# Around the day on which Berlin's clocks went forward.
FIRST = moment("2026-03-28T20:00")
MINUTE, HOUR = 60_000_000, 3_600_000_000

agreement = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def stories(draw: st.DrawFn, *, grain: int = 10 * MINUTE, span: int = 12, most: int = 12) -> list[Happening]:
    """Few instants, so that ties are common; pages are shared by the events of one device."""
    daily = draw(st.frozensets(st.sampled_from(("d1", "d2", "d3"))))
    story = []
    for number in range(draw(st.integers(1, most))):
        device = draw(st.sampled_from(("d1", "d2", "d3", "server")))
        what = draw(st.sampled_from(WHATS[:7] if device == "server" else WHATS))
        page = draw(st.sampled_from(("p1", "p2")))
        extra = (
            f" user={draw(st.sampled_from(('u1', 'u2')))}" if device == "server" else f" page={page}-{device}"
        )
        extra += draw(st.sampled_from(("", "", "", "", "", " bot=", " environment=staging")))
        extra += f" id={draw(st.sampled_from('xyz'))}{number:02}"
        [happening] = read_story([f"{device} 2026-01-01T00:00 {what}{extra}"])
        at = FIRST + grain * draw(st.integers(0, span))
        sequence = 0 if device == "server" else draw(st.integers(1, 5)) * 100 + number
        story.append(replace(happening, at=at, page_seq=sequence, is_daily=device in daily))
    return story


steps = st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)
edges = st.none() | st.integers(0, 12)


@agreement
@given(stories(), steps, st.integers(1, 9), edges, edges, st.integers(0, 20), st.booleans())
def test_a_funnel_is_what_trying_every_chain_finds(
    story: list[Happening],
    chosen: list[str],
    within: int,
    first: int | None,
    last: int | None,
    now: int,
    by_flag: bool,
) -> None:
    start, end = (None if edge is None else FIRST + 10 * MINUTE * edge for edge in (first, last))
    window = timedelta(minutes=10 * within)
    asked_at = FIRST + 10 * MINUTE * now
    question = Funnel(
        tuple(map(definition_of, chosen)),
        window,
        by=Flag("f") if by_flag else None,
        start=None if start is None else from_micros(start),
        end=None if end is None else from_micros(end),
        now=from_micros(asked_at),
    )
    answer = answer_of(story, question)
    assert isinstance(answer, FunnelAnswer)
    said = Oracle(story).funnel(
        [matcher_of(step) for step in chosen],
        window,
        start=start,
        end=end,
        now=asked_at,
        flag="f" if by_flag else None,
    )
    nobody = {
        "total": {"steps": [0] * len(chosen), "complete": [0] * len(chosen), "medians": [None] * len(chosen)}
    }
    groups = said["groups"] or nobody
    assert bars_of(answer) == {group: table["steps"] for group, table in groups.items()}
    assert bars_of(answer, complete=True) == {group: table["complete"] for group, table in groups.items()}
    assert medians_of(answer) == {group: table["medians"] for group, table in groups.items()}
    if by_flag:
        assert answer.several_variations == said["several"]
        # Every person with an entry is in exactly one group.
        assert answer.steps[0].outside_groups == 0
        assert answer.steps[0].people == sum(group.steps[0].people for group in answer.groups)


@agreement
@given(
    stories(grain=2 * HOUR, span=60),
    st.sampled_from(STEPS),
    st.sampled_from(STEPS),
    st.sampled_from(("day", "week")),
    st.sampled_from(ZONES),
    st.none() | st.integers(0, 60),
    st.none() | st.integers(0, 60),
    st.integers(0, 90),
    st.booleans(),
    st.sampled_from(("first_in_range", "first_ever")),
)
def test_retention_is_what_walking_every_person_finds(
    story: list[Happening],
    begins: str,
    returns: str,
    period: str,
    zone: str,
    first: int | None,
    last: int | None,
    now: int,
    by_flag: bool,
    entry: str,
) -> None:
    start, end = (None if edge is None else FIRST + 2 * HOUR * edge for edge in (first, last))
    asked_at = FIRST + 2 * HOUR * now
    question = Retention(
        definition_of(begins),
        definition_of(returns),
        period,
        3,
        by=Flag("f") if by_flag else None,
        entry="first_ever" if entry == "first_ever" else "first_in_range",
        start=None if start is None else from_micros(start),
        end=None if end is None else from_micros(end),
        now=from_micros(asked_at),
        time_zone=zone,
    )
    answer = answer_of(story, question)
    assert isinstance(answer, RetentionAnswer)
    said = Oracle(story).retention(
        matcher_of(begins),
        matcher_of(returns),
        period,
        3,
        zone=ZoneInfo(zone),
        now=asked_at,
        start=start,
        end=end,
        flag="f" if by_flag else None,
        first_ever=entry == "first_ever",
    )
    shown = {
        group: {
            # Periods that have not begun are not shown; nobody can have returned in them.
            day: row + [0] * (5 - len(row))
            for day, row in cohorts.items()
        }
        for group, cohorts in table_of(answer).items()
    }
    assert {group: cohorts for group, cohorts in shown.items() if cohorts} == said


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
    everything = Definition("anything", (Alternative(types=("custom", "page_view", "exposure", "identify")),))
    answer = answer_of(story, Preview(everything, now=datetime(2026, 4, 1, tzinfo=UTC)))
    assert isinstance(answer, PreviewAnswer)
    oracle = Oracle(story)
    assert answer.people == len(oracle.people)
    assert answer.events == len(oracle.story)
