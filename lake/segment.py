"""One file of the journal: a header, then frames, each with its length, its number and a checksum over all of that.

    header   8 bytes "EXPOSTJ\\n", u32 version, u32 CRC-32 of the rest, u64 segment number, u64 made at (µs since 1970)
    frame    4 bytes marker, u32 length, u32 CRC-32 of length, number and payload, u64 frame number, payload

All numbers are little-endian. Frame numbers count from 0 and only grow. The marker is no UTF-8, so no captured text
can hold it, and no body that holds it is kept as it was sent (`collector/accept.py`): behind a damaged stretch the next
good frame is found by looking for it.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from zlib_ng.zlib_ng import crc32

from expost.errors import FolderError

from .disk import Disk, sync

log = logging.getLogger("expost.journal")

VERSION = 2
"""Of the second version a frame may hold a batch as it was sent (`sent.py`)."""

MAGIC = b"EXPOSTJ\n"
MARKER = b"\xff\xfe\xf5\xfc"
MAX_PAYLOAD_BYTES = 32_000_000

HEADER = struct.Struct("<8sIIQQ")
HEADER_REST = struct.Struct("<IQQ")
FRAME = struct.Struct("<4sIIQ")
FRAME_REST = struct.Struct("<IQ")

WRITE_BYTES = 1_000_000
"""A group may hold all that waits for a slow disk; it is not copied as a whole to be written."""

OPEN = ".open"
SEALED = ".sealed"
STORED = ".stored"


class Header(NamedTuple):
    """The first bytes of a segment: the version of its format, its number, when it was made (µs since 1970)."""

    version: int
    number: int
    made_at: int


class Part(NamedTuple):
    """A stretch of a segment: a frame with its number and where its payload is, or damage (`number` is -1)."""

    number: int
    start: int
    end: int

    @property
    def is_damage(self) -> bool:
        """Whether these bytes make no sense."""
        return self.number < 0


class OpenSegment:
    """The file that frames are appended to. Whatever `sync` has returned for is on disk."""

    def __init__(self, directory: Path, number: int, made_at: int, disk: Disk) -> None:
        self.path = directory / f"{number:020}{OPEN}"
        self.number = number
        self.written_bytes = 0
        self.synced_bytes = 0
        self.next_frame = 0
        self._disk = disk
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self._write(header_bytes(number, made_at))
            sync(directory)
        except OSError:
            os.close(self._descriptor)
            self.path.unlink(missing_ok=True)
            raise

    def append(self, payloads: Sequence[bytes]) -> None:
        """Write one frame for each payload. They are on disk after `sync`."""
        pieces: list[bytes] = []
        size = 0
        for number, payload in enumerate(payloads, self.next_frame):
            checksum = crc32(payload, crc32(FRAME_REST.pack(len(payload), number)))
            pieces.append(FRAME.pack(MARKER, len(payload), checksum, number))
            pieces.append(payload)
            size += len(payload)
            if size >= WRITE_BYTES:
                self._write(b"".join(pieces))
                pieces, size = [], 0
        self._write(b"".join(pieces))
        self.next_frame += len(payloads)

    def sync(self) -> None:
        """Return when all that was appended is on disk. A file that somebody deleted counts as a failure."""
        self._disk.sync(self._descriptor)
        if os.fstat(self._descriptor).st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        self.synced_bytes = self.written_bytes

    def close_off(self) -> None:
        """Close the file at its last synced length, after a write or a sync of it has failed."""
        try:
            os.ftruncate(self._descriptor, self.synced_bytes)
        except OSError:
            # What stays behind was not acknowledged: readers skip torn frames, and whole ones are sent again and
            # recognised by their event ids.
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file. Some file systems report late here what a write did; what counts was synced before."""
        with suppress(OSError):
            os.close(self._descriptor)

    def discard(self) -> None:
        """Remove the file, of which nothing is on disk. One that stays is found at the next start."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as problem:
            log.error("%s cannot be removed: %s", self.path, problem)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._disk.write(self._descriptor, rest) :]
        self.written_bytes += len(data)


def segment_number(path: Path) -> int:
    """The number in a file name of the journal's folder, -1 for files that are none of ours."""
    stem = path.name.split(".", 1)[0]
    return int(stem) if len(stem) == 20 and stem.isascii() and stem.isdigit() else -1


def read_segment(
    path: Path, on_damage: Callable[[int, bytes], None] | None = None
) -> Iterator[tuple[int, bytes]]:
    """Frame numbers and payloads in order. Damaged stretches are skipped and told to `on_damage` (offset, bytes)."""
    data = path.read_bytes()
    for part in parts(data, path):
        if not part.is_damage:
            yield part.number, data[part.start : part.end]
        elif on_damage is not None:
            on_damage(part.start, data[part.start : part.end])


def parts(data: bytes, path: Path) -> Iterator[Part]:
    """The frames and the damaged stretches of a segment's bytes, in order; `path` is for the error message.

    A torn end, flipped bits or garbage never raise: they are damage. Only a whole header of a newer format does.
    """
    at = HEADER.size if _has_header(data, path) else 0
    damaged_from = -1
    last = -1
    while at < len(data):
        frame = _frame_at(data, at, last)
        if frame is None:
            if damaged_from < 0:
                damaged_from = at
            found = data.find(MARKER, at + 1)
            at = found if found >= 0 else len(data)
            continue
        if damaged_from >= 0:
            yield Part(-1, damaged_from, at)
            damaged_from = -1
        yield frame
        last, at = frame.number, frame.end
    if damaged_from >= 0:
        yield Part(-1, damaged_from, len(data))


def header_bytes(number: int, made_at: int) -> bytes:
    """The header of a segment in the format that this version writes."""
    checksum = crc32(HEADER_REST.pack(VERSION, number, made_at))
    return HEADER.pack(MAGIC, VERSION, checksum, number, made_at)


def find_header(data: bytes) -> Header | None:
    """What the header of a segment says, `None` where it is damaged."""
    if len(data) < HEADER.size:
        return None
    magic, version, checksum, number, made_at = HEADER.unpack_from(data)
    if magic != MAGIC or checksum != crc32(HEADER_REST.pack(version, number, made_at)):
        return None
    return Header(version, number, made_at)


def _has_header(data: bytes, path: Path) -> bool:
    header = find_header(data)
    if header is not None and header.version > VERSION:
        raise FolderError(
            f"The journal file {path} was written by a newer Expost "
            f"(format {header.version}, this one reads {VERSION}).",
            hint="Install the newer version again: pip install --upgrade expost",
        )
    return header is not None


def _frame_at(data: bytes, at: int, last: int) -> Part | None:
    if len(data) - at < FRAME.size:
        return None
    marker, length, checksum, number = FRAME.unpack_from(data, at)
    start = at + FRAME.size
    if marker != MARKER or number <= last or length > MAX_PAYLOAD_BYTES or start + length > len(data):
        return None
    payload = memoryview(data)[start : start + length]
    if crc32(payload, crc32(FRAME_REST.pack(length, number))) != checksum:
        return None
    return Part(number, start, start + length)
