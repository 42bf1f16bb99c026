"""What editors say of people, on its way into the lake: a merge of two users, or an undo of any edge.

One file each in `edits/`, durable before whoever asked is told so. The one writer of the lake takes them, in the order
in which they were said; one that was half taken when a process ended is taken again, and stands in the lake once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa

from expost.clock import from_micros

from .disk import write_synced
from .folder import Folder
from .replay import append_missing
from .schema import TABLES
from .writer import Writer

SUFFIX = ".json"


class Edit(msgspec.Struct, frozen=True):
    """One row of `identities` that an editor writes. An undo has the ends of the edge `undoes`."""

    edge_id: int
    site: str
    kind: Literal["merge", "undo"]
    from_id: int
    to_id: int
    recorded_at: int
    author: str
    undoes: int | None = None


_decode = msgspec.json.Decoder(Edit).decode


def say(folder: Folder, edit: Edit) -> Path:
    """Leave an edit for the writer of the lake; durable when this returns. The file is gone once it is in the lake."""
    folder.edits.mkdir(mode=0o700, exist_ok=True)
    path = folder.edits / f"{edit.recorded_at:020}-{edit.edge_id}{SUFFIX}"
    write_synced(path, msgspec.json.encode(edit))
    return path


def take_edits(folder: Folder, writer: Writer) -> int:
    """Move what editors said into the lake; how many edits that were."""
    paths = sorted(folder.edits.glob(f"*{SUFFIX}"))
    if not paths:
        return 0
    append_missing(writer.tables, {"identities": rows_of([_decode(path.read_bytes()) for path in paths])})
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def rows_of(edits: list[Edit]) -> pa.Table:
    """Edits as rows of the table `identities`."""
    rows = []
    for edit in edits:
        moment = from_micros(edit.recorded_at)
        rows.append(msgspec.structs.asdict(edit) | {"at": moment, "recorded_at": moment})
    return pa.Table.from_pylist(rows, schema=TABLES["identities"])
