"""Funnels and retention by the portable SQL on ClickHouse's engine: the same answers as DuckDB's, for every case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from expost.clock import from_micros
from expost.query.breakdown import SEVERAL, Breakdown, ByProperty, Flag
from expost.query.question import Question
from expost.query.retention import Retention
from expost.query.unit import Unit, parse_unit
from expost.state.sites import Site
from tests.semantics.cases import kind_of, question_of, read_cases, site_of, week_start_of
from tests.semantics.clickhouse import ClickHouse, ClickHouseReading
from tests.semantics.engine import answer_over, assert_same, definition_of
from tests.semantics.happening import Happening, lake_of_stories, moment, read_story
from tests.semantics.stories import FIRST, HOUR, STEPS, ZONES, agreement, stories
from tests.semantics.test_funnel_agreement import UNITS, Asked, asked_funnels

CASES = {name: case for name, case in read_cases().items() if kind_of(case) in ("funnel", "retention")}
GRAIN = 9 * HOUR


@dataclass(frozen=True)
class Both:
    """Two engines over the same stories, each that of a site."""

    lake: duckdb.DuckDBPyConnection
    clickhouse: ClickHouse

    def agree(self, question: Question, site: Site, week_start: int = 0) -> None:
        """Ask both, and compare all that they say."""
        reads = partial(ClickHouseReading, engine=self.clickhouse)
        # Each question has its own temporary relations.
        with self.lake.cursor() as cursor:
            by_duckdb = answer_over(cursor, question, site, week_start=week_start, is_fast=False)
            by_clickhouse = answer_over(
                cursor, question, site, week_start=week_start, is_fast=False, reads=reads
            )
        assert_same(by_clickhouse, by_duckdb)


@contextmanager
def both(clickhouse: ClickHouse, told: Mapping[str, Sequence[Happening]]) -> Iterator[Both]:
    """The two, filled with these stories."""
    with lake_of_stories(told) as lake:
        clickhouse.fill(lake)
        yield Both(lake, clickhouse)


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouse]:
    engine = ClickHouse()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def over_cases(clickhouse: ClickHouse) -> Iterator[Both]:
    told = {}
    for name, case in CASES.items():
        story = read_story(case["events"])
        known_by = moment(case["as_of"]) if "as_of" in case else None
        told[name] = [each for each in story if known_by is None or each.recorded <= known_by]
    with both(clickhouse, told) as filled:
        yield filled


@pytest.mark.parametrize("name", CASES)
def test_clickhouse_says_of_a_case_what_duckdb_says(over_cases: Both, name: str) -> None:
    case = CASES[name]
    over_cases.agree(question_of(case), replace(site_of(case), slug=name), week_start_of(case))


@st.composite
def asked_retentions(draw: st.DrawFn) -> Retention:
    """Every option, and combinations of them."""
    mode = draw(st.sampled_from(("on", "on", "on_or_after")))
    brackets = draw(st.sampled_from(((), ((0, 0), (1, 2), (4, 6)), ((1, 3),)))) if mode == "on" else ()
    start, end = (draw(st.none() | st.integers(0, 60)) for _ in range(2))
    flags: st.SearchStrategy[Breakdown] = st.sampled_from(SEVERAL).map(lambda several: Flag("f", several))
    unit = draw(st.sampled_from(("person", "person", *UNITS)))
    return Retention(
        definition_of(draw(st.sampled_from(STEPS))),
        definition_of(draw(st.sampled_from(STEPS))),
        draw(st.sampled_from(("day", "week", "month"))),
        None if brackets else 3,
        by=draw(st.none() | flags | st.just(ByProperty("plan"))),
        entry=draw(st.sampled_from(("first_in_range", "first_ever", "recurring"))),
        mode=mode,
        rolling=draw(st.booleans()),
        brackets=brackets,
        unit=Unit("session", None, timedelta(hours=20)) if unit == "session" else parse_unit(unit),
        start=None if start is None else from_micros(FIRST + GRAIN * start),
        end=None if end is None else from_micros(FIRST + GRAIN * end),
        now=from_micros(FIRST + GRAIN * draw(st.integers(0, 200))),
        time_zone=draw(st.sampled_from(ZONES)),
    )


# A smaller example of what is wrong would be looked for in fillings of two engines, for minutes.
@settings(agreement, max_examples=2, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    st.lists(st.tuples(stories(most=10), asked_funnels()), min_size=8, max_size=8),
    st.lists(st.tuples(stories(grain=GRAIN, span=60), asked_retentions()), min_size=6, max_size=6),
)
def test_clickhouse_says_of_random_stories_what_duckdb_says(
    clickhouse: ClickHouse,
    funnels: list[tuple[list[Happening], Asked]],
    retentions: list[tuple[list[Happening], Retention]],
) -> None:
    asked: list[tuple[list[Happening], Question]] = [(story, each.question()) for story, each in funnels]
    told = {f"site-{number}": each for number, each in enumerate([*asked, *retentions])}
    with both(clickhouse, {site: story for site, (story, _) in told.items()}) as filled:
        for site, (_, question) in told.items():
            filled.agree(question, Site(site, site))
