"""A new log for a table whose own cannot be read any more, made of the files that lie there.

A checkpoint of which a bit flipped names every file of a table, and what it replaced is gone. The files are whole all
the same: so their rows go into a table of the same name, each once, since files that were replaced within the last hour
lie among them. The old folder is put into `quarantine/` as it is.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import Transaction
from numpy.typing import NDArray

from expost.errors import FolderError

from .broken import why_broken
from .delta_log import ANEW, find_table, mend, name_anew
from .dictionary import DICTIONARIES
from .disk import sync
from .folder import Folder
from .part import read_groups, read_unsorted, unsorted_schema, write_parts
from .quarantine import ask_for_rebuilding
from .replay import KEYS, are_missing
from .schema import TABLES
from .segment import segment_number
from .snapshot import find_committed
from .stored_segments import stored_segments
from .table import Table
from .writer import APPLICATION


def is_log_lost(path: Path) -> bool:
    """Whether nobody can tell any more which files a table has, though it has some. What is only torn is mended."""
    name_anew(path)
    if not any(path.glob("*.parquet")):
        return False
    mend(path)
    try:
        return find_table(path) is None
    except FolderError:
        return True


def make_log_anew(folder: Folder, name: str) -> None:
    """Put a table in the place of the one of that name, with the rows of all files there that are whole.

    Killed at any moment, the old one is there, or the new one as soon as somebody writes to it or mends it.
    """
    path, draft = folder.lake / name, (folder.lake / name).with_suffix(ANEW)
    shutil.rmtree(draft, ignore_errors=True)
    table = Table(draft, TABLES[name])
    for file in sorted(path.glob("*.parquet")):
        if why_broken(file) is None:
            _take(table, file, name)
    table.mark(Transaction(APPLICATION, _last_moved(folder)))
    # What files that are damaged held comes from the journal, as far as it reaches.
    ask_for_rebuilding(folder)
    folder.quarantine.mkdir(mode=0o700, exist_ok=True)
    old = folder.quarantine / name
    shutil.rmtree(old, ignore_errors=True)
    path.rename(old)
    draft.rename(path)
    sync(folder.lake)
    sync(folder.quarantine)
    # What was found in files that have other names now.
    shutil.rmtree(folder.cache, ignore_errors=True)


def _take(table: Table, file: Path, name: str) -> None:
    """Write the rows of a file that the table does not hold yet. A dictionary may hold some twice."""
    if not pq.read_metadata(file).num_rows:
        return
    rows = read_unsorted(file, table.schema)
    if name not in DICTIONARIES:
        key = KEYS[name]
        columns = list(dict.fromkeys((*key.columns, key.time)))
        is_missing = are_missing(table, pa.concat_tables(read_groups(file, columns, table.schema)), key)
        if not is_missing.any():
            return
        rows = _chosen(rows, is_missing)
    schema = unsorted_schema(table.schema)
    with table.writing():
        table.replace([], [write_parts(table.path, schema, rows, data_change=True)], data_change=True)


def _chosen(parts: Iterator[pa.Table], are_chosen: NDArray[np.bool_]) -> Iterator[pa.Table]:
    start = 0
    for rows in parts:
        chosen = rows.filter(pa.array(are_chosen[start : start + len(rows)]))
        start += len(rows)
        if len(chosen):
            yield chosen


def _last_moved(folder: Folder) -> int:
    """The last segment of which all rows are in the lake."""
    last = max(map(segment_number, stored_segments(folder.journal)), default=-1)
    try:
        return max(last, find_committed(folder.lake / "events", APPLICATION))
    except FolderError:
        return last
