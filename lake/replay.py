"""From stored segments back into the lake: the rows that are missing there, and only those.

The journal keeps for a day what it gave to the lake. When a file of the lake was lost, this brings back what is young
enough. It is no second way in: rows that are there already are known by their keys, table by table.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .dictionary import DICTIONARIES
from .moment import DAY
from .schema import TABLES
from .seen import KEPT
from .table import Table

APPLICATION = "replay"
"""Names the series of replays in the transactions of the log."""


SENT_BEFORE = KEPT + 2 * DAY
"""So long before what the journal holds the same may have been sent for the first time, and stands in the lake.

Ids are known for up to a day more than they have to be, and a clock may have been a day ahead.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """What tells the rows of a table apart, and the time by which equal ones are looked for."""

    columns: Sequence[str]
    time: str


KEYS = {
    "identities": Key(("edge_id",), "recorded_at"),
    "traits": Key(("event_id", "name"), "recorded_at"),
    "page_counts": Key(("device_id", "page_ordinal", "last_seq", "told_at"), "told_at"),
    "events": Key(("event_id",), "received_at"),
}
"""The tables that are no dictionaries. Those know by themselves which rows are new."""


def append_missing(tables: Mapping[str, Table], rows: Mapping[str, pa.Table]) -> dict[str, int]:
    """Append the rows that the lake does not hold; how many of each table that were.

    The dictionaries come first, as ever, so that no event points at nothing.
    """
    appended = {}
    for name in TABLES:
        if name not in rows:
            continue
        missing = rows[name] if name in DICTIONARIES else find_missing(tables[name], rows[name], KEYS[name])
        if len(missing):
            tables[name].append(missing, APPLICATION, tables[name].committed(APPLICATION) + 1)
            appended[name] = len(missing)
    return appended


def find_missing(table: Table, rows: pa.Table, key: Key) -> pa.Table:
    """The first of each of these rows that stand nowhere in the table."""
    return rows.filter(pa.array(are_missing(table, rows, key)))


def are_missing(table: Table, rows: pa.Table, key: Key) -> NDArray[np.bool_]:
    """Of each of these rows whether it is the first of its key, and stands nowhere in the table."""
    wanted = _keys(rows, key)
    _, first = np.unique(wanted.to_numpy(zero_copy_only=False), return_index=True)
    is_missing = np.zeros(len(rows), np.bool_)
    is_missing[first] = True
    since = pc.min(rows[key.time]).cast(pa.int64()).as_py() - SENT_BEFORE
    for there in table.read(list(dict.fromkeys((*key.columns, key.time)))):
        young = there.filter(pc.greater_equal(there[key.time].cast(pa.int64()), since))
        is_missing &= ~pc.is_in(wanted, value_set=_keys(young, key)).to_numpy(zero_copy_only=False)
    return is_missing


def _keys(rows: pa.Table, key: Key) -> pa.Array:
    columns = [pc.fill_null(_text(rows[name]), "") for name in key.columns]
    keys = pc.binary_join_element_wise(*columns, "\x1f")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).cast(pa.string())
