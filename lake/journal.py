"""The journal: what was accepted is on disk before it is acknowledged.

Segment files are appended to by one thread. All payloads that wait when the disk is free become one group (`queue.py`):
one write, one `fdatasync`, then all their senders are told (`audience.py`). A full or old segment is sealed: renamed
from `.open` to `.sealed`, and from then on it belongs to the sink, which moves it to the lake, renames it to `.stored`
and keeps it for a day (`stored_segments.py`).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from expost.clock import Clock
from expost.errors import FolderError

from .audience import THREADS, Audience, Waiter, settle, tell_all
from .disk import Disk, sync
from .folder import Folder
from .lock import SERVER, Lock
from .queue import Queue
from .recovery import recover
from .segment import SEALED, STORED, OpenSegment, segment_number
from .segment_numbers import Numbers
from .sent import bytes_to_read

log = logging.getLogger("expost.journal")

REST_SECONDS = 0.2
"""How long the disk is left alone after a failure, so that a full one is not asked thousands of times a second."""


MOST_UNPACKED = 2
"""A segment that unpacks to more times the size at which it is sealed is sealed before it has that size.

The sink has all of a segment in memory at once. What pages send of clicks unpacks to between two and four times its
size, what somebody makes up to eight.
"""


class Journal:
    """The open journal of one folder; a second one on the same folder is refused (FolderError).

    Opening it recovers what a killed process left: `recovered` says what that was. `after` is the highest segment
    number that the lake knows of. `queue` is what waits for the disk.
    """

    def __init__(
        self,
        folder: Folder,
        clock: Clock,
        *,
        seal_age_ms: int = 1_500,
        seal_bytes: int = 8_000_000,
        max_backlog_bytes: int = 64_000_000,
        after: int = 0,
        disk: Disk | None = None,
        work: str = SERVER,
    ) -> None:
        self.directory = folder.journal
        self.failures = 0
        self.groups = 0
        self.frames = 0
        self.queue = Queue(max_backlog_bytes)
        self._clock = clock
        self._seal_age = seal_age_ms / 1_000
        self._seal_bytes = seal_bytes
        self._disk = disk or Disk()
        self._lock = Lock(folder.lock_path, work)
        try:
            self.recovered = recover(folder.journal, folder.rejected)
            self._numbers = Numbers(folder.journal, after)
        except BaseException:
            self._lock.release()
            raise
        self._futures = THREADS
        self._segment: OpenSegment | None = None
        self._bytes_to_read = 0
        self._segment_since = 0.0
        # What is to be sealed, each with what was said last of why it is not.
        self._unsealed: dict[Path, str] = {}
        self._resting_until = 0.0
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """Why the last group could not be kept, or `None` while all is well."""
        return None if self._problem is None else _reason(self._problem)

    def check_room(self) -> None:
        """Raise FolderError while there is no room for more: to be asked before a payload is worked on in vain."""
        if self.queue.is_full:
            raise self.queue.no_room()

    def append(self, payload: bytes) -> asyncio.Future[None]:
        """A future that is done when `payload` is on disk, or fails with FolderError when it is not.

        Raises FolderError at once when too much is waiting already.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        # Held here: another loop, in another thread, may put its own in the place of it.
        audience = self._futures
        if audience.loop is not loop:
            audience = self._futures = Audience(loop, settle)
        self.queue.put(payload, audience, future)
        self.queue.wake()
        return future

    def append_for(self, payload: bytes, audience: Audience, sender: object) -> None:
        """Have `audience` told of `sender` when `payload` is on disk, with the reason when it is not.

        It is `append` without a future, for many at once: all of a group are told in one call, and the thread is woken
        once for all that the loop finds in one turn, or once for each full group. The audience has a loop. Raises
        FolderError at once when too much is waiting already.
        """
        queue = self.queue
        if queue.put(payload, audience, sender) == 1 and queue.is_idle and audience.loop:
            audience.loop.call_soon(queue.wake)

    def write(self, payload: bytes) -> None:
        """Return when `payload` is on disk, for code without an event loop."""
        self.write_all([payload])

    def write_all(self, payloads: Sequence[bytes]) -> None:
        """Return when all of these are on disk: one sync for many."""
        waiting: list[concurrent.futures.Future[None]] = []
        for payload in payloads:
            if waiting and not self.queue.has_room(payload):
                self._wait_for(waiting)
                waiting = []
            future: concurrent.futures.Future[None] = concurrent.futures.Future()
            self.queue.put(payload, THREADS, future)
            waiting.append(future)
        self._wait_for(waiting)

    def seal(self) -> None:
        """Return when all that is acknowledged has been handed to the sink, without waiting for size or age."""
        self.queue.ask_to_seal().result()

    def close(self) -> None:
        """Keep what waits, seal, and let go of the folder."""
        self.queue.close()
        if self._thread.is_alive():
            self._thread.join()
            self._lock.release()

    def _wait_for(self, futures: Sequence[concurrent.futures.Future[None]]) -> None:
        self.queue.wake()
        for future in futures:
            future.result()

    # The thread

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, seals, is_last = self.queue.take(self._seconds_until_due)
            if group:
                self._commit(group)
            if self._segment and (seals or is_last or self._seconds_until_due() == 0):
                self._seal()
            if self._unsealed:
                self._seal_again()
            for seal in seals:
                seal.set_result(None)

    def _seconds_until_due(self) -> float | None:
        if self._segment is None:
            return 1.0 if self._unsealed else None
        if self._segment.written_bytes >= self._seal_bytes:
            return 0
        if self._bytes_to_read >= MOST_UNPACKED * self._seal_bytes:
            return 0
        return max(0, self._segment_since + self._seal_age - time.monotonic())

    def _commit(self, group: Sequence[Waiter]) -> None:
        error: FolderError | None = None
        if self._problem is not None and time.monotonic() < self._resting_until:
            error = self._refusal(self._problem)
        else:
            try:
                self._keep([payload for payload, _, _ in group])
            except Exception as problem:  # noqa: BLE001 (whatever it is, these senders hear of it and the thread goes on)
                self._fail(problem)
                error = self._refusal(problem)
        self.queue.finish(group)
        tell_all(group, error)

    def _keep(self, payloads: Sequence[bytes]) -> None:
        if self._segment is None:
            # Whoever serves a folder that took the place of this one counts its segments from another number on.
            self._lock.check()
            self._segment = OpenSegment(self.directory, self._numbers.take(), self._clock(), self._disk)
            self._segment_since = time.monotonic()
            self._bytes_to_read = 0
        self._bytes_to_read += sum(map(bytes_to_read, payloads))
        self._segment.append(payloads)
        self._segment.sync()
        self.groups += 1
        self.frames += len(payloads)
        if self._problem is not None:
            log.warning("the disk of %s takes data again", self.directory)
            self._problem = None

    def _fail(self, problem: Exception) -> None:
        # After a failed fsync the kernel may have dropped the pages and call the next one good: never the same file.
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close_off()
            if segment.synced_bytes:
                self._unsealed[segment.path] = ""
            else:
                segment.discard()
        if self._problem is None:
            log.error("the disk of %s does not take data: %s", self.directory, problem)
        self._resting_until = time.monotonic() + REST_SECONDS
        self.failures += 1
        self._problem = problem

    def _refusal(self, problem: Exception) -> FolderError:
        return FolderError(
            f"The disk of {self.directory} does not take what arrives: {_reason(problem)}.",
            hint=self._next_step(problem),
        )

    def _next_step(self, problem: Exception) -> str:
        if not self.directory.is_dir():
            return "Put the folder back where it was: what was acknowledged is in it. Senders come back."
        if isinstance(problem, OSError) and problem.errno == errno.ESTALE:
            return "Stop this server and start one on the new folder. What it acknowledged is in the old one."
        return "Nothing that was acknowledged is lost. Make room or mend the disk; senders come back."

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        assert segment is not None
        segment.close()
        self._unsealed[segment.path] = ""

    def _seal_again(self) -> None:
        left = {}
        for path, said in self._unsealed.items():
            was_there = self.directory.is_dir()
            try:
                self._hand_over(path)
            except FileNotFoundError:
                if was_there and self.directory.is_dir():
                    log.error("%s was removed by somebody before it was in the lake", path)
                else:
                    # A disk that went away may come back with all that is on it, and did so perhaps at this moment.
                    left[path] = said
            except OSError as problem:
                left[path] = str(problem)
                if left[path] != said:
                    log.error("%s cannot be handed to the lake yet: %s", path, problem)
        self._unsealed = left

    def _hand_over(self, path: Path) -> None:
        """Seal a segment, durably. FileNotFoundError where it is gone."""
        if path.exists():
            path.rename(path.with_suffix(SEALED))
        elif not any(path.with_suffix(state).exists() for state in (SEALED, STORED)):
            raise FileNotFoundError(path)
        # Where this fails it has its new name already, and the sink may have been at it.
        sync(self.directory)


def sealed_segments(directory: Path) -> list[Path]:
    """Segments that are ready for the lake, in order."""
    return sorted(path for path in directory.glob(f"*{SEALED}") if segment_number(path) >= 0)


def _reason(problem: Exception) -> str:
    return problem.strerror or str(problem) if isinstance(problem, OSError) else repr(problem)
