"""The sink as a child process: started with the server, started again when it dies, ended with the server."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

log = logging.getLogger("expost.sink")

LONGEST_PAUSE_SECONDS = 30.0
DRAIN_SECONDS = 2.5
"""How long the child may take to end: a little more than it goes on moving segments after its pipe was closed."""


class SinkProcess:
    """Keeps one sink running. Its death or delay stops nothing: what it has not stored waits in the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.starts = 0
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the child, and watch over it until `stop`."""
        self._process = await self._spawn()
        self._watch = asyncio.create_task(self._restart_for_ever())

    async def stop(self) -> None:
        """Close the child's pipe, which tells it to finish, and wait a moment for it."""
        if self._watch is not None:
            self._watch.cancel()
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
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "expost.lake.sink",
            "--data",
            str(self.folder),
            stdin=PIPE,
            # A signal to the whole group, such as Ctrl-C, is for the web process: it ends the sink last, in order.
            start_new_session=True,
        )

    async def _restart_for_ever(self) -> None:
        pause = 0.5
        while True:
            assert self._process is not None
            began = asyncio.get_running_loop().time()
            status = await self._process.wait()
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
