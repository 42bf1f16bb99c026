"""Texts and names of files as SQL writes them, for statements that bind no values."""

from __future__ import annotations


def quoted(text: str) -> str:
    """The text as a literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def quoted_file(name: str) -> str:
    """The name as a literal that DuckDB takes for this one file, though it may look like a pattern.

    >>> quoted_file("/data[1]/a.parquet")
    "'/data[[]1]/a.parquet'"
    """
    return quoted("".join(f"[{character}]" if character in "*?[" else character for character in name))
