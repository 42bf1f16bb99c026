"""Definitions by every door: the command line, files, the API and the pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from expost.cli import main
from expost.query.analysis import Analysis
from tests.doors import app_over


@pytest.fixture(scope="module")
def data(rich_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(rich_shop, tmp_path_factory.mktemp("doors") / "expost-data")


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[TestClient]:
    with TestClient(app_over(Analysis(data))) as opened:
        yield opened


def test_definitions_go_to_files_and_come_back_on_the_command_line(data: Path, tmp_path: Path) -> None:
    at = ["--data", str(data), "--json"]
    folder = str(tmp_path / "definitions")
    assert CliRunner().invoke(main, ["define", "Filed", "--track", "Filed", *at]).exit_code == 0
    exported = CliRunner().invoke(main, ["definitions", "export", folder, *at])
    assert "filed.toml" in [each["file"] for each in json.loads(exported.stdout)]
    file = Path(folder, "filed.toml")
    file.write_text(file.read_text().replace('event_name = "Filed"', 'event_name = "Kept"'))
    [changed] = [
        each
        for each in json.loads(CliRunner().invoke(main, ["definitions", "diff", folder, *at]).stdout)[
            "definitions"
        ]
        if each["kind"] != "same"
    ]
    assert changed["lines"] == ["- custom event Filed", "+ custom event Kept"]
    planned = json.loads(CliRunner().invoke(main, ["definitions", "diff", folder, *at]).stdout)
    same = len(planned["definitions"]) - 1
    assert planned["summary"] == {"new": 0, "changed": 1, "archived": 0, "same": same}
    asked = CliRunner().invoke(main, ["definitions", "apply", folder, *at])
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    done = json.loads(CliRunner().invoke(main, ["definitions", "apply", folder, "--yes", *at]).stdout)
    assert done["is_applied"]
    assert done["summary"]["changed"] == 1
    CliRunner().invoke(main, ["definitions", "rollback", "Filed", "1", *at])
    compared = json.loads(CliRunner().invoke(main, ["definitions", "diff", "Filed", "1", "2", *at]).stdout)
    assert (compared["old_meaning"], compared["new_meaning"]) == ("custom event Filed", "custom event Kept")
    CliRunner().invoke(main, ["definitions", "describe", "Filed", "--owner", "ann", "--tag", "x", *at])
    CliRunner().invoke(main, ["definitions", "archive", "Filed", *at])
    shown = json.loads(CliRunner().invoke(main, ["definitions", "show", "Filed", *at]).stdout)
    assert [each["meaning"] for each in shown["versions"]] == [
        "custom event Filed",
        "custom event Kept",
        "custom event Filed",
    ]
    assert (shown["owner"], shown["tags"], shown["archived"]) == ("ann", ["x"], True)
    listed = json.loads(CliRunner().invoke(main, ["definitions", *at]).stdout)
    assert "Filed" not in [each["name"] for each in listed]
    CliRunner().invoke(main, ["definitions", "unarchive", "Filed", *at])
    listed = json.loads(CliRunner().invoke(main, ["definitions", *at]).stdout)
    assert "Filed" in [each["name"] for each in listed]


def test_a_definition_over_the_api_makes_versions(client):
    first = client.put("/api/v1/definitions/Paid", json={"track": ["Paid"]}).json()
    same = client.put("/api/v1/definitions/Paid", json={"track": ["Paid"]}).json()
    other = client.put("/api/v1/definitions/Paid", json={"track": ["Paid", "Paid later"]}).json()
    assert [first["version"], same["version"], other["version"]] == [1, 1, 2]
    assert {each["name"]: each["version"] for each in client.get("/api/v1/definitions").json()}["Paid"] == 2


def test_one_selector_need_not_be_a_list(client):
    saved = client.put("/api/v1/definitions/T1", json={"click": "button"})
    assert saved.json()["alternatives"] == [{"types": ["click"], "selector": "button"}]


def test_only_saved_definitions_are_links(client):
    unsaved = client.get("/define", params={"click": "form.cart button.buy"}).text
    assert "not saved" in unsaved
    assert "/definition?name=preview" not in unsaved
    assert "/definition?name=Bought" in client.get("/trend", params={"name": "Bought"}).text


def test_what_is_archived_already_is_said_to_be(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = ["--data", str(data)]
    CliRunner().invoke(main, ["define", "Old hat", "--track", "Hat", *at])

    def twice(command: str) -> tuple[bool, bool]:
        ask = ["definitions", command, "Old hat", "--json", *at]
        first, second = (json.loads(CliRunner().invoke(main, ask).stdout)["is_changed"] for _ in range(2))
        return first, second

    assert twice("archive") == (True, False)
    monkeypatch.setattr("expost.kept_commands.wants_json", lambda as_json: as_json)
    monkeypatch.setattr("expost.definition_commands.wants_json", lambda as_json: as_json)
    said = CliRunner().invoke(main, ["definitions", "archive", "Old hat", *at]).stdout
    assert said == "Old hat is archived already; nothing was changed.\n"
    said = CliRunner().invoke(main, ["definitions", "unarchive", "Old hat", *at]).stdout
    assert said == "Old hat is not archived.\n"
    assert twice("unarchive") == (False, False)


def test_a_definition_is_described_rolled_back_and_compared_over_http(client: TestClient) -> None:
    path = "/api/v1/definitions/Rolled"
    client.put(path, json={"track": "Paid"})
    client.put(path, json={"track": "Other", "valid_from": "2026-03-01"})
    assert client.patch(path, json={"owner": "ann", "tags": ["x"]}).json()["owner"] == "ann"
    assert client.post(f"{path}/rollback", json={"version": 1}).json()["version"] == 3
    shown = client.get(path).json()
    assert (shown["owner"], shown["tags"], len(shown["versions"])) == ("ann", ["x"], 3)
    assert shown["versions"][1]["valid_from"] == "2026-03-01T00:00:00Z"
    compared = client.get("/api/v1/difference", params={"name": "Rolled", "old": 2, "new": 3}).json()
    assert [each["side"] for each in compared["sides"]] == ["only_old", "only_new", "both", "unknown"]
    assert client.patch(path, json={"archived": True}).json()["archived"]
    listed = client.get("/api/v1/definitions").json()
    assert "Rolled" not in [each["name"] for each in listed]
    listed = client.get("/api/v1/definitions", params={"archived": True}).json()
    assert "Rolled" in [each["name"] for each in listed]
    refused = client.get("/api/v1/difference", params={"name": "Rolled"})
    assert refused.status_code == 400
    assert "two of its versions" in refused.json()["error"]["message"]


def test_versions_are_compared_and_gone_back_to_on_the_pages(client: TestClient) -> None:
    said = {"name": "Paged", "click": "form.cart button.buy"}
    client.post("/definitions", data=said)
    next_version = {"click": "form.cart button", "valid_from": "2026-03-01"}
    client.post("/definitions", data=said | next_version | {"known_name": "Paged", "known_version": "1"})
    page = client.get("/definition?name=Paged").text
    assert "from 1 Mar 2026" in page
    compared = client.get("/definition/difference?name=Paged&old=1&new=2")
    assert compared.status_code == 200
    assert "Only version 1" in compared.text
    client.post("/definition/rollback", data={"name": "Paged", "version": "1"})
    client.post("/definition/details", data={"name": "Paged", "owner": "ann", "tags": "x, y", "note": ""})
    body = client.get("/api/v1/definitions/Paged").json()
    assert (len(body["versions"]), body["owner"], body["tags"]) == (3, "ann", ["x", "y"])
    client.post("/definition/details", data={"name": "Paged", "archived": "yes"})
    assert "Paged" in client.get("/definitions?archived=yes").text


@pytest.mark.parametrize(
    ("kept", "body"),
    [
        ("definitions", {"click": "a"}),
        ("cohorts", {"users": ["ann"]}),
        ("reports", {"kind": "trend", "name": "Went"}),
        ("dashboards", {"reports": ["Listed"]}),
    ],
)
@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("bad%ff", "The path of the address is no UTF-8: %FF begins no character."),
        ("line%0Abreak", "has a character that nobody sees: U+000A, at place 5."),
        ("a@2", "cannot be called 'a@2': the end pins a version"),
    ],
)
def test_a_name_in_a_path_that_cannot_be_is_refused_in_words(
    client: TestClient, kept: str, body: dict[str, object], written: str, says: str
) -> None:
    client.put("/api/v1/definitions/Went", json={"click": "a"})
    client.put("/api/v1/reports/Listed", json={"kind": "trend", "name": "Went"})
    answer = client.put(f"/api/v1/{kept}/{written}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_input"), answer.text
    assert says in answer.json()["error"]["message"]


def test_names_of_any_letters_are_kept_as_they_are_written_in_a_path(client: TestClient) -> None:
    assert (
        client.put("/api/v1/definitions/Caf%C3%A9%2Fbar", json={"click": "a.cafe"}).json()["name"]
        == "Café/bar"
    )
    assert client.get("/api/v1/definitions/line%0Abreak").json()["error"]["code"] == "unknown_definition"
