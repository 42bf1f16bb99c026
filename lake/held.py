"""A connection that is held open from one question to the next, for as long as the lake says the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from .reader import connect, renew
from .schema import TABLES
from .snapshot import LakeSnapshot, Snapshot, find_lake_snapshot, find_snapshot

_MADE = """
select 'table' as kind, table_name as name from duckdb_tables() where temporary
union all
select 'view', view_name from duckdb_views() where temporary and not internal"""


MOST_RENEWALS = 200
"""After so many snapshots a connection is opened anew: it remembers the footers of all files it ever read."""


class HeldConnection:
    """Lends one connection to the newest snapshot, to one question at a time, so that opening the lake is paid once.

    When the lake has changed, what is held is told of the tables that did, instead of being opened anew.

    A question that comes while it is lent gets a connection of its own. What a question made is gone for the next one.
    After a question that failed the connection is not lent again.
    """

    def __init__(
        self, path: Path, lake: Path, *, memory_limit: str | None = None, threads: int | None = None
    ) -> None:
        self._lake = lake
        self._open: Callable[[LakeSnapshot], duckdb.DuckDBPyConnection] = lambda snapshot: connect(
            path, memory_limit=memory_limit, threads=threads, snapshot=snapshot, has_views=False
        )
        self._turn = threading.Lock()
        self._held: tuple[LakeSnapshot, duckdb.DuckDBPyConnection] | None = None
        self._renewals = 0
        self._memory: dict[Any, Any] = {}
        self._memory_of_files: dict[Any, Any] = {}

    @contextmanager
    def lend(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection without the views for people, until the block ends."""
        if not self._turn.acquire(blocking=False):
            with self._open(find_lake_snapshot(self._lake)) as connection:
                yield connection
            return
        try:
            connection = self._newest()
            try:
                yield connection
                forget(connection)
            except GeneratorExit:
                # Nobody wants the rest of the answer, which is no failure.
                forget(connection)
                raise
            except BaseException:
                self.close()
                raise
        finally:
            self._turn.release()

    def memory_of(self, connection: duckdb.DuckDBPyConnection) -> dict[Any, Any] | None:
        """What questions found in the snapshot that this connection reads, if it is the one that is held."""
        return self._memory if self._held is not None and connection is self._held[1] else None

    def memory_of_files(self, connection: duckdb.DuckDBPyConnection) -> dict[Any, Any] | None:
        """What questions found in files that they name beside it, whatever the snapshot; for the same one."""
        return self._memory_of_files if self._held is not None and connection is self._held[1] else None

    def close(self) -> None:
        """Close what is held."""
        self._memory = {}
        self._memory_of_files = {}
        if self._held is not None:
            self._held[1].close()
            self._held = None

    def _newest(self) -> duckdb.DuckDBPyConnection:
        if self._held is not None:
            snapshot, connection = self._held
            newest = _newest_after(snapshot, self._lake)
            if newest == snapshot:
                return connection
            self._memory = {}
            if self._renewals < MOST_RENEWALS:
                self._renewals += 1
                try:
                    renew(connection, snapshot, newest)
                except BaseException:
                    self.close()
                    raise
                self._held = newest, connection
                return connection
        self.close()
        self._renewals = 0
        snapshot = find_lake_snapshot(self._lake)
        connection = self._open(snapshot)
        self._held = snapshot, connection
        return connection


def _newest_after(snapshot: LakeSnapshot, lake: Path) -> LakeSnapshot:
    """The newest snapshot: a table is read only if its log has an entry after the one that was read.

    As in `find_lake_snapshot`, events are looked up before the dictionaries that they name ids of.
    """
    return LakeSnapshot({
        name: table if _is_newest(table, lake / name) else find_snapshot(lake / name)
        for name, table in ((name, snapshot.tables.get(name)) for name in reversed(TABLES))
    })  # fmt: skip


def _is_newest(table: Snapshot | None, path: Path) -> bool:
    log = path / "_delta_log"
    if table is None:
        return next(log.glob("*.json"), None) is None  # its first entries may be gone already
    # A folder that was restored, or taken away, has not even the one that was read.
    is_there = (log / f"{table.version:020}.json").exists()
    return is_there and not (log / f"{table.version + 1:020}.json").exists()


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what a question made on its connection."""
    for kind, name in connection.execute(_MADE).fetchall():
        quoted = name.replace('"', '""')
        connection.execute(f'drop {kind} if exists temp."{quoted}"')
