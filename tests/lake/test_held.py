"""A connection that is held open between questions."""

from __future__ import annotations

from collections.abc import Generator

import duckdb
import pytest

from expost.lake.held import HeldConnection
from expost.lake.schema import TABLES
from tests.story import Story, identify, track


@pytest.fixture
def held(lake: Story) -> HeldConnection:
    lake.capture("ann", track("A"), at="10:00")
    lake.store()
    folder = lake.folder
    return HeldConnection(folder.path, folder.lake)


def events(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute("select count(*) from lake.events").fetchall()
    return int(count)


def test_questions_about_one_snapshot_share_a_connection(held: HeldConnection) -> None:
    with held.lend() as first:
        assert events(first) == 1
    with held.lend() as second:
        assert second is first


def test_what_was_committed_since_is_seen(held: HeldConnection, lake: Story) -> None:
    with held.lend() as connection:
        assert events(connection) == 1
    lake.capture("ann", track("A"), at="10:05")
    lake.store()
    with held.lend() as connection:
        assert events(connection) == 2


def test_nothing_that_a_question_made_is_there_for_the_next(held: HeldConnection) -> None:
    with held.lend() as connection:
        connection.execute("create temp table matched as select 1 as one")
        connection.execute('create temp view "odd ""name" as select * from matched')
    with held.lend() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("select * from matched")
    with held.lend() as connection:
        assert not connection.execute("select * from duckdb_tables() where temporary").fetchall()


def test_a_question_that_comes_meanwhile_gets_a_connection_of_its_own(held: HeldConnection) -> None:
    with held.lend() as first:
        first.execute("create temp table matched as select 1 as one")
        with held.lend() as second:
            assert second is not first
            assert events(second) == 1
        assert first.execute("select one from matched").fetchall() == [(1,)]


def test_after_a_failure_the_connection_is_not_lent_again(held: HeldConnection) -> None:
    with pytest.raises(duckdb.Error), held.lend() as first:
        first.execute("select nothing")
    with held.lend() as second:
        assert second is not first
        assert events(second) == 1


def test_a_lake_that_was_taken_away_is_not_answered_from_memory(held: HeldConnection, lake: Story) -> None:
    with held.lend() as connection:
        assert events(connection) == 1
    lake.folder.lake.rename(lake.folder.lake.with_name("elsewhere"))
    lake.folder.lake.mkdir()
    with held.lend() as connection:
        assert events(connection) == 0


def test_a_change_of_the_lake_is_told_to_the_connection_that_is_held(
    held: HeldConnection, lake: Story
) -> None:
    with held.lend() as first:
        assert events(first) == 1
        assert not first.execute("select * from lake.logins").fetchall()
    lake.capture("ann", identify("ann"), track("A"), at="10:05")
    lake.store()
    with held.lend() as second:
        assert second is first
        assert events(second) == 3
        assert len(second.execute("select * from lake.logins").fetchall()) == 1
        assert len(second.execute("select * from lake.snapshot").fetchall()) == len(TABLES)


def test_it_is_opened_anew_now_and_then(
    held: HeldConnection, lake: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.lake.held.MOST_RENEWALS", 1)
    seen = []
    for minute in range(3):
        with held.lend() as connection:
            seen.append(connection)
            assert events(connection) == 1 + minute
        lake.capture("ann", track("A"), at=f"11:0{minute}")
        lake.store()
    assert seen[0] is seen[1]
    assert seen[1] is not seen[2]


def test_what_is_left_unread_of_an_answer_is_no_failure(held: HeldConnection) -> None:
    def answers() -> Generator[duckdb.DuckDBPyConnection]:
        with held.lend() as connection:
            connection.execute("create temp table matched as select 1 as one")
            yield connection

    unread = answers()
    first = next(unread)
    unread.close()
    with held.lend() as second:
        assert second is first
        assert not second.execute("select * from duckdb_tables() where temporary").fetchall()
