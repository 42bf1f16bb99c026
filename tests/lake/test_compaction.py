"""Compaction changes how rows lie and no answer, and whatever happens meanwhile, it loses and doubles none."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from expost.lake.checksum import find_checksum
from expost.lake.compaction import Limits, Progress, compact
from expost.lake.folder import Folder
from expost.lake.reader import connect
from expost.lake.retention import Cuts, remove_expired
from expost.lake.rewrite import rewrite
from expost.lake.schema import TABLES, TIME
from expost.lake.snapshot import find_live_files
from expost.lake.table import Table
from tests.lake.nameless import without_checksums
from tests.story import Story, click, identify, moment, small_rich_lake, track, view


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expost.lake.table.sync", lambda path: None)
    monkeypatch.setattr("expost.lake.part.sync", lambda path: None)


def tables_of(folder: Folder) -> dict[str, Table]:
    return {name: Table(folder.lake / name, schema) for name, schema in TABLES.items()}


def compact_now(
    folder: Folder, everything: bool = True, only: Sequence[str] = tuple(TABLES), **limits: Any
) -> None:
    tables = tables_of(folder)
    compact({name: tables[name] for name in only}, folder.path / "spill", everything, Limits(**limits))


def rows(folder: Folder) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in the lake, table by table; of a dictionary, which is a set, each row once."""
    with connect(folder.path) as connection:
        return {name: sorted(connection.execute(f"from lake.{name}").fetchall(), key=repr) for name in TABLES}


def event_files(folder: Folder) -> list[pa.Table]:
    table = Table(folder.lake / "events", TABLES["events"])
    return [pq.read_table(table.path / file.name, schema=table.schema) for file in table.files()]


def three_weeks(lake: Story) -> Folder:
    """Two sites over three weeks, in one segment a day."""
    for number, day in enumerate(("02", "04", "08", "09", "13", "16", "20")):
        for site in ("shop", "blog"):
            lake.capture(f"d{number}", view("/"), click("main a#buy"), identify(f"user {number}", plan="pro"),
                         track("Paid"), at=f"2026-03-{day} 10:00", site=site, counts={1: 2})  # fmt: skip
        lake.store()
    return lake.folder


def test_a_file_holds_one_week_of_one_site_in_the_reading_order(lake: Story) -> None:
    folder = three_weeks(lake)
    before = rows(folder)
    compact_now(folder)
    assert rows(folder) == before
    found = set()
    for file in event_files(folder):
        [site] = file["site"].unique().to_pylist()
        weeks = {when.isocalendar().week for when in file["time"].to_pylist()}
        assert len(weeks) == 1
        found.add((site, *weeks))
        keys = file.select(["type", "element_id", "device_id", "time"]).to_pylist()
        order = [tuple((value is None, value) for value in key.values()) for key in keys]
        assert order == sorted(order)
    assert found == {(site, week) for site in ("shop", "blog") for week in (10, 11, 12)}
    assert len(event_files(folder)) == 6
    assert {file.kind for table in tables_of(folder).values() for file in table.files()} == {"sorted"}


def test_what_is_compact_stays_as_it_is(lake: Story) -> None:
    folder = three_weeks(lake)
    compact_now(folder)
    versions = [table.version for table in tables_of(folder).values()]
    compact_now(folder)
    compact_now(folder, everything=False)
    assert [table.version for table in tables_of(folder).values()] == versions


def test_files_of_older_versions_get_a_checksum_also_where_there_is_nothing_to_merge(lake: Story) -> None:
    lake.capture("ann", view("/"), at="10:00")
    lake.store()
    compact_now(lake.folder)
    before = rows(lake.folder)
    for name in TABLES:
        without_checksums(lake.folder.lake / name)
    assert not [
        file
        for name in TABLES
        for file in find_live_files(lake.folder.lake / name)
        if find_checksum(file.name)
    ]
    compact_now(lake.folder)
    files = [file for name in TABLES for file in find_live_files(lake.folder.lake / name)]
    assert files
    assert None not in [find_checksum(file.name) for file in files]
    assert rows(lake.folder) == before


def test_late_events_join_their_week_when_they_are_many_or_all_is_wanted(lake: Story) -> None:
    folder = three_weeks(lake)
    compact_now(folder, only=["events"])
    lake.capture("late", view("/late"), at="2026-03-03 09:00")
    lake.store()
    compact_now(folder, everything=False, only=["events"])
    assert len(event_files(folder)) == 7
    for number in range(4):
        lake.capture(f"late {number}", view("/late"), view("/later"), at="2026-03-03 09:00")
    lake.store()
    compact_now(folder, everything=False, only=["events"])
    assert len(event_files(folder)) == 6
    lake.capture("late", view("/late"), at="2026-03-03 09:30")
    lake.store()
    compact_now(folder, only=["events"])
    assert len(event_files(folder)) == 6


def test_a_week_of_many_rows_is_cut_into_full_files_and_one_rest(lake: Story) -> None:
    for minute in range(10):
        lake.capture("ann", view("/"), click("a"), track("Paid"), at=f"10:{minute:02}")
    lake.store()
    before = rows(lake.folder)
    compact_now(lake.folder, only=["events"], max_rows=8)
    assert sorted(len(file) for file in event_files(lake.folder)) == [6, 8, 8, 8]
    assert rows(lake.folder) == before
    lake.capture("ann", view("/"), at="11:00")
    lake.store()
    compact_now(lake.folder, only=["events"], max_rows=8)
    assert sorted(len(file) for file in event_files(lake.folder)) == [7, 8, 8, 8]


def test_history_from_before_1970_has_weeks_too(lake: Story) -> None:
    lake.capture("ann", *[view(f"/{number}") for number in range(6)], at="10:00")
    lake.store()
    table = tables_of(lake.folder)["events"]
    days = ("1969-12-27", "1969-12-28", "1969-12-29", "1970-01-01", "1970-01-05", "1901-01-01")
    times = pa.array([moment(f"{day} 10:00") for day in days], pa.int64()).cast(TIME)

    def long_ago(rows: pa.Table, due: pa.ChunkedArray) -> pa.Table:
        return rows.set_column(rows.schema.get_field_index("time"), "time", times)

    rewrite(table, ["type"], lambda rows: pc.equal(rows["type"], "page_view"), change=long_ago)
    compact({"events": table}, lake.folder.path / "spill", True)
    assert sorted(len(file) for file in event_files(lake.folder)) == [1, 1, 2, 2]


def test_a_dictionary_holds_each_id_once(lake: Story) -> None:
    folder = three_weeks(lake)
    table = Table(folder.lake / "devices", TABLES["devices"])
    again = pa.concat_tables(table.read(TABLES["devices"].names))
    table.append(again, "test", 1)
    compact_now(folder)
    table.refresh()
    [file] = table.files()
    ids = pq.read_table(table.path / file.name)["device_id"].to_pylist()
    assert ids == sorted(set(ids)) == sorted(again["device_id"].to_pylist())


def test_progress_is_told_round_by_round(lake: Story) -> None:
    folder = three_weeks(lake)
    told: list[Progress] = []
    [done] = compact(
        {"events": tables_of(folder)["events"]},
        folder.path / "spill",
        True,
        Limits(round_bytes=1),
        told.append,
    )
    assert (done.files_before, done.files_after, done.rounds) == (7, 6, 7)
    assert [each.done_bytes for each in told] == sorted(each.done_bytes for each in told)
    assert told[0].done_bytes == 0 < told[0].total_bytes
    assert told[-1].done_bytes == told[-1].total_bytes


SEGMENT = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 30), st.sampled_from(["view", "click", "identify", "track"])),
    min_size=1, max_size=6,
)  # fmt: skip

QUESTIONS = (
    "select time::date as day, type, count(*), count(distinct person_id) from events group by all order by all",
    "select person_id, list(event_id order by time, page_id, page_seq, event_id) from events group by all order by all",
    "select * from people order by all",
    "select day, sum(expected), sum(missing), sum(missing_pages) from losses group by all order by all",
    "select tag, classes, count(*) from events join elements using (element_id) group by all order by all",
)


@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    segments=st.lists(SEGMENT, min_size=1, max_size=4), everything=st.booleans(), max_rows=st.integers(2, 50)
)
def test_no_answer_changes(
    tmp_path_factory: pytest.TempPathFactory, segments: list[Any], everything: bool, max_rows: int
) -> None:
    lake = small_rich_lake(Story(tmp_path_factory.mktemp("lake") / "data"))
    lake.store()
    actions = {
        "view": lambda: view("/cart"),
        "click": lambda: click("main a.more"),
        "identify": lambda: identify("someone"),
        "track": lambda: track("Paid"),
    }
    for segment in segments:
        for device, day, action in segment:
            lake.capture(
                f"d{device}", view("/"), actions[action](), at=f"2026-03-{day + 1:02} 10:00", counts={1: 2}
            )
        lake.store()
    with lake.connect() as connection:
        before = [connection.execute(question).fetchall() for question in QUESTIONS]
    compact_now(lake.folder, everything, max_rows=max_rows, round_bytes=20_000)
    with lake.connect() as connection:
        assert [connection.execute(question).fetchall() for question in QUESTIONS] == before


def test_an_end_at_any_step_loses_and_doubles_nothing(
    lake: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = three_weeks(lake)
    before = rows(begin)
    steps = 0
    for steps in itertools.count():
        folder = Folder(Path(shutil.copytree(begin.path, tmp_path / str(steps))))
        if not dies_after(steps, monkeypatch, partial(compact_now, folder, only=("devices", "events"))):
            break
        assert rows(folder) == before
        compact_now(folder, only=("devices", "events"))
        assert rows(folder) == before, steps
        assert len(event_files(folder)) == 6
        shutil.rmtree(folder.path)
    # Two tables, each before and after its commit.
    assert steps == 4


def dies_after(steps: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> bool:
    """Whether `act` was killed, before or after a commit: `steps` counts those moments."""
    moments = itertools.count()
    commit = Table._commit

    def dying_commit(self: Table, *arguments: Any) -> None:
        if next(moments) == steps:
            raise Killed
        commit(self, *arguments)
        if next(moments) == steps:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Table, "_commit", dying_commit)
        try:
            act()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("seed", range(3))
def test_compaction_retention_erasure_and_new_events_at_once_agree(
    lake: Story, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a compaction has read its files and not yet committed, others do theirs, in any order."""
    folder = three_weeks(lake)
    chance = random.Random(seed)
    schema = TABLES["events"]
    expected = {row["event_id"] for file in event_files(folder) for row in file.select(["event_id", "site", "time"])
                .filter(_is_kept(file)).to_pylist()}  # fmt: skip

    def compact_too() -> None:
        compact({"events": Table(folder.lake / "events", schema)}, folder.path / "spill", True)

    def retain() -> None:
        remove_expired(tables_of(folder), Cuts({"shop": 1}, moment("2026-04-10 00:00")))

    def erase() -> None:
        rewrite(Table(folder.lake / "events", schema), ["site", "time"], lambda each: pc.and_(
            pc.equal(each["site"], "blog"), pc.less(each["time"], _at("2026-03-09"))))  # fmt: skip

    def append() -> None:
        table = Table(folder.lake / "events", schema)
        table.append(lone.take([0]), "test", table.committed("test") + 1)

    [kept, *_] = [
        file.filter(_is_kept(file)) for file in event_files(folder) if any(_is_kept(file).to_pylist())
    ]
    lone = kept.slice(0, 1)
    acts = [compact_too, retain, erase, append]
    chance.shuffle(acts)
    waiting = list(acts)
    replace = Table.replace

    def late_replace(self: Table, *arguments: Any, **options: Any) -> bool:
        if waiting and self.path.name == "events":
            waiting.pop()()
        return replace(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Table, "replace", late_replace)
        compact_too()
        retain()
        erase()
        while waiting:
            waiting.pop()()
    found = [event_id for file in event_files(folder) for event_id in file["event_id"].to_pylist()]
    extra = lone["event_id"][0].as_py()
    assert sorted(found) == sorted([*expected, extra])


def _at(day: str) -> pa.Scalar:
    return pa.scalar(moment(f"{day} 00:00"), pa.int64()).cast(TIME)


def _is_kept(rows: pa.Table) -> pa.ChunkedArray:
    is_shop = pc.equal(rows["site"], "shop")
    cut = pc.if_else(is_shop, _at("2026-03-10"), _at("2026-03-09"))
    return pc.greater_equal(rows["time"], cut)


def test_compaction_needs_little_memory_however_much_there_is(lake: Story) -> None:
    for number in range(3):
        lake.capture("ann", *[click(f"a#n{each}") for each in range(200)], at=f"2026-03-0{2 + number} 10:00")
        lake.store()
    before = rows(lake.folder)
    compact_now(lake.folder, only=["events"], memory="60MB", round_bytes=1)
    assert rows(lake.folder) == before
