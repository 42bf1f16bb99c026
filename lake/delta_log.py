"""The log of a table: what of it is whole after a power cut, what is set aside, and what nobody needs any more."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from expost.errors import FolderError

ANEW = ".anew"
"""Beside a table: the one that is made to take its place."""

KEPT_ENTRIES = 100
KEPT_SECONDS = 5.0
"""So many of the latest entries stay, and all that are so young: somebody may have begun to read at one of them."""


def find_table(path: Path) -> DeltaTable | None:
    """The table in `path` at its newest whole version. Changes nothing, for a writer may be at work."""
    try:
        return DeltaTable(path)
    except TableNotFoundError:
        refuse_without_log(path)
        return None
    except DeltaError as problem:
        torn = _find_torn_entry(path)
        if torn is not None:
            version = int(torn.stem) - 1
            return None if version < 0 else DeltaTable(path, version=version)
        try:
            # While it was being read, a newer checkpoint may have taken the place of the entries.
            return DeltaTable(path)
        except DeltaError:
            raise _lost(path) from problem


def refuse_without_log(path: Path) -> None:
    """Raise FolderError where files of a table lie without their log: with a new one they would be nobody's.

    So do those of a table that was made anew, until it has its name.
    """
    if not any((path / "_delta_log").glob("[0-9]*")) and (any(path.glob("*.parquet")) or _is_unnamed(path)):
        raise _lost(path)


def name_anew(path: Path) -> None:
    """Give a table that was made anew its name, where a kill came after the old one had lost it."""
    if _is_unnamed(path):
        path.with_suffix(ANEW).rename(path)


def _is_unnamed(path: Path) -> bool:
    # The old table goes only when the new one is whole.
    return not path.exists() and path.with_suffix(ANEW).exists()


def _lost(path: Path) -> FolderError:
    return FolderError(
        f"The log of the table {path.name} cannot be read: an entry is missing or damaged.",
        hint="Stop the server, then: expost doctor --mend. It makes the log anew, of the files of the table.",
    )


def forget_entries(path: Path, version: int) -> int:
    """Remove what of the log in `path` stands in a checkpoint and is old; how many entries that were.

    Listing the log is part of every commit and of every question, so that it must not grow. All versions from the
    oldest checkpoint on that is left can still be read.
    """
    log = path / "_delta_log"
    numbered = [(int(entry.name[:20]), entry) for entry in log.glob("[0-9]*")]
    checkpoints = [number for number, entry in numbered if entry.name.endswith(".checkpoint.parquet")]
    oldest = max((number for number in checkpoints if number <= version - KEPT_ENTRIES), default=0)
    before = time.time() - KEPT_SECONDS
    # From the oldest on, so that what is left is without a gap whenever this ends.
    gone = [entry for number, entry in sorted(numbered) if number < oldest and entry.stat().st_mtime < before]
    for entry in gone:
        entry.unlink()
    return len(gone)


def mend(path: Path) -> None:
    """Set aside what a power cut left torn at the end of the log in `path`.

    An entry appears in the log whole, or not at all, as long as the power stays. So this hurts no writer at work.
    """
    checkpoint = max((path / "_delta_log").glob("[0-9]*.checkpoint.parquet"), default=None)
    if checkpoint is not None and not is_readable(checkpoint):
        # Entries are removed long after the checkpoint that replaces them was synced, so those it held are still there.
        (path / "_delta_log" / "_last_checkpoint").unlink(missing_ok=True)
        checkpoint.rename(checkpoint.with_suffix(".torn"))
    entry = _find_torn_entry(path)
    if entry is not None:
        entry.rename(entry.with_suffix(".torn"))


def is_readable(checkpoint: Path) -> bool:
    """Whether a checkpoint can be read to its end."""
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
    return last if last is not None and not is_whole(last) else None


def is_whole(entry: Path) -> bool:
    """Whether an entry of a log can be read: lines of JSON, at least one."""
    try:
        for line in entry.read_bytes().splitlines() or [b""]:
            json.loads(line)
    except ValueError:
        return False
    return True
