"""Who hears what became of a payload: those who wait in one event loop are told of a whole group in one call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Sequence
from typing import Any

from expost.errors import FolderError

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


def tell_all(group: Sequence[Waiter], error: FolderError | None) -> None:
    """Tell all senders of a group that their payloads are on disk, or why they are not."""
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


def settle(
    futures: Sequence[asyncio.Future[None] | concurrent.futures.Future[None]], error: FolderError | None
) -> None:
    """What tells those who wait for futures."""
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(FolderError(error.message, hint=error.hint))


THREADS = Audience(None, settle)
"""Those who wait in a thread of their own, for a future."""
