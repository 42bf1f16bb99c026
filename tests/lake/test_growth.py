"""How many elements and placements the events of a time added."""

from __future__ import annotations

from datetime import UTC, datetime

from expost.lake.growth import Growth, growth
from expost.lake.reader import connect
from tests.story import Story, click, view


def since(story: Story, hour: int) -> Growth:
    story.store()
    with connect(story.path) as connection:
        return growth(connection, datetime(2026, 3, 2, hour, tzinfo=UTC))


def test_what_was_there_before_is_not_new_and_what_stands_elsewhere_is_a_new_placement(lake: Story) -> None:
    lake.capture("ann", view("/"), click("ul li:nth(1,2) a"), at="10:00")
    # html, body, ul, li, a
    assert since(lake, 9) == Growth(1, 5, 5)
    lake.capture("bob", click("ul li:nth(1,2) a"), click("ul li:nth(2,2) a"), click("ul"), at="11:00")
    later = since(lake, 11)
    assert later == Growth(3, 0, 2)
    assert (later.elements_rate, later.placements_rate) == (0, 667)
    lake.capture("bob", click("ul.menu li"), at="12:00")
    assert since(lake, 12) == Growth(1, 2, 2)
    assert since(lake, 13) == Growth(0, 0, 0)
    assert since(lake, 13).placements_rate == 0


def test_a_folder_without_events_grew_by_nothing(lake: Story) -> None:
    assert since(lake, 9) == Growth(0, 0, 0)
