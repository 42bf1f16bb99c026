"""What answers on a terminal are made of: tables, and cells that read well and cannot harm the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from expost.query.answer import Answer
from expost.query.duration import rounded_to_two_units
from expost.query.estimate import EstimatedShare
from expost.query.funnel import FunnelAnswer
from expost.query.question import Comparable
from expost.query.retention import RetentionAnswer
from expost.query.unit import PERSON, Unit

SHORTEST = 10
"""Columns that words keep however narrow the terminal is."""
GAP = 2
"""Columns of the terminal between two of a table."""
NUMBER, WORD = "right", "left"


def terminal_console() -> Console:
    """Standard output, with nothing coloured but what we say: rich would colour every number it finds."""
    return Console(highlight=False, soft_wrap=True)


def table(
    console: Console, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], title: str = ""
) -> None:
    """Print rows under (name, "left" or "right") columns; text from the data is never read as markup.

    What a narrow terminal has no room for is left out from the end, and said below.
    """
    drawn = Table(
        title=escape(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        padding=(0, GAP, 0, 0),
    )
    cells = [[cell(value) for value in row] for row in rows]
    widths = [_least(name, side, [row[place] for row in cells]) for place, (name, side) in enumerate(columns)]
    shown = _fitting(widths, console.width)
    for (name, side), least in zip(columns[:shown], widths[:shown], strict=True):
        is_number = side == NUMBER
        justify: Literal["right", "left"] = "right" if is_number else "left"
        drawn.add_column(name, justify=justify, no_wrap=is_number, min_width=least, overflow="fold")
    for row in cells:
        drawn.add_row(*map(escape, row[:shown]))
    console.print(drawn)
    if left := len(columns) - shown:
        columns_are = "column is" if left == 1 else "columns are"
        console.print(
            f"{left} more {columns_are} not shown: a wider terminal has room, "
            "and --json (of a question also --csv) has all."
        )


def _least(name: str, side: str, cells: Sequence[str]) -> int:
    """How narrow a column may be. Words may break into lines; a number that is cut short would be another number."""
    longest = max(map(cell_len, [name, *cells]))
    if side == NUMBER:
        return longest
    # A heading breaks between its words alone.
    return max(min(longest, SHORTEST), max(map(cell_len, name.split()), default=0))


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many columns from the first fit beside each other; at least one of those there are."""
    ends = accumulate(width + GAP for width in widths)
    return max(sum(end <= room for end in ends), min(1, len(widths)))


def cell(value: Any) -> str:
    """A value as a table shows it: grouped integers, minutes for times, `–` for nothing, no control characters.

    >>> cell(1234567), cell(None), cell("a\\x1b[31mb")
    ('1,234,567', '–', 'a�[31mb')
    """
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            # A captured text with an escape sequence must not colour, move or clear the reader's terminal.
            return "".join(c if c.isprintable() else "�" for c in str(value))


def counted(number: int, what: str) -> str:
    """So many of something.

    >>> counted(1, "event"), counted(1200, "event")
    ('1 event', '1,200 events')
    """
    return f"{number:,} {what if number == 1 else f'{what}s'}"


def percent(share: float | None) -> str:
    """A share between 0 and 1 with one decimal.

    >>> percent(0.1234), percent(None)
    ('12.3 %', '–')
    """
    if isinstance(share, EstimatedShare):
        return f"≈{percent(float(share))} ({share.low * 100:.1f}–{share.high * 100:.1f})"
    return "–" if share is None else f"{share * 100:.1f} %"


def duration(milliseconds: float | None) -> str:
    """A length of time in its two largest units, rounded to the smaller one.

    >>> duration(93_784_000), duration(83_600), duration(59_990), duration(1_500), duration(None)
    ('1 d 2 h', '1 min 24 s', '1 min 0 s', '1.5 s', '–')
    """
    if milliseconds is None:
        return "–"
    if milliseconds < 59_950:
        return f"{milliseconds / 1_000:.1f} s"
    seconds = rounded_to_two_units(milliseconds / 1_000)
    for size, name, smaller, smaller_name in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole} {name} {rest // smaller} {smaller_name}"
    raise AssertionError(seconds)


def group_name(kind: str, value: str | None) -> str:
    """What a group is called."""
    return value if kind in ("variation", "value") and value is not None else kind


def sparkline(values: Sequence[int], most: int = 45) -> str:
    """A row of bars, neighbours drawn together until there are at most so many; the lowest is for nothing at all.

    >>> sparkline([0, 1, 5, 9])
    '▁▂▅█'
    """
    together = -(-len(values) // most)
    sums = [sum(values[place : place + together]) for place in range(0, len(values), together)]
    greatest = max(sums, default=0)
    return "".join("▁▂▃▄▅▆▇█"[-(-each * 7 // greatest) if greatest else 0] for each in sums)


def show_several(console: Console, share: float | None, unit: str) -> None:
    """Print the share of the exposed people, sessions or the like that saw several variations."""
    if share:
        console.print(f"{percent(share)} of the exposed {unit} saw several variations.")


def unit_of(answer: Answer) -> str:
    """What an answer counts, in words: people, sessions, devices, groups."""
    unit: Unit = getattr(answer.question, "unit", PERSON)
    return unit.plural


def minute(moment: datetime | None) -> str:
    """A moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "unknown"


def beside(answer: FunnelAnswer | RetentionAnswer, compared: Answer) -> str:
    """What stands beside an answer, in words."""
    asked = answer.question
    assert isinstance(asked, Comparable)
    if asked.compared_name is None:
        return f"The period before, from {compared.question.start} until {compared.question.end}:"
    shared = f"{answer.shared_people:,}" if answer.shared_people else "nobody"
    return f"The cohort {cell(asked.compared_name)} ({shared} entered in both groups):"
