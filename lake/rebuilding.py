"""The writer of a folder that no server is using, with all that waits in the journal in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .folder import Folder
from .lock import Lock
from .recovery import recover
from .sink import Sink
from .writer import Writer, last_segment


@contextmanager
def at_rest(folder: Folder) -> Iterator[Writer]:
    """The writer of a folder that no server uses, and none can as long as this is open.

    What a server that was killed left in the journal is in the lake.
    """
    lock = Lock(folder.lock_path)
    try:
        last_segment(folder)
        # Somebody may have lost it: what waited in it is gone, and the rest goes on.
        folder.journal.mkdir(mode=0o700, exist_ok=True)
        recover(folder.journal, folder.rejected)
        with Writer(folder) as writer:
            drain(folder, writer)
            yield writer
    finally:
        lock.release()


def drain(folder: Folder, writer: Writer) -> int:
    """Move everything that is sealed into the lake; how many groups of segments that were."""
    sink, groups = Sink(folder, writer), 0
    while sink.move():
        groups += 1
    return groups
