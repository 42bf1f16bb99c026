"""Sessions behind a number: called by their device and beginning, and each leads to its page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from rich.console import Console

from expost.door import Lake
from expost.query.analysis import Analysis
from expost.query.person import PeopleAnswer
from expost.state.sites import Site, add_site
from expost.terminal import show
from tests.doors import Api, printed
from tests.story import Story, track, view

NOW = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """A session that begins with a page, not with what is asked for; another one of that browser; one of another."""
    story = Story(empty_folder, "shop")
    story.capture("phone", view("/"), track("Looked"), track("Bought"), at="10:00", apart=600)
    story.capture("phone", track("Looked"), at="15:00")
    story.capture("laptop", track("Looked"), track("Bought"), at="11:00")
    story.capture("hidden", track("Looked"), at="22:00", consent="cookieless")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop", time_zone="Europe/Berlin"))
    opened = Lake(analysis)
    opened.define("Looked", track="Looked")
    opened.define("Bought", track="Bought")
    yield opened
    analysis.close()


def ids(answer: PeopleAnswer) -> set[str | None]:
    return {each.session_id for each in answer.people}


def test_each_session_behind_a_number_has_the_id_by_which_it_is_opened(lake):
    listed = {each.session_id: each for each in lake.sessions(now=NOW).sessions}
    bought = {each.session_id for each in lake.sessions(did="Bought", now=NOW).sessions}
    funnel = lake.funnel("Looked", "Bought", unit="session", within="1h", now=NOW)
    trend = lake.trend("Looked", unit="session", now=NOW)
    retention = lake.retention("Looked", unit="session", period="day", periods=0, now=NOW)
    assert ids(trend.behind()) == set(listed)
    assert ids(funnel.people(2)) == bought
    kept = {key for key, each in listed.items() if not each.is_daily}
    assert kept <= ids(funnel.people(1)) <= set(listed)
    assert ids(retention.people(date(2026, 3, 2))) == kept
    for each in trend.behind().people:
        assert each.name.startswith(f"{listed[each.session_id].device}, 2026-03-0")
    # In the time zone of the report.
    assert "phone, 2026-03-02 11:00:00" in {each.name for each in trend.behind().people}
    assert {row["session_id"] for row in trend.behind().rows()} == set(listed)
    assert "session_id" not in lake.trend("Looked", now=NOW).behind().rows()[0]


def test_with_another_gap_the_id_is_that_of_the_session_which_that_gap_makes(lake):
    whole = lake.trend("Looked", unit="session", gap="6h", now=NOW).behind()
    assert ids(whole) == {each.session_id for each in lake.sessions(gap="6h", now=NOW).sessions}
    assert len(ids(whole)) == 3


def test_the_session_is_named_at_every_door_and_its_page_is_one_link_away(lake):
    folder = lake.analysis.folder
    said = printed(folder.path, "trend", "Bought", "--unit", "session", "--people", "2026-03-02")["people"]
    known = {each.session_id for each in lake.sessions(did="Bought").sessions}
    assert {each["session_id"] for each in said} == known
    client = Api(folder, "viewer").client
    address = "/trend/people?name=Bought&unit=session&gap=45min"
    rows = BeautifulSoup(client.get(address).text, "html5lib").select('th[title^="session "] a')
    assert {str(row["href"]).partition("?")[0] for row in rows} == {f"/sessions/{each}" for each in known}
    assert all("gap=45min" in str(row["href"]) for row in rows)
    assert client.get(str(rows[0]["href"])).status_code == 200
    with Console(width=160, record=True, file=io.StringIO()) as console:
        show(console, lake.trend("Bought", unit="session").behind())
    text = console.export_text()
    assert "session_id" in text
    assert all(str(each) in text for each in known)
