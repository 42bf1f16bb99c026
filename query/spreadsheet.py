"""Tables as spreadsheets write them, and rows as CSV that they may open: what visitors wrote is never a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DELIMITERS = (",", ";", "\t", "|")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
WHOLE_NUMBER = re.compile(r"-[0-9]{1,20}\Z")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""A head and a line for each row.

    >>> csv_text(["label", "n"], [{"label": "=cmd()", "n": -1}, {"label": "a\0b", "n": None}, {"label": "-7", "n": 0}])
    "label,n\r\n'=cmd(),-1\r\nab,\r\n-7,0\r\n"
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def delimiter_of(line: str) -> str:
    r"""What stands between the cells of a table with this first line: of DELIMITERS the one that makes most cells.

    >>> delimiter_of("order_id;total"), delimiter_of('"a;b",c'), delimiter_of("a\tb"), delimiter_of("email")
    (';', ',', '\t', ',')
    """

    # Where a comma is the decimal point, spreadsheets write semicolons.
    def cells(delimiter: str) -> int:
        return len(next(csv.reader([line], delimiter=delimiter), []))

    return max(DELIMITERS, key=cells)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value).replace("\0", "")
    # Numbers of ours may be negative, and ids are numbers written as text; any other text that begins so is somebody's,
    # and a spreadsheet would run it.
    is_formula = text.startswith(FORMULA_STARTS) and not WHOLE_NUMBER.match(text)
    return f"'{text}" if is_formula else text
