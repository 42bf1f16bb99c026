"""Rows as a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet


def parquet_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows as Parquet; a column whose values have no one type there is text.

    >>> written = parquet_bytes(["a", "b"], [{"a": 1, "b": 2}, {"a": 2, "b": "x"}])
    >>> pyarrow.parquet.read_table(io.BytesIO(written)).to_pydict()
    {'a': [1, 2], 'b': ['2', 'x']}
    """
    listed = list(rows)
    arrays = [_array([row[name] for row in listed]) for name in columns]
    written = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays, names=list(columns)), written, compression="zstd")
    return written.getvalue()


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values])
