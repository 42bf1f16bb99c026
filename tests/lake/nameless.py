"""Tables as older versions left them."""

from __future__ import annotations

import re
from pathlib import Path

CHECKSUM = re.compile(r"-[0-9a-f]{8}(\.zstd\.parquet)")


def without_checksums(table: Path) -> None:
    """Call the files of a table as versions did that knew no checksums of whole files."""
    for file in table.glob("*.parquet"):
        file.rename(table / CHECKSUM.sub(r"\1", file.name))
    for entry in table.glob("_delta_log/*.json"):
        entry.write_text(CHECKSUM.sub(r"\1", entry.read_text()))
