"""What a batch says of other pages of its browser: the last number of each, as far as that can be read."""

from __future__ import annotations

from heapq import nlargest

import msgspec
from msgspec import Raw

from .batch import Counts

MAX_COUNTS = 32
MAX_ORDINAL = 10_000_000
NO_COUNTS = Raw(b"{}")

_strictly = msgspec.json.Decoder(Counts).decode


def read_counts(raw: Raw) -> Counts:
    """The last numbers of other pages as far as they can be read, those of the latest pages where there are too many.

    >>> read_counts(Raw(b'{"3": 12, "4": "x", "-1": 5, "5": 1.5}')), read_counts(Raw(b"7"))
    ({3: 12}, {})
    """
    if raw is NO_COUNTS or raw == NO_COUNTS:
        return {}
    try:
        said = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    read = {int(name): last for name, last in said.items() if _is_ordinal(name) and _is_count(last)}
    return {ordinal: read[ordinal] for ordinal in nlargest(MAX_COUNTS, read)}


def are_counts(raw: Raw) -> bool:
    """Whether these are numbers of pages and nothing else.

    >>> are_counts(Raw(b'{"3": 12}')), are_counts(Raw(b'{"3": 12, "4": "x"}'))
    (True, False)
    """
    if raw is NO_COUNTS:
        return True
    try:
        _strictly(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _is_ordinal(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= 8 and _is_count(int(name))


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_ORDINAL
