"""The small state: one SQLite file beside the lake, shared by the server and the command line while both run."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn

from expost.errors import FolderError

from .schema import META, METADATA, SCHEMA_VERSION

BUSY_SECONDS = 10
VERSION = select(META.c.value).where(META.c.name == "schema_version")


class State:
    """An open state file, made with its tables if missing. Safe to share between threads.

    The functions beside this class (`sites.py`, `keys.py`, `definitions.py`) take it as their first argument.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = _engine(path)
        with _told(path, "opened"):
            # Nobody else on this machine may read it; SQLite gives its side files the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # Whoever only reads need not wait for whoever writes, not even to open the file.
            with self.reading() as connection:
                found = set(inspect(connection).get_table_names())
                if META.name in found:
                    _check_version(connection, path)
                is_whole = METADATA.tables.keys() <= found and not _missing_columns(connection)
            if not is_whole:
                with self.writing() as connection:
                    METADATA.create_all(connection)
                    _add_missing_columns(connection)
                    _note_version(connection)
            self._watched, self._watch = _file_of(path), _watch(path)
        self._files = 0
        self._watch_lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment of the state."""
        with _told(self.path, "read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are kept together when the block ends, or not at all when it raises."""
        with _told(self.path, "written"), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def revision(self) -> int:
        """A number that differs after any change, made here or by another process. Costs microseconds.

        >>> import tempfile
        >>> state = State(Path(tempfile.mkdtemp()) / "state.sqlite")
        >>> before = state.revision()
        >>> with state.writing() as connection:
        ...     _ = connection.execute(insert(META).values(name="colour", value="red"))
        >>> state.revision() == before
        False
        """
        # This connection never writes, and SQLite counts for it the commits of all others.
        with _told(self.path, "read"), self._watch_lock:
            self._follow()
            row: tuple[int] = self._watch.execute("pragma data_version").fetchone()
        return self._files << 32 | row[0]

    def _follow(self) -> None:
        """Watch the file that lies there now: another one may have been put in the place of the first."""
        with suppress(FileNotFoundError):
            there = _file_of(self.path)
            if there != self._watched:
                before, self._watch = self._watch, _watch(self.path)
                before.close()
                self._watched = there
                self._files += 1

    def close(self) -> None:
        """Let go of the file."""
        self._watch.close()
        self._engine.dispose()


def _file_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _watch(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)


@contextmanager
def _told(path: Path, done: str) -> Iterator[None]:
    """A failure of the file as a sentence that names it."""
    try:
        yield
    except (DatabaseError, sqlite3.Error, OSError) as problem:
        reason = getattr(problem, "orig", None) or getattr(problem, "strerror", None) or problem
        hint = (
            "Make room on that disk, and try again."
            if "full" in str(reason) or "No space left" in str(reason)
            else "Check that the folder is there and yours to write to. A damaged file is put back from a backup."
        )
        raise FolderError(f"The state in {path} cannot be {done}: {reason}.", hint=hint) from problem


def _engine(path: Path) -> Engine:
    # A connection opens in well under a millisecond, and none is then shared between threads by accident.
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # Transactions are begun by `_begin` below: the driver itself would begin them late, after the first read.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = full")
        cursor.execute("pragma foreign_keys = on")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Two writers then wait for each other; a read that turned into a write would fail instead.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _missing_columns(connection: Connection) -> list[Column[Any]]:
    """The columns that an older Expost did not know."""
    missing = []
    for table in METADATA.sorted_tables:
        found = {column["name"] for column in inspect(connection).get_columns(table.name)}
        missing += [column for column in table.columns if column.name not in found]
    return missing


def _add_missing_columns(connection: Connection) -> None:
    for column in _missing_columns(connection):
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"alter table {column.table.name} add column {definition}")


def _note_version(connection: Connection) -> None:
    if connection.execute(VERSION).scalar() is None:
        connection.execute(insert(META).values(name="schema_version", value=str(SCHEMA_VERSION)))


def _check_version(connection: Connection, path: Path) -> None:
    found = int(connection.execute(VERSION).scalar() or 0)
    if found > SCHEMA_VERSION:
        raise FolderError(
            f"The state in {path} was written by a newer Expost (schema {found}, this one knows {SCHEMA_VERSION}).",
            hint="Install the newer version again: pip install --upgrade expost",
        )
