"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MEND = (
    "Stop the server, then: expost doctor --mend. It sets aside what is damaged and stores again what the "
    "journal still holds (a day); what is older comes from a backup."
)

MEND_FILE = (
    "Now: expost doctor --mend. It sets the file aside and stores again what the journal still holds of it (a day); "
    "what is older comes from a backup. A running server is asked to do it, and does so by itself for a file that a "
    "question meets."
)

MEND_END = (
    "Stop the server and start it again: each start stores again what the journal still holds (a day). Without a "
    "server: expost doctor --mend. What is older comes from a backup."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it says, whether that is wrong, and what to do then."""

    part: str
    says: str
    is_wrong: bool = False
    hint: str = ""


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "file"), counted(1_200, "entry", "entries")
    ('1 file', '1,200 entries')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def rows_in_words(rows: Mapping[str, int]) -> str:
    """Rows that came back, table by table.

    What browsers said of their pages is said again by every replay, whether it was lost or not.

    >>> rows_in_words({"events": 1, "page_counts": 2})
    '1 row of events, 2 rows of page_counts (said again, which changes no number)'
    """
    again = {"page_counts": " (said again, which changes no number)"}
    return ", ".join(
        f"{counted(count, 'row')} of {name}{again.get(name, '')}" for name, count in rows.items()
    )
