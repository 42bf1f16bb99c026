"""What stands in the journal, segment by segment, for people who look at it. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .batch import Accepted
from .segment import OPEN, SEALED, STORED, find_header, parts, segment_number
from .sent import read_batch

STATES = {OPEN: "open", SEALED: "sealed", STORED: "stored"}
"""What the end of a segment's name says: written to, waiting for the lake, in the lake."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """One segment: its state, its header, and what its frames hold.

    `version` and `made_at` are `None` where the header is damaged. `unreadable` frames are whole but hold no batch.
    """

    number: int
    state: str
    version: int | None
    made_at: int | None
    size_bytes: int
    frames: int = 0
    events: int = 0
    unreadable: int = 0
    damaged_bytes: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether all of it can be read."""
        return self.version is not None and not self.unreadable and not self.damaged_bytes


def segments(directory: Path) -> list[Path]:
    """Every segment of a journal, in the order of their numbers."""
    found = [path for path in directory.iterdir() if path.suffix in STATES and segment_number(path) >= 0]
    return sorted(found, key=segment_number)


def inspect(path: Path) -> Inspected:
    """Look through one segment. A newer format than this version reads is a FolderError."""
    data = path.read_bytes()
    header = find_header(data)
    frames = events = unreadable = damaged = 0
    for part in parts(data, path):
        if part.is_damage:
            damaged += part.end - part.start
            continue
        frames += 1
        try:
            events += len(read_batch(data[part.start : part.end]).events)
        except (msgspec.MsgspecError, ValueError):
            unreadable += 1
    # A writer may be in the middle of its last frame.
    is_open = path.suffix == OPEN
    return Inspected(
        number=segment_number(path),
        state=STATES[path.suffix],
        version=header.version if header else None,
        made_at=header.made_at if header else None,
        size_bytes=len(data),
        frames=frames,
        events=events,
        unreadable=unreadable,
        damaged_bytes=0 if is_open else damaged,
    )


def inspect_all(directory: Path) -> Iterator[Inspected]:
    """Every segment. One that the sink renames or removes in between is looked for again, or left out."""
    for path in segments(directory):
        for name in (path, path.with_suffix(SEALED), path.with_suffix(STORED)):
            try:
                yield inspect(name)
                break
            except FileNotFoundError:
                continue


def batches(path: Path) -> Iterator[Accepted]:
    """The batches of one segment that can be read."""
    data = path.read_bytes()
    for part in parts(data, path):
        if not part.is_damage:
            try:
                yield read_batch(data[part.start : part.end])
            except (msgspec.MsgspecError, ValueError):
                continue
