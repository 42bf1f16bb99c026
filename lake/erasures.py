"""What was asked to be erased, and what became of it: one file each in `erasures/`, which also keep the erased away.

A file holds marks (keyed hashes) and counts, never an id. The id itself stands beside it, in a file `….request`, until
all is done; a restored backup is erased again by the marks alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from expost.errors import FolderError, UnknownName
from expost.ids import uuid7

from .disk import DRAFT, sync, write_synced
from .folder import Folder
from .lock import alone, shared
from .redaction import Mark
from .subject import Kind, Subject

SUFFIX = ".json"
REQUEST = ".request"

Status = Literal["waiting", "begun", "done"]


class Erasure(msgspec.Struct, frozen=True):
    """The receipt of one erasure, as it stands. Times are microseconds since 1970.

    `drained` is the journal's segment up to which all had to be in the lake first. `counts` are rows and events that
    went, by where they were. `digest` is the SHA-256 of all the rest, for whoever keeps it elsewhere. `problem`
    is why the latest try did not succeed.
    """

    id: str
    site: str
    kind: Kind
    requested_at: int
    marks: list[Mark]
    status: Status = "waiting"
    drained: int | None = None
    counts: dict[str, int] = {}
    done_at: int | None = None
    repeats: int = 0
    digest: str = ""
    problem: str = ""

    @property
    def subject_id(self) -> int:
        """The keyed hash of whom it is about."""
        return self.marks[0].id

    def receipt(self) -> dict[str, object]:
        """What people and programs see of it: no mark, no id."""
        said = msgspec.to_builtins(self)
        return {name: value for name, value in said.items() if name not in ("marks", "drained")}


_decode = msgspec.json.Decoder(Erasure).decode
_decode_subject = msgspec.json.Decoder(Subject).decode


def request_erasure(
    folder: Folder,
    subject: Subject,
    now: int,
    *,
    is_lasting: bool = True,
    note: Callable[[Erasure], None] = lambda _: None,
) -> Erasure:
    """Ask for somebody to be erased; durable when this returns. The one writer of the lake carries it out.

    Nothing of them is stored afterwards, however late it arrives; with `is_lasting` false, only nothing that happened
    before now. `note` is called before anybody can begin: if it raises, nothing is asked for.
    """
    mark = Mark(subject.kind, subject.id, None if is_lasting else now)
    erasure = Erasure(uuid7(now), subject.site, subject.kind, now, [mark])
    note(erasure)
    folder.erasures.mkdir(mode=0o700, exist_ok=True)
    with shared(_lock_path(folder)):
        # The text first: it has to be known by whoever finds the receipt waiting.
        write_synced(folder.erasures / f"{erasure.id}{REQUEST}", msgspec.json.encode(subject))
        save(folder, erasure)
    return erasure


def repeat_all(folder: Folder) -> int:
    """Let all that was ever erased be erased again, from a lake that came out of a backup; how many those are."""
    done = [each for each in erasures(folder) if each.status == "done"]
    for each in done:
        again = msgspec.structs.replace(each, status="waiting", drained=None, repeats=each.repeats + 1)
        save(folder, again)
    return len(done)


def erasures(folder: Folder) -> list[Erasure]:
    """Every one, the oldest first."""
    return [_read(path) for path in sorted(folder.erasures.glob(f"*{SUFFIX}"))]


def _read(path: Path) -> Erasure:
    try:
        return _decode(path.read_bytes())
    except (msgspec.MsgspecError, ValueError) as problem:
        raise FolderError(
            f"The receipt of an erasure, {path}, cannot be read: {problem}.",
            hint="Put that file back from a backup. If there is none, move it away: then whoever it is about is stored "
            "again when something of them arrives, unless you erase them again.",
        ) from problem


def find_erasure(folder: Folder, id_: str) -> Erasure:
    """The one with this id."""
    known = {each.id: each for each in erasures(folder)}
    if id_ not in known:
        raise UnknownName("erasure", id_, list(known), list_with="expost erasures")
    return known[id_]


def waiting(folder: Folder) -> Iterator[Erasure]:
    """Those that are not done yet."""
    return (each for each in erasures(folder) if each.status != "done")


def failing(folder: Folder) -> list[Erasure]:
    """Those that were tried and did not succeed."""
    return [each for each in waiting(folder) if each.problem]


def marks(folder: Folder) -> list[Mark]:
    """Of whom nothing is to be stored any more."""
    return [mark for each in erasures(folder) for mark in each.marks]


def marks_in_force(folder: Folder) -> list[Mark]:
    """Those by which events are left out before they are stored.

    Not of an erasure that was only just asked for: a login that waits in the journal says whose the other events of its
    browser are, so all of that is stored first, and then found and erased.
    """
    begun = (each for each in erasures(folder) if each.status != "waiting" or each.repeats)
    return [mark for each in begun for mark in each.marks]


def find_subject(folder: Folder, erasure: Erasure) -> Subject:
    """Whom it is about, with the text of the id as long as that is still there."""
    try:
        return _decode_subject((folder.erasures / f"{erasure.id}{REQUEST}").read_bytes())
    except FileNotFoundError:
        return Subject(erasure.site, erasure.kind, erasure.subject_id)


def save(folder: Folder, erasure: Erasure) -> Erasure:
    """Keep an erasure as it stands now; durable when this returns."""
    write_synced(folder.erasures / f"{erasure.id}{SUFFIX}", msgspec.json.encode(erasure))
    return erasure


def finish(folder: Folder, erasure: Erasure, now: int) -> Erasure:
    """Keep that it is done, and forget the text of the id."""
    done = msgspec.structs.replace(erasure, status="done", done_at=now, digest="", problem="")
    digest = hashlib.sha256(msgspec.json.encode(done)).hexdigest()
    saved = save(folder, msgspec.structs.replace(done, digest=digest))
    forget_request(folder, erasure.id)
    return saved


def forget_request(folder: Folder, id_: str) -> None:
    """Remove the text of an id."""
    (folder.erasures / f"{id_}{REQUEST}").unlink(missing_ok=True)
    sync(folder.erasures)


def forget_unasked(folder: Folder) -> None:
    """Remove texts that nobody needs: of erasures that are done, or that were never asked for to the end.

    While somebody asks for one they stay: its text is there before it.
    """
    with alone(_lock_path(folder)) as is_alone:
        if not is_alone:
            return
        needed = {each.id for each in waiting(folder)}
        for path in folder.erasures.glob(f"*{REQUEST}"):
            if path.stem not in needed:
                forget_request(folder, path.stem)
        # Of a process that was killed while it asked: the text may stand in them.
        for draft in folder.erasures.glob(f"*{DRAFT}"):
            draft.unlink()
            sync(folder.erasures)


def _lock_path(folder: Folder) -> Path:
    """Held together by those who ask for erasures, alone by who removes texts that nobody asked for."""
    return folder.path / "erasures.lock"
