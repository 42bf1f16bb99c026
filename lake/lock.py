"""One writer a folder: whoever serves it holds a lock that the system takes back when the process ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from expost.errors import FolderError

SERVER = "a server"

MOST_READ = 100


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock, 0 if that is not known, and what it is, as far as it says so."""

    process: int
    work: str

    @property
    def serves(self) -> bool:
        """Whether it is a server; one of an older version does not say it."""
        return self.work in ("", SERVER)

    def __str__(self) -> str:
        return f"process {self.process or 'unknown'}" + (f" ({self.work})" if self.work else "")


class Lock:
    """A held lock. It ends with `release`, or with the process, however that ends.

    `work` says to others what holds it.
    """

    def __init__(self, path: Path, work: str = "") -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _named(self._descriptor)
            os.close(self._descriptor)
            raise in_use(path.parent, holder) from None
        # Who holds it is for people to read. On a full disk it stays unsaid: an error here would leave the lock held by
        # a descriptor that nobody knows, for as long as the process lives.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()} {work}".rstrip().encode() + b"\n", 0)

    def check(self) -> None:
        """Raise OSError where this lock is not the one of the folder any more, so that another process may have it.

        That is so when the folder was deleted or moved away, and when another one, such as a backup, took its place.
        """
        if not os.path.samestat(os.fstat(self._descriptor), self._path.stat()):
            raise OSError(
                errno.ESTALE, "another folder stands in its place, so this server has to be stopped"
            )

    def release(self) -> None:
        """Let others have the folder. The file stays: removing it could take the lock of whoever comes next."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def in_use(folder: Path, holder: Holder) -> FolderError:
    """What to say to whoever needs a folder that another process has."""
    return FolderError(
        f"The folder {folder} is in use by {holder}.",
        hint="One server writes to a folder at a time: stop that one, or use another folder with --data."
        if holder.serves
        else "Wait until that is done, or use another folder with --data.",
    )


def held_by(path: Path) -> Holder | None:
    """Who holds the lock at `path`, if anybody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    finally:
        os.close(descriptor)
    return None


def find_holder(path: Path) -> int | None:
    """The process that holds the lock at `path`, if one does."""
    holder = held_by(path)
    return None if holder is None else holder.process


def _named(descriptor: int) -> Holder:
    process, _, work = os.pread(descriptor, MOST_READ, 0).decode("ascii", "replace").strip().partition(" ")
    return Holder(int(process) if process.isdigit() else 0, work)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock at `path` together with others, waiting for whoever has it alone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at `path` alone, waiting for whoever has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold the lock at `path` alone; gives whether that was possible at once."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
