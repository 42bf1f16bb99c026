"""Columns of events in conditions and breakdowns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from expost.errors import InvalidInput
from expost.lake.agent import Agent
from expost.lake.arrival import Arrival
from expost.lake.schema import TABLES
from expost.query.analysis import Analysis
from expost.query.breakdown import ByColumn
from expost.query.definition import definition
from expost.query.event_column import CUT, KINDS
from expost.query.form import property_of
from expost.query.funnel import Funnel, FunnelAnswer, Stage
from expost.query.preview import Preview, PreviewAnswer
from expost.query.property_match import PropertyMatch
from expost.query.trend import Trend, TrendAnswer
from expost.state.sites import Site, add_site
from tests.semantics.engine import bars_of
from tests.story import Story, view

NOW = datetime(2026, 3, 20, tzinfo=UTC)

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    story = Story(tmp_path_factory.mktemp("columns"))
    story.capture("ann", view("/"), view("/cart", spa=True), at="10:00", country="DE")
    story.capture("bob", view("/"), at="10:00", country="FR", user_agent=SAFARI)
    story.capture("eve", view("/"), view("/cart", spa=True), at="10:00", user_agent=SAFARI)
    story.store()
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    yield opened
    opened.close()


def test_whatever_follows_from_an_event_can_be_asked_and_is_a_column_of_the_lake() -> None:
    held = {"text": "string", "number": "int32", "truth": "bool"}
    types = {field.name: str(field.type) for field in TABLES["events"]}
    assert {name: held[kind] for name, kind in KINDS.items()} == {name: types[name] for name in KINDS}
    assert {*Agent._fields, *Arrival._fields, "country"} <= KINDS.keys() - CUT


@pytest.mark.parametrize(
    ("words", "events"),
    [
        ("column:country=DE", 2), ("column:country", 3), ("column:country=null", 2), ("column:browser=Firefox", 2),
        ("column:device_class=mobile", 3), ("column:is_bot=false", 5), ("column:viewport_width=1280", 5),
    ],
)  # fmt: skip
def test_a_condition_on_a_column_counts_what_the_column_holds(
    analysis: Analysis, words: str, events: int
) -> None:
    answer = analysis.ask(Preview(definition("any", view="/**", properties=[property_of(words)])))
    assert isinstance(answer, PreviewAnswer)
    assert (answer.events, answer.unknown) == (events, 0)


@pytest.mark.parametrize(
    ("words", "notes"),
    [
        ("column:country=Nope", ["No event has the country 'Nope'; known: 'DE', 'FR'."]),
        ("column:is_bot=true", []),
        ("column:browser", []),
        ("size=7", ["No event has the property 'size'; known properties: none."]),
    ],
)
def test_a_value_that_no_event_has_is_said_of_its_column_and_not_of_a_property(
    analysis: Analysis, words: str, notes: list[str]
) -> None:
    asked = definition("any", view="/nowhere", properties=[property_of(words)])
    said = analysis.ask(Preview(asked)).basis.notes
    assert [each for each in said if each.startswith("No event has")] == notes


@pytest.mark.parametrize(
    "match",
    [PropertyMatch("column:browser", "matches", "(?i)^fire"), PropertyMatch("column:os", "contains", "Lin")],
)
def test_texts_of_columns_are_found_in_part(analysis: Analysis, match: PropertyMatch) -> None:
    answer = analysis.ask(Preview(definition("any", view="/**", properties=[match])))
    assert isinstance(answer, PreviewAnswer)
    assert answer.events == 2


def test_a_step_is_narrowed_by_a_column_and_results_are_split_by_one(analysis: Analysis) -> None:
    first, cart = definition("first", view="/"), definition("cart", view="/cart")
    on_phones = definition("on phones", properties=[property_of("column:device_class=mobile")])
    steps = (Stage(first, where=on_phones), Stage(cart))
    funnel = analysis.ask(Funnel(steps, timedelta(days=1), by=ByColumn("country"), now=NOW))
    assert isinstance(funnel, FunnelAnswer)
    assert bars_of(funnel) == {"total": [2, 1], "value FR": [1, 0], "no value": [1, 1]}
    trend = analysis.ask(Trend(first, "day", by=ByColumn("browser"), now=NOW))
    assert isinstance(trend, TrendAnswer)
    assert {group.value for group in trend.groups} >= {"Firefox", "Mobile Safari"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("column:nothing=1", "'nothing' is no column of events that a condition can be on"),
        ("column:text=Buy", "'text' is no column"),
        ("column:release=7", "The column 'release' is compared with 7"),
        ('column:is_bot="true"', "The column 'is_bot' is compared with 'true'"),
        ("column:viewport_width=wide", "The column 'viewport_width' is compared with 'wide'"),
    ],
)
def test_what_a_column_never_holds_is_refused_and_no_silent_zero(words: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        property_of(words)
