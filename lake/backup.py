"""A copy of a data folder that was made while it was in use. `restoring.py` makes a folder of one again.

The order makes it whole: the state, then the journal, then the logs of the lake, then the files that these name. What
came to the lake after its log was read still stands in the copied journal. Files that are named there never change, so
a second backup into the same folder copies what is new.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from expost.errors import FolderError

from .copies import MANIFEST, VERSION, Copied, Copier, Manifest, find_manifest, sync_names
from .disk import write_synced
from .folder import Folder
from .inspection import segments
from .lock import shared
from .schema import TABLES
from .segment import OPEN, SEALED, STORED
from .snapshot import find_lake_snapshot

MADE_AGAIN = frozenset(
    {
        "lock", "sink.lock", "compaction.lock", "import.lock", "rejected.lock", "erasures.lock", "address", "listening",
        "spill", "imports", "cache", "state.sqlite-wal", "state.sqlite-shm",
    }
)  # fmt: skip
"""What belongs to the processes that run, or is made anew when it is missing, and not to the data."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """How many files a backup has, and how many of them had to be copied."""

    files: int
    size_bytes: int
    copied_files: int
    copied_bytes: int


def back_up(folder: Folder, target: Path, now: int, *, is_verifying: bool = False) -> BackedUp:
    """Copy the folder to `target`, while a server may be writing to it. An older backup there is brought up to date.

    If it `is_verifying`, what is there already is read, and copied again where it is damaged. Where `target` cannot be
    written it is a FolderError.
    """
    try:
        before = _manifest_for(folder, target)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _back_up(folder, target, now, Copier(folder.path, target, before, is_verifying=is_verifying))
    except OSError as problem:
        raise FolderError(
            f"The backup to {target} was not finished: {problem.strerror or problem} ({problem.filename or target}).",
            hint="Make room, or name another folder, and run it again: what was copied already is kept.",
        ) from problem


def _back_up(folder: Folder, target: Path, now: int, copier: Copier) -> BackedUp:
    # First, so that a backup that was broken off is known to be one of this folder.
    copier.copy(folder.secret_path)
    # Before the lake: an edit that is taken in between is then in both, and stands there once.
    for path in folder.edits.glob("*.json"):
        with suppress(FileNotFoundError):
            copier.copy(path)
    _copy_state(folder, target, copier)
    with _vacuum_held(folder):
        _copy_journal(folder, copier)
        # The log of events first: what it names has its dictionaries in the logs that are copied after it.
        for name in reversed(TABLES):
            for path in _log_of(folder.lake / name):
                with suppress(FileNotFoundError):
                    copier.copy(path)
        # Of a segment that came to the lake in between, some logs may know and others not: so it is copied too.
        _copy_journal(folder, copier)
        # By the copied logs and not by the newest ones.
        for file in find_lake_snapshot(target / "lake").files:
            copier.copy(folder.path / Path(file).relative_to(target), is_unchanging=True)
    for path in _beside(folder):
        with suppress(FileNotFoundError):
            copier.copy(path)
    _forget_the_rest(target, copier.files)
    manifest = Manifest(VERSION, now, copier.files)
    sync_names(target)
    write_synced(target / MANIFEST, msgspec.json.encode(manifest))
    size = sum(each.size_bytes for each in copier.files.values())
    return BackedUp(len(copier.files), size, copier.copied_files, copier.copied_bytes)


@contextmanager
def _vacuum_held(folder: Folder) -> Iterator[None]:
    """No file of the lake is deleted in here, and none merged away."""
    with ExitStack() as stack:
        for name in TABLES:
            if (folder.lake / name).is_dir():
                stack.enter_context(shared(folder.lake / name / "_writing.lock"))
        yield


def _copy_state(folder: Folder, target: Path, copier: Copier) -> None:
    """The state by SQLite's own backup: a copy of the file alone may miss what stands in its log."""
    if not folder.state_path.is_file():
        return
    draft = target / "state.draft"
    draft.unlink(missing_ok=True)
    # Before SQLite makes it with the rights of any file: it holds the hashes of passwords.
    draft.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(folder.state_path)) as source, closing(sqlite3.connect(draft)) as copy:
            source.backup(copy)
            copy.execute("pragma journal_mode = delete")
    except sqlite3.Error as problem:
        raise FolderError(
            f"The state in {folder.state_path} cannot be copied: {problem}.",
            hint="If its disk is read-only, a plain copy of the folder (cp -a) is a backup: no server can write there. "
            "A damaged file is put back from an earlier backup.",
        ) from problem
    copier.copy(draft, under=folder.state_path)
    draft.unlink()


def _copy_journal(folder: Folder, copier: Copier) -> None:
    """Copy the segments that are new or were still written to when they were copied before."""
    have = {Path(name).name: name for name in copier.files if name.startswith(f"{folder.journal.name}/")}
    for path in segments(folder.journal):
        stem = path.name.partition(".")[0]
        if have.keys() & {f"{stem}{SEALED}", f"{stem}{STORED}"}:
            continue
        # It was written to since.
        copier.files.pop(have.get(f"{stem}{OPEN}", ""), None)
        # The sink may rename it at any moment. The torn end of an open one is what a start mends anyway.
        for name in (path, path.with_suffix(SEALED), path.with_suffix(STORED)):
            with suppress(FileNotFoundError):
                copier.copy(name)
                break
    for reserved in folder.journal.glob("*.reserved"):
        with suppress(FileNotFoundError):
            copier.copy(reserved)


def _log_of(table: Path) -> list[Path]:
    """The files of a log, first the one that says which checkpoint there is: so that one is copied after it."""
    found = [path for path in (table / "_delta_log").glob("*") if path.suffix != ".tmp"]
    return sorted(found, key=lambda path: (not path.name.startswith("_"), path.name))


def _beside(folder: Folder) -> Iterator[Path]:
    """All that is not lake, journal or state: small files, secret and settings and what was rejected among them."""
    special = {folder.lake.name, folder.journal.name, folder.state_path.name, *MADE_AGAIN}
    for path in sorted(folder.path.iterdir()):
        if path.name in special:
            continue
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and file.suffix != ".draft":
                yield file


def _forget_the_rest(target: Path, files: dict[str, Copied]) -> None:
    """Remove what only an older backup needed: also what was erased since."""
    for path in target.rglob("*"):
        name = str(path.relative_to(target))
        if path.is_file() and name not in files and name != MANIFEST:
            path.unlink()


def _manifest_for(folder: Folder, target: Path) -> dict[str, Copied]:
    if target.resolve().is_relative_to(folder.path.resolve()):
        raise FolderError(
            f"{target} lies in the folder that is to be copied.",
            hint="Name a folder outside it, on another disk if there is one.",
        )
    if not target.exists() or not any(target.iterdir()):
        return {}
    manifest = find_manifest(target)
    secret = target / folder.secret_path.name
    if not (secret.is_file() and secret.read_bytes() == folder.secret_path.read_bytes()):
        raise FolderError(
            f"{target} is not empty, and no backup of this folder.",
            hint="Name a new folder, or the one of an earlier backup of the same data.",
        )
    return manifest.files if manifest else {}
