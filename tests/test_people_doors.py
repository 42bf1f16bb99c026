"""Who is whom by every door: command line, Python, the API and the page, with a server at work and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import expost
from expost.cli import main
from expost.lake.folder import Folder, open_folder
from expost.lake.lock import Lock
from expost.query.analysis import Analysis
from expost.query.definition import definition
from tests.doors import Api
from tests.serving import Serving, make_site
from tests.story import Story, identify, track, view

ANN, ANNA = "ann@shop.example", "anna@home.example"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann with two ids on two browsers, and a stranger."""
    path = tmp_path_factory.mktemp("filled") / "data"
    make_site(path)
    story = Story(path)
    story.capture("phone", view("/"), identify(ANN, plan="pro"), track("Paid"), at="10:00")
    story.capture("desk", identify(ANNA), track("Paid"), at="11:00")
    story.capture("other", track("Paid"), at="12:00")
    analysis = Analysis(story.path)
    analysis.define(definition("Paid", track="Paid"))
    analysis.close()
    return path


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Folder:
    shutil.copytree(filled, tmp_path / "data")
    return open_folder(tmp_path / "data")


def run(folder: Folder, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(folder.path)])


def printed(folder: Folder, *words: str) -> dict[str, Any]:
    result = run(folder, *words)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_the_commands_show_merge_and_undo(folder: Folder) -> None:
    plan = printed(folder, "people", "merge", ANNA, ANN)
    assert plan["definitions"] == [
        {"definition": "Paid", "events": {"now": 3, "then": 3}, "people": {"now": 3, "then": 2}}
    ]
    assert printed(folder, "preview", "Paid")["people"] == 3
    done = printed(folder, "people", "merge", ANNA, ANN, "--yes")
    assert printed(folder, "preview", "Paid")["people"] == 2
    shown = printed(folder, "people", "show", ANNA)
    assert (shown["name"], shown["users"], shown["total"]) == (ANN, [ANN, ANNA], 5)
    assert [each["kind"] for each in shown["edges"]] == ["merge", "identify", "identify"]
    timeline = printed(folder, "people", "timeline", "phone", "--latest", "2")
    assert (timeline["total"], timeline["name"]) == (5, ANN)
    [edge] = done["edges"]
    printed(folder, "people", "undo", edge, "--yes")
    assert printed(folder, "preview", "Paid")["people"] == 3
    # What was known before any of it, and while the merge was in force.
    assert printed(folder, "preview", "Paid", "--as-of", "2026-03-03")["people"] == 3
    refused = run(folder, "preview", "Paid", "--as-of", "2100-01-01")
    assert refused.exit_code == 2
    assert "lies in the future" in refused.stderr


def test_a_command_on_a_terminal_says_what_to_type_to_undo(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for module in ("people_commands", "command_answer"):
        monkeypatch.setattr(f"expost.{module}.wants_json", lambda as_json: as_json)
    assert "say the same with --yes" in run(folder, "people", "merge", ANNA, ANN).stdout
    said = run(folder, "people", "merge", ANNA, ANN, "--yes").stdout
    found = re.search(r"expost people undo (-?\d+) --yes", said)
    assert found
    shown = run(folder, "people", "show", ANN).stdout
    assert "is the same person as" in shown
    assert "desk, 2 events" in run(folder, "people", "timeline", ANN).stdout


def test_what_waits_for_somebody_else_says_for_whom(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expost.query.people.WAIT_SECONDS", 0)
    monkeypatch.setattr("expost.right_commands.WAIT_SECONDS", 0)
    for module in ("people_commands", "right_commands"):
        monkeypatch.setattr(f"expost.{module}.wants_json", lambda as_json: as_json)
    for work, said in (
        ("a server", "the server is at it"),
        ("an import", f"it is for process {os.getpid()} (an import)"),
    ):
        lock = Lock(folder.lock_path, work)
        assert said in run(folder, "people", "merge", ANNA, ANN, "--yes").stdout
        assert said in run(folder, "erase", "--user", ANNA, "--yes").stdout
        lock.release()


def test_what_is_asked_for_is_done_here_as_soon_as_nobody_has_the_folder(folder: Folder) -> None:
    lock = Lock(folder.lock_path, "an import")
    asked = threading.Event()
    people = expost.open(folder.path).people
    done: list[dict[str, Any]] = []

    def merge() -> None:
        asked.set()
        done.append(people.merge(ANNA, ANN))

    waiting = threading.Thread(target=merge)
    waiting.start()
    asked.wait()
    lock.release()
    waiting.join()
    assert done[0]["is_in_lake"]
    assert expost.open(folder.path).preview("Paid").people == 2


def test_a_merge_is_in_force_while_a_server_runs_and_after_it(folder: Folder) -> None:
    with Serving(folder.path):
        people = expost.open(folder.path).people
        done = people.merge(ANNA, ANN)
        assert done["is_in_lake"]
        assert expost.open(folder.path).preview("Paid").people == 2
        [undo] = people.show(ANN).edges[0].undo
        assert people.plan_undo(undo)["definitions"][0]["people"] == {"now": 2, "then": 3}
        people.undo(undo)
        assert expost.open(folder.path).preview("Paid").people == 3
    assert expost.open(folder.path).preview("Paid").people == 3
    assert list(folder.edits.iterdir()) == []


def test_the_api_merges_and_undoes_for_admins_alone(folder: Folder) -> None:
    client = Api(folder, "admin").client
    body = {"user": ANNA, "into": ANN}
    plan = client.post("/api/v1/people/merge", json=body | {"dry_run": True}).json()
    assert plan["definitions"][0]["people"] == {"now": 3, "then": 2}
    done = client.post("/api/v1/people/merge", json=body).json()
    found = client.get(f"/api/v1/people/{ANN}", params={"latest": 3}).json()
    assert (found["users"], len(found["devices"])) == ([ANN, ANNA], 2)
    again = client.post("/api/v1/people/merge", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "invalid_input")
    undone = client.post("/api/v1/people/undo", json={"edges": done["edges"]})
    assert undone.status_code == 200
    assert client.get("/api/v1/preview", params={"name": "Paid"}).json()["people"] == 3
    assert client.get("/api/v1/preview", params={"name": "Paid", "as_of": "2026-03-02"}).json()["people"] == 0
    viewer = Api(folder, "viewer").client
    asked = [
        viewer.get(f"/api/v1/people/{ANN}"),
        viewer.post("/api/v1/people/merge", json=body),
        viewer.post("/api/v1/people/undo", json={"edges": ["1"]}),
        viewer.get("/person"),
        viewer.post("/person/find", data={"id": ANN}),
        viewer.post("/person/merge", data={"user": ANNA, "into": ANN, "sure": "yes"}),
        viewer.post("/person/undo", data={"edge": "1", "sure": "yes"}),
    ]
    assert [each.status_code for each in asked] == [403] * len(asked)


def test_the_page_shows_one_person_and_its_forms_say_first_what_changes(folder: Folder) -> None:
    client = Api(folder, "admin").client
    assert "Find somebody" in client.get("/person").text
    assert client.post("/person/find", data={"id": "nobody"}).status_code == 404
    page = client.post("/person/find", data={"id": ANN})
    assert page.status_code == 200
    # The address names the person by a hash.
    assert ANN not in str(page.url)
    person = re.search(r"id=(-?\d+)", str(page.url))[1]  # type: ignore[index]
    merge = {"user": ANNA, "into": ANN, "person": person}
    plan = client.post("/person/merge", data=merge)
    assert "Paid" in plan.text
    assert "is the same person as" not in client.get("/person", params={"id": person}).text
    done = client.post("/person/merge", data=merge | {"sure": "yes"})
    assert "is the same person as" in done.text
    edge = re.search(r'name="edge" value="(-?\d+)"', done.text)[1]  # type: ignore[index]
    assert "Paid" in client.post("/person/undo", data={"edge": edge, "person": person}).text
    undone = client.post("/person/undo", data={"edge": edge, "person": person, "sure": "yes"})
    assert "Give it back" in undone.text
    assert client.get("/person.json", params={"id": person}).json()["users"] == [ANN]
    # People in lists lead here.
    assert f"/person?id={person}" in client.get("/live").text.replace("&amp;", "&")
