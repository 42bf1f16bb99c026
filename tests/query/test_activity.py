"""Any activity: what questions know by its name without anybody having saved it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from bs4 import BeautifulSoup

from expost.door import Lake
from expost.errors import BuiltIn, UnknownVersion
from expost.query.activity import RULE
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
    assert (began.name, began.version, returned.name) == ("Any activity", 0, "Any activity")
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
    with pytest.raises(UnknownVersion, match="it has version 0 alone"):
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
    assert (began.name, began.version) == ("Any activity", 0)
    again = lake.save_report("Saved one", lake.retention("Any activity"), pin=True)
    assert isinstance(again, Report)
    assert again.definitions == ("Any activity@1",)
    assert lake.save_report("Coming back", lake.retention("Any activity@0"), pin=True) == kept


@pytest.mark.parametrize("asked", ["trend?name=Any+activity", "funnel?step=Any+activity"])
def test_where_nobody_was_active_the_page_that_is_offered_is_there(lake, asked):
    client = Api(lake.analysis.folder, "viewer").client
    page = client.get(f"/{asked}&from=2026-01-01&to=2026-01-05")
    empty = BeautifulSoup(page.text, "html5lib").select_one("#answer .empty")
    assert empty
    [link] = empty.select("a")
    assert client.get(str(link["href"])).status_code == 200


def test_whoever_looks_at_it_is_told_what_it_is_at_every_door(lake, monkeypatch):
    folder = lake.analysis.folder
    lake.save_report("Coming back", lake.retention())
    shown = printed(folder.path, "definitions", "show", "Any activity")
    with monkeypatch.context() as terminal:
        terminal.setattr("expost.definition_commands.wants_json", lambda as_json: as_json)
        assert RULE in run(folder.path, "definitions", "show", "any  ACTIVITY").stdout
    [version] = shown["versions"]
    assert (version["version"], version["built_in"], version["created_at"]) == (0, True, None)
    assert version["meaning"].startswith("click or auxclick or change or submit or page view or custom event")
    client = Api(folder, "editor").client
    assert client.get("/api/v1/definitions/Any%20activity").json() == shown
    page = BeautifulSoup(client.get("/definition?name=Any+activity").text, "html5lib")
    assert page.select_one("p.notice").get_text() == RULE  # type: ignore[union-attr]
    assert page.select("#main form, main form") == []
    assert "Change" not in [each.get_text() for each in page.select("a.button")]
    for link in page.select(".toolbar a"):
        assert "%40" not in str(link["href"])
        assert client.get(str(link["href"])).status_code == 200
    pinned = BeautifulSoup(client.get("/definition?name=Any+activity%400").text, "html5lib")
    assert [str(link["href"]).count("Any+activity%400") for link in pinned.select(".toolbar a")] == [1, 1, 1]
    used = BeautifulSoup(client.get("/trend?name=Any+activity").text, "html5lib").select("section.basis a")
    assert "/definition?name=Any+activity%400" in str(used[0]["href"])


def test_nothing_changes_it_and_a_sentence_says_so(lake):
    folder = lake.analysis.folder
    sentence = "'Any activity' is built in: version 0 is its only one, and nothing changes it."
    for words in (["archive", "Any activity"], ["rollback", "Any activity@0", "0"],
                  ["describe", "any activity", "--owner", "ann"]):  # fmt: skip
        refused = run(folder.path, "definitions", *words)
        assert refused.exit_code == 2
        assert sentence in refused.stderr
    with pytest.raises(BuiltIn):
        lake.describe("Any activity", note="ours")
    client = Api(folder, "editor").client
    for answer in (
        client.patch("/api/v1/definitions/Any%20activity", json={"archived": True}),
        client.post("/api/v1/definitions/Any%20activity/rollback", json={"version": 0}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "built_in")
        assert answer.json()["error"]["message"] == sentence
    compared = run(folder.path, "definitions", "diff", "Any activity", "0", "1")
    assert "has no version 1: it has version 0 alone" in compared.stderr


def test_beside_one_that_is_saved_under_its_name_it_is_shown_as_version_0(lake):
    folder = lake.analysis.folder
    lake.save_report("Before", lake.retention(), pin=True)
    lake.define("Any activity", track="Bought")
    lake.describe("Any activity", owner="ann")
    lake.save_report("After", lake.retention())
    assert lake.analysis.followers("Any activity") == ["After"]
    assert lake.analysis.followers("Any activity@0") == ["Before"]
    shown, saved = (printed(folder.path, "definitions", "show", f"Any activity{pin}") for pin in ("@0", ""))
    assert (shown["owner"], shown["versions"][0]["version"]) == ("", 0)
    assert (saved["owner"], saved["versions"][0]["version"]) == ("ann", 1)
    both = printed(folder.path, "definitions", "diff", "Any activity", "0", "1")
    assert {each["side"]: each["events"] for each in both["sides"]} == {
        "only_old": 2, "only_new": 0, "both": 1, "unknown": 0,
    }  # fmt: skip


def test_the_choice_says_how_many_are_saved_whatever_they_are_called(lake):
    client = Api(lake.analysis.folder, "viewer").client
    assert "Without a name you can ask about any activity" in client.get("/trend").text
    lake.define("Any activity", track="Bought")
    page = client.get("/trend").text
    assert "Choose above from 1 definition," in page
    options = [each.text for each in BeautifulSoup(page, "html5lib").select("#name option")]
    assert options.count("Any activity") == 1
