"""`expost erase` and `export-person` by every door, with a server at work and without one."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import expost
from expost.cli import main
from expost.errors import FolderError
from expost.lake.folder import Folder, open_folder
from expost.lake.subject import Subject
from expost.query.analysis import Analysis
from expost.state.audit import audit_lines
from expost.state.database import State
from tests.doors import Api
from tests.lake.test_erasure import ANN, OF_ANN, USER
from tests.lake.traces import traces
from tests.serving import Serving


@pytest.fixture
def folder(ann_and_bob: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(ann_and_bob.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def run(folder: Folder, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(folder.path)])


def audit(folder: Folder) -> list[tuple[str, str, str]]:
    state = State(folder.state_path)
    lines = [(line.action, line.subject, line.detail) for line in audit_lines(state)]
    state.close()
    return lines


def test_the_command_says_first_what_would_go_and_changes_nothing(folder: Folder) -> None:
    before = traces(folder.path, OF_ANN)
    said = json.loads(run(folder, "erase", "--user", USER).stdout)
    assert said["rows"]["events"] == 14
    assert said["browsers"] == 2
    assert traces(folder.path, OF_ANN) == before
    assert json.loads(run(folder, "erasures").stdout) == []


def test_the_command_erases_and_the_audit_names_nobody(folder: Folder) -> None:
    receipt = json.loads(run(folder, "erase", "--user", USER, "--yes").stdout)
    assert (receipt["status"], receipt["counts"]["events"]) == ("done", 14)
    assert traces(folder.path, OF_ANN) == []
    assert json.loads(run(folder, "erasures", receipt["id"]).stdout) == receipt
    assert ("erase a person", receipt["id"], "a user of shop") in audit(folder)


def test_without_a_line_in_the_audit_nobody_is_erased(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise FolderError("The disk is full.", hint="Make room.")

    analysis = Analysis(folder.path)
    monkeypatch.setattr("expost.query.opened.note", no_room)
    with pytest.raises(FolderError, match="The audit does not take a line"):
        analysis.erase(user=USER)
    assert analysis.erasures() == []
    analysis.close()


def test_a_receipt_that_is_not_there_is_named(folder: Folder) -> None:
    refused = run(folder, "erasures", "nothing")
    assert (refused.exit_code, "No erasure is called 'nothing'" in refused.stderr) == (2, True)


def test_while_a_server_runs_its_sink_does_it(folder: Folder) -> None:
    with Serving(folder.path) as server:
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=60) as answer:
            answer.read()
        asked = server.children(b"spawn_main")
        assert asked
        receipt = expost.open(folder.path).erase(user=USER)
        assert receipt["status"] == "done"
        assert expost.open(folder.path).sql("select count(*) as n from events").rows() == [{"n": 6}]
        assert traces(folder.path, OF_ANN) == []
        # Those that answered questions before end, with all that they remember.
        until = time.monotonic() + 20
        while asked & server.children(b"spawn_main"):
            assert time.monotonic() < until
            time.sleep(0.02)


def test_everything_of_one_person_is_one_file(folder: Folder, tmp_path: Path) -> None:
    out = tmp_path / "ann.json"
    assert run(folder, "export-person", "--user", USER, "--out", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    found = json.loads(out.read_text())
    assert len(found["events"]) == 14
    assert found["devices"] == [ANN, "phone-of-ann-4712"]
    assert {each["value"] for each in found["traits"]} == {'"Ann\'s secret wish"'}
    assert [len(found[part]) for part in ("identities", "pages", "waiting", "rejected")] == [3, 6, 0, 0]
    text = out.read_text()
    assert [each for each in OF_ANN if each not in text] == []
    assert [] in [each["element_attributes"] for each in found["events"]]
    assert "device-of-bob" not in text
    assert ("export a person", "shop", "a user, 14 events") in audit(folder)


def test_the_api_erases_for_admins(folder: Folder) -> None:
    client = Api(folder, "admin").client
    plan = client.post("/api/v1/erasures", json={"user": USER, "dry_run": True}).json()
    assert plan["rows"]["events"] == 14
    assert len(client.get("/api/v1/person", params={"user": USER}).json()["events"]) == 14
    asked = client.post("/api/v1/erasures", json={"user": USER})
    assert asked.status_code == 202
    receipt = client.get(f"/api/v1/erasures/{asked.json()['id']}").json()
    assert receipt["status"] == "done"
    assert client.get("/api/v1/erasures").json() == [receipt]
    assert traces(folder.path, OF_ANN) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "person?user=x"), ("POST", "erasures"), ("GET", "erasures"), ("GET", "erasures/x")],
)
def test_the_api_refuses_who_is_no_admin(ann_and_bob: Folder, method: str, path: str) -> None:
    body = {"user": USER} if method == "POST" else None
    refused = Api(ann_and_bob, "viewer").client.request(method, f"/api/v1/{path}", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


def test_the_page_says_what_would_go_and_then_erases_for_admins(folder: Folder) -> None:
    client = Api(folder, "admin").client
    assert "Nobody was erased" in client.get("/erase").text
    asked = client.post("/erase", data={"kind": "user", "id": USER}).text
    assert "This would erase 14 events, 3 identities" in asked
    assert traces(folder.path, [ANN]) != []
    done = client.post("/erase", data={"kind": "user", "id": USER, "sure": "yes"}, follow_redirects=True)
    assert USER not in str(done.url)
    assert '<th scope="row">done</th>' in done.text
    assert traces(folder.path, OF_ANN) == []
    refused = client.post("/erase", data={"kind": "user", "id": "undefined"})
    assert (refused.status_code, "nobody is known by it" in refused.text) == (400, True)
    assert Api(folder, "viewer").client.get("/erase").status_code == 403


def test_only_admins_are_shown_pages_that_are_for_admins(folder: Folder) -> None:
    hidden = ('href="/erase"', 'href="/rejected"', 'href="/audit"')
    shown = Api(folder, "admin").client.get("/live").text
    assert [link in shown for link in hidden] == [True] * 3
    shown = Api(folder, "viewer").client.get("/live").text
    assert [link in shown for link in hidden] == [False] * 3
    assert 'href="/trend"' in shown


def test_cohorts_forget_who_is_erased_in_every_version(folder: Folder) -> None:
    analysis = Analysis(folder.path)
    analysis.save_cohort(None, "Friends", users=[USER])
    analysis.save_cohort(None, "Friends", users=[USER, "bob@shop.example"], devices=[ANN])
    analysis.erase(user=USER)
    assert [(len(each.users), len(each.devices)) for each in analysis.cohorts()] == [(1, 0)]
    with analysis.state.reading() as connection:
        bodies = [row[0] for row in connection.exec_driver_sql("select body from cohorts")]
    gone = [
        Subject.named(folder.secret(), "shop", user=USER).id,
        Subject.named(folder.secret(), "shop", device=ANN).id,
    ]
    assert len(bodies) == 2
    assert not any(str(id_) in body for id_ in gone for body in bodies)
    analysis.close()
