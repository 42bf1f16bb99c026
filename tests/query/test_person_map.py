"""Whose a device is, kept from one question to the next: new edges count at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.funnel import Funnel, FunnelAnswer
from expost.state.sites import Site, add_site
from tests.story import Story, identify, track

NOW = datetime(2026, 4, 1, tzinfo=UTC)
QUESTION = Funnel(
    (definition("Began", track="Began"), definition("Ended", track="Ended")), timedelta(days=7), now=NOW
)


def people(analysis: Analysis) -> list[int]:
    answer = analysis.ask(QUESTION)
    assert isinstance(answer, FunnelAnswer)
    return [step.people for step in answer.steps]


def test_a_login_that_comes_between_two_questions_joins_the_devices(lake: Story) -> None:
    lake.capture("phone", track("Began"), at="10:00")
    lake.capture("laptop", track("Ended"), at="10:05")
    lake.store()
    analysis = Analysis(lake.folder.path)
    add_site(analysis.state, Site("shop", "Shop"))
    assert people(analysis) == [1, 0]
    lake.capture("phone", identify("ann"), at="11:00")
    lake.capture("laptop", identify("ann"), at="11:05")
    lake.store()
    assert people(analysis) == [1, 1]
    lake.capture("tablet", track("Began"), at="12:00")
    lake.store()
    assert people(analysis) == [2, 1]
    assert people(analysis) == [2, 1]
    analysis.close()
