"""What is older than its site keeps it leaves the lake, with what was known of people only for that; no more."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from expost.clock import from_micros
from expost.lake.edits import Edit, say, take_edits
from expost.lake.folder import Folder
from expost.lake.reader import connect
from expost.lake.retention import cut_of
from expost.lake.rewrite import rewrite
from expost.lake.schema import TABLES, TIME
from expost.lake.sink import Sink
from expost.lake.table import Table
from expost.lake.writer import Writer
from tests.story import Story, click, group, identify, moment, track, view

TODAY = moment("2026-03-15 16:00")
KEEP = {"shop": 2, "blog": 13}


class Killed(BaseException):
    """Stands for the end of the process."""


def remove(lake: Story, now: int = TODAY, **keep_months: int | None) -> dict[str, int]:
    lake.store()
    return remove_in(lake.folder, now, **keep_months)


def remove_in(folder: Folder, now: int = TODAY, **keep_months: int | None) -> dict[str, int]:
    with Writer(folder, clock=lambda: now) as writer:
        return writer.remove_expired(keep_months or KEEP)


def rows(folder: Folder) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in the lake, table by table."""
    with connect(folder.path) as connection:
        return {name: sorted(connection.execute(f"from lake.{name}").fetchall(), key=repr) for name in TABLES}


def versions(folder: Folder) -> list[int]:
    with Writer(folder) as writer:
        return [table.version for table in writer._tables.values()]


def told(lake: Story) -> Story:
    """Ann was here long ago and lately, Bob and his firm long ago only; the blog keeps what the shop does not."""
    for site in ("shop", "blog"):
        lake.capture("bob", view("/"), identify("bob@shop.example", plan="pro"), group("firm", "acme", seats=2),
                     track("Paid"), at="2026-01-10 10:00", site=site, counts={1: 2})  # fmt: skip
        lake.capture("ann", view("/"), click("a#buy"), identify("ann@shop.example", plan="free"),
                     at="2026-01-10 11:00", site=site)  # fmt: skip
        lake.store()
        lake.capture("ann", view("/"), at="2026-03-01 10:00", site=site)
    lake.store()
    return lake


@pytest.mark.parametrize(
    ("months", "today", "cut"),
    [
        (25, "2026-11-23 06:58", "2024-10-23"),
        (1, "2026-03-31 00:00", "2026-02-28"),
        (1, "2026-01-15 23:59:59", "2025-12-15"),
        (12, "2028-02-29 12:00", "2027-02-28"),
        (1_200, "2026-01-31 12:00", "1926-01-31"),
    ],
)
def test_months_are_those_of_the_calendar_and_end_where_a_day_begins(
    months: int, today: str, cut: str
) -> None:
    assert str(from_micros(cut_of(months, moment(today)))) == f"{cut} 00:00:00+00:00"


def test_the_first_moment_of_the_cut_stays_and_the_one_before_it_goes(lake: Story) -> None:
    lake.capture("ann", view("/before"), view("/at"), at="2026-01-14 23:59:59.999999", apart=0.000001)
    assert remove(lake)["events"] == 1
    assert lake.sql("select path, time at time zone 'UTC' from events") == [
        ("/at", from_micros(moment("2026-01-15 00:00")).replace(tzinfo=None))
    ]


def test_each_site_keeps_what_it_is_told_to(lake: Story) -> None:
    told(lake)
    removed = remove(lake)
    assert removed["events"] == 7
    assert lake.sql("select site, count(*) from events group by site order by site") == [
        ("blog", 8),
        ("shop", 1),
    ]
    del removed["events"]
    assert removed == {"identities": 1, "traits": 2, "page_counts": 1, "devices": 1, "users": 1, "groups": 1}


@pytest.mark.parametrize(
    "keep", [{"shop": None, "blog": None}, {"other": 1}], ids=["for ever", "no word of it"]
)
def test_what_is_kept_for_ever_stays_and_so_does_what_nobody_speaks_of(
    lake: Story, keep: dict[str, int | None]
) -> None:
    before = rows(told(lake).folder)
    assert not any(remove(lake, now=moment("2046-01-01 00:00"), **keep).values())
    assert rows(lake.folder) == before


def test_names_of_a_site_that_is_kept_for_ever_stay_even_without_an_event(lake: Story) -> None:
    told(lake)
    names = ("devices", "users", "groups")
    with Writer(lake.folder, clock=lambda: TODAY) as writer:
        rewrite(writer._tables["events"], ("site",), lambda rows: pc.equal(rows["site"], "blog"))
        rewrite(writer._tables["identities"], ("site",), lambda rows: pc.equal(rows["site"], "blog"))
        removed = writer.remove_expired({"shop": 2, "blog": None})
    assert [removed[name] for name in names] == [1, 1, 1]
    left = [lake.sql(f"select count(*) from lake.{name} where site = 'blog'") for name in names]
    assert left == [[(2,)], [(2,)], [(1,)]]


def test_a_file_that_says_nothing_of_its_times_is_looked_at(tmp_path: Path) -> None:
    table = Table(tmp_path, pa.schema([("site", pa.string()), ("at", TIME)]))
    for number, moments in enumerate(([None], [5], [20])):
        rows = pa.table({"site": ["shop"], "at": pa.array(moments, pa.int64()).cast(TIME)})
        table.append(rows, "journal", number)
    seen: list[pa.Table] = []

    def are_due(rows: pa.Table) -> pa.ChunkedArray:
        seen.append(rows)
        return pc.is_null(rows["at"])

    assert rewrite(table, ("site", "at"), are_due, since=("at", 10)) == 1
    assert sorted(rows["at"].cast(pa.int64()).to_pylist() for rows in seen if rows["at"].null_count == 0) == [
        [5]
    ]


def test_who_has_an_event_left_is_still_known_and_who_has_none_is_not(lake: Story) -> None:
    told(lake)
    remove(lake)
    assert lake.sql("select \"user\", events, traits from people where site = 'shop'") == [
        ("ann@shop.example", 1, '{"plan":"free"}')
    ]
    for name in ("devices", "users", "groups", "identities", "traits"):
        left = lake.sql(f"from lake.{name} where site = 'shop'")
        assert len(left) == (0 if name == "groups" else 1), name
    assert "bob" not in repr([lake.sql(f"from lake.{name} where site = 'shop'") for name in TABLES if name not in
                              ("descriptors", "elements", "placements")])  # fmt: skip


def test_an_edge_to_a_browser_that_is_gone_stays_while_its_person_is_active(lake: Story) -> None:
    lake.capture("phone", identify("ann"), at="2026-01-10 10:00")
    lake.capture("laptop", identify("ann", plan="pro"), at="2026-01-11 10:00")
    lake.capture("laptop", view("/"), at="2026-03-01 10:00")
    remove(lake)
    assert lake.sql("select count(*) from lake.identities") == [(2,)]
    assert sorted(lake.sql("select device from lake.devices")) == [("laptop",), ("phone",)]
    assert lake.sql('select "user", traits from people') == [("ann", '{"plan":"pro"}')]


def test_history_that_was_imported_lately_goes_by_when_it_happened(lake: Story) -> None:
    lake.capture(
        "bob", identify("bob", plan="pro"), at="2020-01-10 10:00", is_imported=True, received_at=TODAY
    )
    assert remove(lake)["events"] == 1
    assert [len(each) for each in rows(lake.folder).values()] == [0] * len(TABLES)


def test_elements_stay_for_they_hold_no_person(lake: Story) -> None:
    lake.capture("bob", click("main a#buy"), at="2026-01-10 10:00")
    before = rows(Folder(lake.path))
    remove(lake)
    after = rows(lake.folder)
    for name in ("descriptors", "elements", "placements"):
        assert before[name]
        assert after[name] == before[name]
    assert after["events"] == []


@pytest.mark.parametrize("is_reopened", [False, True], ids=["same writer", "new writer"])
def test_a_device_that_comes_back_gets_its_row_and_its_id_again(lake: Story, is_reopened: bool) -> None:
    lake.capture("bob", view("/"), identify("bob"), group("firm", "acme"), at="2026-01-10 10:00")
    old = rows(Folder(lake.path))
    again = Story(lake.folder.path.parent / "again")
    again.capture("bob", view("/"), identify("bob"), group("firm", "acme"), at="2026-03-10 10:00")
    with Writer(lake.folder, clock=lambda: TODAY) as writer:
        writer.remove_expired(KEEP)
        if not is_reopened:
            writer.ingest(2, again.waiting)
    if is_reopened:
        with Writer(lake.folder, clock=lambda: TODAY) as writer:
            writer.ingest(2, again.waiting)
    new = rows(lake.folder)
    assert [new[name] for name in ("devices", "users", "groups")] == [
        old[name] for name in ("devices", "users", "groups")
    ]
    assert len(new["identities"]) == 1


def test_an_end_between_any_two_steps_loses_and_doubles_nothing(
    lake: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = told(lake).folder.path
    whole = Folder(shutil.copytree(begin, tmp_path / "whole"))
    remove_in(whole)
    assert len(rows(whole)["events"]) == 9
    steps = 0
    for steps in itertools.count():
        folder = Folder(shutil.copytree(begin, tmp_path / str(steps)))
        if not dies_after(steps, monkeypatch, partial(remove_in, folder)):
            break
        remove_in(folder)
        assert rows(folder) == rows(whole), steps
        before = versions(folder)
        remove_in(folder)
        assert versions(folder) == before
    # Seven tables that lose rows and the mark at the end: before and after each commit.
    assert steps == 16


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


def test_files_of_which_nothing_goes_stay_and_no_file_is_rewritten_twice_a_day(lake: Story) -> None:
    days = (("2026-01-10", "2026-01-11"), ("2026-01-12", "2026-02-10"), ("2026-02-11", "2026-02-12"))
    for first, second in days:
        lake.capture("ann", view("/"), at=f"{first} 10:00")
        lake.capture("ann", view("/"), at=f"{second} 10:00")
        lake.store()
    before = event_files(lake)
    assert remove(lake)["events"] == 3
    after = event_files(lake)
    assert (len(before), len(after), len(before & after)) == (3, 2, 1)
    marks = versions(lake.folder)
    assert remove(lake, now=moment("2026-03-15 23:59:59")) == {"events": 0}
    assert (event_files(lake), versions(lake.folder)) == (after, marks)


def event_files(lake: Story) -> set[tuple[str]]:
    return set(lake.sql("select unnest(files) from lake.snapshot where table_name = 'events'"))


def test_removed_files_are_gone_after_an_hour_though_nothing_happens(
    lake: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(lake)
    looks, clock = itertools.count(0.0, 601.0), itertools.count(time.time() + 1.0, 601.0)
    with Writer(lake.folder, clock=lambda: TODAY) as writer:
        sink = Sink(lake.folder, writer)
        writer.remove_expired(KEEP)
        monkeypatch.setattr("expost.lake.table.time.monotonic", lambda: next(looks))
        monkeypatch.setattr("expost.lake.table.time.time", lambda: next(clock))
        for _ in range(20):
            assert not sink.move()
    on_disk = {str(path) for path in (lake.folder.lake / "events").glob("*.parquet")}
    assert on_disk == {file for (file,) in event_files(lake)}


def test_every_removal_carries_the_transaction_that_all_rewrites_share(lake: Story) -> None:
    told(lake)
    remove(lake)
    removals = 0
    for entry in lake.folder.lake.glob("*/_delta_log/*.json"):
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        if any("remove" in action for action in actions):
            removals += 1
            assert "rewrite" in {action["txn"]["appId"] for action in actions if "txn" in action}
    assert removals == 7


def test_merges_stay_while_one_of_the_person_is_active_so_that_nobody_falls_apart(lake: Story) -> None:
    for user, at in (("u1", "2026-03-01 10:00"), ("u2", "2026-01-01 10:00"), ("u3", "2026-01-01 10:00")):
        lake.capture(f"of-{user}", identify(user), at=at)
    lake.capture("of-u4", identify("u4"), at="2026-03-01 11:00")
    lake.capture("of-u5", identify("u5"), at="2026-01-01 10:00")
    lake.capture("of-u6", identify("u6"), at="2026-01-01 10:00")
    lake.store()
    ids = dict(lake.sql('select "user", user_id from lake.users'))
    merges = [("u1", "u2"), ("u2", "u3"), ("u3", "u4"), ("u5", "u6")]
    said_at = moment("2026-01-02 10:00")
    with Writer(lake.folder) as writer:
        for number, (one, other) in enumerate(merges):
            say(lake.folder, Edit(number, "shop", "merge", ids[one], ids[other], said_at, "eve"))
        take_edits(lake.folder, writer)
    remove(lake)
    kept = lake.sql("select edge_id from lake.identities where kind = 'merge' order by 1")
    assert kept == [(0,), (1,), (2,)]
    assert lake.sql("select count(*), count(distinct person_id) from events") == [(2, 1)]
