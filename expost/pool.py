"""A bounded pool of query processes: no question can delay an acknowledgement, and none can take the machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expost.errors import QueryLimit
from expost.query.analysis import Analysis
from expost.query.question import Question

MAX_WAITING = 32


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query process may use: DuckDB's memory (spills to disk beyond it), threads, seconds a question."""

    memory: str
    threads: int
    seconds: float


class QueryPool:
    """Answers questions about one folder in child processes.

    A question beyond `MAX_WAITING` is refused at once (QueryLimit, 503) instead of waiting for ever. A process that
    dies (killed by the system for its memory, say) fails its own question only; the next one gets a new pool.
    """

    def __init__(self, folder: Path, processes: int, limits: QueryLimits) -> None:
        self.folder = folder
        self.processes = processes
        self.limits = limits
        self._waiting = 0
        self._executor: ProcessPoolExecutor | None = None

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
        executor = self._running()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, _call, method, arguments, named)
        except BrokenProcessPool:
            if self._executor is executor:
                self._executor = None
            raise QueryLimit(
                "The process that answered this question was ended by the system, most likely for its memory.",
                hint="Ask about a shorter time, or raise the setting query_memory.",
            ) from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the processes; questions still running are given up."""
        if self._executor is not None:
            for process in multiprocessing.active_children():
                if process.name.startswith("SpawnProcess"):
                    process.terminate()
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def _running(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self.processes,
                # Not fork: the web process has threads (journal, event loop) that a forked child would inherit half.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_open,
                initargs=(self.folder, self.limits, os.getpid()),
            )
        return self._executor


# A query process holds one open folder for its whole life: that is its only state.
_analysis: Analysis | None = None


def _open(folder: Path, limits: QueryLimits, parent: int) -> None:
    global _analysis
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process, which then ends this one.
    _end_with(parent)
    _analysis = Analysis(
        folder, memory_limit=limits.memory, threads=limits.threads, max_seconds=limits.seconds
    )


def _call(method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    assert _analysis is not None
    return getattr(_analysis, method)(*arguments, **named)


def _end_with(parent: int) -> None:
    """Make sure that a query process does not outlive a web process that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
