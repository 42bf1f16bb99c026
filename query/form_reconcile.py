"""Reconciling as people write it: a funnel, or the name of a report that is one, and ids."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from expost.errors import InvalidInput

from .form_funnel import FUNNEL
from .word import Word

IDS = (
    Word("ids", "What the site calls users who converted, or values of the property.", "ann@shop.example",
         is_many=True),
    Word("property", "The ids are values of this property of any event.", "order_id"),
)  # fmt: skip
RECONCILE = (Word("report", "A report that is a funnel, instead of steps.", "Checkout"), *IDS, *FUNNEL)


def ids_of_table(text: str, column: str | None = None) -> tuple[str, ...]:
    """The ids in a table of values with commas between: of the column called so, else the first of each line.

    >>> ids_of_table("order_id,total\\n17,9.50\\n18,3\\n17,1", "order_id"), ids_of_table("ann\\n\\nbob\\n")
    (('17', '18'), ('ann', 'bob'))
    """
    lines = [line for line in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if any(map(str.strip, line))]
    if column is not None and lines and column in (heads := [head.strip() for head in lines[0]]):
        place = heads.index(column)
        lines = lines[1:]
    else:
        place = 0
    ids = (line[place].strip() for line in lines if len(line) > place)
    return tuple(dict.fromkeys(each for each in ids if each))


def check_column(text: str, column: str) -> None:
    """Refuse a table without the column that was named."""
    heads: Sequence[str] = next(csv.reader(io.StringIO(text.lstrip("\ufeff"))), [])
    if column not in [head.strip() for head in heads]:
        raise InvalidInput(
            f"The table has no column {column!r}.", hint=f"Its first line says: {', '.join(heads)[:200]}"
        )
