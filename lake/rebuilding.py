"""A lake rebuilt, or filled up, from what the journal still holds. For a folder that no server is using."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from .batch import Accepted
from .folder import Folder
from .inspection import batches
from .lock import Lock
from .recovery import recover
from .sink import GROUP_BYTES, Sink
from .stored_segments import stored_segments
from .writer import Writer, last_segment


@contextmanager
def at_rest(folder: Folder) -> Iterator[Writer]:
    """The writer of a folder that no server uses, and none can as long as this is open.

    What a server that was killed left in the journal is in the lake.
    """
    lock = Lock(folder.lock_path)
    try:
        last_segment(folder)
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


def replay_stored(folder: Folder, writer: Writer, segments: Sequence[Path] | None = None) -> Counter[str]:
    """Store again what the stored segments hold and the lake has lost; how many rows of each table that were."""
    appended: Counter[str] = Counter()
    for group in _groups(stored_segments(folder.journal) if segments is None else segments):
        appended.update(writer.replay(_accepted(group)))
    return appended


def _accepted(segments: Sequence[Path]) -> Iterator[Accepted]:
    return chain.from_iterable(batches(segment) for segment in segments)


def _groups(segments: Sequence[Path]) -> Iterator[Sequence[Path]]:
    group: list[Path] = []
    total = 0
    for segment in segments:
        size = segment.stat().st_size
        if group and total + size > GROUP_BYTES:
            yield group
            group, total = [], 0
        group.append(segment)
        total += size
    if group:
        yield group
