"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass

MEND = (
    "Stop the server, then: expost doctor --mend. It sets aside what is damaged and stores again what the "
    "journal still holds (a day); what is older comes from a backup. A running server does so "
    "for a file that a question meets."
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
