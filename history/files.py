"""Rows of export files, one after the other: whatever size they have, little of them is in memory.

What a file is its first bytes say: gzip, zip (of whatever files are in it, packed once more or not), Parquet, or text.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from expost.errors import InvalidInput

from .foreign import Place, Row, Unusable

GZIP, ZIP, PARQUET, BZ2, XZ = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"BZh", b"\xfd7zXZ"
BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 4_000_000
"""A longer line is no event: it is passed over, and takes nothing else with it."""

PARQUET_ROWS = 5_000
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowInvalid)

Found = tuple[Place, Row | Unusable]
"""Where a row is, and the row or why it cannot be read."""

Lines = Iterator[tuple[int, bytes | Unusable]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a table of text is written. Without `columns` its first row names them."""

    delimiter: str = ","
    columns: tuple[str, ...] = ()
    quotes: bool = True


def find_files(paths: Sequence[Path]) -> list[Path]:
    """These files, and all files of those that are folders, in order. Refuses what is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.is_file() and each.name[0] != ".")
        elif path.is_file():
            found.append(path)
        else:
            raise InvalidInput(f"There is no file {str(path)!r}.", hint="Name files or folders of an export.")
    if not found:
        raise InvalidInput("These folders hold no file.", hint="Name files or folders of an export.")
    return found


def objects(path: Path) -> Iterator[Found]:
    """The JSON objects of a file, one a line, or the rows of a Parquet file."""
    for name, stream in _streams(path):
        if stream is None:
            yield from _parquet(path)
            continue
        for number, line in _lines(stream, name):
            place = Place(name, number)
            if isinstance(line, Unusable):
                yield place, line
            elif line.strip():
                yield place, _object(line)


def tables(path: Path, shape: Shape) -> Iterator[Found]:
    """The rows of a table of text, or of a Parquet file."""
    for name, stream in _streams(path):
        if stream is None:
            yield from _parquet(path)
        else:
            yield from _table(stream, name, shape)


def head(path: Path) -> bytes:
    """The first bytes of the first text in a file; of a Parquet file its first four."""
    for _, stream in _streams(path):
        return PARQUET if stream is None else stream.read(65_536)
    return b""


def is_text_table(path: Path) -> bool:
    """Whether a file is a table of text, and not JSON lines or Parquet."""
    first = head(path).removeprefix(BOM).lstrip()[:4]
    return first != PARQUET and not first.startswith((b"{", b"["))


def is_parquet(path: Path) -> bool:
    """Whether a file is a Parquet file."""
    with path.open("rb") as file:
        return file.read(4) == PARQUET


def _streams(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Each text in a file with its name, nothing for a Parquet file."""
    with path.open("rb") as file:
        magic = file.read(5)
        file.seek(0)
        if magic[:4] == PARQUET:
            yield path.name, None
        elif magic[:4] == ZIP:
            yield from _members(path)
        else:
            with _unpacked(file, magic) as stream:
                yield path.name, stream


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            base = member.filename.rpartition("/")[2]
            if member.is_dir() or base.startswith((".", "__")) or "__MACOSX" in member.filename:
                continue
            with archive.open(member) as packed:
                magic = packed.read(5)
            with archive.open(member) as packed, _unpacked(packed, magic) as stream:
                yield f"{path.name}/{member.filename}", stream


@contextmanager
def _unpacked(file: IO[bytes], magic: bytes) -> Iterator[IO[bytes]]:
    if magic[:2] == GZIP:
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield io.BufferedReader(unpacked)
    elif magic[:3] == BZ2 or magic == XZ:
        raise InvalidInput("A file is packed as bzip2 or xz.", hint="Unpack it first; gzip and zip are read.")
    else:
        yield file


def _lines(stream: IO[bytes], name: str) -> Lines:
    """Numbered lines without their ends. The last one is a reason where the file is damaged from there on."""
    number = 0
    try:
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                yield number, Unusable(f"it is longer than {MAX_LINE_BYTES} bytes")
                continue
            yield number, line.removeprefix(BOM) if number == 1 else line
    except DAMAGED as problem:
        yield number + 1, Unusable(f"{name} is damaged from here on: {problem}")


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _object(line: bytes) -> Row | Unusable:
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return Unusable(f"it is no JSON object: {problem}"[:300])


def _parquet(path: Path) -> Iterator[Found]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Place(path.name, number), row
    except DAMAGED as problem:
        yield Place(path.name, number + 1), Unusable(f"{path.name} is damaged from here on: {problem}")


def _table(stream: IO[bytes], name: str, shape: Shape) -> Iterator[Found]:
    texts = _Texts(_lines(stream, name))
    csv.field_size_limit(MAX_LINE_BYTES)
    read: Callable[..., Iterator[list[str]]] = csv.reader
    rows = read(
        texts,
        delimiter=shape.delimiter,
        quoting=csv.QUOTE_MINIMAL if shape.quotes else csv.QUOTE_NONE,
        skipinitialspace=shape.delimiter == " ",
    )
    columns = _each_once(shape.columns, name)
    while True:
        first = texts.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error as problem:
            yield Place(name, first), Unusable(f"it is no row: {problem}")
            continue
        for number, reason in texts.take_broken():
            yield Place(name, number), reason
        if shape.delimiter == " ":
            cells = [cell for cell in cells if cell]
        if not cells:
            continue
        if not columns:
            columns = _each_once([cell.strip() for cell in cells], name)
        elif len(cells) > len(columns):
            yield (
                Place(name, first),
                Unusable(f"it has {len(cells)} cells, and there are {len(columns)} columns"),
            )
        else:
            yield Place(name, first), dict(zip(columns, cells, strict=False))
    for number, reason in texts.take_broken():
        yield Place(name, number), reason


def _each_once(headings: Sequence[str], name: str) -> list[str]:
    """These headings. Refuses one that stands twice, as a row would lose the first of its two values."""
    seen: set[str] = set()
    for heading in headings:
        if heading and heading in seen:
            raise InvalidInput(
                f"The heading {heading!r} stands twice in {name}.", hint="Rename one of the two columns."
            )
        seen.add(heading)
    return list(headings)


class _Texts:
    """Lines as text for the reader of tables, which must not see those that cannot be read."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._broken: list[tuple[int, Unusable]] = []
        self.number = 0

    def __iter__(self) -> _Texts:
        return self

    def __next__(self) -> str:
        for number, line in self._lines:
            self.number = number
            if isinstance(line, Unusable):
                self._broken.append((number, line))
                continue
            try:
                return line.decode("utf-8")
            except UnicodeDecodeError as problem:
                self._broken.append((number, Unusable(f"it is not UTF-8: {problem.reason}")))
        raise StopIteration

    def take_broken(self) -> list[tuple[int, Unusable]]:
        """The lines that were passed over since the last call, and why."""
        broken, self._broken = self._broken, []
        return broken
