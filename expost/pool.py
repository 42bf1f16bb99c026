"""A bounded pool of query processes: no question can delay an acknowledgement, and none can take the machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from expost.errors import QueryLimit
from expost.lake.kept import CACHE_BYTES
from expost.query.analysis import Analysis
from expost.query.question import Question

MAX_WAITING = 32
GRACE_SECONDS = 10.0
"""A question stops itself at its limit. A process that goes on for so much longer is ended."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query process may use: DuckDB's memory (spills to disk beyond it), threads, seconds a question.

    `cache_bytes` is what all of them together keep on disk of what definitions match.
    """

    memory: str
    threads: int
    seconds: float
    cache_bytes: int = CACHE_BYTES


class QueryPool:
    """Answers questions about one folder in child processes.

    A question beyond `MAX_WAITING` is refused at once (QueryLimit, 503) instead of waiting for ever. A process that
    dies (killed by the system for its memory, say) fails its own question only; the next one gets a new process.
    """

    def __init__(self, folder: Path, processes: int, limits: QueryLimits) -> None:
        self.folder = folder
        self.limits = limits
        self._waiting = 0
        self._turns = asyncio.Semaphore(processes)
        # Each thread waits for the answer of one process.
        self._threads = ThreadPoolExecutor(processes, "query")
        self._idle: list[_QueryProcess] = []
        self._busy: set[_QueryProcess] = set()

    async def ask(self, question: Question) -> Any:
        """The answer to a question, or the ExpostError that it raised."""
        return await self.call("ask", question)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What that method of `Analysis` returns, computed in a query process."""
        if self._waiting >= MAX_WAITING:
            raise QueryLimit(
                f"{self._waiting} questions are waiting already.",
                hint="Ask again when some of them are answered.",
            )
        self._waiting += 1
        try:
            async with self._turns:
                return await self._call((method, arguments, named))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the processes; questions still running are given up."""
        for process in (*self._idle, *self._busy):
            process.end()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, request: _Request) -> Any:
        loop = asyncio.get_running_loop()
        if self._idle:
            process = self._idle.pop()
        else:
            process = await loop.run_in_executor(self._threads, _QueryProcess, self.folder, self.limits)
        self._busy.add(process)
        is_sound = False
        try:
            async with asyncio.timeout(self.limits.seconds + GRACE_SECONDS):
                error, answer = await loop.run_in_executor(self._threads, process.answer, request)
            is_sound = True
        except TimeoutError:
            raise QueryLimit(
                f"The question was stopped after {self.limits.seconds + GRACE_SECONDS:g} seconds.",
                hint="Ask about a shorter range, or raise the setting query_seconds.",
            ) from None
        except (EOFError, OSError):
            raise QueryLimit(
                "The process that answered this question was ended by the system, most likely for its memory.",
                hint="Ask about a shorter time, or raise the setting query_memory.",
            ) from None
        finally:
            self._busy.discard(process)
            if is_sound:
                self._idle.append(process)
            else:
                # It is dead, or still at work for somebody who is gone.
                process.end()
        if error is not None:
            raise error
        return answer


_Request = tuple[str, tuple[Any, ...], dict[str, Any]]
_Reply = tuple[Exception | None, Any]


class _QueryProcess:
    """One child that holds the folder open and answers one question after the other."""

    def __init__(self, folder: Path, limits: QueryLimits) -> None:
        # Not fork: the web process has threads (journal, event loop) that a forked child would inherit half.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_answer_for_ever, args=(theirs, folder, limits, os.getpid()), name="query", daemon=True
        )
        self._process.start()
        theirs.close()

    def answer(self, request: _Request) -> _Reply:
        """Wait for the reply. Raises EOFError or OSError when the process has ended."""
        self._pipe.send(request)
        reply: _Reply = self._pipe.recv()
        return reply

    def end(self) -> None:
        """End the process, whatever it does. A thread that waits for its answer then hears of it."""
        self._process.kill()


def _answer_for_ever(pipe: Connection, folder: Path, limits: QueryLimits, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process, which then ends this one.
    _end_with(parent)
    analysis: Analysis | None = None
    while True:
        try:
            method, arguments, named = pipe.recv()
        except EOFError:
            return
        reply: _Reply
        try:
            if analysis is None:
                analysis = Analysis(
                    folder,
                    memory_limit=limits.memory,
                    threads=limits.threads,
                    max_seconds=limits.seconds,
                    cache_bytes=limits.cache_bytes,
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
