"""What the doctor says of the journal: what waits in it, what is damaged, and what the lake has lost of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from expost.finding import MEND, Finding, counted
from expost.lake.folder import Folder
from expost.lake.inspection import Inspected, inspect_all
from expost.lake.lock import find_holder
from expost.lake.stored_segments import stored_segments
from expost.lake.writer import lost_segments

NO_JOURNAL = (
    "If it was moved or lies on another disk, put it back. Else what waited in it is lost, and the next start of the "
    "server, or expost doctor --mend, makes a new one."
)

SPARE = "Nothing is lost: it is a spare copy, kept for a day. More: expost journal verify"

SET_ASIDE = (
    "They were damaged before that: what was in the damaged bytes is lost, and these lie in rejected/. "
    "The segments go a day after they were stored. More: expost journal verify"
)

REJECTED = "What is whole in it is stored, the rest goes to rejected/. More: expost journal verify"

LATE_SECONDS = 60
"""A sealed segment older than this should be in the lake by now, if a server runs."""


def look_at_journal(folder: Folder) -> Iterator[Finding]:
    """What waits for the lake, and whether it waits for too long."""
    if not folder.journal.is_dir():
        yield Finding("journal", f"The folder {folder.journal} is missing.", True, NO_JOURNAL)
        return
    waiting = sorted(folder.journal.glob("*.sealed"))
    size = sum(path.stat().st_size for path in waiting)
    oldest = max((time.time() - path.stat().st_mtime for path in waiting), default=0.0)
    kept = stored_segments(folder.journal)
    waits = f"{counted(len(waiting), 'segment')} ({size:,} bytes) waiting for the lake"
    says = f"{waits}, {len(kept)} of the last day are in it"
    is_late = bool(find_holder(folder.lock_path)) and oldest > LATE_SECONDS
    yield Finding(
        "journal", says, is_late, "The sink does not keep up or does not run: see what the server prints."
    )


def look_into_journal(folder: Folder) -> Iterator[Finding]:
    """Segments that are damaged, and those that the lake has lost."""
    if not folder.journal.is_dir():
        return
    serves = find_holder(folder.lock_path) is not None
    damaged = [
        each
        for each in inspect_all(folder.journal)
        if not each.is_sound and not (serves and each.state == "open")
    ]
    for where, hint, bad in (
        ("waiting for the lake", REJECTED, [each for each in damaged if each.state != "stored"]),
        (
            "stored as far as they were whole",
            SET_ASIDE,
            [each for each in damaged if _is_set_aside(folder, each)],
        ),
        (
            "in the lake already",
            SPARE,
            [each for each in damaged if each.state == "stored" and not _is_set_aside(folder, each)],
        ),
    ):
        if bad:
            size = sum(each.damaged_bytes for each in bad)
            says = f"{counted(len(bad), 'damaged segment')} {where}: {size:,} bytes, the first is {bad[0].number}"
            yield Finding("journal", says, True, hint)
    lost = lost_segments(folder)
    if lost:
        says = f"The lake knows nothing of {counted(len(lost), 'segment')} that went into it"
        yield Finding("journal", says, True, MEND)


def _is_set_aside(folder: Folder, segment: Inspected) -> bool:
    """Whether a segment was damaged before its events were stored, so that what was in the damage is in no lake."""
    found = folder.rejected.glob(f"journal-{segment.number:020}-*.damaged")
    return segment.state == "stored" and any(True for _ in found)
