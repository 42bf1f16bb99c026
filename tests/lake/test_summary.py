"""Summaries of event files: what is in them, when they are made, and that nothing of what is gone is left in one."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.lake import kept
from expost.lake.compactor import LOOK_SECONDS, Compactor, compact_folder
from expost.lake.folder import Folder
from expost.lake.kept import USUAL_BYTES, kept_of
from expost.lake.part import write_part
from expost.lake.schema import TABLES
from expost.lake.summary import (
    LEAST_FREE_BYTES,
    USUAL_SHARE,
    coverage,
    find_summary,
    forget_gone,
    lacks_summaries,
    make_summary,
    room_for_summaries,
    summarize,
)
from expost.lake.summary_tables import MOMENTS, SAME
from expost.lake.table import Table
from tests.story import Story, click, identify, track, view

ENOUGH = 1_000_000


@pytest.fixture
def folder(lake: Story, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("expost.lake.summary.LEAST_BYTES", 0)
    for minute, who in enumerate(("ann", "bob", "ann")):
        lake.capture(who, view("/"), click("main button.buy"), click("main a"), at=f"10:0{minute}")
    lake.capture("srv", track("paid"), identify("ann"), at="10:30", on_server=True)
    lake.capture("eve", click("main button.buy"), at="11:00", environment="staging", is_internal=True)
    lake.store()
    compact_folder(lake.folder, everything=True)
    return lake.folder


def live(folder: Folder) -> list[Path]:
    table = Table(folder.lake / "events", TABLES["events"])
    return [table.path / file.name for file in table.files()]


def told(cache: Path, file: Path) -> list[tuple[Any, ...]]:
    """Every event as the summary of its file tells it: time, device and what its fact says."""
    summary = find_summary(cache, file)
    assert summary is not None
    rows = []
    for fact in summary.facts.to_pylist():
        first, count = fact["first_moment"], fact["events"]
        moments = summary.moments.slice(first, count).to_pylist()
        assert max(each["time"] for each in moments) == fact["last"]
        rows += [(*each.values(), *(fact[name] for name in SAME)) for each in moments]
    return rows


def read(file: Path) -> list[tuple[Any, ...]]:
    return [
        (*(row[name] for name in MOMENTS.names), *(
            None if name == "user_id" and row["source"] != "server" else row[name] for name in SAME
        ))
        for row in pq.read_table(file).to_pylist()
    ]  # fmt: skip


def test_it_tells_of_each_event_once(folder: Folder) -> None:
    [file] = live(folder)
    assert summarize(folder, ENOUGH) == 1
    assert sorted(map(repr, told(folder.cache, file))) == sorted(map(repr, read(file)))
    summary = find_summary(folder.cache, file)
    assert summary is not None
    facts = {tuple(row[name] for name in ("type", "element_id", "environment", "user_id", "is_internal"))
             for row in summary.facts.to_pylist()}  # fmt: skip
    assert len(facts) == summary.facts.num_rows < pq.read_metadata(file).num_rows


def test_files_from_before_a_column_are_told_with_null(folder: Folder) -> None:
    table = Table(folder.lake / "events", TABLES["events"])
    [file] = live(folder)
    rows = pq.read_table(file).drop_columns(["placement_id", "is_internal"])
    table.replace(table.files(), [write_part(table.path, rows, data_change=False)], data_change=False)
    [file] = live(folder)
    assert summarize(folder, ENOUGH) == 1
    assert {row[-1] for row in told(folder.cache, file)} == {None}


def test_facts_that_were_let_go_are_read_again(folder: Folder) -> None:
    [file] = live(folder)
    summarize(folder, ENOUGH)
    summary = find_summary(folder.cache, file)
    assert summary is not None
    said = summary.facts.to_pylist()
    (kept_of(folder.cache, file) / "summary" / "facts.arrow").unlink()
    summary.let_go()
    assert said
    assert summary.facts.to_pylist() == said


def test_it_tells_which_events_of_one_device_and_moment_came_first(folder: Folder) -> None:
    table = Table(folder.lake / "events", TABLES["events"])
    [file] = live(folder)
    [known, *_] = pq.read_table(file).to_pylist()
    moment, later = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (10, 11))
    rows = [
        # When, on which device, page, number.
        (moment, 1, "b", 1), (moment, 1, "a", 2), (moment, 1, "a", 1), (moment, 2, "a", 3), (later, 1, "a", 4),
        (later, 2, "c", 1), (later, 2, "c", 1), (later, 3, None, 1), (later, 3, "c", 1), (moment, 3, "d", 2),
        (moment, 3, "d", 1), (moment, None, "e", 1), (moment, None, "e", 2),
    ]  # fmt: skip
    names = ("time", "device_id", "page_id", "page_seq")
    told = pa.Table.from_pylist(
        [known | dict(zip(names, row, strict=True)) for row in rows], TABLES["events"]
    )
    table.replace(table.files(), [write_part(table.path, told, data_change=False)], data_change=False)
    [file] = live(folder)
    assert summarize(folder, ENOUGH) == 1
    summary = find_summary(folder.cache, file)
    assert summary is not None
    ties = summary.ties.to_pylist()
    moments = summary.moments.take(summary.ties.column("moment")).to_pylist()
    assert [each["time"] for each in ties] == [each["time"] for each in moments] == [moment] * 5
    assert [each["device_id"] for each in moments] == [1, 1, 1, 3, 3]
    # All are of one fact, so their places are those of the file.
    assert [each["moment"] for each in ties] == [2, 1, 0, 10, 9]


def test_there_is_one_for_each_file_while_there_is_room(folder: Folder, lake: Story) -> None:
    assert lacks_summaries(folder, ENOUGH)
    assert summarize(folder, ENOUGH) == 1
    assert not lacks_summaries(folder, ENOUGH)
    assert summarize(folder, ENOUGH) == 0
    lake.capture("kim", view("/"), at="2026-04-01 10:00")
    lake.store()
    assert lacks_summaries(folder, ENOUGH)
    assert not lacks_summaries(folder, 1_000)
    assert summarize(folder, 1_000) == 0


def test_those_of_the_oldest_files_make_room_and_are_not_made_again(folder: Folder, lake: Story) -> None:
    def sizes() -> list[int]:
        """Of each file, the oldest first; 0 where there is no summary."""
        of_time = {pq.read_table(file, columns=["time"])["time"][0].as_py(): file for file in live(folder)}
        folders = [kept_of(folder.cache, of_time[time]) / "summary" for time in sorted(of_time)]
        return [sum(part.stat().st_size for part in each.glob("*")) for each in folders]

    def store(day: str) -> None:
        lake.capture("kim", view("/"), at=f"{day} 10:00")
        lake.store()
        compact_folder(folder, everything=True)

    store("2026-04-01")
    store("2026-05-01")
    assert summarize(folder, ENOUGH) == 3
    room = sum(sizes()) + 100
    store("2026-06-01")
    assert lacks_summaries(folder, room)
    assert summarize(folder, room) == 1
    assert [size > 0 for size in sizes()] == [False, True, True, True]
    assert sum(sizes()) <= room
    assert not lacks_summaries(folder, room)
    assert summarize(folder, room) == 0


def test_without_a_setting_there_is_more_room_the_more_there_is_to_sum_up(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = live(folder)
    size = file.stat().st_size
    assert room_for_summaries(folder, None) == USUAL_BYTES // 2
    monkeypatch.setattr(kept, "USUAL_BYTES", 800)
    assert room_for_summaries(folder, None) == int(size * kept.LAKE_SHARE)
    assert room_for_summaries(folder, 1_000) == 500
    assert room_for_summaries(folder, 0) == 0


def test_the_last_of_the_disk_is_left_to_events(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    left = shutil.disk_usage(folder.path)._replace(free=LEAST_FREE_BYTES)
    monkeypatch.setattr("expost.lake.summary.shutil.disk_usage", lambda _: left)
    assert not lacks_summaries(folder, ENOUGH)
    assert summarize(folder, ENOUGH) == 0


def test_what_has_none_is_known_with_the_room_that_it_needs(folder: Folder, lake: Story) -> None:
    assert summarize(folder, ENOUGH) == 1
    lake.capture("kim", view("/"), at="2026-04-01 10:00")
    lake.store()
    compact_folder(folder, everything=True)
    files = live(folder)
    found = coverage(folder)
    assert (found.files, found.summed_up) == (2, 1)
    assert found.taken_bytes == sum(part.stat().st_size for part in folder.cache.rglob("*.arrow"))
    [missing] = [file for file in files if find_summary(folder.cache, file) is None]
    assert found.missing_bytes == int(missing.stat().st_size * USUAL_SHARE)


def test_small_files_have_none(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not lacks_summaries(folder, ENOUGH)
    assert summarize(folder, ENOUGH) == 0


def test_it_goes_with_its_file(folder: Folder, lake: Story) -> None:
    [file] = live(folder)
    summarize(folder, ENOUGH)
    lake.capture("kim", view("/"), at="11:00")
    lake.store()
    compact_folder(folder, everything=True)
    assert Table(folder.lake / "events", TABLES["events"]).vacuum(grace_seconds=-3600)
    assert find_summary(folder.cache, file) is None
    assert not kept_of(folder.cache, file).exists()


def test_nothing_is_left_of_a_file_that_went_meanwhile_or_by_another_hand(folder: Folder) -> None:
    [file] = live(folder)
    gone = file.with_name("sorted-59-gone.zstd.parquet")
    gone.write_bytes(file.read_bytes())
    assert make_summary(folder.cache, gone)
    gone.unlink()
    forget_gone(folder)
    assert not kept_of(folder.cache, gone).exists()
    assert not make_summary(folder.cache, gone)
    assert not list((folder.cache / "events").rglob("*.arrow"))


def test_a_summary_that_cannot_be_made_is_said(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("expost.lake.summary.summary_tables", fail)
    [file] = live(folder)
    assert not make_summary(folder.cache, file)
    said = json.loads(capfd.readouterr().err)
    assert (said["event"], said["file"]) == ("not summed up", file.name)
    assert "No space left" in said["error"]


@pytest.mark.parametrize("name", ["facts.arrow", "moments.arrow"])
def test_what_is_not_whole_is_no_summary(folder: Folder, name: str) -> None:
    [file] = live(folder)
    summarize(folder, ENOUGH)
    path = kept_of(folder.cache, file) / "summary" / name
    path.write_bytes(path.read_bytes()[:-9])
    assert find_summary(folder.cache, file) is None


def test_only_the_owner_may_look_at_it(folder: Folder) -> None:
    summarize(folder, ENOUGH)
    folders = [folder.cache, *(path for path in folder.cache.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_the_child_of_the_sink_makes_what_is_missing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    class Child:
        def __init__(self, command: list[str], **_: Any) -> None:
            started.append(command)

        def poll(self) -> int:
            return 0

    now = 1_000.0
    monkeypatch.setattr("expost.lake.compactor.time.monotonic", lambda: now)
    monkeypatch.setattr("expost.lake.compactor.subprocess.Popen", Child)
    compactor = Compactor(folder, lambda *_, **__: None, 3_000_000)
    now += LOOK_SECONDS
    compactor.tend(lambda: 0)
    assert len(started) == 1
    assert started[0][-3:] == ["--cache-bytes", "3000000", "--only-summaries"]
    monkeypatch.undo()
    with subprocess.Popen([sys.executable, *started[0][1:]], stdin=subprocess.PIPE) as process:
        assert process.wait(60) == 0
    assert not list(folder.cache.glob("events/*/summary")), "files so small have none"
