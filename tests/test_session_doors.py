"""Sessions by every door: command line, Python and the API."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import polars
import pytest

import expost
from expost.lake.folder import open_folder
from expost.query.analysis import Analysis
from expost.query.definition import definition
from tests.doors import Api, printed, run
from tests.serving import make_site
from tests.story import Story, click, expose, identify, track, view

ANN = "ann@shop.example"
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann came twice, once with a purchase; a stranger looked at one page."""
    path = tmp_path_factory.mktemp("filled") / "data"
    make_site(path)
    story = Story(path)
    story.capture(
        "phone",
        view("/tea"),
        click("button.buy", label="Buy"),
        identify(ANN),
        track("Paid", amount=3),
        at="10:00",
    )
    story.capture("phone", expose("f", "red"), view("/"), at="12:00")
    story.capture("other", view("/help"), at="11:00")
    analysis = Analysis(story.path)
    analysis.define(definition("Paid", track="Paid"))
    analysis.close()
    return path


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(filled, tmp_path / "data")


def test_the_command_lists_what_the_api_and_python_list(data: Path) -> None:
    said = printed(data, "sessions", *DAY, "--did", "Paid", "--by", "country")
    answer = expost.open(data).sessions(did="Paid", by="country", start="2026-03-02", end="2026-03-03")
    api = Api(open_folder(data), None).client.get(
        "/api/v1/sessions", params={"did": "Paid", "by": "country", "from": "2026-03-02", "to": "2026-03-03"}
    )
    [listed] = said["sessions"]
    assert (listed["person"], listed["entry_page"], listed["events"], listed["page_views"]) == (
        ANN,
        "/tea",
        4,
        1,
    )
    assert said["figures"]["bounces"] == 1
    assert said["figures"]["bounce_share"] == 1.0
    for name in ("sessions", "figures", "groups", "periods", "notes"):
        assert said[name] == answer.to_json()[name] == api.json()[name], name


def test_a_session_of_the_list_is_opened_by_its_id(data: Path) -> None:
    latest = printed(data, "sessions", "--person", ANN, "--limit", "1")["sessions"][0]
    assert latest["variations"] == ["f=red"]
    opened = printed(data, "sessions", "show", latest["session_id"])
    assert opened["session"] == latest
    assert [each["type"] for each in opened["events"]] == ["exposure", "page_view"]
    api = Api(open_folder(data), None).client.get(f"/api/v1/sessions/{latest['session_id']}")
    assert (api.json()["session"], api.json()["total"]) == (latest, 2)
    in_python = expost.open(data).session(latest["session_id"])
    assert [each.type for each in in_python.events] == ["exposure", "page_view"]


def test_rows_go_out_as_csv_parquet_and_a_frame(data: Path, tmp_path: Path) -> None:
    table = tmp_path / "sessions.parquet"
    assert run(data, "sessions", "--out", str(table)).exit_code == 0
    frame = expost.open(data).sessions(order="longest").to_polars()
    assert set(polars.read_parquet(table)["session_id"]) == set(frame["session_id"])
    text = run(data, "sessions", "--order", "most_events", "--csv").stdout
    assert polars.read_csv(io.StringIO(text))["events"].to_list() == [4, 2, 1]


def test_another_gap_moves_beginnings_and_an_old_id_opens_what_holds_its_moment(data: Path) -> None:
    [late, _, _] = printed(data, "sessions")["sessions"]
    [_, whole] = printed(data, "sessions", "--gap", "3h")["sessions"]
    assert whole["events"] == 6
    opened = printed(data, "sessions", "show", late["session_id"], "--gap", "3h")
    assert opened["session"] == whole
    assert "No session begins at 2026-03-02 12:00:00 UTC: this one holds that moment." in " ".join(
        opened["notes"]
    )


@pytest.mark.parametrize("id_", ["nonsense", "0000000000000001-64c1346a9f080", "' or 1=1"])
def test_an_id_of_no_session_is_refused(data: Path, id_: str) -> None:
    result = run(data, "sessions", "show", id_)
    assert (result.exit_code, "expost sessions" in result.output) == (2, True)
    assert Api(open_folder(data), None).client.get(f"/api/v1/sessions/{id_}").status_code == 404


def test_what_sessions_cannot_be_asked_is_said(data: Path) -> None:
    client = Api(open_folder(data), None).client
    for asked, code in (
        ({"by": "flag:f"}, "not_built"),
        ({"by": "trait:plan"}, "not_built"),
        ({"order": "shortest"}, "invalid_input"),
        ({"limit": "0"}, "invalid_input"),
        ({"gap": "0min"}, "invalid_input"),
        ({"period": "hour"}, "invalid_input"),
        ({"sample": "10%"}, "not_built"),
        ({"did": "Nothing"}, "unknown_definition"),
        ({"person": "nobody"}, "unknown_name"),
    ):
        assert client.get("/api/v1/sessions", params=asked).json()["error"]["code"] == code, asked
    assert client.get("/api/v1/sessions", params={"gap": "999999999d"}).json()["figures"]["sessions"] == 2
    assert "behind its id" in run(data, "sessions", "--gap", "1h", "show", "x").output


def test_what_never_comes_is_named_in_a_note(data: Path) -> None:
    lake = expost.open(data)
    for answer, note in (
        (lake.sessions(device="phone x"), "No device is called 'phone x'."),
        (
            lake.sessions(properties={"plan": "pro"}),
            "No event has the property 'plan'; known properties: 'amount'.",
        ),
        (lake.sessions(by="property:plan"), "No event has the property 'plan'; known properties: 'amount'."),
        (
            lake.sessions(environment="staging"),
            "No event has the environment 'staging'; known environments: ",
        ),
    ):
        assert any(each.startswith(note) for each in answer.notes), (note, answer.notes)


def test_a_terminal_has_figures_days_and_the_list(data: Path) -> None:
    from expost.table import terminal_console
    from expost.terminal import show

    console, lake = terminal_console(), expost.open(data)
    with console.capture() as shown:
        listed = lake.sessions(start="2026-03-01", end="2026-03-04", by="device_class")
        show(console, listed)
        show(console, lake.session(listed.sessions[0].session_id))
    text = shown.get()
    assert "3 of 3 sessions are listed." in text
    assert "A bounce is a session with exactly one page view" in text
    assert "f=red" in text


def test_the_timeline_of_a_person_leads_to_whole_sessions(data: Path) -> None:
    timeline = printed(data, "people", "timeline", ANN, "--from", "2026-03-02T10:00:01")
    listed = printed(data, "sessions", "--person", ANN)["sessions"]
    assert [each["session_id"] for each in timeline["sessions"]] == [each["session_id"] for each in listed]
    opened = Api(open_folder(data), "admin").client
    page = opened.get("/person", params={"id": ANN}).text
    for each in listed:
        assert f"/sessions/{each['session_id']}" in page
        whole = opened.get(f"/sessions/{each['session_id']}.json").json()
        assert [event["event_id"] for event in whole["events"]]
        assert all(
            event["event_id"] in opened.get(f"/sessions/{each['session_id']}").text
            for event in whole["events"]
        )
    assert "person=" in opened.get(f"/sessions/{listed[0]['session_id']}").text


def test_events_without_a_device_are_named_where_there_is_no_session(tmp_path: Path) -> None:
    make_site(tmp_path / "data")
    story = Story(tmp_path / "data")
    story.capture("", track("Refunded"), track("Refunded"), at="10:00", on_server=True)
    story.store()
    answer = expost.open(story.path).sessions()
    assert answer.figures.sessions == 0
    assert any(note.endswith("so of no session: 2 of the events here.") for note in answer.notes)


def test_a_session_is_opened_though_another_device_is_called_by_the_number_of_its_own(data: Path) -> None:
    number = printed(data, "sessions", "--device", "phone")["sessions"][0]["device_id"]
    story = Story(data)
    story.capture(number, view("/elsewhere"), at="13:00")
    story.store()
    [latest, *_] = printed(data, "sessions", "--device", "phone")["sessions"]
    assert latest["device_id"] == number
    assert printed(data, "sessions", "show", latest["session_id"])["session"] == latest
    assert {each["device"] for each in printed(data, "sessions", "--device", number)["sessions"]} == {"phone"}
