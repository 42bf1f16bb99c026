"""Where in a folder some text still stands: in any byte, packed or not."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

GZIP = b"\x1f\x8b"


def traces(folder: Path, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Each file that holds one of the texts, with that text. Parquet is unpacked column by column, page by page."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        everything = [data]
        if data[:2] == GZIP:
            everything.append(gzip.decompress(data))
        if data[:4] == b"PAR1":
            table = pq.read_table(path)
            everything += [str(table[name].to_pylist()).encode() for name in table.column_names]
        for text in texts:
            forms = (text.encode(), ascii(text)[1:-1].encode())
            if any(form in each for each in everything for form in forms):
                found.append((str(path.relative_to(folder)), text))
    return found
