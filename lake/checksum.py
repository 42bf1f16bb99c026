"""The checksum of all of a Parquet file, which stands in its name.

Pages have checksums of their own. The end of a file, which says where its columns lie and what is in them, has none: a
bit that flips there may give other values that nobody notices. A name stands in the log of its table, so that it is
known wherever the file is, and costs nothing to read.
"""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

SUFFIX = ".zstd.parquet"

NOT_AS_WRITTEN = "its bytes are not those that were written"

_NAMED = re.compile(rf"-([0-9a-f]{{8}}){re.escape(SUFFIX)}")
_PIECE_BYTES = 1 << 20


def name_with_checksum(path: Path) -> str:
    """What a file that was written is to be called: as it is, and with the checksum of what is in it."""
    return f"{path.name.removesuffix(SUFFIX)}-{checksum_of(path):08x}{SUFFIX}"


def find_checksum(name: str) -> int | None:
    """The checksum that a name says; `None` where it says none, as in folders of older versions.

    >>> find_checksum("part-47-0b7c1d2e-3f4a-4b5c-8d6e-7f8091a2b3c4-0000002a.zstd.parquet")
    42
    >>> find_checksum("part-47-0b7c1d2e-3f4a-4b5c-8d6e-7f8091a2b3c4.zstd.parquet")
    """
    found = _NAMED.search(name)
    return int(found[1], 16) if found else None


def is_as_written(path: Path) -> bool | None:
    """Whether every byte of a file is as it was written; `None` where its name does not say. May raise OSError."""
    said = find_checksum(path.name)
    return None if said is None else checksum_of(path) == said


def checksum_of(path: Path) -> int:
    """The CRC-32 of all bytes of a file."""
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            checksum = crc32(piece, checksum)
    return checksum
