"""Any activity: what questions know by its name without anybody having saved it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from bs4 import BeautifulSoup

from expost.door import Lake
from expost.errors import UnknownDefinition
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.report import Report
from expost.state.sites import Site, add_site
from tests.doors import Api, printed, run
from tests.story import Story, identify, track

NOW = datetime(2026, 3, 20, tzinfo=UTC)
WEEKS = (date(2026, 3, 2), date(2026, 3, 9))


@pytest.fixture
def lake(empty_folder) -> Iterator[Lake]:
    story = Story(empty_folder, "shop")
    story.capture("a", track("Looked"), at="2026-03-02 10:00")
    story.capture("a", track("Bought"), at="2026-03-10 10:00")
    story.capture("b", track("Looked"), at="2026-03-09 10:00")
    # To say who one is, is nothing that one does.
    story.capture("c", identify("cyd"), at="2026-03-02 10:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    yield Lake(analysis)
    analysis.close()


def test_retention_is_of_any_activity_unless_it_says_of_what(lake):
    answer = lake.retention(now=NOW)
    assert [(each.start, each.size) for each in answer.cohorts] == list(zip(WEEKS, (1, 1), strict=True))
    assert [cell.people for cell in answer.cohorts[0].periods] == [0, 1, 0]
    assert answer.cohorts == lake.retention("any  ACTIVITY", now=NOW).cohorts
    [began, returned] = answer.basis.definitions
    assert (began.name, began.version, returned.name) == ("Any activity", None, "Any activity")
    assert began.meaning.startswith("click or auxclick or change or submit or page view or custom event")
    looked = lake.retention(definition("Looked", track="Looked"), "Any activity", now=NOW)
    assert [cell.people for cell in looked.cohorts[0].periods] == [0, 1, 0]


def test_it_is_asked_without_a_name_at_every_door(lake):
    folder = lake.analysis.folder
    said = printed(folder.path, "retention", "--tz", "UTC")["cohorts"]
    assert [each["size"] for each in said] == [1, 1]
    client = Api(folder, "viewer").client
    assert client.get("/api/v1/retention").json()["cohorts"] == said
    page = BeautifulSoup(client.get("/retention?start_event=&period=week").text, "html5lib")
    assert page.select_one("#answer table") is not None
    unasked = BeautifulSoup(client.get("/retention").text, "html5lib")
    assert unasked.select_one("#answer table") is None
    assert "Any activity" in [option.text for option in unasked.select("#return_event option")]
    chosen = BeautifulSoup(client.get("/retention?start_event=any+activity").text, "html5lib")
    assert [option.text for option in chosen.select("#start_event option")] == ["Any activity"]
    assert printed(folder.path, "trend", "Any activity", "--from", "2026-03-02", "--to", "2026-03-03")[
        "points"
    ]


def test_a_start_and_a_return_are_said_behind_the_command(lake):
    folder = lake.analysis.folder.path
    lake.define("Looked", track="Looked")
    lake.define("Bought", track="Bought")
    asked = printed(folder, "retention", "Looked", "Bought")["cohorts"]
    assert (
        asked
        == printed(folder, "retention", "--start-event", "Looked", "--return-event", "Bought")["cohorts"]
    )
    assert asked != printed(folder, "retention", "Looked")["cohorts"]
    twice = run(folder, "retention", "Looked", "--start-event", "Bought")
    assert twice.exit_code == 2
    assert "said twice: 'Looked' and 'Bought'" in twice.stderr


def test_it_is_kept_in_reports_and_cohorts(lake):
    kept = lake.save_report("Coming back", lake.retention())
    assert isinstance(kept, Report)
    assert kept.definitions == ("Any activity",)
    assert lake.report("Coming back", now=NOW).cohorts == lake.retention(now=NOW).cohorts
    lake.save_cohort("Busy", did="Any activity")
    assert lake.cohort("Busy").people == 2
    with pytest.raises(UnknownDefinition):
        lake.retention("Any activity@1", now=NOW)


def test_a_definition_that_is_saved_under_its_name_comes_before_it(lake):
    lake.define("any activity", track="Bought")
    answer = lake.retention(now=NOW)
    assert [(each.start, each.size) for each in answer.cohorts] == [(WEEKS[1], 1)]
    options = BeautifulSoup(Api(lake.analysis.folder, "viewer").client.get("/trend").text, "html5lib")
    assert [option.text for option in options.select("#name option")].count("Any activity") == 0


def test_a_report_that_pins_it_counts_the_same_when_a_definition_takes_its_name(lake):
    before = lake.retention(now=NOW).cohorts
    kept = lake.save_report("Coming back", lake.retention("any  activity"), pin=True)
    assert isinstance(kept, Report)
    assert kept.definitions == ("Any activity@0",)
    lake.save_report("Followed", lake.retention())
    lake.define("Any activity", track="Bought")
    assert lake.report("Coming back", now=NOW).cohorts == before
    assert lake.retention("any activity@0", now=NOW).cohorts == before
    assert lake.report("Followed", now=NOW).cohorts != before
    [began, _] = lake.report("Coming back", now=NOW).basis.definitions
    assert (began.name, began.version) == ("Any activity", None)
    again = lake.save_report("Saved one", lake.retention("Any activity"), pin=True)
    assert isinstance(again, Report)
    assert again.definitions == ("Any activity@1",)
    assert lake.save_report("Coming back", lake.retention("Any activity@0"), pin=True) == kept


@pytest.mark.parametrize("asked", ["trend?name=Any+activity", "funnel?step=Any+activity"])
def test_where_nobody_was_active_no_page_is_offered_that_is_not_there(lake, asked):
    page = Api(lake.analysis.folder, "viewer").client.get(f"/{asked}&from=2026-01-01&to=2026-01-05")
    empty = BeautifulSoup(page.text, "html5lib").select_one("#answer .empty")
    assert empty
    assert "Widen the range." in empty.get_text()
    assert empty.select("a") == []
