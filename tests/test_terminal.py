"""Answers on terminals of different widths."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from expost.table import table
from expost.terminal import show
from expost.ui import samples, samples_events, samples_people


def shown(width: int, answer: object) -> str:
    text = StringIO()
    show(Console(file=text, width=width, soft_wrap=True, highlight=False), answer)  # type: ignore[arg-type]
    return text.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_funnel_has_bars_where_there_is_room_and_whole_numbers_everywhere(width):
    text = shown(width, samples_people.funnel())
    assert ("█" in text) == (width >= 100)
    assert "…" not in text
    if width >= 80:
        assert all(step in text for step in samples.STEPS)


def test_numbers_are_never_cut_short():
    text = StringIO()
    numbers = [("word", "left"), *((f"n{place}", "right") for place in range(6))]
    table(Console(file=text, width=40), numbers, [("some words that are long", *[1_234_567_890] * 6)])
    assert text.getvalue().count("1,234,567,890") >= 1
    assert "…" not in text.getvalue()


def test_live_events_name_people_and_mark_bots():
    lines = shown(200, samples_events.live(10)).splitlines()
    assert [line for line in lines if "(bot)" in line]
    assert [line for line in lines if "stranger " in line]
