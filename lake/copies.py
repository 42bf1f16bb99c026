"""Files copied with their size and SHA-256, and the list of them that makes a backup one that was finished."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import msgspec

from expost.errors import FolderError

from .disk import draft_of, sync

MANIFEST = "backup.json"
VERSION = 1


class Copied(msgspec.Struct, frozen=True):
    """One file of a backup."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds; written last, so a backup without one was not finished."""

    version: int
    made_at: int
    files: dict[str, Copied]


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


def find_manifest(backup: Path) -> Manifest | None:
    """What the backup says that it holds, `None` where it was not finished."""
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


def sync_names(folder: Path) -> None:
    """Return when what was put in place in a folder, and in those below it, is there also after a power cut."""
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        sync(place)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
