"""The process of the sink: `python -m expost.lake.sink_life --data DIR`. It moves sealed segments into the lake.

It is the child of the serving process and ends when that closes the pipe to it. A line in the pipe, such as
`{"keep_months": {"my-shop": 25, "my-blog": null}}`, lets it remove what is older, once. On standard
output it says how long things took, for `/metrics`, and when somebody was erased; what is wrong is one JSON line on
standard error.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TextIO

import msgspec

from expost.errors import FolderError

from .broken import noted_broken
from .compactor import Compactor
from .folder import Folder, open_folder
from .lost_entries import bring_back
from .patience import Patience
from .quarantine import note_damage, set_aside_noted
from .sink import Order, Orders, Sink
from .sink_log import in_words, log, say, tell
from .writer import Writer

POLL_SECONDS = 0.1

PRIORITY = 5
"""As `nice` counts, and as query processes have it: what browsers send is acknowledged first."""

RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)

LOOK_EVERY = 30
"""At the first failure in a row, and at each so manyth, all files of the lake are read to find broken ones."""

COLLECT_SECONDS = 30.0
"""So long after the last segment there is time to collect garbage."""

DRAIN_SECONDS = 2.0
"""After the pipe was closed, what is sealed still goes to the lake for so long."""

_decode_order = msgspec.json.Decoder(Order).decode


def run(folder: Folder, stop: threading.Event, orders: Orders, cache_bytes: int | None = None) -> None:
    """Move segments until `stop` is set and, for a moment longer, what is still sealed then."""
    with closing(Compactor(folder, log, cache_bytes, partial(tell, "compaction"))) as compactor:
        Life(folder, stop, orders, compactor).run()


class Life:
    """How a sink lives: with one writer after the other, each as long as nothing goes wrong with it."""

    def __init__(self, folder: Folder, stop: threading.Event, orders: Orders, compactor: Compactor) -> None:
        self._folder = folder
        self._stop = stop
        self._orders = orders
        self._compactor = compactor
        self._patience = Patience()
        self._failures = 0
        self._ends_at = self._collect_at = math.inf

    def run(self) -> None:
        """Live until `stop` is set, and then to the end of what is sealed, or of the time for that."""
        while not self._is_over():
            try:
                _set_aside_noted(self._folder)
                with Writer(self._folder) as writer:
                    _catch_up(self._folder)
                    self._use(writer)
            except Exception as problem:  # noqa: BLE001 - a full disk, another writer: say so, then read everything anew
                if self._stop.wait(self._fail(problem)):
                    return

    def _use(self, writer: Writer) -> None:
        """Do all that is to be done, as long as this writer is of use."""
        sink = Sink(self._folder, writer, self._patience, say)
        while not self._is_over() and not noted_broken(self._folder):
            writer.check()
            if self._stop.is_set():
                self._ends_at = min(self._ends_at, time.monotonic() + DRAIN_SECONDS)
            elif not sink.carry_out(self._orders):
                return
            else:
                sink.edit()
                sink.rebuild()
                self._compactor.tend(writer.unsorted_bytes)
            self._move(sink)
            # After what waits: one that fails again and again keeps no event out of the lake.
            if not self._stop.is_set() and not sink.erase():
                return

    def _move(self, sink: Sink) -> None:
        """Move what is sealed, or rest for a moment."""
        began = time.monotonic()
        if sink.move():
            tell("commit", time.monotonic() - began)
            self._failures = 0
            self._collect_at = time.monotonic() + COLLECT_SECONDS
        elif self._stop.wait(POLL_SECONDS):
            self._ends_at = time.monotonic()
        elif time.monotonic() > self._collect_at:
            gc.collect()
            self._collect_at = math.inf

    def _fail(self, problem: Exception) -> float:
        """Say what went wrong; for how many seconds to leave the lake alone."""
        pause = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        if self._failures == 1 or self._failures % LOOK_EVERY == 0:
            note_damage(self._folder, problem)
        hint = problem.hint if isinstance(problem, FolderError) else ""
        log("failed", error=in_words(problem), hint=hint, retry_after_seconds=pause)
        return pause

    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_at


def _catch_up(folder: Folder) -> None:
    """Let all that the journal still holds of entries that a log has lost come to the lake again."""
    lost = bring_back(folder)
    if lost.segments:
        log("moved again", segments=lost.segments, hint="The log of events has lost its last entries.")
    if lost.tables:
        hint = "These logs have lost their last entries. What the journal still holds is stored again."
        log("behind", tables=lost.tables, hint=hint)


def _set_aside_noted(folder: Folder) -> None:
    """Go on without the files that nobody can read. The next writer stores again what the journal holds of them."""
    for file in set_aside_noted(folder):
        hint = "It is in quarantine/ now, and questions go on without it."
        log("set aside", table=file.table, file=file.name, reason=file.reason, hint=hint)


def main(arguments: Sequence[str] | None = None, pipe: TextIO = sys.stdin) -> None:
    """Run until `pipe` is closed."""
    parser = argparse.ArgumentParser(prog="python -m expost.lake.sink_life", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--cache-bytes", type=int, help="what is kept for questions at most")
    chosen = parser.parse_args(arguments)
    try:
        # Not made if missing: whoever starts this process made it, and a deleted folder must not come back empty.
        folder = open_folder(chosen.data)
    except FolderError as problem:
        sys.exit(f"{problem.message} {problem.hint}")
    # Ctrl-C in a terminal reaches every process of the group; this one ends after its parent. In a group of its own it
    # would be stopped for what it writes to a terminal that allows that to one group only (`stty tostop`).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.nice(PRIORITY)
    # Batches are trees of many small objects without cycles: walking them costs more than all the work on them.
    gc.disable()
    stop = threading.Event()
    orders: Orders = deque(maxlen=1)

    def listen() -> None:
        for line in pipe:
            try:
                orders.append(_decode_order(line))
            except msgspec.MsgspecError as problem:
                log("not understood", error=in_words(problem), line=line[:200])
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    run(folder, stop, orders, chosen.cache_bytes)


if __name__ == "__main__":
    main()
