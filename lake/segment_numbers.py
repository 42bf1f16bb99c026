"""Segment numbers of one folder: rising, none twice, whatever was removed from the folder in between."""

from __future__ import annotations

import logging
from pathlib import Path

from .disk import sync
from .segment import segment_number

log = logging.getLogger("expost.journal")

# Numbers are set apart a thousand at a time, by the name of an empty file, so that one is never used twice even when
# the sink has removed every segment: the lake would take a second segment of a number for one it has already.
RESERVED = ".reserved"
RESERVED_AT_ONCE = 1_000


class Numbers:
    """The numbers after all that stand in the journal's folder, and after `after`."""

    def __init__(self, directory: Path, after: int) -> None:
        self._directory = directory
        known = [segment_number(path) for path in directory.iterdir()]
        self._last = max([after, 0, *known])
        self._reserved = self._last

    def take(self) -> int:
        """The next number. Raises OSError when the disk does not take a new reservation."""
        if self._last >= self._reserved:
            self._reserve(self._last + RESERVED_AT_ONCE)
        self._last += 1
        return self._last

    def _reserve(self, until: int) -> None:
        path = self._directory / f"{until:020}{RESERVED}"
        path.touch(mode=0o600)
        sync(self._directory)
        self._reserved = until
        for older in self._directory.glob(f"*{RESERVED}"):
            if segment_number(older) < until:
                try:
                    older.unlink(missing_ok=True)
                except OSError as problem:
                    log.error("%s cannot be removed: %s", older, problem)
