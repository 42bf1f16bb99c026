"""One table of the lake: a Delta log beside plain Parquet files, appended to exactly once.

A commit is: the Parquet file written and synced, then one log entry that names it and carries the application's
transaction number, then that entry synced. Whatever moment the power goes, what the log names is whole.

One process appends at a time: the sink, by its lock. Any may rewrite: `replace` lets no two take the same files.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from .delta_log import forget_entries, mend, name_anew, refuse_without_log
from .disk import sync
from .kept import forget_kept
from .lock import alone, shared
from .part import (
    STATISTICS,
    LiveFile,
    read_groups,
    read_unsorted,
    removal_of,
    unsorted_schema,
    write_part,
    write_parts,
)
from .snapshot import Snapshot, live_files_of, snapshot_of
from .unused_memory import give_back

CHECKPOINT_EVERY = 20
"""Commits between checkpoints: opening a table reads the last one and the log entries after it."""

MERGE_AT = 20
"""So many small files of like size are merged: commits and readers pay for every live file."""
CLASS_BYTES = (100_000, 800_000, 6_400_000)
"""The size classes. Only files of one class are merged, so that each row is written anew three times at most."""
MOST_MERGED_BYTES = 32_000_000
"""So much of files is merged at once: meanwhile nothing else goes to the lake."""

GRACE_SECONDS = 3_600
LOOK_EVERY_SECONDS = 600
"""Files that no version names any more are deleted so long after their removal: somebody may be reading them."""

REWRITE = "rewrite"
"""The application whose transactions all rewrites of a table carry, so that of two at once the later one fails."""

# Checkpoints are made here, at known moments. Old log entries go when small files are merged.
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


class Table:
    """A table opened for writing."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        name_anew(path)
        path.mkdir(parents=True, exist_ok=True)
        mend(path)
        refuse_without_log(path)
        self._delta = DeltaTable.create(
            path, schema, mode="ignore", configuration=dict(_configuration(schema))
        )
        self._widen()
        self._configure()
        self._small = self._count_small()
        self._look_at = 0.0
        # Looking one up reads the log, and this is asked several times a second.
        self._committed: dict[str, int] = {}
        if self._delta.version() == 0:
            self._sync_entries(0)

    @property
    def version(self) -> int:
        """The newest version of the table that is known here."""
        return self._delta.version()

    @property
    def id(self) -> str:
        """What tells this table from one that is made anew in its place."""
        return str(self._delta.metadata().id)

    def refresh(self) -> None:
        """Learn what others committed."""
        before = self.version
        self._delta.update_incremental()
        if self.version != before:
            self._committed.clear()

    def snapshot(self) -> Snapshot:
        """The live files of the newest version."""
        return snapshot_of(self._delta, self.path)

    def files(self) -> list[LiveFile]:
        """The live files of the newest version, with what the log tells of them."""
        return live_files_of(self._delta)

    def unsorted_bytes(self) -> int:
        """How many bytes of the files that are live do not lie in the reading order."""
        self.refresh()
        return sum(file.size_bytes for file in self.files() if file.kind == "part")

    def committed(self, application: str) -> int:
        """The number of the last transaction that `application` committed here, −1 when there is none."""
        if application not in self._committed:
            number = self._delta.transaction_version(application)
            self._committed[application] = -1 if number is None else number
        return self._committed[application]

    def read(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all rows, some at a time."""
        for file in self.files():
            yield from read_groups(self.path / file.name, list(columns), self.schema)

    def append(self, rows: pa.Table, application: str, number: int, *also: Transaction) -> None:
        """Commit `rows` as transaction `number` of `application`, and those in `also`; durable when this returns.

        A second writer with the same application makes the later of the two fail, so rows never double.
        """
        with self.writing():
            add = write_part(self.path, rows, data_change=True)
            self._commit([add], Transaction(application, number), *also)
        self._small[_size_class(add.size)] += 1

    def mark(self, *transactions: Transaction) -> None:
        """Commit transactions that change no row, so that `committed` tells of them."""
        self._commit([], *transactions)

    def replace(
        self, removed: Sequence[LiveFile], added: Sequence[AddAction], *also: Transaction, data_change: bool
    ) -> bool:
        """Put files in the place of others, in one commit; False where another rewrite took one of them first.

        Do it while `writing`, from the first file that is written on. The commit carries the transactions in `also`.
        """
        while True:
            self.refresh()
            live = {file.name for file in self.files()}
            if not all(file.name in live for file in removed):
                return False
            now = time.time()
            for file in removed:
                # The time of its removal, by which the time of grace is counted.
                with suppress(FileNotFoundError):
                    os.utime(self.path / file.name, (now, now))
            actions: list[AddAction | RemoveAction] = list(added)
            actions += [removal_of(file, int(now * 1_000), data_change) for file in removed]
            known = self.version
            try:
                self._commit(actions, Transaction(REWRITE, self.committed(REWRITE) + 1), *also)
            except CommitFailedError:
                self.refresh()
                if self.version == known:
                    raise
            else:
                self._small = self._count_small()
                return True

    def discard(self, added: Iterable[AddAction]) -> None:
        """Delete new files that no commit has named."""
        for add in added:
            (self.path / add.path).unlink(missing_ok=True)

    def writing(self) -> AbstractContextManager[None]:
        """While this is held, files are left alone that no version names yet."""
        return shared(self._lock_path)

    def has_files_in_the_making(self) -> bool:
        """Whether somebody is `writing` at this moment."""
        with alone(self._lock_path) as is_alone:
            return not is_alone

    def tend(self) -> None:
        """Merge small files when there are many of them, and delete those that were removed an hour ago.

        Rows, and what readers see, stay the same.
        """
        for size_class in range(len(CLASS_BYTES)):
            if self._small[size_class] >= MERGE_AT:
                self._merge(size_class)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
            self.vacuum()

    def vacuum(self, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete the files that no version names, if they were removed so long ago; how many that were.

        Those of commits that never came go too. None is deleted while somebody is writing.
        """
        with alone(self._lock_path) as is_alone:
            if not is_alone:
                return 0
            self.refresh()
            named = {file.name for file in self.files()}
            before = time.time() - grace_seconds
            gone = [
                path
                for path in self.path.glob("*.parquet")
                if path.name not in named and path.stat().st_mtime <= before
            ]
            for path in gone:
                path.unlink()
                forget_kept(self.path, path)
            if gone:
                sync(self.path)
            return len(gone)

    def clean_log(self) -> None:
        """Remove the entries of the log that nobody needs any more, unless somebody is writing."""
        with alone(self._lock_path) as is_alone:
            if is_alone:
                forget_entries(self.path, self.version)

    def forget_past(self) -> bool:
        """Keep nothing but the newest version: no removed file, no older entry of the log with its values.

        For rows that must be gone now. Whoever reads an older version at this moment has to read again. False while
        another process writes: then all that is old stays.
        """
        with alone(self._lock_path) as is_alone:
            if not is_alone:
                return False
            self.refresh()
            self._checkpoint()
            log = self.path / "_delta_log"
            for path in log.iterdir():
                number = path.name.partition(".")[0]
                is_older = number.isdigit() and int(number) < self.version
                if is_older or path.suffix in (".torn", ".tmp"):
                    path.unlink(missing_ok=True)
            sync(log)
        self.vacuum(grace_seconds=-GRACE_SECONDS)
        return {path.name for path in self.path.glob("*.parquet")} <= {file.name for file in self.files()}

    @property
    def _lock_path(self) -> Path:
        return self.path / "_writing.lock"

    def _widen(self) -> None:
        """Add the columns that the table was made before. Rows that are there already hold null in them."""
        there = {field.name for field in self._delta.schema().fields}
        missing = [field for field in Schema.from_arrow(self.schema).fields if field.name not in there]
        if missing:
            before = self.version
            self._delta.alter.add_columns(missing, post_commithook_properties=_NO_HOOKS)
            self._sync_entries(before + 1)

    def _configure(self) -> None:
        """Set the properties that the table was made before."""
        there = self._delta.metadata().configuration
        missing = {
            name: value for name, value in _configuration(self.schema).items() if there.get(name) != value
        }
        if missing:
            before = self.version
            self._delta.alter.set_table_properties(missing, post_commithook_properties=_NO_HOOKS)
            self._delta.update_incremental()
            self._sync_entries(before + 1)

    def _merge(self, size_class: int) -> None:
        # Whoever rewrites at length would find his files gone. Then they wait until he is done.
        with alone(self._lock_path) as is_alone:
            if not is_alone:
                return
            self.refresh()
            of_class = [file for file in self.files() if _size_class(file.size_bytes) == size_class]
            if len(of_class) >= MERGE_AT:
                ends = accumulate(file.size_bytes for file in of_class)
                chosen = [file for file, end in zip(of_class, ends, strict=True) if end <= MOST_MERGED_BYTES]
                rows = self._rows_of(chosen)
                schema = unsorted_schema(self.schema)
                self.replace(
                    chosen, [write_parts(self.path, schema, rows, data_change=False)], data_change=False
                )
                forget_entries(self.path, self.version)
                # What this took is not wanted again before so many more commits.
                give_back()
            self._small = self._count_small()

    def _rows_of(self, files: Sequence[LiveFile]) -> Iterator[pa.Table]:
        for file in files:
            yield from read_unsorted(self.path / file.name, self.schema)
            # Or the allocator holds several times what is in use.
            give_back()

    def _commit(self, actions: list[AddAction | RemoveAction], *transactions: Transaction) -> None:
        before = self.version
        # The names of new files have to be on the disk before the log can name them.
        sync(self.path)
        self._delta.create_write_transaction(
            actions,
            "append",
            self.schema,
            commit_properties=CommitProperties(app_transactions=list(transactions)),
            post_commithook_properties=_NO_HOOKS,
        )
        self._delta.update_incremental()
        if self.version > before + 1:
            self._committed.clear()
        self._committed |= {transaction.app_id: transaction.version for transaction in transactions}
        self._sync_entries(before + 1)
        if self.version // CHECKPOINT_EVERY > before // CHECKPOINT_EVERY:
            self._checkpoint()

    def _checkpoint(self) -> None:
        self._delta.create_checkpoint()
        log = self.path / "_delta_log"
        for name in (f"{self.version:020}.checkpoint.parquet", "_last_checkpoint"):
            sync(log / name)
        sync(log)

    def _sync_entries(self, first: int) -> None:
        # Those of others as well: ours says nothing of what it stands on.
        log = self.path / "_delta_log"
        for version in range(first, self.version + 1):
            sync(log / f"{version:020}.json")
        sync(log)

    def _count_small(self) -> Counter[int]:
        return Counter(_size_class(file.size_bytes) for file in self.files())


def _configuration(schema: pa.Schema) -> dict[str, str]:
    """The properties of a table."""
    told = [name for name in STATISTICS if name in schema.names]
    # Whoever opens the log reads the ranges of these columns for every live file, or else of the first 32.
    ranges = (
        {"delta.dataSkippingStatsColumns": ",".join(told)}
        if told
        else {"delta.dataSkippingNumIndexedCols": "0"}
    )
    return {
        # Merging leaves many removed files behind. Checkpoints carry each of them for this long.
        "delta.logRetentionDuration": "interval 1 hours",
        "delta.deletedFileRetentionDuration": "interval 1 hours",
        **ranges,
    }


def _size_class(size: int) -> int:
    return bisect_left(CLASS_BYTES, size)
