"""Tables on a terminal of any width: a column is whole, or it is named as not shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from expost.table import NUMBER, WORD, table

NAMES = [f"column_{number}" for number in range(20)]


def printed(width: int, columns: list[tuple[str, str]], rows: list[tuple[object, ...]]) -> str:
    out = io.StringIO()
    table(Console(file=out, width=width, highlight=False, soft_wrap=True), columns, rows)
    return out.getvalue()


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_table_too_narrow_says_how_many_columns_it_leaves_out(width: int) -> None:
    text = printed(width, [(name, WORD) for name in NAMES], [tuple("value" for _ in NAMES)])
    head = text.splitlines()[0].split()
    assert head == NAMES[: len(head)]
    assert text.splitlines()[1].split() == ["value"] * len(head)
    left = len(NAMES) - len(head)
    assert (f"{left} more column" in text) == (left > 0)
    if left:
        assert "--json" in text
        assert "--csv" in text


def test_a_table_with_room_for_all_columns_says_nothing_more() -> None:
    assert printed(80, [("name", WORD), ("people", NUMBER)], [("x", 1)]).splitlines() == [
        "name  people  ",
        "x          1  ",
    ]


def test_a_heading_is_never_broken_inside_a_word() -> None:
    text = printed(40, [("a_heading_of_some_length", WORD), ("another_heading", WORD)], [("x " * 40, "y")])
    assert "a_heading_of_some_length" in text
