"""What is on the disk when the power goes: files that are written and put in place, and the names in folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """The two calls that can fail on a bad disk, so that tests can make them fail."""

    write: Callable[[int, bytes | memoryview], int] = os.write
    sync: Callable[[int], None] = os.fdatasync


def sync(path: Path) -> None:
    """Return when the bytes of a file, or the names in a folder that were made, changed or removed, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes) -> None:
    """Put a file in place that only its owner reads, whole or not at all; durable when this returns."""
    write_draft(draft_of(path), data)
    draft_of(path).replace(path)
    sync(path.parent)


def draft_of(path: Path) -> Path:
    """Where a file is written before it is put in place. A process that is killed leaves it there."""
    return path.with_name(f"{path.name}{DRAFT}")


DRAFT = ".draft"


def write_draft(draft: Path, data: bytes) -> None:
    """Write a file that only its owner reads; its bytes are on disk when this returns, its name not yet."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
