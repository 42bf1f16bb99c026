"""One writer a folder: whoever serves it holds a lock that the system takes back when the process ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from expost.errors import FolderError


class Lock:
    """A held lock. It ends with `release`, or with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise FolderError(
                f"The folder {path.parent} is in use by process {holder}.",
                hint="One server writes to a folder at a time: stop that one, or use another folder with --data.",
            ) from None
        # Who holds it is for people to read. On a full disk it stays unsaid: an error here would leave the lock held by
        # a descriptor that nobody knows, for as long as the process lives.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

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


def find_holder(path: Path) -> int | None:
    """The process that holds the lock at `path`, if one does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


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
