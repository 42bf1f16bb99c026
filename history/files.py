"""Rows of export files, one after the other: whatever size they have, little of them is in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from expost.errors import InvalidInput

from .foreign import Place, Row, Unusable
from .packed import (
    BOM,
    DAMAGED,
    MAX_LINE_BYTES,
    PARQUET,
    Lines,
    damaged,
    is_array,
    items_of,
    lines_of,
    streams_of,
)

PARQUET_ROWS = 5_000
PARQUET_BUFFER_BYTES = 262_144
"""So much of each column is read at once."""

MOST_LINES_OF_A_ROW = 1_000
"""A row of a table that takes more lines has a quote that nothing closes."""

Found = tuple[Place, Row | Unusable]
"""Where a row is, and the row or why it cannot be read."""


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
    """The JSON objects of a file, one a line or in one array, or the rows of a Parquet file."""
    for name, stream in streams_of(path):
        if isinstance(stream, Unusable):
            yield Place(name, 1), stream
        elif stream is None:
            yield from _parquet(path)
        else:
            read = items_of if is_array(stream) else lines_of
            for number, text in read(stream, name):
                if isinstance(text, Unusable):
                    yield Place(name, number), text
                elif text.strip():
                    yield Place(name, number), _object(text)


def tables(path: Path, shape: Shape) -> Iterator[Found]:
    """The rows of a table of text, or of a Parquet file."""
    for name, stream in streams_of(path):
        if isinstance(stream, Unusable):
            yield Place(name, 1), stream
        elif stream is None:
            yield from _parquet(path)
        else:
            yield from _table(stream, name, shape)


def headings(path: Path, shape: Shape) -> Iterator[tuple[str, Sequence[str]]]:
    """The columns of each table in a file, by the name of the table; nothing of what cannot be read."""
    for name, stream in streams_of(path):
        if stream is None:
            try:
                yield name, pq.read_schema(path).names
            except DAMAGED:
                continue
        elif not isinstance(stream, Unusable):
            columns = shape.columns or _heading(stream, name, shape)
            if columns:
                yield name, columns


def head(path: Path) -> bytes:
    """The first bytes of the first text in a file; of a Parquet file its first four; nothing of a damaged one."""
    for _, stream in streams_of(path):
        if stream is None:
            return PARQUET
        if isinstance(stream, Unusable):
            continue
        try:
            return stream.read(65_536)
        except DAMAGED:
            return b""
    return b""


def is_text_table(path: Path) -> bool:
    """Whether a file is a table of text, and not JSON lines or Parquet."""
    first = head(path).removeprefix(BOM).lstrip()[:4]
    return first != PARQUET and not first.startswith((b"{", b"["))


def is_parquet(path: Path) -> bool:
    """Whether a file is a Parquet file."""
    with path.open("rb") as file:
        return file.read(4) == PARQUET


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _object(text: bytes) -> Row | Unusable:
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        said = text[:40].decode("utf-8", "replace").strip()
        return Unusable(
            f"it is no JSON object: {problem}, and begins with {said!r}"[:300],
            hint="A line holds one object in braces; a table is imported as csv.",
        )


def _parquet(path: Path) -> Iterator[Found]:
    number = 0
    try:
        # Without a buffer each column of a group of rows is read whole, and a file may be one such group.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=PARQUET_BUFFER_BYTES) as file:
            for batch in file.iter_batches(PARQUET_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield Place(path.name, number), row
    except DAMAGED as problem:
        yield Place(path.name, number + 1), damaged(path.name, problem)


def _table(stream: io.BufferedReader, name: str, shape: Shape) -> Iterator[Found]:
    texts = _Texts(lines_of(stream, name))
    rows = _cells(texts, shape)
    columns = _each_once(shape.columns, name)
    while True:
        first = texts.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error as problem:
            yield Place(name, first), _no_row(first, texts.number, str(problem))
            continue
        for number, reason in texts.take_broken():
            yield Place(name, number), reason
        if shape.delimiter == " ":
            cells = [cell for cell in cells if cell]
        if not cells:
            continue
        if texts.is_over or texts.number - first >= MOST_LINES_OF_A_ROW:
            # The table ended in the middle of this row, or nearly so.
            yield Place(name, first), _no_row(first, texts.number, "a quote in it is not closed")
        elif not columns:
            columns = _each_once([cell.strip() for cell in cells], name)
        elif len(cells) > len(columns):
            yield (
                Place(name, first),
                Unusable(
                    f"it has {len(cells)} cells, and there are {len(columns)} columns",
                    hint="A cell that holds what stands between cells has to be in quotes.",
                ),
            )
        else:
            yield Place(name, first), dict(zip(columns, cells, strict=False))
    for number, reason in texts.take_broken():
        yield Place(name, number), reason


def _cells(texts: _Texts, shape: Shape) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_LINE_BYTES)
    read: Callable[..., Iterator[list[str]]] = csv.reader
    return read(
        texts,
        delimiter=shape.delimiter,
        quoting=csv.QUOTE_MINIMAL if shape.quotes else csv.QUOTE_NONE,
        skipinitialspace=shape.delimiter == " ",
    )


def _heading(stream: io.BufferedReader, name: str, shape: Shape) -> list[str]:
    """The first row that has cells."""
    try:
        first = next((cells for cells in _cells(_Texts(lines_of(stream, name)), shape) if cells), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in first]


def _no_row(first: int, last: int, why: str) -> Unusable:
    return Unusable(
        f"the lines {first} to {last} are no row: {why}",
        hint="Close the quote in the first of these lines, or double it, and import again.",
    )


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
        self.is_over = False

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
                byte = line[problem.start]
                self._broken.append((number, Unusable(
                    f"it is not UTF-8: byte {problem.start + 1} is {byte:#04x}",
                    hint="Save the table as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
                )))  # fmt: skip
        self.is_over = True
        raise StopIteration

    def take_broken(self) -> list[tuple[int, Unusable]]:
        """The lines that were passed over since the last call, and why."""
        broken, self._broken = self._broken, []
        return broken
