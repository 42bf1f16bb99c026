"""Texts and names of files as SQL writes them, for statements that bind no values."""

from __future__ import annotations


def quoted(text: str) -> str:
    """The text as a literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def quoted_file(name: str) -> str:
    """The name as a literal that DuckDB takes for this one file.

    >>> quoted_file("/it's/data[1]/a.parquet")
    "'/it''s/data[[]1]/a.parquet'"
    """
    return quoted(pattern_of(name))


def pattern_of(name: str) -> str:
    """The pattern that only this file is like, though its name may look like one."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)
