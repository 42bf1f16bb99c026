"""A data folder made from a backup: all of it verified first, and who was erased since erased again."""

from __future__ import annotations

import shutil
from pathlib import Path

from expost.errors import FolderError

from .copies import MANIFEST, Manifest, copy_file, digest_of, find_manifest, sync_names
from .disk import sync
from .erasures import repeat_all
from .folder import Folder, open_folder
from .stored_segments import unstore
from .writer import lost_segments


def verify(backup: Path) -> Manifest:
    """What a backup holds, after every byte of it was read and found as it was copied; else FolderError."""
    manifest = find_manifest(backup)
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
    sync_names(draft)
    if target.exists():
        target.rmdir()
    draft.rename(target)
    sync(target.parent)
    return open_folder(target)
