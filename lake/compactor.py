"""Compaction of a whole folder: one at a time, and beside the sink as a process that gives way to everything else.

    python -m expost.lake.compactor --data DIR

It ends when its pipe is closed, and at any moment: what it has not committed is as if it had never been written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from expost.clock import wall_clock
from expost.errors import FolderError

from .broken import READ_PROBLEMS
from .compaction import Compacted, Limits, Tell, compact
from .enrichment import enrich_past
from .erasures import waiting
from .folder import Folder, open_folder
from .lock import Lock, find_holder
from .moment import DAY
from .quarantine import note_damage, verify_some
from .schema import TABLES
from .summary import lacks_summaries, room_for_summaries, summarize
from .table import Table

START_BYTES = 64_000_000
"""So much that does not lie in the reading order is worth a compaction at once."""

LONGEST_SECONDS = 86_400
"""However little it is, it is compacted once a day."""

FIRST_LOOK_SECONDS = 60.0
LOOK_SECONDS = 600.0

LEAST_PRIORITY = 19

PATIENCE_SECONDS = 60.0
"""How long at most each round of a compaction waits for erasures."""
ERASURE_LOOK_SECONDS = 0.5


def compact_folder(
    folder: Folder, everything: bool, limits: Limits | None = None, tell: Tell | None = None
) -> list[Compacted]:
    """Compact every table of a folder, a server running or not. Refused while another does it (FolderError)."""
    lock = _lock(folder)
    try:
        tables = {name: Table(folder.lake / name, schema) for name, schema in TABLES.items()}
        compacted = compact(tables, folder.spill, everything, limits, tell, lambda: let_erasures_pass(folder))
        for table in tables.values():
            table.vacuum()
        return compacted
    finally:
        lock.release()


def let_erasures_pass(folder: Folder, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when nobody is left whom the writer of the folder is to erase, or after so long.

    An erasure comes to its end only while no file is in the making, and of a large lake they are all day long.
    """
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until and _is_erasing(folder):
        time.sleep(ERASURE_LOOK_SECONDS)


def _is_erasing(folder: Folder) -> bool:
    # One that fails is tried again after minutes or hours; and where nobody has the folder, nobody tries.
    are_waiting = any(not each.problem for each in waiting(folder))
    return are_waiting and find_holder(folder.lock_path) is not None


def give_way(folder: Folder) -> None:
    """Let this process wait for all others if a server is at work on the folder: what browsers send comes first."""
    if find_holder(folder.lock_path) is not None:
        os.nice(LEAST_PRIORITY)


def enrich_folder(folder: Folder, tell: Callable[[int], None] = lambda _: None) -> int:
    """Judge all events by the rules of this version; how many changed. `tell` is told how many files are left.

    A server may run. Refused while a compaction does (FolderError).
    """
    lock = _lock(folder)
    try:
        return enrich_past(Table(folder.lake / "events", TABLES["events"]), tell)
    finally:
        lock.release()


def summarize_folder(folder: Folder, cache_bytes: int | None = None) -> int:
    """Make the summaries of event files that are missing; how many that were.

    A server may run. Refused while a compaction does (FolderError).
    """
    lock = _lock(folder)
    try:
        return summarize(folder, room_for_summaries(folder, cache_bytes))
    finally:
        lock.release()


class Compactor:
    """Starts a compaction when there is enough to do, and watches over it. `tend` it often, `close` it at the end.

    `say` is for the log, `tell` is told how many seconds each compaction took that came to its end. `cache_bytes`
    bounds what is kept on disk for questions, of which summaries of files are a part.
    """

    def __init__(
        self,
        folder: Folder,
        say: Callable[..., None],
        cache_bytes: int | None = None,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._say = say
        self._tell = tell
        self._began_at: float | None = None
        self._cache_bytes = cache_bytes
        self._look_at = time.monotonic() + FIRST_LOOK_SECONDS
        self._started_at = -float(LONGEST_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None

    def tend(self, find_unsorted_bytes: Callable[[], int]) -> None:
        """See how the running one fares, or whether it is time for one."""
        now = time.monotonic()
        if self._process is not None:
            status = self._process.poll()
            if status is not None:
                self._process = None
                if status:
                    self._say(
                        "not compacted", status=status, hint="It is tried again later. Nothing is lost."
                    )
                elif self._began_at is not None:
                    self._tell(now - self._began_at)
        elif now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            waiting = find_unsorted_bytes()
            is_due = waiting >= START_BYTES or (waiting and now >= self._started_at + LONGEST_SECONDS)
            if is_due or lacks_summaries(self._folder, room_for_summaries(self._folder, self._cache_bytes)):
                self._began_at = now if is_due else None
                if is_due:
                    self._started_at = now
                command = [sys.executable, "-m", "expost.lake.compactor", "--data", str(self._folder.path)]
                if self._cache_bytes is not None:
                    command += ["--cache-bytes", str(self._cache_bytes)]
                command += ["--only-summaries"] * (not is_due)
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def close(self) -> None:
        """End it wherever it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _lock(folder: Folder) -> Lock:
    path = folder.path / "compaction.lock"
    try:
        return Lock(path)
    except FolderError:
        raise FolderError(
            f"Process {find_holder(path) or 'unknown'} is compacting {folder.path} already.",
            hint="Wait until it is done; what it does need not be done twice.",
        ) from None


def main(arguments: Sequence[str] | None = None, pipe: TextIO = sys.stdin) -> None:
    """Compact what is new, judge again what older rules judged, summarize; then end; at once when `pipe` is closed."""
    parser = argparse.ArgumentParser(prog="python -m expost.lake.compactor", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--cache-bytes", type=int, help="what is kept for questions at most")
    parser.add_argument("--only-summaries", action="store_true", help="leave the files as they are")
    chosen = parser.parse_args(arguments)
    folder = open_folder(chosen.data)
    os.nice(LEAST_PRIORITY)

    def listen() -> None:
        pipe.read()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    try:
        if not chosen.only_summaries:
            compact_folder(folder, everything=False)
            enrich_folder(folder)
        summarize_folder(folder, chosen.cache_bytes)
        if not chosen.only_summaries:
            verify_some(folder, wall_clock() // DAY)
    except FolderError as problem:
        sys.exit(f"{problem.message} {problem.hint}")
    except READ_PROBLEMS as problem:
        note_damage(folder, problem)
        raise


if __name__ == "__main__":
    main()
