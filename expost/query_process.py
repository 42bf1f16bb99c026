"""One query process: a child that holds a folder open and answers one question after the other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from expost.collector.garbage import loading

PRIORITY = 5
"""As `nice` counts: where cores are short, what browsers send is acknowledged first."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query process may use: memory (its engine has half, and spills to disk), threads, seconds a question.

    `cache_bytes` is what all of them together keep on disk of what definitions match.
    """

    memory: str
    threads: int
    seconds: float
    cache_bytes: int | None = None


Request = tuple[str, tuple[Any, ...], dict[str, Any]]
"""A method of `Analysis` by its name, and what it is given."""

Reply = tuple[Exception | None, Any]
"""What the method raised, or what it returned."""

Shared = Any
"""What both processes see: the number of the request that is to stop, and the share of the step that is done."""

STOP, SHARE = 0, 1
UNKNOWN_SHARE = -1.0


def shared_memory() -> Shared:
    """What a process and its child will share."""
    return multiprocessing.get_context("spawn").RawArray("d", [0.0, UNKNOWN_SHARE])


class QueryProcess:
    """One child that holds the folder open and answers one question after the other."""

    def __init__(self, folder: Path, limits: QueryLimits) -> None:
        # Not fork: the web process has threads (journal, event loop) that a forked child would inherit half.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._shared = shared_memory()
        self._number = 0
        self._process = context.Process(
            target=_answer_for_ever,
            args=(theirs, self._shared, folder, limits, os.getpid()),
            name="query",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def answer(self, request: Request) -> Reply:
        """Wait for the reply. Raises EOFError or OSError when the process has ended."""
        self._number += 1
        self._shared[SHARE] = UNKNOWN_SHARE
        self._pipe.send((self._number, request))
        reply: Reply = self._pipe.recv()
        return reply

    def stop(self) -> None:
        """Ask it to give up the question that it is at, and no later one."""
        self._shared[STOP] = self._number

    def share(self) -> float | None:
        """What share of the present step is done, if that is known."""
        share = float(self._shared[SHARE])
        return share if share >= 0 else None

    def end(self) -> None:
        """End the process, whatever it does. A thread that waits for its answer then hears of it."""
        self._process.kill()


def _answer_for_ever(
    pipe: Connection, shared: Shared, folder: Path, limits: QueryLimits, parent: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process, which then ends this one.
    os.nice(PRIORITY)
    _end_with(parent)
    with loading():
        from expost.query.analysis import Analysis
    analysis: Analysis | None = None
    number = 0

    def look(share: float | None) -> bool:
        shared[SHARE] = UNKNOWN_SHARE if share is None else share
        return bool(shared[STOP] != number)

    while True:
        try:
            number, (method, arguments, named) = pipe.recv()
        except EOFError:
            return
        reply: Reply
        try:
            if analysis is None:
                analysis = Analysis(
                    folder,
                    memory_limit=limits.memory,
                    threads=limits.threads,
                    max_seconds=limits.seconds,
                    cache_bytes=limits.cache_bytes,
                    look=look,
                )
            reply = None, getattr(analysis, method)(*arguments, **named)
        except Exception as error:  # noqa: BLE001 (it is raised again where the question was asked)
            error.add_note(traceback.format_exc())
            reply = error, None
        pipe.send(reply)


def _end_with(parent: int) -> None:
    """Make sure that a query process does not outlive a web process that was killed while it answers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
