"""A lake of many files and of many days gives the answers of a small one. `bench/growth.py` does it with years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from expost.lake.compactor import compact_folder
from expost.lake.part import kind_of
from expost.lake.table import MERGE_AT
from expost.lake.writer import Writer
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.trend import Trend, TrendAnswer
from expost.state.sites import Site, add_site, sites
from tests.story import Story, view

FIRST = datetime(2024, 3, 4, tzinfo=UTC)
VIEWED = definition("viewed", view="/**")


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expost.lake.table.sync", lambda path: None)
    monkeypatch.setattr("expost.lake.part.sync", lambda path: None)


def per_week(story: Story) -> list[int]:
    analysis = Analysis(story.path)
    if all(each.slug != story.site for each in sites(analysis.state)):
        add_site(analysis.state, Site(story.site, story.site))
    answer = analysis.ask(
        Trend(VIEWED, "week", site=story.site, start=FIRST, now=datetime(2026, 12, 1, tzinfo=UTC))
    )
    analysis.close()
    assert isinstance(answer, TrendAnswer)
    return [point.events for point in answer.points if point.events]


def files_of(story: Story) -> list[Path]:
    with Writer(story.folder) as writer:
        events = writer.tables["events"]
        return [events.path / file.name for file in events.files()]


def test_days_of_history_of_two_sites_become_files_of_weeks_and_every_week_counts_as_before(
    tmp_path: Path,
) -> None:
    days, every = 13, 60
    stories = [Story(tmp_path, site) for site in ("shop", "blog")]
    # Two years in steps of two months, and each in a file of its own.
    with Writer(stories[0].folder) as writer:
        for day in range(days):
            for number, story in enumerate(stories):
                at = FIRST + timedelta(days=day * every)
                batch = story.capture("ann", view("/"), at=at.strftime("%Y-%m-%d %H:%M"), is_imported=True)
                writer.ingest(1 + 2 * day + number, [batch])
                story.waiting.clear()
    assert len(files_of(stories[0])) == 2 * days
    before = [per_week(story) for story in stories]
    assert before == [[1] * days] * 2
    compact_folder(stories[0].folder, everything=True)
    assert [per_week(story) for story in stories] == before
    files = files_of(stories[0])
    assert (len(files), {kind_of(file.name) for file in files}) == (2 * days, {"sorted"})


def test_many_small_files_are_answered_and_merging_brings_them_down(tmp_path: Path) -> None:
    story = Story(tmp_path)
    with Writer(story.folder) as writer:
        for number in range(2 * MERGE_AT):
            at = FIRST + timedelta(minutes=number)
            batch = story.capture("ann", view("/"), at=at.strftime("%Y-%m-%d %H:%M"), is_imported=True)
            writer.ingest(number + 1, [batch])
    story.waiting.clear()
    assert len(files_of(story)) == 2 * MERGE_AT
    assert per_week(story) == [2 * MERGE_AT]
    with Writer(story.folder) as writer:
        writer.tend()
    assert len(files_of(story)) == 1
    assert per_week(story) == [2 * MERGE_AT]
