"""`expost compact`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.lake.compactor import LEAST_PRIORITY
from expost.lake.lock import Lock
from tests.story import Story, view


def test_compact_says_what_became_of_each_table(lake: Story) -> None:
    for minute in range(3):
        lake.capture("ann", view("/"), at=f"10:{minute:02}")
        lake.store()
    done = CliRunner().invoke(main, ["compact", "--data", str(lake.folder.path), "--memory", "100MB"])
    assert done.exit_code == 0, done.output
    tables = {each["table"]: each for each in json.loads(done.output)}
    events = tables["events"]
    assert (events["files_before"], events["files_after"], events["rounds"]) == (3, 1, 1)
    assert lake.sql("select count(*) from events") == [(3,)]


@pytest.mark.parametrize("command", ["compact", "enrich"])
def test_beside_a_server_it_gives_way(lake: Story, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    given: list[int] = []
    monkeypatch.setattr("expost.lake.compactor.os.nice", given.append)
    run = [command, "--data", str(lake.folder.path)]
    assert CliRunner().invoke(main, run).exit_code == 0
    assert given == []
    server = Lock(lake.folder.lock_path)
    assert CliRunner().invoke(main, run).exit_code == 0
    assert given == [LEAST_PRIORITY]
    server.release()
