"""Rows of a table removed or changed, in one commit, whoever else rewrites it at the same time."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import Transaction
from deltalake.transaction import AddAction

from .part import LiveFile, PartWriter, check, read_groups
from .table import Table

AreDue = Callable[[pa.Table], pa.ChunkedArray]
"""Which of some rows are concerned, never null."""

Change = Callable[[pa.Table, pa.ChunkedArray], pa.Table]
"""What is to stand in the place of some rows, of which those that are due are told."""


def drop(rows: pa.Table, due: pa.ChunkedArray) -> pa.Table:
    """The change that removes what is due."""
    return rows.filter(pc.invert(due))


def rewrite(
    table: Table,
    columns: Sequence[str],
    are_due: AreDue,
    *also: Transaction,
    change: Change = drop,
    since: tuple[str, int] | None = None,
) -> int:
    """Change the rows that `are_due` picks by those `columns`, in one commit; how many they were.

    Files of which none is due stay as they are, and the order of rows in the others. With `since`, a column of
    `STATISTICS` and a moment, only files are looked at that can hold a value before it. The commit carries the
    transactions in `also`; without rows there is none. Where another rewrite was first, all is done again. One row
    group is in memory at a time. What was removed is still in its old file until `Table.vacuum` deletes that.
    """
    while True:
        with table.writing():
            table.refresh()
            changed = _write_changed(table, columns, are_due, change, since)
            if not changed.removed or table.replace(changed.removed, changed.added, *also, data_change=True):
                return changed.count
            table.discard(changed.added)


@dataclass(slots=True)
class Changed:
    """The files of which rows are due, what is to take their place, and how many those rows are."""

    removed: list[LiveFile] = field(default_factory=list)
    added: list[AddAction] = field(default_factory=list)
    count: int = 0


def _write_changed(
    table: Table, columns: Sequence[str], are_due: AreDue, change: Change, since: tuple[str, int] | None
) -> Changed:
    changed = Changed()
    try:
        for file in table.files():
            due = 0
            if since is None or file.may_be_before(*since):
                due = _count_due(table, file, columns, are_due)
            if due:
                changed.count += due
                changed.removed.append(file)
                changed.added += _write_rest(table, file, columns, are_due, change)
    except BaseException:
        # Of a disk that is full they would take the room for an hour.
        table.discard(changed.added)
        raise
    return changed


def _count_due(table: Table, file: LiveFile, columns: Sequence[str], are_due: AreDue) -> int:
    groups = read_groups(table.path / file.name, list(columns), table.schema)
    return sum(pc.sum(are_due(rows)).as_py() or 0 for rows in groups)


def _write_rest(
    table: Table, file: LiveFile, columns: Sequence[str], are_due: AreDue, change: Change
) -> list[AddAction]:
    """What takes the place of a file: one that is written the same way, or nothing where no row is left."""
    check(table.path / file.name)
    writer = PartWriter(table.path, table.schema, file.kind)
    try:
        for rows in read_groups(table.path / file.name, table.schema.names, table.schema):
            writer.write(change(rows, are_due(rows.select(list(columns)))))
    except BaseException:
        writer.discard()
        raise
    add = writer.finish(data_change=True)
    if writer.rows:
        return [add]
    (table.path / add.path).unlink()
    return []


def rewrite_each(
    table: Table,
    columns: Sequence[str],
    are_due: AreDue,
    change: Change,
    tell: Callable[[int], None] = lambda _: None,
) -> int:
    """As `rewrite`, but a commit for each file; `tell` is told how many are left.

    So the disk needs room for one file more, and what was done before an end stays done.
    """
    count = 0
    done: set[str] = set()
    while True:
        with table.writing():
            table.refresh()
            left = [file for file in table.files() if file.name not in done]
            tell(len(left))
            if not left:
                return count
            done.add(left[0].name)
            due = _count_due(table, left[0], columns, are_due)
            if due:
                added = _write_rest(table, left[0], columns, are_due, change)
                if table.replace(left[:1], added, data_change=True):
                    count += due
                    done |= {add.path for add in added}
                else:
                    # What took its place is among the files next time.
                    table.discard(added)
