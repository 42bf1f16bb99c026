"""One Parquet file of a table: what it is called, how it is written, and what the log says of it."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction, RemoveAction

from expost.clock import from_micros

from .checksum import NOT_AS_WRITTEN, SUFFIX, is_as_written, name_with_checksum
from .disk import sync
from .schema import EVENTS, TEXT

Kind = Literal["part", "sorted"]
"""How rows lie in a file: as they came, or in the order in which questions read them."""

ROW_GROUP = 64_000

STATISTICS = ("time", "received_at", "at", "recorded_at", "site")
"""Columns whose least and greatest values stand in the log, so that whole files can be left unread."""

DISTINCT = frozenset({"device_id"})
"""Numbers of events that hardly repeat in the reading order, so that a dictionary of them would only cost."""

REPEATING = frozenset(
    field.name for field in EVENTS if field.type == TEXT and field.name not in ("event_id", "page_id")
)
"""Texts of events that are read and written as dictionaries, where they stand in no order."""

Statistic = int | str


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file that a version of a table names. Of columns that its entry tells nothing of, the ranges are missing."""

    name: str
    size_bytes: int
    rows: int
    least: dict[str, Statistic]
    greatest: dict[str, Statistic]

    @property
    def kind(self) -> Kind:
        """How its rows lie."""
        return kind_of(self.name)

    def may_be_before(self, column: str, moment: int) -> bool:
        """Whether a row of it can have a time in `column` that lies before `moment`."""
        least = self.least.get(column)
        return not isinstance(least, int) or least < moment


def kind_of(name: str) -> Kind:
    """How the rows of the file of that name lie."""
    return "sorted" if name.startswith("sorted-") else "part"


def find_width(file: str) -> int | None:
    """How many columns a file was written with, by its name; `None` where that does not say.

    Columns are only ever added, so that files of the same number have the same ones.

    >>> find_width("/lake/events/part-47-0b7c1d2e-3f4a-4b5c-8d6e-7f8091a2b3c4-9e107d9d.zstd.parquet")
    47
    """
    named = re.match(r"(?:part|sorted)-(\d{1,4})-", Path(file).name)
    return int(named[1]) if named else None


class PartWriter:
    """Writes one new file, rows after rows. `finish` makes it durable and gives it its name; a commit tells of it."""

    def __init__(self, folder: Path, schema: pa.Schema, kind: Kind = "part") -> None:
        self.rows = 0
        self._path = folder / f"{kind}-{len(schema)}-{uuid.uuid4()}{SUFFIX}"
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._ranges = _Ranges()
        # The Arrow schema is left out: every engine then reads the types that Parquet and Delta name.
        self._writer = pq.ParquetWriter(
            self._path,
            schema,
            compression="zstd",
            # Without them a flipped bit is a wrong number that nobody notices.
            write_page_checksum=True,
            data_page_version="2.0" if kind == "sorted" else "1.0",
            store_schema=False,
            **encodings(schema),
            **statistics_of(schema, kind),
        )

    def write(self, rows: pa.Table) -> None:
        """Add these rows, which have the columns of the schema."""
        self._waiting.append(rows)
        self.rows += len(rows)
        self._waiting_rows += len(rows)
        while self._waiting_rows >= ROW_GROUP:
            self._write_group(ROW_GROUP)

    def finish(self, data_change: bool) -> AddAction:
        """Wait until the file is on the disk. `data_change` says whether its rows are new to the table."""
        if self._waiting_rows:
            self._write_group(self._waiting_rows)
        self._writer.close()
        self._path = self._path.rename(self._path.with_name(name_with_checksum(self._path)))
        sync(self._path)
        status = self._path.stat()
        changed_at = int(status.st_mtime * 1_000)
        return AddAction(
            self._path.name, status.st_size, {}, changed_at, data_change, self._ranges.statistics(self.rows)
        )

    def discard(self) -> None:
        """Leave nothing of the file behind."""
        # On a full disk the end cannot be written either, and each try would leave a file behind.
        with suppress(OSError):
            self._writer.close()
        self._path.unlink(missing_ok=True)

    def _write_group(self, size: int) -> None:
        # What is encoded by several dictionaries would be written without any.
        together = pa.concat_tables(self._waiting).unify_dictionaries()
        group, rest = together.slice(0, size), together.slice(size)
        # Of no rows as well, a slice holds on to what it was cut from.
        self._waiting, self._waiting_rows = [rest] if len(rest) else [], len(rest)
        self._writer.write_table(group, row_group_size=ROW_GROUP)
        self._ranges.add(group)


def encodings(schema: pa.Schema) -> dict[str, Any]:
    """How columns are encoded: times as differences, ids of few repeats as they are, all else by a dictionary.

    A fifth smaller than dictionaries for all, and quicker to write and to read: docs/decisions/0006-reading-order.md
    """
    chosen = {field.name: "DELTA_BINARY_PACKED" for field in schema if pa.types.is_timestamp(field.type)}
    chosen |= {name: "DELTA_LENGTH_BYTE_ARRAY" for name in ("event_id", "page_id") if name in schema.names}
    given = DISTINCT | chosen.keys()
    rest = [leaf for field in schema if field.name not in given for leaf in _leaves(field.name, field.type)]
    return {"column_encoding": chosen, "use_dictionary": rest}


def statistics_of(schema: pa.Schema, kind: Kind) -> dict[str, Any]:
    """Which columns say their least and greatest values in the file: in no order, most leave nothing unread by it."""
    said = [name for name in (*STATISTICS, "type") if name in schema.names]
    return {"write_statistics": True if kind == "sorted" else said}


def _leaves(path: str, type_: pa.DataType) -> Iterator[str]:
    """The columns that a nested type becomes in Parquet, by their paths."""
    if pa.types.is_list(type_):
        yield from _leaves(f"{path}.list.element", type_.value_type)
    elif pa.types.is_struct(type_):
        for each in type_:
            yield from _leaves(f"{path}.{each.name}", each.type)
    else:
        yield path


class _Ranges:
    """Least and greatest values so far."""

    def __init__(self) -> None:
        self._least: dict[str, Any] = {}
        self._greatest: dict[str, Any] = {}
        self._nulls: dict[str, int] = {}

    def add(self, rows: pa.Table) -> None:
        for name in STATISTICS:
            if name in rows.column_names:
                column = rows.column(name)
                if pa.types.is_dictionary(column.type):
                    column = column.cast(column.type.value_type)
                self._nulls[name] = self._nulls.get(name, 0) + column.null_count
                if column.null_count < len(column):
                    self._add(name, column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column)

    def _add(self, name: str, column: pa.ChunkedArray) -> None:
        found = pc.min_max(column).as_py()
        self._least[name] = min(self._least.get(name, found["min"]), found["min"])
        self._greatest[name] = max(self._greatest.get(name, found["max"]), found["max"])

    def statistics(self, rows: int) -> str:
        """As an add action has them."""
        return json.dumps({
            "numRecords": rows,
            "minValues": {name: _said(value) for name, value in self._least.items()},
            "maxValues": {name: _said(value) for name, value in self._greatest.items()},
            "nullCount": self._nulls,
        })  # fmt: skip


def write_part(folder: Path, rows: pa.Table, data_change: bool, kind: Kind = "part") -> AddAction:
    """Write `rows` as one file, durable when this returns. Of one that could not be written nothing stays."""
    return write_parts(folder, rows.schema, [rows], data_change, kind)


def write_parts(
    folder: Path, schema: pa.Schema, parts: Iterable[pa.Table], data_change: bool, kind: Kind = "part"
) -> AddAction:
    """The same of rows that come part by part, so that little of them is in memory."""
    writer = PartWriter(folder, schema, kind)
    try:
        for rows in parts:
            writer.write(rows)
        return writer.finish(data_change)
    except BaseException:
        writer.discard()
        raise


def read_groups(path: Path, columns: list[str], schema: pa.Schema) -> Iterator[pa.Table]:
    """These columns of a file, one row group after the other; null in those it was written without.

    What is read to be written again is verified, so that damage is not copied.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        there = set(file.schema_arrow.names)
        chosen = [name for name in columns if name in there]
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=chosen)
            yield pa.Table.from_arrays([
                rows[name].cast(schema.field(name).type)
                if name in there
                else pa.chunked_array([pa.nulls(len(rows), schema.field(name).type)])
                for name in columns
            ], schema=pa.schema([schema.field(name) for name in columns]))  # fmt: skip


def unsorted_schema(schema: pa.Schema) -> pa.Schema:
    """The columns of a table as `read_unsorted` gives them: repeating texts as dictionaries."""
    return pa.schema([
        field.with_type(pa.dictionary(pa.int32(), TEXT)) if field.name in REPEATING else field
        for field in schema
    ])  # fmt: skip


def read_unsorted(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """All of a file, one row group after the other, to be written again; null in the columns it was written without.

    Repeating texts are dictionaries, which halves the cost of both.
    """
    check(path)
    wanted = unsorted_schema(schema)
    there = set(pq.read_schema(path).names)
    repeating = [name for name in schema.names if name in REPEATING & there]
    with pq.ParquetFile(path, read_dictionary=repeating, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            # Threads let go of what they unpacked some time later, so that it would add up.
            rows = file.read_row_group(group, use_threads=False)
            yield pa.Table.from_arrays([
                rows[field.name].cast(field.type) if field.name in there else pa.nulls(len(rows), field.type)
                for field in wanted
            ], schema=wanted)  # fmt: skip


def check(path: Path) -> None:
    """Raise ArrowInvalid if a file is not as it was written. Asked before it is written again, to copy no damage."""
    if is_as_written(path) is False:
        raise pa.ArrowInvalid(f"{path} cannot be read: {NOT_AS_WRITTEN}")


def removal_of(file: LiveFile, at_ms: int, data_change: bool) -> RemoveAction:
    """The action that takes a file out of its table."""
    return RemoveAction(file.name, data_change, at_ms, file.size_bytes, {})


def _said(value: Statistic) -> str:
    if isinstance(value, str):
        return value
    return from_micros(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
