"""How far back the sessions reach that go on over a moment, so that what lies before them need not be looked at."""

from __future__ import annotations

from datetime import timedelta

from .duration import micros
from .interval import EARLIEST
from .matched import bounding
from .reading import Reading
from .statement import render

FIRST_LOOK = micros(timedelta(days=1))
"""Hardly any session is longer; for those that are, each look goes back four times as far as the one before."""


def began_over(reading: Reading, edge: int, gap: timedelta) -> int:
    """When the first of the sessions began that have events before this moment and from it on, else the moment."""
    back = FIRST_LOOK
    while edge > EARLIEST:
        low = max(edge - back, EARLIEST)
        values = {
            **bounding((low, edge + micros(gap))),
            "from_at": low,
            "edge": edge,
            "gap": micros(gap),
        }
        [(began, is_open)] = reading.relation(render("session_edge.sql"), values).fetchall()
        if not is_open or low == EARLIEST:
            return edge if began is None else int(began)
        back *= 4
    return edge
