"""One table of the lake: a Delta log beside plain Parquet files, appended to exactly once.

A commit is: the Parquet file written and synced, then one log entry that names it and carries the application's
transaction number, then that entry synced. Whatever moment the power goes, what the log names is whole.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
import os
import re
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from expost.clock import from_micros

CHECKPOINT_EVERY = 20
"""Commits between checkpoints: opening a table reads the last one and the log entries after it."""

MERGE_AT = 20
"""So many small files of like size are merged: commits and readers pay for every live file."""
CLASS_BYTES = (100_000, 800_000, 6_400_000)
"""The size classes. Only files of one class are merged, so that each row is written anew three times at most."""

REMOVED_SECONDS = 3_600
LOOK_EVERY_SECONDS = 600
"""Files that no version names any more are deleted so long after they were first seen: somebody may be reading them."""

ROW_GROUP = 64_000
STATISTICS = ("time", "received_at", "at", "recorded_at")
"""Columns whose least and greatest values stand in the log, so that whole files can be left unread."""

# Checkpoints are made here, at known moments. Expired log entries go when small files are merged.
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# Merging leaves many removed files behind. Checkpoints carry each of them for this long, and the log its entries.
_CONFIGURATION: dict[str, str | None] = {
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The live files of one version of a table."""

    version: int
    files: list[str]


def find_width(file: str) -> int | None:
    """How many columns a file was written with, by its name; `None` where that does not say.

    Columns are only ever added, so that files of the same number have the same ones.

    >>> find_width("/lake/events/part-47-0b7c1d2e-3f4a-4b5c-8d6e-7f8091a2b3c4.zstd.parquet")
    47
    """
    named = re.match(r"part-(\d{1,4})-", Path(file).name)
    return int(named[1]) if named else None


def find_snapshot(path: Path) -> Snapshot | None:
    """The newest version of the table in `path`, `None` where there is no table yet."""
    table = _find_table(path)
    return None if table is None else _snapshot_of(table, path)


def find_committed(path: Path, application: str) -> int:
    """The number of the last transaction that `application` committed to the table in `path`, −1 for none."""
    table = _find_table(path)
    number = None if table is None else table.transaction_version(application)
    return -1 if number is None else number


class Table:
    """A table opened for writing. One process at a time holds it: the sink, by its lock."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        path.mkdir(parents=True, exist_ok=True)
        mend(path)
        self._delta = DeltaTable.create(path, schema, mode="ignore", configuration=_CONFIGURATION)
        self._widen()
        self._small = self._count_small()
        self._unnamed: dict[str, float] = {}
        self._look_at = 0.0
        # Looking one up reads the log, and this is asked several times a second.
        self._committed: dict[str, int] = {}
        if self._delta.version() == 0:
            self._sync_entry()

    @property
    def version(self) -> int:
        """The newest version of the table."""
        return self._delta.version()

    def snapshot(self) -> Snapshot:
        """The live files of the newest version."""
        return _snapshot_of(self._delta, self.path)

    def committed(self, application: str) -> int:
        """The number of the last transaction that `application` committed here, −1 when there is none."""
        if application not in self._committed:
            number = self._delta.transaction_version(application)
            self._committed[application] = -1 if number is None else number
        return self._committed[application]

    def append(self, rows: pa.Table, application: str, number: int) -> None:
        """Commit `rows` as transaction `number` of `application`; they are durable when this returns.

        A second writer with the same application makes the later of the two fail, so rows never double.
        """
        add = self._write(rows, data_change=True)
        self._commit([add], Transaction(application, number))
        self._small[_size_class(add.size)] += 1

    def read(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all rows, file by file."""
        for name, _ in self._files():
            yield self._read(name, columns)

    def remove(
        self,
        columns: Sequence[str],
        are_due: Callable[[pa.Table], pa.ChunkedArray],
        *also: Transaction,
        since: tuple[str, int] | None = None,
    ) -> int:
        """Remove the rows that `are_due` picks by those `columns`, in one commit; how many they were.

        Files of which none goes stay as they are. With `since`, a column of `STATISTICS` and a moment, none goes whose
        value is not before that moment. The commit carries the transactions in `also`; without rows there is none.
        """
        now = time.time_ns() // 1_000_000
        actions: list[AddAction | RemoveAction] = []
        removed = 0
        for name, size in self._files(since):
            due = are_due(self._read(name, columns))
            count = int(pc.sum(due).as_py() or 0)
            if count:
                removed += count
                actions.append(RemoveAction(name, True, now, size, {}))
                if count < len(due):
                    rest = self._read(name, self.schema.names).filter(pc.invert(due))
                    actions.append(self._write(rest, data_change=True))
        if actions:
            self._commit(actions, self._rewrite(), *also)
            self._small = self._count_small()
        return removed

    def mark(self, transaction: Transaction) -> None:
        """Commit a transaction that changes no row, so that `committed` tells of it."""
        self._commit([], transaction)

    def tend(self) -> None:
        """Merge small files when there are many of them, and delete those merged away an hour ago.

        Rows, and what readers see, stay the same.
        """
        for size_class in range(len(CLASS_BYTES)):
            if self._small[size_class] >= MERGE_AT:
                self._merge([file for file in self._files() if _size_class(file[1]) == size_class])
                self._delta.cleanup_metadata()
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
            self._delete_unnamed(time.monotonic())

    def _widen(self) -> None:
        """Add the columns that the table was made before. Rows that are there already hold null in them."""
        there = {field.name for field in self._delta.schema().fields}
        missing = [field for field in Schema.from_arrow(self.schema).fields if field.name not in there]
        if missing:
            self._delta.alter.add_columns(missing, post_commithook_properties=_NO_HOOKS)
            self._sync_entry()

    def _delete_unnamed(self, now: float) -> None:
        # By what is seen here and not by the log: a file written for a commit that never came goes as well.
        named = {name for name, _ in self._files()}
        unnamed = {path.name for path in self.path.glob("part-*.parquet")} - named
        self._unnamed = {name: self._unnamed.get(name, now) for name in unnamed}
        for name, since in list(self._unnamed.items()):
            if now - since >= REMOVED_SECONDS:
                (self.path / name).unlink(missing_ok=True)
                del self._unnamed[name]

    def _merge(self, chosen: Sequence[tuple[str, int]]) -> None:
        now = time.time_ns() // 1_000_000
        rows = pa.concat_tables([pq.read_table(self.path / path, schema=self.schema) for path, _ in chosen])
        removed = [RemoveAction(path, False, now, size, {}) for path, size in chosen]
        self._commit([self._write(rows, data_change=False), *removed], self._rewrite())
        self._small = self._count_small()

    def _rewrite(self) -> Transaction:
        # Every rewrite of a table carries this one application, so that of two at once the later one fails.
        return Transaction("rewrite", self.committed("rewrite") + 1)

    def _read(self, name: str, columns: Sequence[str]) -> pa.Table:
        return pq.read_table(self.path / name, columns=list(columns), schema=self.schema)

    def _write(self, rows: pa.Table, data_change: bool) -> AddAction:
        name = f"part-{len(self.schema)}-{uuid.uuid4()}.zstd.parquet"
        path = self.path / name
        # The Arrow schema is left out: every engine then reads the types that Parquet and Delta name.
        pq.write_table(rows, path, compression="zstd", row_group_size=ROW_GROUP, store_schema=False)
        sync(path)
        status = path.stat()
        return AddAction(
            name, status.st_size, {}, int(status.st_mtime * 1_000), data_change, _statistics(rows)
        )

    def _commit(self, actions: list[AddAction | RemoveAction], *transactions: Transaction) -> None:
        self._delta.create_write_transaction(
            actions,
            "append",
            self.schema,
            commit_properties=CommitProperties(app_transactions=list(transactions)),
            post_commithook_properties=_NO_HOOKS,
        )
        self._committed |= {transaction.app_id: transaction.version for transaction in transactions}
        self._delta.update_incremental()
        self._sync_entry()
        if self.version % CHECKPOINT_EVERY == 0:
            self._checkpoint()

    def _checkpoint(self) -> None:
        self._delta.create_checkpoint()
        log = self.path / "_delta_log"
        for name in (f"{self.version:020}.checkpoint.parquet", "_last_checkpoint"):
            sync(log / name)
        sync(log)

    def _sync_entry(self) -> None:
        log = self.path / "_delta_log"
        sync(log / f"{self.version:020}.json")
        sync(log)
        sync(self.path)

    def _files(self, since: tuple[str, int] | None = None) -> list[tuple[str, int]]:
        """Names and sizes of the live files, without those whose values all lie at or after `since`."""
        actions = pa.table(self._delta.get_add_actions(flatten=True))
        if since is not None:
            least = actions[f"min.{since[0]}"].cast(pa.int64())
            actions = actions.filter(pc.fill_null(pc.less(least, since[1]), True))
        return list(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))

    def _count_small(self) -> Counter[int]:
        return Counter(_size_class(size) for _, size in self._files())


def _snapshot_of(table: DeltaTable, path: Path) -> Snapshot:
    # The library gives absolute names as URLs, escaped; those in the log are relative, and ours need no escape.
    names = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
    return Snapshot(table.version(), sorted(str(path / name) for name in names))


def sync(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size_class(size: int) -> int:
    return bisect_left(CLASS_BYTES, size)


def _statistics(rows: pa.Table) -> str:
    """The statistics of an add action: the number of rows, and the range of the columns that time prunes by."""
    least, greatest, nulls = {}, {}, {}
    for name in STATISTICS:
        if name in rows.column_names:
            column = rows.column(name)
            nulls[name] = column.null_count
            if column.null_count < len(column):
                micros = column.drop_null().cast(pa.int64()).to_numpy()
                least[name], greatest[name] = _iso(int(micros.min())), _iso(int(micros.max()))
    return json.dumps(
        {"numRecords": len(rows), "minValues": least, "maxValues": greatest, "nullCount": nulls}
    )


def _iso(micros: int) -> str:
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _find_table(path: Path) -> DeltaTable | None:
    """The table in `path` at its newest whole version. Changes nothing, for a writer may be at work."""
    try:
        return DeltaTable(path)
    except TableNotFoundError:
        return None
    except DeltaError:
        torn = _find_torn_entry(path)
        if torn is None:
            raise
        version = int(torn.stem) - 1
        return None if version < 0 else DeltaTable(path, version=version)


def mend(path: Path) -> None:
    """Set aside what a power cut left torn at the end of the log in `path`. For the one writer of the table only."""
    checkpoint = max((path / "_delta_log").glob("[0-9]*.checkpoint.parquet"), default=None)
    if checkpoint is not None and not _is_readable(checkpoint):
        # Entries are removed long after the checkpoint that replaces them was synced, so those it held are still there.
        (path / "_delta_log" / "_last_checkpoint").unlink(missing_ok=True)
        checkpoint.rename(checkpoint.with_suffix(".torn"))
    entry = _find_torn_entry(path)
    if entry is not None:
        entry.rename(entry.with_suffix(".torn"))


def _is_readable(checkpoint: Path) -> bool:
    try:
        pq.read_table(checkpoint)
    except (pa.ArrowException, OSError):
        return False
    return True


def _find_torn_entry(path: Path) -> Path | None:
    """The last entry of the log, if a power cut left it without its bytes.

    Nothing relied on it: its segments are still there.
    """
    last = max((path / "_delta_log").glob("[0-9]*.json"), default=None)
    if last is None:
        return None
    try:
        for line in last.read_bytes().splitlines() or [b""]:
            json.loads(line)
    except ValueError:
        return last
    return None
