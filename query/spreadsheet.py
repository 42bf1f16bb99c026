"""Rows as CSV that a spreadsheet may open: what visitors wrote is never taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""A head and a line for each row.

    >>> csv_text(["label", "n"], [{"label": "=cmd()", "n": -1}, {"label": "a\0b", "n": None}])
    "label,n\r\n'=cmd(),-1\r\nab,\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value).replace("\0", "")
    # Numbers of ours may be negative; a text that begins so is somebody's, and a spreadsheet would run it.
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
