"""Who looks after a question while it runs: hears how far it is, and stops it when its time is over or nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from expost.errors import Cancelled, QueryLimit

LOOK_SECONDS = 0.1

Look = Callable[[float | None], bool]
"""Told several times a second what share of its present step is done, if that is known; says whether to go on."""


@contextmanager
def watched(
    connection: duckdb.DuckDBPyConnection,
    *,
    look: Look | None = None,
    max_seconds: float | None = None,
    memory_limit: str | None = None,
) -> Iterator[Callable[[], None]]:
    """The limits of one question: what it takes too long for, or needs too much memory for, ends in QueryLimit.

    When `look` says so it ends in Cancelled. What is given ends it at once where it has to end: for where no statement
    runs for long.
    """
    guard = _Guard(connection, look, max_seconds)
    if look is not None:
        # What DuckDB counts for its own bar, without drawing it.
        connection.execute("set enable_progress_bar_print = false")
        connection.execute("set enable_progress_bar = true")
    try:
        guard.start()
        yield guard.go_on
    except duckdb.InterruptException as problem:
        if guard.is_cancelled:
            raise Cancelled from problem
        when = f"after {max_seconds:g} seconds" if guard.is_over else ""
        raise _stopped(when, "query_seconds") from problem
    except (duckdb.OutOfMemoryException, MemoryError) as problem:
        raise _stopped(f"at its memory limit of {memory_limit}", "query_memory") from problem
    finally:
        guard.end()
    # It ended by itself at the very moment, in between two statements, or in a pass that nothing interrupts.
    if guard.is_cancelled:
        raise Cancelled
    if guard.is_over:
        raise _stopped(f"after {max_seconds:g} seconds", "query_seconds")


class _Guard:
    """A thread that looks at a connection until it is told that the question is answered."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, look: Look | None, max_seconds: float | None
    ) -> None:
        self._connection = connection
        self._look = look
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds
        self._is_answered = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_over = False
        self.is_cancelled = False

    def start(self) -> None:
        """Look from now on, if there is anything to look at."""
        if self._look is not None or self._deadline is not None:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def go_on(self) -> None:
        """Raise, as a statement would, if the question has to end."""
        if self.is_over or self.is_cancelled:
            raise duckdb.InterruptException("the question has to end")

    def end(self) -> None:
        """Look no more."""
        self._is_answered.set()
        if self._thread is not None:
            # It holds the connection; as the last to do so it would close it, at worst while Python ends.
            self._thread.join()

    def _run(self) -> None:
        while not self._is_answered.wait(self._pause()):
            self.is_over = self._deadline is not None and time.monotonic() >= self._deadline
            if not self.is_over and self._look is not None:
                share = self._connection.query_progress()
                self.is_cancelled = not self._look(share / 100 if share >= 0 else None)
            if self.is_over or self.is_cancelled:
                # Again and again: between two statements there is nothing to interrupt.
                self._connection.interrupt()

    def _pause(self) -> float:
        if self._look is not None or self.is_over or self._deadline is None:
            return LOOK_SECONDS
        return max(0.0, self._deadline - time.monotonic())


def _stopped(when: str, setting: str) -> QueryLimit:
    return QueryLimit(
        f"The question was stopped {when}.".replace(" .", "."),
        hint=f"Ask about a shorter range, or raise the setting {setting} (EXPOST_{setting.upper()}).",
    )
