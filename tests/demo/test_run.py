"""`expost demo` as a person starts it: filled, named, idempotent, and nothing left running."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import expost
from expost.demo.named import COHORTS, DASHBOARD, DEFINITIONS, REPORTS
from tests.serving import events_in_lake


def _demo(data: Path, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", "from expost.cli import main; main()", "demo", "--data", str(data))
    ports = ("--port", str(port), "--shop-port", "0")
    return subprocess.run(
        (*command, *ports, "--exit-when-ready", *options),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def ran(tmp_path, free_port):
    data = tmp_path / "demo"
    first = _demo(data, free_port, "--days", "3", "--no-browser")
    assert first.returncode == 0, first.stderr
    return data, first.stdout


def test_it_fills_a_folder_once_and_names_events_of_the_past(ran, free_port):
    data, said = ran
    assert f"http://127.0.0.1:{free_port}" in said
    notes = json.loads((data / "demo.json").read_text())
    stored = events_in_lake(data)
    assert len(stored) == notes["events"] > 500
    lake = expost.open(data)
    assert {definition.name for definition in lake.definitions()} == {name for name, _ in DEFINITIONS}
    assert all(lake.preview(name).events > 0 for name, _ in DEFINITIONS)
    assert all(lake.cohort(name).people > 0 for name, _ in COHORTS)
    # An answer each, and none an error.
    assert [type(answer).__name__ for answer in lake.dashboard(DASHBOARD).values()] == [
        f"{type(question).__name__}Answer" for _, question in REPORTS
    ]

    again = _demo(data, free_port, "--no-browser")
    assert again.returncode == 0, again.stderr
    assert "from an earlier run" in again.stdout
    assert events_in_lake(data).keys() == stored.keys()

    # As if it had been stopped before it was done: the same events once more, stored once.
    (data / "demo.json").write_text(json.dumps(notes | {"is_filled": False}))
    assert _demo(data, free_port, "--no-browser").returncode == 0
    refilled = events_in_lake(data)
    assert refilled.keys() == stored.keys()
    assert set(refilled.values()) == {1}


def test_a_folder_with_data_of_somebody_else_is_left_alone(tmp_path, free_port):
    data = tmp_path / "mine"
    data.mkdir()
    (data / "thesis.txt").write_text("mine")
    ended = _demo(data, free_port)
    assert ended.returncode == 2
    assert "not the demo's" in ended.stderr
    assert [file.name for file in data.iterdir()] == ["thesis.txt"]
