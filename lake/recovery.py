"""What a process that ended without saying so left in the journal: good frames are kept, damage is set aside."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from .disk import sync, write_synced
from .segment import OPEN, SEALED, parts, segment_number

log = logging.getLogger("expost.journal")

KEPT_SECONDS = 7 * 86_400
"""For how long damaged bytes are kept, as whatever else is in `rejected/`."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found in one segment."""

    number: int
    frames: int
    damaged_bytes: int


def recover(directory: Path, rejected: Path) -> list[Recovered]:
    """Seal every segment that was left open. Safe to be killed in and to be run again."""
    found = []
    for path in sorted(directory.glob(f"*{OPEN}")):
        if segment_number(path) >= 0:
            recovered = _recover_segment(path, rejected)
            found.append(recovered)
            if recovered.damaged_bytes:
                log.warning("%s: %d good frames kept, %d damaged bytes set aside in %s",
                            path.name, recovered.frames, recovered.damaged_bytes, rejected)  # fmt: skip
    return found


def set_aside(rejected: Path, segment: int, offset: int, data: bytes) -> Path:
    """Keep damaged bytes of a segment for a person to look at. The same damage always goes to the same file."""
    rejected.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = rejected / f"journal-{segment:020}-{offset}.damaged"
    write_synced(path, data)
    return path


def forget_old_damage(rejected: Path, now: float) -> None:
    """Delete what was set aside more than seven days before `now`, in seconds since 1970."""
    for path in rejected.glob("journal-*.damaged"):
        if path.stat().st_mtime < now - KEPT_SECONDS:
            path.unlink()


def _recover_segment(path: Path, rejected: Path) -> Recovered:
    number = segment_number(path)
    data = path.read_bytes()
    found = list(parts(data, path))
    damages = [part for part in found if part.is_damage]
    frames = len(found) - len(damages)
    is_set_aside = True
    for damage in damages:
        try:
            set_aside(rejected, number, damage.start, data[damage.start : damage.end])
        except OSError as problem:
            log.error("damaged bytes of %s stay where they are: %s", path.name, problem)
            is_set_aside = False
    if is_set_aside and not frames:
        path.unlink()
    else:
        with path.open("r+b") as file:
            if is_set_aside and found[-1].is_damage:
                file.truncate(found[-1].start)
            os.fsync(file.fileno())
        # Even when nothing in it is good: the sink waits for open ones, and sets aside what could not be here.
        path.rename(path.with_suffix(SEALED))
    sync(path.parent)
    return Recovered(number, frames, sum(damage.end - damage.start for damage in damages))
