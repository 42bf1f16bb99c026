"""The journal: what was accepted is on disk before it is acknowledged.

Segment files are appended to by one thread. All payloads that wait when the disk is free become one group: one write,
one `fdatasync`, then all their futures are resolved. While many arrive, a group is given a few milliseconds to gather:
a sync costs as much CPU as reading a batch, however quick the disk is, and is paid for by all of a group.
A full or old segment is sealed: renamed from `.open` to
`.sealed`, and from then on it belongs to the sink, which moves it to the lake, renames it to `.stored` and keeps it
for a day (`stored_segments.py`).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from expost.clock import Clock
from expost.errors import FolderError

from .folder import Folder
from .lock import SERVER, Lock
from .recovery import recover
from .segment import (
    MAX_PAYLOAD_BYTES,
    SEALED,
    Disk,
    OpenSegment,
    read_segment,
    segment_number,
    sync_directory,
)

__all__ = ["Journal", "read_segment", "sealed_segments"]

log = logging.getLogger("expost.journal")

Tell = Callable[[Sequence[Any], FolderError | None], None]


class Audience:
    """Senders who hear together what became of a group: `tell` is called once, in `loop` (none: in any thread)."""

    __slots__ = ("loop", "tell")

    def __init__(self, loop: asyncio.AbstractEventLoop | None, tell: Tell) -> None:
        self.loop = loop
        self.tell = tell


Waiter = tuple[bytes, Audience, Any]
"""A payload, the audience that its sender belongs to, and who that is: what `tell` gets of each."""

# Numbers are set apart a thousand at a time, by the name of an empty file, so that one is never used twice even when
# the sink has removed every segment: the lake would take a second segment of a number for one it has already.
RESERVED = ".reserved"
RESERVED_AT_ONCE = 1_000

FULL_GROUP = 128
"""So many that wait are worth a sync at once, however many senders there are."""

LEAST_FULL_GROUP = 32
"""Fewer than these are never: the sync would cost each of them as much as being read."""

GATHER_SECONDS = 0.004
"""For how long at most a group gathers; a share of what an acknowledgement may take that nobody notices."""

LULL_SECONDS = 0.001
"""A group to which nothing came for so long is not waited with: its senders wait for their answers themselves."""

REST_SECONDS = 0.2
"""How long the disk is left alone after a failure, so that a full one is not asked thousands of times a second."""


class Journal:
    """The open journal of one folder; a second one on the same folder is refused (FolderError).

    Opening it recovers what a killed process left: `recovered` says what that was. `after` is the highest segment
    number that the lake knows of.

    `senders` says how many connections send at the moment, if anybody counts them. Half of them are a group: they are
    synced and answered while the other half is read. Were all of them in one group, nobody would send anything during
    its sync.
    """

    def __init__(
        self,
        folder: Folder,
        clock: Clock,
        *,
        seal_age_ms: int = 1_500,
        seal_bytes: int = 16_000_000,
        max_backlog_bytes: int = 64_000_000,
        after: int = 0,
        disk: Disk | None = None,
        work: str = SERVER,
    ) -> None:
        self.directory = folder.journal
        self.failures = 0
        self.groups = 0
        self.frames = 0
        self.senders: Callable[[], int] = _uncounted
        self._clock = clock
        self._seal_age = seal_age_ms / 1_000
        self._seal_bytes = seal_bytes
        self._max_backlog_bytes = max_backlog_bytes
        self._disk = disk or Disk()
        self._lock = Lock(folder.lock_path, work)
        try:
            self.recovered = recover(folder.journal, folder.rejected)
            self._numbers = Numbers(folder.journal, after)
        except BaseException:
            self._lock.release()
            raise
        self._queue_lock = threading.RLock()
        self._wake = threading.Condition(self._queue_lock)
        self._waiting: list[Waiter] = []
        self._futures = THREADS
        self._is_idle = False
        self._last_group = 0
        self._is_steady = False
        self._full_group = FULL_GROUP
        self._backlog_bytes = 0
        self._is_full = False
        self._seals_asked: list[concurrent.futures.Future[None]] = []
        self._is_closing = False
        self._segment: OpenSegment | None = None
        self._segment_since = 0.0
        self._unsealed: list[Path] = []
        self._resting_until = 0.0
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """Why the last group could not be kept, or `None` while all is well."""
        return None if self._problem is None else _reason(self._problem)

    @property
    def backlog_bytes(self) -> int:
        """How much waits for the disk."""
        return self._backlog_bytes

    def check_room(self) -> None:
        """Raise FolderError while there is no room for more: to be asked before a payload is worked on in vain."""
        if self._is_full:
            raise self._no_room()

    def append(self, payload: bytes) -> asyncio.Future[None]:
        """A future that is done when `payload` is on disk, or fails with FolderError when it is not.

        Raises FolderError at once when too much is waiting already.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        # Held here: another loop, in another thread, may put its own in the place of it.
        audience = self._futures
        if audience.loop is not loop:
            audience = self._futures = Audience(loop, _set)
        self._enqueue(payload, audience, future)
        self._wake_up()
        return future

    def append_for(self, payload: bytes, audience: Audience, sender: object) -> None:
        """Have `audience` told of `sender` when `payload` is on disk, with the reason when it is not.

        It is `append` without a future, for many at once: all of a group are told in one call, and the thread is woken
        once for all that the loop finds in one turn, or once for each full group. The audience has a loop. Raises
        FolderError at once when too much is waiting already.
        """
        if self._enqueue(payload, audience, sender) == 1 and self._is_idle and audience.loop:
            audience.loop.call_soon(self._wake_up)

    def write(self, payload: bytes) -> None:
        """Return when `payload` is on disk, for code without an event loop."""
        self.write_all([payload])

    def write_all(self, payloads: Sequence[bytes]) -> None:
        """Return when all of these are on disk: one sync for many."""
        waiting: list[concurrent.futures.Future[None]] = []
        for payload in payloads:
            if waiting and self._backlog_bytes + len(payload) > self._max_backlog_bytes:
                self._wait_for(waiting)
                waiting = []
            future: concurrent.futures.Future[None] = concurrent.futures.Future()
            self._enqueue(payload, THREADS, future)
            waiting.append(future)
        self._wait_for(waiting)

    def seal(self) -> None:
        """Return when all that is acknowledged has been handed to the sink, without waiting for size or age."""
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        with self._wake:
            self._refuse_when_closed()
            self._seals_asked.append(future)
            self._wake.notify()
        future.result()

    def close(self) -> None:
        """Keep what waits, seal, and let go of the folder."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
            self._lock.release()

    def _enqueue(self, payload: bytes, audience: Audience, sender: object) -> int:
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"a payload of {len(payload)} bytes is longer than any batch can be")
        # The lock itself: its condition would take it in a function of its own, for each batch.
        with self._queue_lock:
            if self._is_closing:
                self._refuse_when_closed()
            if self._backlog_bytes + len(payload) > self._max_backlog_bytes and self._backlog_bytes:
                # Until the disk has taken some of it: what is refused must not cost what is kept its time.
                self._is_full = True
                raise self._no_room()
            self._backlog_bytes += len(payload)
            self._waiting.append((payload, audience, sender))
            count = len(self._waiting)
            if count == self._full_group:
                self._wake.notify()
            return count

    def _no_room(self) -> FolderError:
        return FolderError(
            f"{self._backlog_bytes} bytes wait for the disk already.",
            hint="The disk is slower than what arrives; senders come back by themselves.",
        )

    def _wake_up(self) -> None:
        # A thread that is not idle looks again before it is: it syncs, or lets a group gather.
        with self._wake:
            if self._is_idle:
                self._wake.notify()

    def _wait_for(self, futures: Sequence[concurrent.futures.Future[None]]) -> None:
        self._wake_up()
        for future in futures:
            future.result()

    def _refuse_when_closed(self) -> None:
        if self._is_closing:
            raise FolderError("The journal is closed.", hint="The server is stopping; send again later.")

    # The thread

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            with self._wake:
                until = time.monotonic() + GATHER_SECONDS
                if self._is_steady and not self._has_work():
                    # Who filled the last group fills the next: the thread is woken when it is full, and not before.
                    self._wake.wait(GATHER_SECONDS)
                if not self._has_work():
                    self._is_idle = True
                    self._wake.wait(self._seconds_until_due())
                    self._is_idle = False
                    until = time.monotonic() + GATHER_SECONDS
                self._gather(until)
                group, self._waiting = self._waiting, []
                seals, self._seals_asked = self._seals_asked, []
                is_closing = self._is_closing and not group
            if group:
                self._commit(group)
            if self._segment and (seals or is_closing or self._seconds_until_due() == 0):
                self._seal()
            if self._unsealed:
                self._seal_again()
            for seal in seals:
                seal.set_result(None)

    def _has_work(self) -> bool:
        return bool(self._waiting or self._seals_asked or self._is_closing)

    def _gather(self, until: float) -> None:
        """Wait for more of a group, unless its senders are so few that they wait for nothing but each other."""
        self._full_group = min(max(self.senders() // 2, LEAST_FULL_GROUP), FULL_GROUP)
        # To look for a lull costs as much as reading some of a batch. When the last group had none, it is looked for
        # at the end.
        wait = GATHER_SECONDS - LULL_SECONDS if self._is_steady else LULL_SECONDS
        before = 0
        while (
            before < len(self._waiting) < self._full_group
            and (self._last_group > 1 or len(self._waiting) > 1)
            and not (self._seals_asked or self._is_closing)
            and time.monotonic() < until
        ):
            before = len(self._waiting)
            self._wake.wait(wait)
            wait = LULL_SECONDS
        self._is_steady = len(self._waiting) >= self._full_group or len(self._waiting) > before > 0
        self._last_group = len(self._waiting) or self._last_group

    def _seconds_until_due(self) -> float | None:
        if self._segment is None:
            return 1.0 if self._unsealed else None
        if self._segment.written_bytes >= self._seal_bytes:
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
        with self._wake:
            self._backlog_bytes -= sum([len(payload) for payload, _, _ in group])
            self._is_full = False
        _tell(group, error)

    def _keep(self, payloads: Sequence[bytes]) -> None:
        if self._segment is None:
            # Whoever serves a folder that took the place of this one counts its segments from another number on.
            self._lock.check()
            self._segment = OpenSegment(self.directory, self._numbers.take(), self._clock(), self._disk)
            self._segment_since = time.monotonic()
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
                self._unsealed.append(segment.path)
            else:
                _remove(segment.path)
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
        self._unsealed.append(segment.path)

    def _seal_again(self) -> None:
        left = []
        for path in self._unsealed:
            try:
                path.rename(path.with_suffix(SEALED))
                sync_directory(self.directory)
            except FileNotFoundError:
                if self.directory.is_dir():
                    log.error("%s was removed by somebody before it was in the lake", path)
                else:
                    # A disk that went away may come back with all that is on it.
                    left.append(path)
            except OSError as problem:
                log.error("%s cannot be handed to the lake yet: %s", path, problem)
                left.append(path)
        self._unsealed = left


class Numbers:
    """Segment numbers of one folder, rising, none twice, whatever was removed from the folder in between."""

    def __init__(self, directory: Path, after: int) -> None:
        self._directory = directory
        known = [segment_number(path) for path in directory.iterdir()]
        self._last = max([after, 0, *known])
        self._reserved = self._last

    def take(self) -> int:
        """The next number. Raises OSError when the disk does not take a new reservation."""
        if self._last >= self._reserved:
            self._reserve(self._last + RESERVED_AT_ONCE)
        self._last += 1
        return self._last

    def _reserve(self, until: int) -> None:
        path = self._directory / f"{until:020}{RESERVED}"
        path.touch(mode=0o600)
        sync_directory(self._directory)
        self._reserved = until
        for older in self._directory.glob(f"*{RESERVED}"):
            if segment_number(older) < until:
                _remove(older)


def sealed_segments(directory: Path) -> list[Path]:
    """Segments that are ready for the lake, in order."""
    return sorted(path for path in directory.glob(f"*{SEALED}") if segment_number(path) >= 0)


def _uncounted() -> int:
    return 2 * FULL_GROUP


def _reason(problem: Exception) -> str:
    return problem.strerror or str(problem) if isinstance(problem, OSError) else repr(problem)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        log.error("%s cannot be removed: %s", path, problem)


def _tell(group: Sequence[Waiter], error: FolderError | None) -> None:
    # There is one audience, or two: to sort senders by theirs one after the other would cost each of them.
    for audience in {audience for _, audience, _ in group}:
        senders = [sender for _, its_audience, sender in group if its_audience is audience]
        if audience.loop is None:
            audience.tell(senders, error)
            continue
        try:
            # One wake-up of the loop a group, not one a request.
            audience.loop.call_soon_threadsafe(audience.tell, senders, error)
        except RuntimeError:
            log.warning("%d senders were gone before their answer", len(senders))


def _set(
    futures: Sequence[asyncio.Future[None] | concurrent.futures.Future[None]], error: FolderError | None
) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(FolderError(error.message, hint=error.hint))


THREADS = Audience(None, _set)
"""Those who wait in a thread of their own, for a future."""
