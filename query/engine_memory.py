"""How much of a question's memory its engine may take: the rest is for Python, and for what the engine hands over."""

from __future__ import annotations

import re


def engine_memory(limit: str | None) -> str | None:
    """Half of a limit such as "600MB": Python with its libraries takes about 140 MB, and passes over arrays the rest.

    >>> engine_memory("600MB"), engine_memory("1.5 GB")
    ('300MB', '0.75GB')
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*(\D+?)\s*", limit or "")
    return limit if found is None else f"{float(found[1]) / 2:g}{found[2]}"
