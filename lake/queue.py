"""What waits for the disk: payloads that arrive while it is busy, and for a moment after, are taken as one group.

While many arrive, a group is given a few milliseconds to gather: a sync costs as much CPU as reading a batch, however
quick the disk is, and is paid for by all of a group.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from expost.errors import FolderError

from .audience import Audience, Waiter
from .segment import MAX_PAYLOAD_BYTES

FULL_GROUP = 128
"""So many that wait are worth a sync at once, however many senders there are."""

LEAST_FULL_GROUP = 32
"""Fewer than these are never: the sync would cost each of them as much as being read."""

GATHER_SECONDS = 0.004
"""For how long at most a group gathers; a share of what an acknowledgement may take that nobody notices."""

LULL_SECONDS = 0.001
"""A group to which nothing came for so long is not waited with: its senders wait for their answers themselves."""

Seal = concurrent.futures.Future[None]
"""Somebody waits for all that was there before to be handed to the sink."""


class Taken(NamedTuple):
    """What the thread of the journal has to do next: a group, perhaps none, then the seals that were asked for."""

    group: Sequence[Waiter]
    seals: Sequence[Seal]
    is_last: bool


class Queue:
    """Anybody puts payloads into it, and one thread takes them.

    `senders` says how many connections send at the moment, if anybody counts them. Half of them are a group: they are
    synced and answered while the other half is read. Were all of them in one group, nobody would send anything during
    its sync.

    `bytes` is what waits. The queue `is_full` from the first payload on that has no room, until a group is done. Its
    thread `is_idle` while it waits for the first of a group.
    """

    def __init__(self, max_bytes: int) -> None:
        self.senders: Callable[[], int] = _uncounted
        self.bytes = 0
        self.is_full = False
        self.is_idle = False
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._waiting: list[Waiter] = []
        self._seals: list[Seal] = []
        self._is_closing = False
        self._last_group = 0
        self._is_steady = False
        self._full_group = FULL_GROUP

    def put(self, payload: bytes, audience: Audience, sender: object) -> int:
        """Add a payload; how many wait now. Raises FolderError when there is no room for it."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ValueError(f"a payload of {len(payload)} bytes is longer than any batch can be")
        # The lock itself: its condition would take it in a function of its own, for each batch.
        with self._lock:
            if self._is_closing:
                self._refuse_when_closed()
            if self.bytes + len(payload) > self._max_bytes and self.bytes:
                # Until the disk has taken some of it: what is refused must not cost what is kept its time.
                self.is_full = True
                raise self.no_room()
            self.bytes += len(payload)
            self._waiting.append((payload, audience, sender))
            count = len(self._waiting)
            if count == self._full_group:
                self._wake.notify()
            return count

    def has_room(self, payload: bytes) -> bool:
        """Whether this one would be taken beside what waits."""
        return self.bytes + len(payload) <= self._max_bytes

    def no_room(self) -> FolderError:
        """What to say while there is none."""
        return FolderError(
            f"{self.bytes} bytes wait for the disk already.",
            hint="The disk is slower than what arrives; senders come back by themselves.",
        )

    def wake(self) -> None:
        """Let the thread begin with what waits."""
        # A thread that is not idle looks again before it is: it syncs, or lets a group gather.
        with self._wake:
            if self.is_idle:
                self._wake.notify()

    def ask_to_seal(self) -> Seal:
        """Ask for all that was put before to be handed to the sink; the answer says that it was."""
        asked: Seal = concurrent.futures.Future()
        with self._wake:
            self._refuse_when_closed()
            self._seals.append(asked)
            self._wake.notify()
        return asked

    def close(self) -> None:
        """Take nothing any more. What waits is still to be done."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()

    def take(self, seconds_until_due: Callable[[], float | None]) -> Taken:
        """Wait for a group, or for something else to do, at most until that is due; for the one thread that takes."""
        with self._wake:
            until = time.monotonic() + GATHER_SECONDS
            if self._is_steady and not self._has_work():
                # Who filled the last group fills the next: the thread is woken when it is full, and not before.
                self._wake.wait(GATHER_SECONDS)
            if not self._has_work():
                self.is_idle = True
                self._wake.wait(seconds_until_due())
                self.is_idle = False
                until = time.monotonic() + GATHER_SECONDS
            self._gather(until)
            group, self._waiting = self._waiting, []
            seals, self._seals = self._seals, []
            return Taken(group, seals, self._is_closing and not group)

    def finish(self, group: Sequence[Waiter]) -> None:
        """Note that a group does not wait any more."""
        with self._wake:
            self.bytes -= sum([len(payload) for payload, _, _ in group])
            self.is_full = False

    def _refuse_when_closed(self) -> None:
        if self._is_closing:
            raise FolderError("The journal is closed.", hint="The server is stopping; send again later.")

    def _has_work(self) -> bool:
        return bool(self._waiting or self._seals or self._is_closing)

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
            and not (self._seals or self._is_closing)
            and time.monotonic() < until
        ):
            before = len(self._waiting)
            self._wake.wait(wait)
            wait = LULL_SECONDS
        self._is_steady = len(self._waiting) >= self._full_group or len(self._waiting) > before > 0
        self._last_group = len(self._waiting) or self._last_group


def _uncounted() -> int:
    return 2 * FULL_GROUP
