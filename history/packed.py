"""What lies in export files, as streams of text and the lines or array items of those, however it is packed.

What a file is its first bytes say: gzip, zip (of whatever files are in it, packed once more or not), Parquet, or text.
"""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from .foreign import Unusable

GZIP, ZIP, PARQUET, BZ2, XZ = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"BZh", b"\xfd7zXZ"
ZSTD = b"\x28\xb5\x2f\xfd"
OTHERS = {BZ2: "bzip2", XZ: "xz", ZSTD: "zstd"}
BOM = b"\xef\xbb\xbf"
UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
MAX_LINE_BYTES = 4_000_000
"""A longer line is no event: it is passed over, and takes nothing else with it."""

PIECE = 65_536
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowInvalid)
UNREADABLE_ZIP = (*DAMAGED, RuntimeError, NotImplementedError)
"""Also what zips raise that ask for a password or are packed in a way of their own."""

Lines = Iterator[tuple[int, bytes | Unusable]]


Stream = io.BufferedReader | None | Unusable
"""A text in UTF-8, nothing for a Parquet file, or why it cannot be opened."""


def streams_of(path: Path) -> Iterator[tuple[str, Stream]]:
    """Each text in a file with its name."""
    with path.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        if magic[:4] == PARQUET:
            yield path.name, None
        elif magic[:4] == ZIP:
            yield from _members(path)
        else:
            with _unpacked(file, magic, path.name) as stream:
                yield path.name, stream


def damaged(name: str, problem: Exception) -> Unusable:
    """That a file ends before its end."""
    return Unusable(
        f"{name} is damaged from here on: {problem}",
        hint="Export or copy it anew and import it again: what is stored already is not stored twice.",
    )


def _members(path: Path) -> Iterator[tuple[str, Stream]]:
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                base = member.filename.rpartition("/")[2]
                if member.is_dir() or base.startswith((".", "__")) or "__MACOSX" in member.filename:
                    continue
                name = f"{path.name}/{member.filename}"
                with archive.open(member) as packed:
                    magic = packed.read(6)
                if magic[:4] == PARQUET:
                    yield (
                        name,
                        Unusable("it is Parquet in a zip", hint="Unpack the zip and import what was in it."),
                    )
                    continue
                with archive.open(member) as packed, _unpacked(packed, magic, name) as stream:
                    yield name, stream
    except UNREADABLE_ZIP as problem:
        yield (
            name,
            Unusable(
                f"{name} cannot be read as a zip: {problem}",
                hint="Export or copy it anew, or unpack it yourself and import the folder.",
            ),
        )


@contextmanager
def _unpacked(file: IO[bytes], magic: bytes, name: str) -> Iterator[io.BufferedReader | Unusable]:
    other = next((OTHERS[each] for each in OTHERS if magic.startswith(each)), None)
    if magic[:2] == GZIP:
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield _as_utf_8(io.BufferedReader(unpacked))
    elif other is not None:
        yield Unusable(f"{name} is packed as {other}", hint="Unpack it first; gzip and zip are read.")
    else:
        # What it needs of a stream files and members of zips have, whatever they are declared as.
        yield _as_utf_8(io.BufferedReader(cast("io.RawIOBase", file)))


def _as_utf_8(stream: io.BufferedReader) -> io.BufferedReader:
    """The stream, recoded where its first bytes say that it is UTF-16, as spreadsheets save it."""
    try:
        first = stream.peek(2)[:2]
    except DAMAGED:
        # Whoever reads it says so, with the line.
        return stream
    name = UTF_16.get(first)
    return stream if name is None else io.BufferedReader(_Recoded(stream, name))


class _Recoded(io.RawIOBase):
    """A stream of another encoding as UTF-8; what cannot be decoded stands as U+FFFD."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there is something."""
        while not self._rest:
            piece = self._stream.read(PIECE)
            self._rest = self._decode(piece, not piece).encode("utf-8", "replace")
            if not piece:
                break
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def lines_of(stream: io.BufferedReader, name: str) -> Lines:
    """Numbered lines without their ends. The last one is a reason where the file is damaged from there on."""
    number = 0
    try:
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                size = len(line)
                while rest := stream.readline(MAX_LINE_BYTES):
                    size += len(rest)
                    if rest.endswith(b"\n"):
                        break
                yield number, _too_long("line", size)
                continue
            yield number, line.removeprefix(BOM) if number == 1 else line
    except DAMAGED as problem:
        yield number + 1, damaged(name, problem)


def _too_long(noun: str, size: int) -> Unusable:
    return Unusable(
        f"its {noun} has {size:,} bytes, and at most {MAX_LINE_BYTES:,} are read",
        hint="Events are small: look whether line ends are missing, or leave a large column out of the export.",
    )


def is_array(stream: io.BufferedReader) -> bool:
    """Whether a text is one JSON array of objects."""
    try:
        text = stream.peek(PIECE).removeprefix(BOM).lstrip()
    except DAMAGED:
        return False
    # A line that is an array of numbers, say, is one line that is no object.
    return text[:1] == b"[" and text[1:].lstrip()[:1] in (b"{", b"]", b"")


_MARK = re.compile(rb'["{}\[\]\\]')
_QUOTE = re.compile(rb'["\\]')


def items_of(stream: io.BufferedReader, name: str) -> Lines:
    """The items of one JSON array, numbered from 1, each as its text: one at a time is in memory."""
    scan = _Items()
    try:
        while piece := stream.read(PIECE):
            yield from scan.take(piece)
    except DAMAGED as problem:
        yield scan.number + 1, damaged(name, problem)
        return
    if scan.depth:
        yield scan.number + 1, damaged(name, EOFError("the array is not closed"))


class _Items:
    """Finds where the objects of an array begin and end, without reading what is in them."""

    def __init__(self) -> None:
        self.number = 0
        self.depth = 0
        self._held = bytearray()
        self._size = 0
        self._is_in_text = False
        self._is_escaped = False

    def take(self, piece: bytes) -> Lines:
        """The items that end in this piece."""
        place = 0
        start = 0 if self.depth > 1 else -1
        if self._is_escaped:
            place, self._is_escaped = 1, False
        while found := (_QUOTE if self._is_in_text else _MARK).search(piece, place):
            place = found.end()
            mark = found[0]
            if mark == b"\\":
                self._is_escaped = place >= len(piece)
                place += 1
            elif mark == b'"':
                self._is_in_text = not self._is_in_text
            elif mark in b"{[":
                self.depth += 1
                if self.depth == 2:
                    start = found.start()
            else:
                self.depth -= 1
                if self.depth == 1:
                    self._hold(piece[start:place])
                    start = -1
                    self.number += 1
                    yield self.number, self._taken()
        if start >= 0:
            self._hold(piece[start:])

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= MAX_LINE_BYTES:
            self._held += part

    def _taken(self) -> bytes | Unusable:
        size, text = self._size, bytes(self._held)
        self._size, self._held = 0, bytearray()
        return text if size <= MAX_LINE_BYTES else _too_long("item", size)
