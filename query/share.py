"""The share of all who are counted that a sample takes, as people write it."""

from __future__ import annotations

from expost.errors import InvalidInput

PARTS = 10_000
"""Of so many parts of all units a sample takes some: its rate is a multiple of one of them."""


def parse_share(text: str) -> float:
    """The share that a text says.

    >>> parse_share("10%"), parse_share("0.5 %"), parse_share("0.25")
    (0.1, 0.005, 0.25)
    """
    given = text.strip()
    try:
        share = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 1 / PARTS <= share <= 1:
        raise InvalidInput(f"A sample of {text!r} is no share.", hint="From 0.01% to 100%, such as 10%.")
    return share
