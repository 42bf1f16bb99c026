"""The log of a table as a power cut may have left it: what of it is whole, and what is set aside."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from expost.errors import FolderError


def find_table(path: Path) -> DeltaTable | None:
    """The table in `path` at its newest whole version. Changes nothing, for a writer may be at work."""
    try:
        return DeltaTable(path)
    except TableNotFoundError:
        return None
    except DeltaError as problem:
        torn = _find_torn_entry(path)
        if torn is None:
            raise FolderError(
                f"The log of the table {path.name} cannot be read: an entry is missing or damaged.",
                hint="Stop the server, then: expost doctor --mend. What the journal still holds is stored again.",
            ) from problem
        version = int(torn.stem) - 1
        return None if version < 0 else DeltaTable(path, version=version)


def mend(path: Path) -> None:
    """Set aside what a power cut left torn at the end of the log in `path`.

    An entry appears in the log whole, or not at all, as long as the power stays. So this hurts no writer at work.
    """
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
