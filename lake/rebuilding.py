"""The writer of a folder that no server is using, with all that waits in the journal in the lake."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from expost.errors import FolderError

from .folder import Folder
from .lock import Holder, Lock, held_by
from .quarantine import rebuild
from .recovery import recover
from .sink import Sink
from .writer import Writer, last_segment

LOOK_SECONDS = 0.05


@contextmanager
def at_rest(folder: Folder) -> Iterator[Writer]:
    """The writer of a folder that no server uses, and none can as long as this is open.

    What a server that was killed left in the journal is in the lake, and what was asked to be rebuilt.
    """
    with _writing(folder) as writer:
        _take(folder, writer)
        yield writer


def see_to(
    folder: Folder, do: Callable[[Writer], object], is_done: Callable[[], bool], patience_seconds: float
) -> Holder | None:
    """Have done what was asked of the writer of the lake: by whoever has the folder, or here as soon as nobody has.

    The others look for it as well, a server ten times a second, an import after each stretch of its rows. Gives who is
    still to do it after so long, `None` where it is done.
    """
    until = time.monotonic() + patience_seconds
    while not is_done():
        holder = held_by(folder.lock_path)
        if holder is None:
            try:
                with at_rest(folder) as writer:
                    do(writer)
                return None
            except FolderError:
                # Somebody may have come in between.
                holder = held_by(folder.lock_path)
                if holder is None:
                    raise
        if time.monotonic() >= until:
            return holder
        time.sleep(LOOK_SECONDS)
    return None


def rebuild_at_rest(folder: Folder) -> Counter[str]:
    """Rebuild what that was asked for, in a folder that no server uses; how many rows of each table came back."""
    with _writing(folder) as writer:
        return _take(folder, writer)


def _take(folder: Folder, writer: Writer) -> Counter[str]:
    """What was lost comes back before what waits is taken, in which it may be sent again: so that is known as such."""
    sink = Sink(folder, writer)
    while writer.is_interrupted and sink.move():
        pass
    rows = rebuild(folder, writer) or Counter()
    drain(folder, writer)
    return rows


@contextmanager
def _writing(folder: Folder) -> Iterator[Writer]:
    lock = Lock(folder.lock_path, "a command")
    try:
        last_segment(folder)
        # Somebody may have lost it: what waited in it is gone, and the rest goes on.
        folder.journal.mkdir(mode=0o700, exist_ok=True)
        recover(folder.journal, folder.rejected)
        with Writer(folder) as writer:
            yield writer
    finally:
        lock.release()


def drain(folder: Folder, writer: Writer) -> int:
    """Move everything that is sealed into the lake; how many groups of segments that were."""
    sink, groups = Sink(folder, writer), 0
    while sink.move():
        groups += 1
    return groups
