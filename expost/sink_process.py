"""The sink as a child process: started with the server, started again when it dies, ended with the server."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from expost.clock import Clock, wall_clock
from expost.collector.tally import SECONDS, Histogram
from expost.errors import ExpostError
from expost.lake.moment import DAY

log = logging.getLogger("expost.sink")

COMPACTION_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0)
SINK = "import gc, os; gc.disable(); os.setpgid(0, 0); from expost.lake.sink_life import main; main()"
"""What the child runs, in a group of its own. It collects garbage in quiet moments only, so not while it loads either.

A signal to the whole group, such as Ctrl-C, is for the web process: it ends the sink last, in order. But the session is
the same, because Linux shares the processors among sessions first (`sched_autogroup`), and between two of them
priorities count for nothing: a busy sink, or the compaction that it starts, would keep acknowledgements waiting.
"""

LONGEST_PAUSE_SECONDS = 30.0
DRAIN_SECONDS = 2.5
"""How long the child may take to end: a little more than it goes on moving segments after its pipe was closed."""
LOOK_SECONDS = 60.0
"""How often it is looked whether a new day has begun."""


class SinkProcess:
    """Keeps one sink running. Its death or delay stops nothing: what it has not stored waits in the journal.

    At each start of it, and when a day (UTC) begins, it is told the months that `keep_months` says, site by site.
    `when_erased` is called when it has erased somebody, and when it ended: it may have, without a word.
    """

    def __init__(
        self,
        folder: Path,
        keep_months: Callable[[], Mapping[str, int | None]],
        clock: Clock = wall_clock,
        cache_bytes: int | None = None,
        when_erased: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = folder
        self.cache_bytes = cache_bytes
        self._when_erased = when_erased
        self.starts = 0
        self.stored_before = 0
        """Events that came again and were in the lake already."""
        self.conflicts = 0
        """Those of them that said something else, as far as that is remembered."""
        self.timings = {"commit": Histogram(SECONDS), "compaction": Histogram(COMPACTION_SECONDS)}
        """How long what the child does takes, under the names that it says."""
        self._keep_months = keep_months
        self._clock = clock
        self._told_on = -1
        self._process: Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_running(self) -> bool:
        """Whether the child lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the child, and watch over it until `stop`."""
        self._process = await self._spawn()
        self._tasks = [
            asyncio.create_task(self._restart_for_ever()),
            asyncio.create_task(self._tell_every_day()),
        ]

    async def stop(self) -> None:
        """Close the child's pipe, which tells it to finish, and wait a moment for it."""
        for task in self._tasks:
            task.cancel()
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), DRAIN_SECONDS)
        except TimeoutError:
            # Whatever it was doing is done again at the next start: a segment is removed only after its commit.
            process.kill()
            await process.wait()

    async def _spawn(self) -> Process:
        self.starts += 1
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SINK,
            "--data",
            str(self.folder),
            *([] if self.cache_bytes is None else ["--cache-bytes", str(self.cache_bytes)]),
            stdin=PIPE,
            stdout=PIPE,
        )
        self._tell(process)
        self._listening = asyncio.create_task(self._listen(process))
        return process

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            try:
                self._hear(json.loads(line))
            except (ValueError, KeyError, TypeError):
                log.warning("the sink said what is not understood: %r", line[:200])

    def _hear(self, said: Mapping[str, Any]) -> None:
        """Take what the child says.

        `{"took": "commit", "seconds": 0.1}` and `{"stored_before": 3, "conflicts": 1}` are counted, `{"erased": 1}` is
        passed on.
        """
        if "erased" in said:
            self._when_erased()
            return
        if "stored_before" in said:
            self.stored_before += int(said["stored_before"])
            self.conflicts += int(said.get("conflicts", 0))
            return
        timing = self.timings.setdefault(str(said["took"]), Histogram(SECONDS))
        timing.observe(float(said["seconds"]))

    def _tell(self, process: Process) -> None:
        """Let the child remove what is older than it is to be kept."""
        self._told_on = self._clock() // DAY
        try:
            line = json.dumps({"keep_months": dict(self._keep_months())})
        except ExpostError as problem:
            log.error("nothing is removed today: %s %s", problem.message, problem.hint)
            return
        assert process.stdin is not None
        # One that has just died is told at its next start.
        if not process.stdin.is_closing():
            process.stdin.write(line.encode() + b"\n")

    async def _tell_every_day(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._process is not None and self._clock() // DAY != self._told_on:
                self._tell(self._process)

    async def _restart_for_ever(self) -> None:
        pause = 0.5
        while True:
            assert self._process is not None
            began = asyncio.get_running_loop().time()
            status = await self._process.wait()
            self._when_erased()
            lived = asyncio.get_running_loop().time() - began
            pause = 0.5 if lived > LONGEST_PAUSE_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            log.error(
                "the sink ended with status %s; it starts again in %.0f s, nothing is lost", status, pause
            )
            await asyncio.sleep(pause)
            while True:
                try:
                    self._process = await self._spawn()
                    break
                except OSError as problem:
                    log.error("the sink cannot be started: %s", problem)
                    await asyncio.sleep(LONGEST_PAUSE_SECONDS)
