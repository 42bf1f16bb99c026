"""What is damaged in a lake, and how it is made whole again: bad files aside, and their rows from the journal.

Nothing is guessed. A file that cannot be read leaves its table, so that questions go on without it; a log of which an
entry is missing ends before the gap; and what the journal still holds of both is stored again. A log that cannot be
read at all is made anew of the files that lie there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .broken import is_mending, note_broken
from .delta_log import is_readable, is_whole
from .folder import Folder
from .lock import held_by, in_use
from .lost_entries import bring_back
from .new_log import is_log_lost, make_log_anew
from .quarantine import ask_for_rebuilding, damaged_files, set_aside
from .rebuilding import rebuild_at_rest
from .schema import TABLES
from .standing import Behind, find_behind
from .table import Table

PATIENCE_SECONDS = 30.0
"""A server sets a file aside at once; to read a day of the journal again may take it longer than anybody waits."""

LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with one table.

    Live files that are missing or unreadable; entries of the log from a gap on, of which the first may be the one that
    cannot be read; and how far it is `behind` what events say of it.
    """

    table: str
    files: dict[str, str] = field(default_factory=dict)
    after_gap: list[Path] = field(default_factory=list)
    behind: Behind | None = None


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done: files set aside, entries of logs set aside, segments moved again, rows that came back.

    `behind` are tables that had lost the last entries of their logs, `logs` those whose log was made anew.
    """

    files: int
    entries: int
    segments: int
    rows: dict[str, int]
    behind: Sequence[str] = ()
    logs: Sequence[str] = ()


def find_damage(folder: Folder, max_seconds: float = math.inf) -> list[Damage]:
    """The tables of which something is damaged, after every live file was read to its last byte. Changes nothing.

    After `max_seconds` of the remaining files only the ends are read.
    """
    found = []
    until = time.monotonic() + max_seconds
    gaps = {name: find_gap(folder.lake / name) for name in TABLES}
    behind = {} if any(gaps.values()) else {each.table: each for each in find_behind(folder.lake)}
    for name, gap in gaps.items():
        files = {} if gap else damaged_files(folder.lake / name, until)
        if files or gap or name in behind:
            found.append(Damage(name, files, gap, behind.get(name)))
    return found


def mend_lake(folder: Folder) -> Mended:
    """Set aside what is damaged and store again what the journal holds of it. For a folder that no server uses."""
    holder = held_by(folder.lock_path)
    if holder is not None:
        raise in_use(folder.path, holder)
    logs = _make_logs_anew(folder, lambda path: not _has_beginning(path) and is_log_lost(path))
    entries = 0
    for name in TABLES:
        for path in find_gap(folder.lake / name):
            # First of all, so that whoever is killed in between finds it to be done still.
            ask_for_rebuilding(folder)
            path.rename(path.with_suffix(".torn"))
            entries += 1
    logs += _make_logs_anew(folder, is_log_lost)
    files = 0
    for name, schema in TABLES.items():
        bad = damaged_files(folder.lake / name)
        if bad:
            ask_for_rebuilding(folder)
            set_aside(folder, Table(folder.lake / name, schema), set(bad))
            files += len(bad)
    lost = bring_back(folder)
    rows = rebuild_at_rest(folder)
    return Mended(files, entries, lost.segments, dict(rows), lost.tables, logs)


def _make_logs_anew(folder: Folder, is_due: Callable[[Path], bool]) -> list[str]:
    due = [name for name in TABLES if is_due(folder.lake / name)]
    for name in due:
        make_log_anew(folder, name)
    return due


def _has_beginning(path: Path) -> bool:
    """Whether some log can be read from: its first entry, or what a checkpoint says instead."""
    log = path / "_delta_log"
    first = log / f"{0:020}.json"
    return (first.is_file() and is_whole(first)) or any(
        is_readable(each) for each in log.glob("[0-9]*.checkpoint.parquet")
    )


def ask_server(folder: Folder, patience_seconds: float = PATIENCE_SECONDS) -> tuple[list[Damage], bool]:
    """Let the server of a folder set aside the files that cannot be read; what was found, and whether that is done.

    Of files it is all that there is to do. Logs it leaves as they are: their last entries it looks for at each start,
    and a gap is mended while no server runs.
    """
    damage = find_damage(folder)
    note_broken(folder, [folder.lake / each.table / name for each in damage for name in each.files])
    until = time.monotonic() + patience_seconds
    while is_mending(folder) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    return damage, not is_mending(folder)


def find_gap(path: Path) -> list[Path]:
    """The entries of a table's log from the first on that cannot be read, or that lies behind one that is missing.

    Nobody can tell what they build on. An entry that is only the last, and torn, is mended by whoever opens the table.
    """
    log = path / "_delta_log"
    entries = {int(each.stem): each for each in log.glob("[0-9]*.json") if each.stem.isdigit()}
    points = [int(each.name.partition(".")[0]) for each in log.glob("[0-9]*.checkpoint.parquet")]
    start = max(points, default=-1)
    version = start + 1
    while version in entries and is_whole(entries[version]):
        version += 1
    left = [entries[number] for number in sorted(entries) if number >= version]
    return left if len(left) > 1 or version not in entries else []
