"""Which files of a table, and of the whole lake, are live at one version: what questions read."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from .delta_log import find_table
from .part import STATISTICS, LiveFile
from .schema import TABLES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The live files of one version of a table."""

    version: int
    files: list[str]


@dataclass(frozen=True, slots=True)
class LakeSnapshot:
    """What the whole lake held at one moment, per table; `None` for a table that was not made yet."""

    tables: Mapping[str, Snapshot | None]

    @property
    def files(self) -> list[str]:
        """Every live file."""
        return [file for table in self.tables.values() if table for file in table.files]


def find_lake_snapshot(lake: Path) -> LakeSnapshot:
    """The newest version of every table, such that nothing points at what is missing.

    The sink commits dictionaries before the events that name their ids, so events are looked up first.
    """
    return LakeSnapshot({name: find_snapshot(lake / name) for name in reversed(TABLES)})


def find_snapshot(path: Path) -> Snapshot | None:
    """The newest version of the table in `path`, `None` where there is no table yet."""
    table = find_table(path)
    return None if table is None else snapshot_of(table, path)


def find_live_files(path: Path) -> list[LiveFile]:
    """The live files of the newest version of the table in `path`, with what the log tells of them."""
    table = find_table(path)
    return [] if table is None else live_files_of(table)


def find_committed(path: Path, application: str) -> int:
    """The number of the last transaction that `application` committed to the table in `path`, −1 for none."""
    table = find_table(path)
    number = None if table is None else table.transaction_version(application)
    return -1 if number is None else number


def snapshot_of(table: DeltaTable, path: Path) -> Snapshot:
    """The live files of the version of a table that is open."""
    # The library gives absolute names as URLs, escaped; those in the log are relative, and ours need no escape.
    names = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
    return Snapshot(table.version(), sorted(str(path / name) for name in names))


def live_files_of(table: DeltaTable) -> list[LiveFile]:
    """The same, with what the log tells of them."""
    actions = pa.table(table.get_add_actions(flatten=True))

    def column(name: str) -> list[Any]:
        if name not in actions.column_names:
            return [None] * len(actions)
        values = actions[name]
        plain: list[Any] = (
            values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
        ).to_pylist()
        return plain

    def ranges(end: str) -> list[dict[str, Any]]:
        columns = {name: column(f"{end}.{name}") for name in STATISTICS}
        return [
            {name: values[row] for name, values in columns.items() if values[row] is not None}
            for row in range(len(actions))
        ]

    facts = zip(column("path"), column("size_bytes"), column("num_records"), strict=True)
    return [
        LiveFile(*fact, least, greatest)
        for fact, least, greatest in zip(facts, ranges("min"), ranges("max"), strict=True)
    ]
