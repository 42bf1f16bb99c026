"""Reconciling as people write it: a funnel, or the name of a report that is one, and ids."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TypeVar

from expost.errors import InvalidInput

from .answer import Answer
from .form_funnel import FUNNEL
from .spreadsheet import delimiter_of
from .word import Word

Given = TypeVar("Given", bound=Answer)

IDS = (
    Word("ids", "What the site calls users who converted, or values of the property.", "ann@shop.example",
         is_many=True),
    Word("property", "The ids are values of this property of any event.", "order_id"),
)  # fmt: skip
RECONCILE = (Word("report", "A report that is a funnel, instead of steps.", "Checkout"), *IDS, *FUNNEL)


@dataclass(frozen=True, slots=True)
class ReadIds:
    """Ids as they were read, each once. `column` is what their column is called, where a first line names columns."""

    ids: tuple[str, ...]
    column: str | None = None

    def told(self, answer: Given, place: str) -> Given:
        """The answer with a note that says which column was read, where its heading was left out."""
        if self.column is None:
            return answer
        note = (
            f"Read column {self.column!r} of {place}, {len(self.ids):,} {'id' if len(self.ids) == 1 else 'ids'}; "
            "the first line names the columns."
        )
        return replace(answer, basis=replace(answer.basis, notes=(note, *answer.basis.notes)))


def ids_of_table(text: str, column: str | None = None, *, has_heading: bool = False) -> ReadIds:
    """The ids in a table of values: of the column called so, else the first of each line.

    The first line is left out where it names that column, or where the table `has_heading`; it then says as well what
    stands between values. In a list without it that is a comma, or a tab, as what is copied from a spreadsheet has.

    >>> ids_of_table("order_id,total\\n17,9.50\\n18,3\\n17,1", "order_id")
    ReadIds(ids=('17', '18'), column='order_id')
    >>> ids_of_table("order_id;total\\n17;9,50\\n", has_heading=True).ids, ids_of_table("a;b\\nc\\n").ids
    (('17',), ('a;b', 'c'))
    >>> ids_of_table("ann\\t3\\nbob\\t4\\n").ids
    ('ann', 'bob')
    >>> ids_of_table("ann\\n\\nbob\\n").ids, ids_of_table("email\\nann\\n", has_heading=True).ids
    (('ann', 'bob'), ('ann',))
    """
    heads, delimiter = _heading(text)
    is_named = column is not None and column in heads
    place = heads.index(column) if column is not None and is_named else 0
    has_heading = bool(heads) and (has_heading or is_named)
    if not has_heading and delimiter != "\t":
        # It may stand in an id.
        delimiter = ","
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter)
    lines = [line for line in rows if any(map(str.strip, line))]
    ids = (line[place].strip() for line in lines[has_heading:] if len(line) > place)
    read = ReadIds(tuple(dict.fromkeys(each for each in ids if each)), heads[place] if has_heading else None)
    if has_heading and not read.ids:
        raise InvalidInput(
            f"There is no id below the heading {heads[place]!r}.",
            hint="If that is an id: give the list as a .txt, or on the page without the tick.",
        )
    return read


def check_column(text: str, column: str) -> None:
    """Refuse a table without the column that was named."""
    heads, _ = _heading(text)
    if column not in heads:
        raise InvalidInput(
            f"The table has no column {column!r}.", hint=f"Its first line says: {', '.join(heads)[:200]}"
        )


def _heading(text: str) -> tuple[list[str], str]:
    """The cells of the first line that is not empty, and what stands between them."""
    first = next(filter(str.strip, text.lstrip("\ufeff").splitlines()), "")
    delimiter = delimiter_of(first)
    return [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), [])], delimiter
