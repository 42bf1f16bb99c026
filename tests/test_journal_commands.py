"""`expost journal`: what people see of the journal, and the lake filled up from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from expost.cli import main
from expost.lake.folder import Folder, open_folder
from expost.lake.lock import Lock
from expost.lake.reader import connect
from expost.lake.rebuilding import drain
from expost.lake.segment import VERSION
from expost.lake.stored_segments import stored_segments
from expost.lake.writer import Writer
from tests.lake.test_stored_segments import fill


def expost(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = open_folder(tmp_path / "data", create=True)
    fill(folder, 2)
    with Writer(folder) as writer:
        drain(folder, writer)
    return folder


def events(folder: Path) -> int:
    with connect(folder) as connection:
        return int(connection.execute("select count(*) from events").fetchall()[0][0])


def test_inspect_says_of_each_segment_where_it_is_and_what_it_holds(folder: Folder) -> None:
    shutil.copy(stored_segments(folder.journal)[-1], folder.journal / f"{9_999:020}.sealed")
    found = json.loads(expost("journal", "inspect", "--data", str(folder.path)).stdout)
    said = [
        (each["number"], each["state"], each["version"], each["frames"], each["events"]) for each in found
    ]
    assert [each[1:] for each in said] == [
        ("stored", VERSION, 1, 5),
        ("stored", VERSION, 1, 5),
        ("sealed", VERSION, 1, 5),
    ]
    assert said[-1][0] == 9_999


def test_inspect_shows_the_batches_of_one(folder: Folder) -> None:
    number = int(stored_segments(folder.journal)[0].stem)
    [batch] = json.loads(expost("journal", "inspect", str(number), "--data", str(folder.path)).stdout)
    assert batch["device"] == "device 0"
    refused = expost("journal", "inspect", "5", "--data", str(folder.path))
    assert refused.exit_code == 2
    assert "No segment is called '5'" in refused.stderr


def test_verify_names_what_is_damaged(folder: Folder) -> None:
    assert expost("journal", "verify", "--data", str(folder.path)).exit_code == 0
    path = stored_segments(folder.journal)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    verified = expost("journal", "verify", "--data", str(folder.path))
    assert verified.exit_code == 1
    [damaged] = json.loads(verified.stdout)["damaged"]
    assert damaged["number"] == int(path.stem)
    assert damaged["damaged_bytes"] > 0


def test_replay_fills_the_lake_up_and_does_nothing_the_second_time(folder: Folder) -> None:
    shutil.rmtree(folder.lake / "events")
    words = ("journal", "replay", "--data", str(folder.path))
    assert json.loads(expost(*words).stdout)["events"] == 10
    assert events(folder.path) == 10
    assert "events" not in json.loads(expost(*words).stdout)


def test_replay_waits_for_no_server_and_makes_a_new_folder_beside_it(folder: Folder, tmp_path: Path) -> None:
    server = Lock(folder.lock_path)
    refused = expost("journal", "replay", "--data", str(folder.path))
    assert (refused.exit_code, "is in use by process" in refused.stderr) == (2, True)
    into = tmp_path / "new"
    assert expost("journal", "replay", "--into", str(into), "--data", str(folder.path)).exit_code == 0
    assert events(into) == 10
    again = expost("journal", "replay", "--into", str(into), "--data", str(folder.path))
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    server.release()
