"""Compaction: many small files become few in the order in which questions read them. No answer changes.

A file of `events` then holds one week (UTC, from Monday) of one site, a dictionary's each id once. It goes round by
round, and each round is one commit: ended at any moment, all rounds but the last one stay done. Like any rewrite, a
round that finds its files taken by another is done again with what is there.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from deltalake.transaction import AddAction
from numpy.typing import NDArray

from .broken import why_broken
from .checksum import find_checksum
from .dictionary import DICTIONARIES
from .moment import DAY
from .part import LiveFile, PartWriter
from .reader import configure, rows_of
from .table import Table

WEEK = 7 * DAY
_MONDAY = -3 * DAY
"""A Monday, in microseconds from the first moment of 1970, which was a Thursday."""

MAX_ROWS = 10_000_000
"""Of one file."""

ROUND_BYTES = 256_000_000
"""So many bytes of new files go into one round: what it needs of memory, of disk and of patience is bounded."""

BATCH_ROWS = 64_000

READING_ORDER: Mapping[str, Sequence[str]] = {
    "identities": ("site", "from_id", "at", "edge_id"),
    "traits": ("site", "subject_id", "name", "at", "page_seq", "event_id"),
    "page_counts": ("site", "device_id", "page_ordinal", "told_at"),
    "events": ("type", "element_id", "device_id", "time", "page_id", "page_seq", "event_id"),
    **{name: (column,) for name, column in DICTIONARIES.items()},
}
"""By which columns the rows of each table are sorted; those of events inside their site and week."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What compaction may take."""

    memory: str = "600MB"
    threads: int = 1
    round_bytes: int = ROUND_BYTES
    max_rows: int = MAX_ROWS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the compaction of a table is. `total_bytes` grows when files arrive meanwhile."""

    table: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of one table."""

    table: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    rounds: int


Tell = Callable[[Progress], None]


def compact(
    tables: Mapping[str, Table],
    spill: Path,
    everything: bool,
    limits: Limits | None = None,
    tell: Tell | None = None,
    give_way: Callable[[], None] = lambda: None,
) -> list[Compacted]:
    """Compact these tables; with `everything` each week into as few files as can be.

    Without it, sorted files are written anew only together with new rows of a like number, so that each row is
    written a few times in all. The disk needs room for the files of a round twice, in `spill` and in the lake. Before
    each round, while no file is in the making, `give_way` is called.
    """
    compacted = []
    for name, table in tables.items():
        compaction = Compaction(name, table, spill, limits or Limits())
        compacted.append(compaction.run(everything, tell or (lambda _: None), give_way))
    return compacted


class Compaction:
    """The compaction of one table."""

    def __init__(self, name: str, table: Table, spill: Path, limits: Limits) -> None:
        self._name = name
        self._table = table
        self._spill = spill
        self._limits = limits

    def run(self, everything: bool, tell: Tell, give_way: Callable[[], None]) -> Compacted:
        """Round after round, until there is nothing more to do."""
        self._table.refresh()
        before = self._table.files()
        done = rounds = 0
        while True:
            give_way()
            with self._table.writing(), self._connect() as connection:
                self._table.refresh()
                chosen = self._choose(connection, self._table.files(), everything)
                if not chosen:
                    break
                tell(Progress(self._name, done, done + self._table.unsorted_bytes()))
                if self._round(connection, chosen):
                    rounds += 1
                    done += sum(file.size_bytes for file in chosen if file.kind == "part")
        if rounds:
            self._table.clean_log()
            tell(Progress(self._name, done, done))
        after = self._table.files()
        return Compacted(self._name, len(before), len(after), _bytes_of(before), _bytes_of(after), rounds)

    def _round(self, connection: duckdb.DuckDBPyConnection, chosen: Sequence[LiveFile]) -> bool:
        """Write the rows of these files in order and put the result in their place; False where that was too late."""
        for path in self._paths(chosen):
            # DuckDB verifies no checksum, and damage is not to be copied.
            reason = why_broken(Path(path))
            if reason is not None:
                raise pa.ArrowInvalid(f"{path} cannot be read: {reason}")
        added = self._write(self._sorted(connection, chosen))
        if self._table.replace(chosen, added, data_change=False):
            return True
        self._table.discard(added)
        return False

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        configure(connection, self._spill, self._limits.memory, self._limits.threads)
        return connection

    def _choose(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LiveFile], everything: bool
    ) -> list[LiveFile]:
        fresh = self._next_fresh(files)
        groups = self._count(connection, fresh)
        old: dict[Group, list[LiveFile]] = {}
        for file in files:
            if file.kind == "sorted":
                old.setdefault(self._group_of(file), []).append(file)
        chosen = list(fresh)
        for group, there in old.items():
            if fresh and group not in groups:
                continue
            chosen += _to_merge(there, groups.get(group, 0), everything, self._limits.max_rows)
            if everything and not fresh and chosen:
                # One group a round, as bounded as the others.
                break
        return chosen

    def _next_fresh(self, files: Sequence[LiveFile]) -> list[LiveFile]:
        """New files up to the size of a round, neighbours in time together."""
        fresh = sorted((file for file in files if file.kind == "part"), key=_time_of)
        total = 0
        for count, file in enumerate(fresh):
            total += file.size_bytes
            if total > self._limits.round_bytes and count:
                return fresh[:count]
        return fresh

    def _count(self, connection: duckdb.DuckDBPyConnection, fresh: Sequence[LiveFile]) -> dict[Group, int]:
        """How many rows of these files belong to each group."""
        if not fresh:
            return {}
        if self._name != "events":
            return {("", 0): sum(file.rows for file in fresh)}
        rows = rows_of(connection, self._paths(fresh), self._table.schema)
        counted = connection.execute(f"select site, {_WEEK_OF}, count(*) from ({rows}) group by all")
        return {(site or "", week): count for site, week, count in counted.fetchall()}

    def _group_of(self, file: LiveFile) -> Group:
        if self._name != "events":
            return ("", 0)
        moment = file.least.get("time", 0)
        assert isinstance(moment, int)
        return str(file.least.get("site", "")), _week_of(moment)

    def _paths(self, files: Sequence[LiveFile]) -> list[str]:
        return [str(self._table.path / file.name) for file in files]

    def _sorted(
        self, connection: duckdb.DuckDBPyConnection, chosen: Sequence[LiveFile]
    ) -> Iterator[pa.Table]:
        rows = rows_of(connection, self._paths(chosen), self._table.schema)
        first = ["site", _WEEK_OF] if self._name == "events" else []
        order = ", ".join([*first, *(f'"{column}"' for column in READING_ORDER[self._name])])
        for batch in connection.sql(f"from ({rows}) order by {order}").to_arrow_reader(BATCH_ROWS):
            if len(batch):
                yield pa.Table.from_batches([batch]).cast(self._table.schema)

    def _write(self, batches: Iterator[pa.Table]) -> list[AddAction]:
        added: list[AddAction] = []
        writer: PartWriter | None = None
        group: Group | None = None
        try:
            for found, rows in self._pieces(batches):
                rest = rows
                while len(rest):
                    # A file is full at exactly so many rows: only then it is not merged again.
                    if writer is not None and (found != group or writer.rows == self._limits.max_rows):
                        added.append(writer.finish(data_change=False))
                        writer = None
                    if writer is None:
                        writer, group = PartWriter(self._table.path, self._table.schema, "sorted"), found
                    room = self._limits.max_rows - writer.rows
                    writer.write(rest.slice(0, room))
                    rest = rest.slice(room)
            if writer is not None:
                added.append(writer.finish(data_change=False))
        except BaseException:
            if writer is not None:
                writer.discard()
            self._table.discard(added)
            raise
        return added

    def _pieces(self, batches: Iterator[pa.Table]) -> Iterator[tuple[Group, pa.Table]]:
        """The same rows cut where a group ends; of a dictionary, each id once."""
        last: int | None = None
        for rows in batches:
            if self._name in DICTIONARIES:
                ids = rows[DICTIONARIES[self._name]].to_numpy()
                yield ("", 0), rows.filter(pa.array(_are_first(ids, last)))
                last = int(ids[-1])
            elif self._name == "events":
                yield from _groups(rows)
            else:
                yield ("", 0), rows


Group = tuple[str, int]
"""A site and a week; one and the same for tables that are not divided."""

_WEEK_OF = "epoch_us(date_trunc('week', coalesce(time, to_timestamp(0))))"
"""The moment at which the week of `time` begins, in microseconds."""


def _week_of(micros: Any) -> Any:
    return (micros - _MONDAY) // WEEK * WEEK + _MONDAY


def _to_merge(there: Sequence[LiveFile], new_rows: int, everything: bool, max_rows: int) -> list[LiveFile]:
    """Which sorted files of a group are written anew with so many new rows."""
    open_ones = sorted((file for file in there if file.rows < max_rows), key=lambda file: file.rows)
    if everything:
        merged = open_ones if new_rows or len(open_ones) > 1 else []
        # Once in the life of a file of an older version, however full it is.
        nameless = [file for file in there if find_checksum(file.name) is None]
        return [*merged, *(file for file in nameless if file not in merged)]
    rows = new_rows
    chosen = []
    for file in open_ones:
        if not new_rows or file.rows > 2 * rows:
            break
        chosen.append(file)
        rows += file.rows
    return chosen


def _groups(rows: pa.Table) -> Iterator[tuple[Group, pa.Table]]:
    weeks = _week_of(rows["time"].cast(pa.int64()).fill_null(0).to_numpy())
    sites = rows["site"].fill_null("").combine_chunks().dictionary_encode()
    changes = np.flatnonzero((np.diff(weeks) != 0) | (np.diff(sites.indices.to_numpy()) != 0)) + 1
    bounds = [0, *changes.tolist(), len(rows)]
    for start, end in pairwise(bounds):
        site = sites.dictionary[sites.indices[start].as_py()].as_py()
        yield (site, int(weeks[start])), rows.slice(start, end - start)


def _are_first(ids: NDArray[np.int64], before: int | None) -> NDArray[np.bool_]:
    """Which of sorted ids are not the same as the one before."""
    first = np.ones(len(ids), np.bool_)
    first[1:] = ids[1:] != ids[:-1]
    if before is not None and len(ids):
        first[0] = ids[0] != before
    return first


def _time_of(file: LiveFile) -> tuple[int, str]:
    moment = file.least.get("time", 0)
    return (moment if isinstance(moment, int) else 0, file.name)


def _bytes_of(files: Sequence[LiveFile]) -> int:
    return sum(file.size_bytes for file in files)
