"""Names as they are compared."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """What names are compared by: equal for names that a reader would take for the same.

    >>> name_key("Signed  up") == name_key("ＳＩＧＮＥＤ up ")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
