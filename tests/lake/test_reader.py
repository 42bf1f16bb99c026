"""The lake as readers see it: one snapshot, lean views, and the same counts in every engine."""

from __future__ import annotations

from pathlib import Path

import chdb
import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from expost.lake.folder import open_folder
from expost.lake.reader import connect, lock_down, snapshot_versions
from expost.lake.schema import TABLES
from expost.lake.snapshot import find_lake_snapshot
from tests.story import Story, click, identify, track, view


def plan_of(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    return str(connection.execute(f"explain {query}").fetchall()[0][1])


def test_an_empty_folder_has_every_table_and_view_with_its_columns(tmp_path: Path) -> None:
    open_folder(tmp_path, create=True)
    with connect(tmp_path) as connection:
        for name, schema in TABLES.items():
            assert connection.sql(f"from lake.{name}").columns == schema.names
        for name in ("events", "elements", "placements", "people", "losses"):
            assert connection.execute(f"select count(*) from {name}").fetchall() == [(0,)]
        assert snapshot_versions(connection) == {}


def test_columns_and_types_are_the_same_with_and_without_data(rich_lake: Story, tmp_path: Path) -> None:
    open_folder(tmp_path / "empty", create=True)
    with rich_lake.connect() as full, connect(tmp_path / "empty") as empty:
        for name in (
            *(f"lake.{table}" for table in TABLES),
            "events",
            "elements",
            "placements",
            "people",
            "losses",
        ):
            assert (
                full.sql(f"describe from {name}").fetchall() == empty.sql(f"describe from {name}").fetchall()
            )


def test_a_connection_keeps_its_snapshot_while_others_write(lake: Story) -> None:
    lake.capture("ann", view("/"), at="10:00")
    with lake.connect() as connection:
        before = snapshot_versions(connection)
        lake.capture("bob", view("/"), at="11:00")
        lake.store()
        assert connection.execute("select count(*) from events").fetchall() == [(1,)]
        assert snapshot_versions(connection) == before
    assert lake.sql("select count(*) from events") == [(2,)]


def test_events_are_looked_up_before_the_dictionaries_they_point_at() -> None:
    assert next(iter(find_lake_snapshot(Path("nowhere")).tables)) == "events"


def test_a_question_about_types_reads_no_names(rich_lake: Story) -> None:
    with rich_lake.connect() as connection:
        plan = plan_of(connection, "select type, count(*) from events group by 1")
        assert "Hash Join" not in plan
        assert "user_id" not in plan
        assert "Hash Join" in plan_of(connection, "select device, count(*) from events group by 1")


def test_the_view_and_the_questions_agree_whose_events_are_whose(lake: Story) -> None:
    for hour, user in enumerate(["ann", "bob", "ann", "cyd"], start=10):
        lake.capture("shared", view("/"), identify(user), click("a"), at=f"{hour}:00")
        lake.capture(f"own {user}", click("a"), identify(user), at=f"{hour}:30")
    lake.capture("stranger", view("/"), at="10:00")
    lake.capture("shared", track("Paid"), at="11:30", on_server=True)
    lake.capture("", identify("dan"), at="11:31", on_server=True)
    lake.capture("", track("Ticked"), at="11:32", on_server=True)
    rows = lake.sql("""
        select events.person_id, people.person_id, "user"
        from events join lake.events_of_people as people using (event_id)
    """)
    assert len(rows) == 24
    assert all(seen == asked for seen, asked, _ in rows)
    assert {user for _, _, user in rows} == {"ann", "bob", "cyd", "dan", None}


@pytest.mark.parametrize(
    "query",
    [
        "from read_text('{data}/secret')",
        "from read_blob('{data}/state.sqlite')",
        "from read_csv('/etc/passwd')",
        "from glob('{data}/*')",
        "attach '{data}/other.db'",
        "copy (select 1) to '{data}/lake/x.parquet'",
        "set memory_limit = '99GB'",
        "set enable_external_access = true",
        "install httpfs",
        "from read_parquet('https://example.invalid/x.parquet')",
    ],
)
def test_a_locked_connection_reads_its_snapshot_and_nothing_else(rich_lake: Story, query: str) -> None:
    with rich_lake.connect() as connection:
        lock_down(connection)
        assert connection.execute("select count(*) from people").fetchall() != [(0,)]
        with pytest.raises(duckdb.Error):
            connection.execute(query.replace("{data}", str(rich_lake.folder.path))).fetchall()


def test_limits_are_set(rich_lake: Story) -> None:
    with connect(rich_lake.path, memory_limit="200MB", threads=1) as connection:
        settings = dict(connection.execute("select name, value from duckdb_settings()").fetchall())
        assert settings["threads"] == "1"
        assert settings["memory_limit"].startswith("190.")
        assert settings["TimeZone"] == "UTC"


def test_a_folder_s_name_may_hold_anything(tmp_path: Path) -> None:
    lake = Story(tmp_path / "it's a 100% füll *folder* ? [x]")
    lake.capture("ann", view("/"), click("a"), at="10:00")
    assert lake.sql("select count(*) from events where element_id is not null") == [(1,)]
    lake.capture("ann", click("a"), at="10:05")
    assert lake.sql("select count(*) from events") == [(3,)]


def test_every_engine_counts_the_same(rich_lake: Story) -> None:
    rich_lake.capture("dan", view("/"), identify("dan@shop.example"), track("Paid"), at="13:00")
    path = rich_lake.path / "lake"
    with rich_lake.connect() as connection:
        expected = {name: len(connection.execute(f"from lake.{name}").fetchall()) for name in TABLES}
        by_type = connection.execute(
            "select type, count(*) from lake.events group by 1 order by 1"
        ).fetchall()
    assert expected["events"] == 26
    assert (expected.pop("groups"), expected.pop("page_counts")) == (0, 0)
    for name in expected:
        table = DeltaTable(path / name)
        protocol = table.protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
        assert table.count() == expected[name]
        assert table.to_pyarrow_table(columns=TABLES[name].names[:2]).num_rows == expected[name]
        assert pl.scan_delta(path / name).select(pl.len()).collect().item() == expected[name]
        files = table.file_uris()
        assert duckdb.execute(f"select count(*) from read_parquet({files})").fetchall() == [(expected[name],)]
    counted = pl.scan_delta(path / "events").group_by("type").len().sort("type").collect().rows()
    assert counted == by_type


def test_statistics_of_time_let_files_be_left_unread(lake: Story) -> None:
    lake.capture("ann", view("/"), at="2026-03-02 10:00")
    lake.store()
    lake.capture("ann", view("/"), at="2026-03-20 10:00")
    lake.store()
    table = DeltaTable(lake.folder.lake / "events")
    assert len(table.file_uris()) == 2
    assert len(table.file_uris(file_pruning_predicate="time > '2026-03-10T00:00:00Z'")) == 1


def test_clickhouse_counts_the_same(rich_lake: Story) -> None:
    path = rich_lake.path / "lake" / "events"
    expected = rich_lake.sql("select count(*) from events")
    files = ",".join(Path(file).name for file in DeltaTable(path).file_uris())
    answer = chdb.query(f"select count() from file('{path}/{{{files}}}', Parquet)", "CSV")
    assert int(str(answer)) == expected[0][0]
