"""A copy of a data folder that was made while it was in use, and a folder made from one again.

The order makes it whole: the state, then the journal, then the logs of the lake, then the files that these name. What
came to the lake after its log was read still stands in the copied journal. Files that are named there never change, so
a second backup into the same folder copies what is new.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from expost.errors import FolderError

from .disk import draft_of, sync, write_synced
from .erasures import repeat_all
from .folder import Folder, open_folder
from .inspection import segments
from .lock import shared
from .schema import TABLES
from .segment import OPEN, SEALED, STORED
from .snapshot import find_lake_snapshot
from .stored_segments import unstore
from .writer import lost_segments

MANIFEST = "backup.json"
VERSION = 1
MADE_AGAIN = frozenset(
    {
        "lock", "sink.lock", "compaction.lock", "import.lock", "rejected.lock", "erasures.lock", "address", "listening",
        "spill", "imports", "cache", "state.sqlite-wal", "state.sqlite-shm",
    }
)  # fmt: skip
"""What belongs to the processes that run, or is made anew when it is missing, and not to the data."""


class Copied(msgspec.Struct, frozen=True):
    """One file of a backup."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds; written last, so a backup without one was not finished."""

    version: int
    made_at: int
    files: dict[str, Copied]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """How many files a backup has, and how many of them had to be copied."""

    files: int
    size_bytes: int
    copied_files: int
    copied_bytes: int


class Copier:
    """Copies files of a folder into a backup, and knows what it has of the backup before."""

    def __init__(
        self, source: Path, target: Path, before: dict[str, Copied], *, is_verifying: bool = False
    ) -> None:
        self._is_verifying = is_verifying
        self.files: dict[str, Copied] = {}
        self.copied_files = self.copied_bytes = 0
        self._source = source
        self._target = target
        self._before = before

    def copy(self, path: Path, *, is_unchanging: bool = False, under: Path | None = None) -> None:
        """Copy one file, unless it never changes and is there already; as `under` if that is another name."""
        name = str((under or path).relative_to(self._source))
        if name in self.files:
            return
        known, target = self._before.get(name), self._target / name
        size = path.stat().st_size
        if is_unchanging and known and known.size_bytes == size and self._is_there(target, known):
            self.files[name] = known
            return
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.files[name] = copied = copy_file(path, target)
        self.copied_files += 1
        self.copied_bytes += copied.size_bytes

    def _is_there(self, target: Path, known: Copied) -> bool:
        return digest_of(target) == known if self._is_verifying else _size_of(target) == known.size_bytes


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
    _sync_names(target)
    write_synced(target / MANIFEST, msgspec.json.encode(manifest))
    size = sum(each.size_bytes for each in copier.files.values())
    return BackedUp(len(copier.files), size, copier.copied_files, copier.copied_bytes)


def verify(backup: Path) -> Manifest:
    """What a backup holds, after every byte of it was read and found as it was copied; else FolderError."""
    manifest = _manifest_of(backup)
    if manifest is None:
        raise FolderError(
            f"{backup} is no backup that was finished: {MANIFEST} is not in it.",
            hint="Name the folder that expost backup wrote to, or make the backup again.",
        )
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in manifest.files):
        raise FolderError(
            f"{backup / MANIFEST} names files that lie outside the backup.",
            hint="expost backup writes no such list: find out who changed it, and take another backup.",
        )
    wrong = [name for name, known in manifest.files.items() if digest_of(backup / name) != known]
    if wrong:
        raise FolderError(
            f"Of {len(manifest.files)} files in {backup}, {len(wrong)} {'is' if len(wrong) == 1 else 'are'} not as "
            f"copied, the first is {wrong[0]}.",
            hint=f"Nothing was written. Take another backup, or make this one whole from the folder it is of: "
            f"expost backup --verify {backup}",
        )
    return manifest


def restore(backup: Path, target: Path, erased: Folder | None = None) -> Folder:
    """A data folder made from a backup, after all of it was verified. `target` must not exist, or be empty.

    Who was erased in it, or in the folder `erased` since, is to be erased again: `lake.erasure.carry_out` does that
    before anything else, at the latest when the server starts.
    """
    try:
        return _restore(backup, target, erased)
    except OSError as problem:
        raise FolderError(
            f"{target} was not made: {problem.strerror or problem} ({problem.filename or target}).",
            hint="The backup is as it was. Make room, or name another folder with --data, and restore again.",
        ) from problem


def _restore(backup: Path, target: Path, erased: Folder | None) -> Folder:
    if target.exists() and any(target.iterdir()):
        raise FolderError(
            f"{target} is not empty.",
            hint="A backup is restored to a new folder; move the old one aside first.",
        )
    manifest = verify(backup)
    if erased is not None and erased.secret() != Folder(backup).secret():
        raise FolderError(
            f"{erased.path} is no older or newer state of what {backup} is a backup of: it has another secret.",
            hint="Who was erased there is not found here by it. Name the folder that is replaced, or no --erased.",
        )
    draft = target.with_name(f"{target.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    for name, known in manifest.files.items():
        (draft / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if copy_file(backup / name, draft / name) != known:
            raise FolderError(f"{backup / name} changed while it was read.", hint="Restore again.")
    folder = open_folder(draft, create=True)
    if erased is not None and erased.erasures.is_dir():
        folder.erasures.mkdir(mode=0o700, exist_ok=True)
        for path in erased.erasures.iterdir():
            copy_file(path, folder.erasures / path.name)
    repeat_all(folder)
    unstore(lost_segments(folder))
    _sync_names(draft)
    if target.exists():
        target.rmdir()
    draft.rename(target)
    sync(target.parent)
    return open_folder(target)


def copy_file(source: Path, target: Path) -> Copied:
    """Copy one file, whole or not at all; what was copied.

    Its bytes are on disk when this returns, its name not yet.
    """
    digest, size = hashlib.sha256(), 0
    draft = draft_of(target)
    draft.unlink(missing_ok=True)
    # The secret is among them: nobody else may read it while it is copied, in whatever folder.
    draft.touch(mode=0o600)
    with source.open("rb") as reading, draft.open("wb") as writing:
        while piece := reading.read(1_000_000):
            digest.update(piece)
            size += len(piece)
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    shutil.copystat(source, draft)
    draft.replace(target)
    return Copied(size, digest.hexdigest())


def digest_of(path: Path) -> Copied | None:
    """Size and SHA-256 of a file, `None` where there is none that can be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(1_000_000):
                digest.update(piece)
                size += len(piece)
    except OSError:
        return None
    return Copied(size, digest.hexdigest())


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
    with closing(sqlite3.connect(folder.state_path)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy)
        copy.execute("pragma journal_mode = delete")
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
    manifest = _manifest_of(target)
    secret = target / folder.secret_path.name
    if not (secret.is_file() and secret.read_bytes() == folder.secret_path.read_bytes()):
        raise FolderError(
            f"{target} is not empty, and no backup of this folder.",
            hint="Name a new folder, or the one of an earlier backup of the same data.",
        )
    return manifest.files if manifest else {}


def _manifest_of(backup: Path) -> Manifest | None:
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    if manifest.version > VERSION:
        raise FolderError(
            f"The backup in {backup} was made by a newer Expost (format {manifest.version}, this one reads {VERSION}).",
            hint="Install the newer version again: pip install --upgrade expost",
        )
    return manifest


def _sync_names(folder: Path) -> None:
    """Return when what was put in place in a folder, and in those below it, is there also after a power cut."""
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        sync(place)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
