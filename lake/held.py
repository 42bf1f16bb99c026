"""A connection that is held open from one question to the next, for as long as the lake says the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .reader import LakeSnapshot, connect, find_lake_snapshot

_MADE = """
select 'table' as kind, table_name as name from duckdb_tables() where temporary
union all
select 'view', view_name from duckdb_views() where temporary and not internal"""


class HeldConnection:
    """Lends one connection to the newest snapshot, to one question at a time, so that opening the lake is paid once.

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
            except BaseException:
                self.close()
                raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close what is held."""
        if self._held is not None:
            self._held[1].close()
            self._held = None

    def _newest(self) -> duckdb.DuckDBPyConnection:
        if self._held is not None and _is_newest(self._held[0], self._lake):
            return self._held[1]
        self.close()
        snapshot = find_lake_snapshot(self._lake)
        connection = self._open(snapshot)
        self._held = snapshot, connection
        return connection


def _is_newest(snapshot: LakeSnapshot, lake: Path) -> bool:
    """Whether no table has an entry in its log after the one that was read: a table is looked at without reading it."""
    for name, table in snapshot.tables.items():
        version = -1 if table is None else table.version
        log = lake / name / "_delta_log"
        if (log / f"{version + 1:020}.json").exists():
            return False
        # A folder that was restored, or taken away, has not even the one that was read.
        if table is not None and not (log / f"{version:020}.json").exists():
            return False
    return True


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what a question made on its connection."""
    for kind, name in connection.execute(_MADE).fetchall():
        quoted = name.replace('"', '""')
        connection.execute(f'drop {kind} if exists temp."{quoted}"')
