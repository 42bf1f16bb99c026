"""Compaction of a whole folder: by command, and as a child of the sink."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from expost.errors import FolderError
from expost.lake.compactor import LONGEST_SECONDS, LOOK_SECONDS, START_BYTES, Compactor, compact_folder
from expost.lake.erasures import request_erasure, save
from expost.lake.folder import Folder
from expost.lake.lock import Lock
from expost.lake.schema import TABLES
from expost.lake.subject import Subject
from expost.lake.table import Table
from tests.story import Story, view


@pytest.fixture
def folder(lake: Story) -> Folder:
    for minute in range(3):
        lake.capture("ann", view("/"), at=f"10:{minute:02}")
        lake.store()
    return lake.folder


def kinds(folder: Folder) -> list[str]:
    return [file.kind for file in Table(folder.lake / "events", TABLES["events"]).files()]


def test_a_second_one_is_refused_and_told_who_is_at_it(folder: Folder) -> None:
    lock = Lock(folder.path / "compaction.lock")
    with pytest.raises(FolderError, match=r"Process \d+ is compacting"):
        compact_folder(folder, everything=True)
    lock.release()
    compact_folder(folder, everything=True)
    assert kinds(folder) == ["sorted"]


def test_between_its_rounds_it_waits_for_whoever_is_to_be_erased(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Table(folder.lake / "events", TABLES["events"])
    asked = request_erasure(folder, Subject.named(folder.secret(), "shop", user="ann"), 1)
    waited: list[bool] = []

    def sleep(_: float) -> None:
        waited.append(events.has_files_in_the_making())
        if len(waited) == 3:
            save(folder, msgspec.structs.replace(asked, status="done"))

    monkeypatch.setattr("expost.lake.compactor.time.sleep", sleep)
    compact_folder(folder, everything=True)
    assert waited == [], "nobody has the folder, so nobody erases"
    lock = Lock(folder.lock_path)
    compact_folder(folder, everything=True)
    lock.release()
    assert waited == [False] * 3


def test_the_child_compacts_and_ends(folder: Folder) -> None:
    command = [sys.executable, "-m", "expost.lake.compactor", "--data", str(folder.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.wait(60) == 0
    assert kinds(folder) == ["sorted"]


class Child:
    """Stands for the process."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.is_killed = False

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.is_killed = True

    def wait(self) -> None:
        pass


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    children: list[Child] = []

    def start(*arguments: Any, **options: Any) -> Child:
        children.append(Child())
        return children[-1]

    monkeypatch.setattr("expost.lake.compactor.subprocess.Popen", start)
    return children


def test_it_starts_when_there_is_enough_or_a_day_has_gone_by(
    tmp_path: Path, started: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("expost.lake.compactor.time.monotonic", lambda: now)
    said: list[str] = []
    took: list[float] = []
    compactor = Compactor(Folder(tmp_path), lambda event, **_: said.append(event), tell=took.append)
    compactor.tend(lambda: START_BYTES)
    assert not started, "the server has just begun"
    now += LOOK_SECONDS
    compactor.tend(lambda: 0)
    assert not started, "nothing is new"
    now += LOOK_SECONDS
    compactor.tend(lambda: 1)
    assert len(started) == 1
    now += LOOK_SECONDS
    compactor.tend(lambda: START_BYTES)
    assert len(started) == 1, "the first one is still at it"
    started[0].status = 1
    compactor.tend(lambda: START_BYTES)
    assert (said, took) == (["not compacted"], [])
    compactor.tend(lambda: 1)
    assert len(started) == 1, "a little is done once a day"
    now += LOOK_SECONDS
    compactor.tend(lambda: START_BYTES)
    assert len(started) == 2
    started[1].status = 0
    now += 7
    compactor.tend(lambda: 1)
    assert took == [7]
    now += LONGEST_SECONDS
    compactor.tend(lambda: 1)
    assert len(started) == 3
    compactor.close()
    assert started[2].is_killed
    assert said == ["not compacted"]
