"""Answers in a notebook: charts and tables as HTML in which nothing that was captured is markup."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

import expost
from expost.state.sites import Site, add_site
from tests.story import Story, click, expose, track, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> expost.Lake:
    story = Story(tmp_path_factory.mktemp("notebook") / "data")
    for device, variation in (("ann", NASTY), ("bob", "off")):
        story.capture(
            device, view("/"), expose("f", variation), click("button.buy"), track(NASTY), at="10:00"
        )
    story.store()
    opened = expost.open(story.path)
    add_site(opened.analysis.state, Site("shop", "Shop"))
    return opened


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def _read(answer: object) -> _Read:
    read = _Read()
    read.feed(answer._repr_html_())  # type: ignore[attr-defined]
    assert "script" not in read.tags
    return read


def test_a_funnel_is_bars_for_each_group_with_their_numbers(lake: expost.Lake) -> None:
    viewed, bought = lake.event("Viewed", view="/**"), lake.event("Bought", click="button.buy")
    read = _read(lake.funnel(viewed, bought, by=expost.flag("f"), now=NOW))
    assert read.tags.count("table") == 3
    assert "Bought" in read.text
    assert "100.0%" in read.text
    assert NASTY in read.text


def test_retention_is_a_tinted_table(lake: expost.Lake) -> None:
    read = _read(lake.retention(lake.event("Viewed", view="/**"), period="week", periods=2, now=NOW))
    assert read.tags.count("td") >= 4
    assert "2026-03-02" in read.text


def test_a_trend_is_columns_that_say_their_numbers(lake: expost.Lake) -> None:
    read = _read(lake.trend(lake.event("Viewed", view="/**"), now=NOW))
    assert read.tags.count("rect") >= 1
    assert "2026-03-02 00:00: 2" in " ".join(read.text.split())


def test_any_other_answer_is_a_table_and_a_frame(lake: expost.Lake) -> None:
    answer = lake.sql("select name, count(*) as events from events where name is not null group by 1")
    assert NASTY in _read(answer).text
    frame = answer.to_polars()
    assert frame.columns == ["name", "events"]
    assert frame["events"].to_list() == [2]


def test_an_empty_answer_is_no_error(lake: expost.Lake) -> None:
    assert "no rows" in _read(lake.sql("select 1 where false")).text
    nothing = lake.event("Nothing", track="nothing")
    for answer in (
        lake.funnel(nothing, nothing, now=NOW),
        lake.retention(nothing, now=NOW),
        lake.trend(nothing, now=NOW),
    ):
        _read(answer)


def test_a_frame_of_every_chart_has_its_rows(lake: expost.Lake, tmp_path: Path) -> None:
    viewed = lake.event("Viewed", view="/**")
    for answer in (
        lake.funnel(viewed, now=NOW),
        lake.retention(viewed, now=NOW),
        lake.trend(viewed, now=NOW),
    ):
        assert len(answer.to_polars()) == len(answer.rows()) > 0
