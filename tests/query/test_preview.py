"""What a preview says beside its counts: the share that is unknown, and definitions of the same events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.overlap import Overlap
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Step
from expost.state.sites import Site, add_site
from tests.story import Story, click, track, view

NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def analysis(lake: Story) -> Iterator[Analysis]:
    """Four clicks on buttons, of which three in a form and one by a colleague, and a search."""
    for number, who in enumerate(("ann", "bob", "cyd")):
        inner = "form button.send svg"
        lake.capture(
            who, view("/a"), click(inner), track("searched"), at=f"10:0{number}", is_internal=who == "cyd"
        )
    lake.capture("dan", click("nav button"), click("nav a"), at="11:00")
    analysis = Analysis(lake.path)
    add_site(analysis.state, Site("shop", "Shop"))
    yield analysis
    analysis.close()


def past(
    analysis: Analysis, of: Step, *, internal: bool | None = None, count_only: bool = False
) -> PreviewAnswer:
    answer = analysis.ask(Preview(of, now=NOW, internal=internal, count_only=count_only))
    assert isinstance(answer, PreviewAnswer)
    return answer


def test_definitions_of_the_same_events_are_named_with_both_shares(analysis: Analysis) -> None:
    for name, asked in (
        ("Sent", "form button"),
        ("Any button", "button"),
        ("Link", "nav a"),
        ("Gone", ".send"),
    ):
        analysis.define(definition(name, click=asked))
    analysis.define(definition("Searched", track="searched"))
    analysis.describe("Gone", archived=True)
    answer = past(analysis, definition("preview", click=".send"))
    assert answer.events == 2
    assert answer.overlaps == (Overlap("Sent", 1, 2, 1.0, 1.0), Overlap("Any button", 1, 2, 1.0, 2 / 3))
    assert (
        past(analysis, definition("preview", click=".send"), internal=True).overlaps[1].share_of_other
        == 3 / 4
    )


def test_a_saved_definition_does_not_overlap_with_itself(analysis: Analysis) -> None:
    analysis.define(definition("Sent", click="form button"))
    analysis.define(definition("Clicked in a", click="svg:first-child", path="/a"))
    assert [each.name for each in past(analysis, "Sent").overlaps] == ["Clicked in a"]


def test_a_count_alone_is_what_comes_first(analysis: Analysis) -> None:
    asked = Preview(definition("preview", click="button"), now=NOW)
    first, whole = analysis.preview_parts(asked)
    assert (first.is_whole, whole.is_whole) == (False, True)
    counted = past(analysis, asked.definition, count_only=True)
    for field in ("events", "people", "unknown", "first_seen", "last_seen", "days"):
        assert getattr(first, field) == getattr(whole, field) == getattr(counted, field)
    assert (first.samples, counted.samples) == ((), ())
    assert len(whole.samples) == 2
    assert whole.unknown_share == 0


def test_the_share_of_unknown_is_of_what_may_match(analysis: Analysis, lake: Story) -> None:
    answer = past(analysis, definition("preview", click="[data-kind=a]"))
    assert answer.unknown_share is None
    assert past(analysis, definition("preview", click="a, button")).unknown_share == 0
