"""Last entries of logs that are lost: what the journal still holds of them comes to the lake again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .folder import Folder
from .quarantine import ask_for_rebuilding
from .standing import find_behind
from .stored_segments import unstore
from .writer import lost_segments


@dataclass(frozen=True, slots=True)
class LostEntries:
    """What was found to be lost: of the log of events by the segments that it does not know of, of other tables."""

    segments: int
    tables: Sequence[str]


def bring_back(folder: Folder) -> LostEntries:
    """Let the writer store again what the journal holds of lost entries. The next `rebuild` does the rest."""
    behind = find_behind(folder.lake)
    lost = lost_segments(folder)
    unstore(lost)
    if behind:
        ask_for_rebuilding(folder)
    return LostEntries(len(lost), [each.table for each in behind])
