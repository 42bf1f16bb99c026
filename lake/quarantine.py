"""Broken files taken out of the lake while questions go on, and their rows brought back from the journal.

The sink does it for files that somebody noted, beside a running server, and `expost doctor --mend` for all. A file that
left its table lies in `quarantine/`; what it held and the journal does not hold any more comes from a backup.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import errno
import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from zlib import crc32

import pyarrow as pa
from deltalake import DeltaTable

from expost.errors import FolderError

from .batch import Accepted
from .broken import READ_PROBLEMS, BrokenFile, note_broken, noted_broken, why_broken
from .delta_log import find_table
from .disk import sync
from .folder import Folder
from .inspection import batches
from .kept import forget_kept
from .schema import TABLES
from .sent import segment_bytes_to_read
from .sink_log import in_words, log
from .standing import find_behind
from .stored_segments import stored_segments
from .table import Table
from .writer import Writer

REPLAY_BYTES = 16_000_000
"""Segments are replayed together up to this size, unpacked."""


def damaged_files(path: Path, until: float = math.inf) -> dict[str, str]:
    """The live files of a table that are missing or cannot be read, each with the reason."""
    table = find_table(path)
    bad = {}
    for name in [] if table is None else _live_names(table):
        try:
            reason = why_broken(path / name, is_whole=time.monotonic() < until)
        except OSError as problem:
            reason = str(problem)
        if reason is not None:
            bad[name] = reason
    return bad


def set_aside_noted(folder: Folder) -> list[BrokenFile]:
    """Take the files out of their tables that somebody noted as broken, if they are; which those were.

    Any process may, and may end in it. What they held is still to be brought back: `rebuild`.
    """
    aside = []
    for note, path in noted_broken(folder).items():
        table = find_table(path.parent)
        if table is not None and path.name in _live_names(table):
            reason: str | None = None
            # A disk may fail just now. Whoever meets the file again notes it again.
            with suppress(OSError):
                reason = why_broken(path)
            if reason is not None:
                # Before the file leaves its table.
                ask_for_rebuilding(folder)
                set_aside(folder, Table(path.parent, TABLES[path.parent.name]), {path.name})
                aside.append(BrokenFile(path.parent.name, path.name, reason))
        note.unlink(missing_ok=True)
    return aside


def rebuild(folder: Folder, writer: Writer) -> Counter[str] | None:
    """Store again what the journal holds of files that were set aside; how many rows, `None` where none were.

    Not while a group `is_interrupted`.
    """
    if not _rebuilding(folder).exists():
        return None
    rows = replay_stored(folder, writer, stored_segments(folder.journal))
    _rebuilding(folder).unlink()
    return rows


def note_damage(folder: Folder, problem: Exception) -> None:
    """After work on a lake ended in a problem that a broken file may be the reason of: note those there are."""
    if isinstance(problem, OSError) and problem.errno not in (None, errno.ENOENT):
        return
    if isinstance(problem, READ_PROBLEMS):
        # What else is wrong is said by whoever had the problem.
        with suppress(*READ_PROBLEMS, FolderError):
            note_broken(folder, find_broken(folder))


def verify_some(folder: Folder, day: int) -> list[Path]:
    """Read a seventh of the live files to their last byte, another one each day, and note those that are broken.

    No question can verify what it reads, so a flipped bit is found within a week. Once a day, whoever calls.
    """
    stamp = folder.cache / "verified"
    with suppress(OSError):
        if stamp.read_text("ascii") == str(day):
            return []
    bad = []
    for name in TABLES:
        path = folder.lake / name
        table = find_table(path)
        for each in [] if table is None else _live_names(table):
            # By its name, so that nobody has to remember which were read.
            if crc32(each.encode()) % 7 == day % 7:
                try:
                    if why_broken(path / each) is not None:
                        bad.append(path / each)
                except OSError as problem:
                    hint = "The disk fails to read it: look at the log of the system, then ask expost doctor."
                    log("not verified", table=name, file=each, error=in_words(problem), hint=hint)
    # A file that was replaced meanwhile and deleted is missing, and not noted by whoever looks after the notes.
    note_broken(folder, bad)
    with suppress(OSError):
        folder.cache.mkdir(mode=0o700, exist_ok=True)
        stamp.write_text(str(day), "ascii")
    return bad


def find_broken(folder: Folder) -> Iterator[Path]:
    """The live files that can never be read, after every one was read to its last byte."""
    for name in TABLES:
        path = folder.lake / name
        table = find_table(path)
        for file in [] if table is None else _live_names(table):
            if why_broken(path / file) is not None:
                yield path / file


def _rebuilding(folder: Folder) -> Path:
    return folder.broken / "rebuild"


def ask_for_rebuilding(folder: Folder) -> None:
    """Let the writer of the lake `rebuild` it. Durable, so that an end in between loses no rows."""
    folder.broken.mkdir(mode=0o700, exist_ok=True)
    _rebuilding(folder).touch(mode=0o600)
    sync(folder.broken)


def set_aside(folder: Folder, table: Table, bad: set[str]) -> None:
    """Take files out of their table in one commit, and put what is there of them into `quarantine/`."""
    with table.writing():
        # One that was compacted meanwhile is none of ours any more.
        gone = [
            file for file in table.files() if file.name in bad and table.replace([file], [], data_change=True)
        ]
    folder.quarantine.mkdir(mode=0o700, exist_ok=True)
    for file in gone:
        path = table.path / file.name
        forget_kept(table.path, path)
        if path.exists():
            path.rename(folder.quarantine / f"{table.path.name}-{file.name}")
    sync(folder.quarantine)
    sync(table.path)


def replay_stored(folder: Folder, writer: Writer, segments: Sequence[Path] | None = None) -> Counter[str]:
    """Store again what the stored segments hold and the lake has lost; how many rows of each table that were."""
    appended: Counter[str] = Counter()
    for group in _groups(stored_segments(folder.journal) if segments is None else segments):
        appended.update(writer.replay(_accepted(group)))
    if find_behind(folder.lake):
        writer.note_standing()
    if appended:
        # What was found while elements were missing is not true any more.
        shutil.rmtree(folder.cache, ignore_errors=True)
    return appended


def _accepted(segments: Sequence[Path]) -> Iterator[Accepted]:
    return chain.from_iterable(batches(segment) for segment in segments)


def _groups(segments: Sequence[Path]) -> Iterator[Sequence[Path]]:
    group: list[Path] = []
    total = 0
    for segment in segments:
        size = segment_bytes_to_read(segment)
        if group and total + size > REPLAY_BYTES:
            yield group
            group, total = [], 0
        group.append(segment)
        total += size
    if group:
        yield group


def _live_names(table: DeltaTable) -> list[str]:
    names: list[str] = pa.table(table.get_add_actions(flatten=True))["path"].to_pylist()
    return names
