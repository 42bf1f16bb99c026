"""A bounded pool of query processes: no question can delay an acknowledgement, and none can take the machine."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expost.errors import Cancelled, QueryLimit, TooManyQuestions, UnknownName
from expost.query.question import Question
from expost.query_process import QueryLimits, QueryProcess, Reply, Request, shared_memory

MAX_WAITING = 32
STOP_SECONDS = 5.0
"""A question that is told to stop says so within this time, or its process is ended."""

GRACE_SECONDS = 10.0
"""A question stops itself at its limit. A process that goes on for so much longer is ended."""


@dataclass(slots=True)
class Running:
    """A question that is being answered, or waits for its turn. `request` names the request of HTTP that asked it."""

    id: str
    what: str
    site: str
    request: str
    asked_at: float
    began_at: float | None = None
    process: QueryProcess | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seconds(self) -> float:
        """For how long it has been running, or waiting."""
        return time.monotonic() - (self.asked_at if self.began_at is None else self.began_at)

    @property
    def progress(self) -> float | None:
        """What share of its present step is done, if that is known."""
        return None if self.process is None else self.process.share()

    def to_json(self) -> dict[str, Any]:
        """What is said of it: no value that was asked for."""
        return {
            "id": self.id,
            "question": self.what,
            "site": self.site or None,
            "state": "waiting" if self.began_at is None else "running",
            "seconds": round(self.seconds, 1),
            "progress": self.progress,
        }


ASKED_BY: ContextVar[str] = ContextVar("asked_by", default="")
"""Names the request that asks, so that a page can say how far its own questions are."""


class QueryPool:
    """Answers questions about one folder in child processes.

    A question beyond `MAX_WAITING` is refused at once (TooManyQuestions, 503) instead of waiting for ever. A process
    that dies (killed by the system for its memory, say) fails its own question only; the next one gets a new process.
    A question whose asker is gone, or that is cancelled, is stopped.
    """

    def __init__(self, folder: Path, processes: int, limits: QueryLimits) -> None:
        self.folder = folder
        self.limits = limits
        self.processes = processes
        self._running: dict[str, Running] = {}
        self._turns = asyncio.Semaphore(processes)
        # Each thread waits for the answer of one process.
        self._threads = ThreadPoolExecutor(processes, "query")
        self._idle: list[QueryProcess] = []
        self._busy: set[QueryProcess] = set()
        self._outdated: set[QueryProcess] = set()
        # What processes share lies in a file, which has to be there before the disk is full.
        self._room = shared_memory()

    async def ask(self, question: Question) -> Any:
        """The answer to a question, or the ExpostError that it raised."""
        return await self.call("ask", question)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What that method of `Analysis` returns, computed in a query process."""
        if len(self._running) >= MAX_WAITING:
            raise TooManyQuestions(len(self._running))
        run = Running(
            uuid.uuid4().hex[:12],
            _what(method, arguments),
            _site(arguments, named),
            ASKED_BY.get(),
            time.monotonic(),
        )
        self._running[run.id] = run
        # In a task of its own, so that a process whose asker is gone is stopped in order and can answer the next one.
        task = asyncio.create_task(self._take_turn(run, (method, arguments, named)))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(task)
        finally:
            run.stop.set()

    def running(self) -> list[Running]:
        """The questions that are being answered or wait, the oldest first."""
        return list(self._running.values())

    def cancel(self, id_: str) -> None:
        """Stop a question: whoever asked it is told Cancelled."""
        if id_ not in self._running:
            raise UnknownName("question", id_, list(self._running), list_with="GET /api/v1/queries")
        self._running[id_].stop.set()

    def renew(self) -> None:
        """End the processes, those that are at a question after their answer: the next question gets a new one.

        What a process remembers of the lake may be of somebody who was erased since.
        """
        for process in self._idle:
            process.end()
        self._idle.clear()
        self._outdated |= self._busy

    def close(self) -> None:
        """End the processes; questions still running are given up."""
        for process in (*self._idle, *self._busy):
            process.end()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take_turn(self, run: Running, request: Request) -> Any:
        try:
            if not await _either(self._turns.acquire(), run.stop):
                raise Cancelled
            try:
                run.began_at = time.monotonic()
                return await self._call(run, request)
            finally:
                self._turns.release()
        finally:
            del self._running[run.id]

    async def _call(self, run: Running, request: Request) -> Any:
        loop = asyncio.get_running_loop()
        if self._idle:
            process = self._idle.pop()
        else:
            process = await loop.run_in_executor(self._threads, QueryProcess, self.folder, self.limits)
        self._busy.add(process)
        run.process = process
        is_sound = False
        try:
            reply = asyncio.ensure_future(loop.run_in_executor(self._threads, process.answer, request))
            error, answer = await self._reply(run, process, reply)
            is_sound = True
        except (EOFError, OSError):
            raise QueryLimit(
                "The process that answered this question was ended by the system, most likely for its memory.",
                hint="Ask about a shorter time, or raise the setting query_memory.",
            ) from None
        finally:
            run.process = None
            self._busy.discard(process)
            if is_sound and process not in self._outdated:
                self._idle.append(process)
            else:
                # It is dead, or does not stop, or is not to remember what it knows.
                process.end()
            self._outdated.discard(process)
        if error is not None:
            raise error
        return answer

    async def _reply(self, run: Running, process: QueryProcess, reply: asyncio.Future[Reply]) -> Reply:
        """What the process says, in time. Stopped, it has a moment to say that it did."""
        seconds = self.limits.seconds + GRACE_SECONDS
        stopped = asyncio.ensure_future(run.stop.wait())
        try:
            either: set[asyncio.Future[Any]] = {reply, stopped}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done() and stopped.done():
                process.stop()
                await asyncio.wait({reply}, timeout=STOP_SECONDS)
        finally:
            stopped.cancel()
        if reply.done():
            return reply.result()
        reply.add_done_callback(lambda done: done.cancelled() or done.exception())
        if run.stop.is_set():
            raise Cancelled
        raise QueryLimit(
            f"The question was stopped after {seconds:g} seconds.",
            hint="Ask about a shorter range, or raise the setting query_seconds.",
        )


async def _either(turn: Coroutine[Any, Any, Any], stop: asyncio.Event) -> bool:
    """Whether it is our turn, and not over before."""
    waiting: asyncio.Future[Any] = asyncio.ensure_future(turn)
    stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not waiting.done():
        waiting.cancel()
    return waiting.done() and not waiting.cancelled()


def _what(method: str, arguments: tuple[Any, ...]) -> str:
    """What is asked, in a word: the kind of the question, or what is done."""
    asked = arguments[0] if arguments and isinstance(arguments[0], Question) else None
    return method.replace("_", " ") if asked is None else type(asked).__name__


def _site(arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    asked = arguments[0] if arguments and isinstance(arguments[0], Question) else None
    return str((named.get("site") if asked is None else asked.site) or "")
