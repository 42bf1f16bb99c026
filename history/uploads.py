"""Exports that were uploaded to be imported: a folder each, whose files say how it stands whoever was killed when.

imports/ID/upload.json     what was uploaded, written when all of it was there
imports/ID/file/NAME       the file itself
imports/ID/run.json        the latest run: what was asked
imports/ID/said.json       how far that run is, or what became of it
imports/ID/rejects.ndjson  the rows that it could not use
imports/ID/lock            held by the process that runs
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from expost.errors import ExpostError, InvalidInput, NoRoom, TooLarge, UnknownName
from expost.lake.folder import Folder
from expost.lake.moment import DAY

MAX_NAME = 100
KEPT = 7 * DAY
"""An upload may hold what nobody is to keep: it goes after so long, whatever became of it."""

RESERVED_BYTES = 500_000_000
"""So much of the disk stays free for events: an upload must never keep one from being acknowledged."""

_UNSAFE = re.compile(r"[^\w.-]+")
_ID = re.compile(r"[0-9a-f]{12}")

Kept = TypeVar("Kept", bound=msgspec.Struct)
Free = Callable[[Path], int]


class Upload(msgspec.Struct, frozen=True):
    """What was uploaded, by whom and for which site. `name` is that of its file here."""

    id: str
    name: str
    kind: str
    site: str
    size_bytes: int
    uploaded_at: int
    who: str = ""


class Run(msgspec.Struct, frozen=True):
    """What a run was asked to do. `mapping` is TOML, for tables."""

    number: int
    is_dry_run: bool
    started_at: int
    who: str = ""
    place: str = ""
    time_zone: str = ""
    mapping: str = ""


class Said(msgspec.Struct, frozen=True):
    """How far a run is, or what became of it: `running`, `done` or `failed`; the last two are final."""

    number: int
    state: str
    at: int
    report: dict[str, Any] | None = None
    error: dict[str, str] | None = None


class UnknownImport(UnknownName):
    """An upload that is not there, or no more."""

    code = "unknown_import"

    def __init__(self, id_: str) -> None:
        super().__init__(
            "upload",
            id_,
            [],
            list_with="GET /api/v1/imports; uploads are removed after seven days, and by every erasure",
        )


class UploadRemoved(ExpostError):
    """An upload that was removed while it was imported."""

    code = "upload_removed"
    status = 410

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"The upload {id_!r} was removed while it was imported, so its import has ended.",
            hint="An erasure removes every upload, since it may hold whoever was erased. What was stored before stays, "
            "without them. For the rest, upload the file again.",
        )


def free_bytes(path: Path) -> int:
    """How much room a disk has."""
    return shutil.disk_usage(path).free


class Uploads:
    """The uploads of a data folder."""

    def __init__(self, folder: Folder, max_bytes: int, free: Free = free_bytes) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._free = free

    def check_size(self, size_bytes: int) -> None:
        """Refuse a file that is too large."""
        if size_bytes > self.max_bytes:
            raise TooLarge(
                f"The file has {size_bytes:,} bytes or more, and at most {self.max_bytes:,} can be uploaded.",
                hint="Pack it as gzip or zip, raise the setting max_import_bytes, or import it on the server itself: "
                "expost import",
            )

    def check_room(self, more_bytes: int) -> None:
        """Refuse what the disk has no room for, beside what is kept free for events."""
        free = self._free(self.folder.path)
        if free - more_bytes < RESERVED_BYTES:
            raise NoRoom(
                f"The disk has {free:,} bytes free; with this file fewer than {RESERVED_BYTES:,} would be left, "
                "which are kept for events.",
                hint="Make room there, or pack the file as gzip or zip. Nothing of it was kept.",
            )

    @contextmanager
    def arriving(self, name: str) -> Iterator[Arriving]:
        """A new upload; what is not kept when this ends is removed."""
        place = self._place(uuid.uuid4().hex[:12])
        try:
            (place / "file").mkdir(mode=0o700, parents=True)
        except OSError as problem:
            raise _no_room(problem) from problem
        arriving = Arriving(self, place, safe_name(name))
        try:
            yield arriving
        finally:
            arriving.close()
            if not arriving.is_kept:
                shutil.rmtree(place, ignore_errors=True)

    def all(self) -> list[Upload]:
        """All that arrived whole, the latest first."""
        if not self.folder.imports.is_dir():
            return []
        found = (self._read(path, "upload.json", Upload) for path in self.folder.imports.iterdir())
        return sorted(filter(None, found), key=lambda each: each.uploaded_at, reverse=True)

    def find(self, id_: str) -> Upload:
        """One of them."""
        found = self._read(self._place(id_), "upload.json", Upload) if _ID.fullmatch(id_) else None
        if found is None:
            raise UnknownImport(id_)
        return found

    def path(self, upload: Upload) -> Path:
        """The file that was uploaded."""
        return self._place(upload.id) / "file" / upload.name

    def rejects_path(self, id_: str) -> Path:
        """Where rows are that its latest run could not use."""
        return self._place(id_) / "rejects.ndjson"

    def lock_path(self, id_: str) -> Path:
        """Held as long as a run of it goes on."""
        return self._place(id_) / "lock"

    def check_there(self, id_: str) -> None:
        """Raise UploadRemoved where it was removed, by an erasure for one."""
        if not (self._place(id_) / "upload.json").exists():
            raise UploadRemoved(id_)

    def run(self, id_: str) -> Run | None:
        """Its latest run, if there was one."""
        return self._read(self._place(id_), "run.json", Run)

    def said(self, id_: str) -> Said | None:
        """What its latest run said last."""
        return self._read(self._place(id_), "said.json", Said)

    def write(self, id_: str, kept: Run | Said) -> None:
        """Keep what is asked of a run, or what it says. Raises NoRoom, or UploadRemoved."""
        self.check_there(id_)
        _write(self._place(id_) / ("run.json" if isinstance(kept, Run) else "said.json"), kept)

    def remove(self, id_: str) -> None:
        """Forget an upload with all that was said of it. Events that it brought stay."""
        shutil.rmtree(self._place(id_), ignore_errors=True)

    def remove_old(self, now: int) -> None:
        """Remove those that are older than they are kept."""
        for each in self.all():
            if each.uploaded_at < now - KEPT:
                self.remove(each.id)

    def remove_unfinished(self) -> None:
        """Remove what is not there whole: a kill or a power cut leaves it. For a start, before more is taken."""
        if self.folder.imports.is_dir():
            for place in self.folder.imports.iterdir():
                upload = self._read(place, "upload.json", Upload)
                if upload is None or not self._is_whole(upload):
                    shutil.rmtree(place, ignore_errors=True)

    def _is_whole(self, upload: Upload) -> bool:
        path = self.path(upload)
        return path.is_file() and path.stat().st_size == upload.size_bytes

    def _place(self, id_: str) -> Path:
        return self.folder.imports / id_

    def _read(self, place: Path, name: str, kind: type[Kept]) -> Kept | None:
        try:
            return msgspec.json.decode((place / name).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError):
            return None


class Arriving:
    """An upload whose file is arriving, piece by piece."""

    def __init__(self, uploads: Uploads, place: Path, name: str) -> None:
        self._uploads = uploads
        self._place = place
        self._name = name
        # Whatever it holds, nobody else reads it.
        self._descriptor: int | None = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.size_bytes = 0
        self.is_kept = False

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._place / "file" / self._name

    def write(self, piece: bytes) -> None:
        """Take the next piece of the file. Raises TooLarge or NoRoom."""
        self._uploads.check_size(self.size_bytes + len(piece))
        self._uploads.check_room(len(piece))
        assert self._descriptor is not None
        try:
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as problem:
            raise _no_room(problem) from problem
        self.size_bytes += len(piece)

    def keep(self, kind: str, site: str, now: int, who: str) -> Upload:
        """All of it has arrived: from now on it is there."""
        if not self.size_bytes:
            raise InvalidInput(
                "The file is empty.", hint="Look whether the export is finished, and upload it again."
            )
        upload = Upload(self._place.name, self._name, kind, site, self.size_bytes, now, who)
        self.close()
        _write(self._place / "upload.json", upload)
        self.is_kept = True
        return upload

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def safe_name(name: str) -> str:
    r"""A name for a file of ours that resembles the one that somebody's file has.

    >>> safe_name("../../etc/export März.csv"), safe_name("C:\\x\\.y"), safe_name("\0")
    ('export_März.csv', 'y', 'file')
    """
    base = re.split(r"[/\\]", name)[-1]
    return (
        _UNSAFE.sub("_", base).lstrip("._")[:MAX_NAME].encode("utf-8", "replace").decode()[:MAX_NAME]
        or "file"
    )


def _write(path: Path, kept: msgspec.Struct) -> None:
    """Write it whole or not at all."""
    draft = path.with_suffix(".draft")
    try:
        draft.write_bytes(msgspec.json.encode(kept))
        draft.replace(path)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise _no_room(problem) from problem


def _no_room(problem: OSError) -> NoRoom:
    return NoRoom(
        f"The disk does not take it: {problem.strerror or problem}.",
        hint="Make room in the data folder, or look who may write there. Nothing that was stored is lost.",
    )
