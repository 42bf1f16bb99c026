"""Whether the secret of a folder is the one with which its lake was made."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expost.errors import FolderError
from expost.ids import keyed_hash

from .folder import Folder

NAMED = {"devices": "device", "users": "user"}
"""Tables that hold ids beside what these were made of, and what they are of."""

MOST_FILES = 3
MOST_ROWS = 20


def refuse_other_secret(folder: Folder) -> None:
    """Raise FolderError where the ids in the lake were made with another secret than the folder has.

    Everybody would get a second id, and whoever was erased would be stored again. A few rows are looked at; any file
    will do, also one that its log names no more. Where none can be read nobody can tell, and nothing is raised.
    """
    secret = folder.secret()
    for table, kind in NAMED.items():
        found = _rows(folder.lake / table, kind)
        if found and not any(keyed_hash(secret, kind, site, text) == id_ for site, id_, text in found):
            raise FolderError(
                f"The secret in {folder.secret_path} is not the one with which the lake beside it was made.",
                hint="Put back the file of this folder, from a backup; with another one old and new ids do not meet.",
            )


def _rows(table: Path, kind: str) -> list[tuple[str, int, str]]:
    """Site, id and name of some of those that a table names."""
    columns = ["site", f"{kind}_id", kind]
    for path in islice(table.glob("*.parquet"), MOST_FILES):
        try:
            with pq.ParquetFile(path) as file:
                batch = next(file.iter_batches(MOST_ROWS, columns=columns), None)
        except (OSError, pa.ArrowException):
            # The doctor says which files are damaged.
            continue
        if batch is not None and batch.num_rows:
            return [tuple(row[name] for name in columns) for row in batch.to_pylist()]
    return []
