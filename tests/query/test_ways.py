"""Measures, stickiness, lifecycles and paths over a real folder, by saved definitions and as people type them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.door import Lake
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.paths import Paths
from expost.state.sites import Site, add_site
from tests.story import Story, track, view

NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Two visits of ann, one of bob: pages, and what they paid."""
    story = Story(empty_folder, "shop")
    story.capture(
        "ann", view("/"), view("/products/1"), view("/products/2"), track("Paid", price=12), at="10:00"
    )
    story.capture("bob", view("/"), view("/cart"), track("Paid", price="much"), at="10:00")
    story.capture("ann", view("/"), track("Paid", price=0.5), at="2026-03-10 10:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    opened = Lake(analysis)
    opened.define("Home", view="/")
    opened.define("Paid", track="Paid")
    yield opened
    analysis.close()


def test_a_measure_of_a_saved_definition_is_the_same_when_asked_again(lake):
    for _ in range(2):
        answer = lake.trend(
            "Paid", period="week", measure="sum:price", per="Home", per_measure="people", now=NOW
        )
        assert [point.value for point in answer.points] == [6.0, 0.5, None]
        assert answer.value == 6.25
        assert any(
            "1 events without" not in note and "1 in which it is no number" in note for note in answer.notes
        )
    compared = lake.trend(
        "Paid", period="week", start=date(2026, 3, 9), end=date(2026, 3, 16), compare="previous", now=NOW
    )  # fmt: skip
    assert (compared.events, compared.compared.events) == (1, 2)


@pytest.mark.parametrize("more", [{}, {"measure": "sum:price"}])
def test_a_range_that_reaches_past_now_has_no_point_that_has_not_begun(lake, more):
    """By arrays and, with a measure of a property, by the portable SQL."""
    now = datetime(2026, 3, 10, 10, 30, tzinfo=UTC)
    asked = {"start": date(2026, 3, 9), "end": date(2026, 3, 12), "compare": "previous", "now": now, **more}
    answer = lake.trend("Paid", **asked)
    assert [point.events for point in answer.points] == [0, 1]
    assert [point.start.day for point in answer.compared.points] == [6, 7, 8]
    hours = lake.trend("Paid", **(asked | {"period": "hour", "start": datetime(2026, 3, 10, 8, tzinfo=UTC)}))
    assert [point.start.hour for point in hours.points] == [8, 9, 10]
    assert not lake.trend("Paid", **(asked | {"start": date(2026, 3, 11)})).points


def test_who_stays_and_who_leaves(lake):
    assert lake.stickiness("Home", now=NOW).people == (1, 1)
    life = lake.lifecycle("Home", now=NOW)
    assert [(each.new, each.returning, each.resurrecting, each.dormant) for each in life.periods] == [
        (2, 0, 0, 0), (0, 1, 0, 1), (0, 0, 0, 1),
    ]  # fmt: skip
    assert life.data_begins is not None


def test_paths_go_from_an_event_to_pages_and_named_events(lake):
    answer = lake.paths("Home", steps=2, groups=["/products/*"], events=["Paid"], now=NOW)
    found = {(each.step, each.source, each.target): (each.sessions, each.people) for each in answer.edges}
    assert found == {
        (1, None, "/products/*"): (1, 1), (1, None, "/cart"): (1, 1), (1, None, "Paid"): (1, 1),
        (2, "/products/*", "Paid"): (1, 1), (2, "/cart", "Paid"): (1, 1), (2, "Paid", None): (1, 1),
    }  # fmt: skip
    before = lake.paths("Paid", direction="before", steps=1, now=NOW)
    assert {each.target: each.sessions for each in before.edges} == {"/products/2": 1, "/cart": 1, "/": 1}
    for wrong in (
        lambda: Paths("Home", direction="around"),
        lambda: Paths("Home", steps=0),
        lambda: Paths("Home", top=0),
    ):
        with pytest.raises(InvalidInput):
            wrong()


def test_the_command_line_gives_the_same(lake):
    folder = str(lake.analysis.folder.path)
    for command, field in (
        (["paths", "Home", "--group", "/products/*"], "edges"),
        (["stickiness", "Home"], "people"),
        (["lifecycle", "Home"], "periods"),
        (["trend", "Paid", "--measure", "max:price"], "points"),
    ):
        said = CliRunner().invoke(main, [*command, "--data", folder, "--json"])
        assert said.exit_code == 0, said.output
        assert json.loads(said.output)[field]
