"""Events of saved definitions that are kept between questions: the same answers, and nothing of what is gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from expost.lake.compaction import compact
from expost.lake.folder import Folder, open_folder
from expost.lake.schema import TABLES
from expost.lake.summary import summarize
from expost.lake.table import Table
from expost.query.analysis import Analysis
from expost.query.breakdown import ByColumn, ByProperty, Flag
from expost.query.definition import definition
from expost.query.event_cache import EventCache
from expost.query.funnel import Funnel
from expost.query.preview import Preview
from expost.query.property_match import PropertyMatch
from expost.query.question import Question
from expost.query.retention import Retention
from expost.query.trend import Trend
from expost.state.sites import Site, add_site
from tests.story import Story, click, expose, identify, track, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
LEFT_OUT = ("sql", "parameters", "elapsed_ms", "proof")
"""What differs by where the events were found: the SQL, and its digest in the proof."""
QUESTIONS: tuple[Question, ...] = (
    Funnel(("Viewed", "Bought"), WEEK, now=NOW),
    Funnel(("Viewed", "Bought"), WEEK, by=Flag("f"), now=NOW),
    Funnel(("Viewed", "Bought"), WEEK, by=ByColumn("path"), order="any", now=NOW),
    Funnel(("Viewed", "Bought"), WEEK, by=ByProperty("plan"), now=NOW),
    Funnel(("Viewed", "Bought"), WEEK, now=NOW, start=datetime(2026, 3, 2, 10, 3, tzinfo=UTC)),
    Retention("Viewed", "Viewed", "day", 2, now=NOW),
    Trend("Bought", "day", now=NOW),
    Preview("Bought", now=NOW),
)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    told = Story(open_folder(tmp_path / "it's data[1]", create=True).path)
    told.capture("ann", view("/"), click("main > button.buy"), expose("f", "on"), view("/b"), at="10:00")
    told.capture("bob", view("/"), identify("bob"), click("button.buy > span"), at="10:05")
    told.capture("eve", view("/c"), track("Other"), at="10:10")
    told.store()
    return told


def keeping(folder: Folder) -> Analysis:
    analysis = Analysis(folder.path)
    analysis.events = EventCache(folder.cache, least_bytes=0)
    return analysis


@pytest.fixture
def plain(story: Story) -> Iterator[Analysis]:
    opened = Analysis(story.path, cache_bytes=0)
    add_site(opened.state, Site("shop", "Shop"))
    opened.define(definition("Viewed", view="/**"))
    opened.define(definition("Bought", click="button.buy"))
    yield opened
    opened.close()


def numbers(analysis: Analysis, question: Question) -> dict[str, Any]:
    told = analysis.ask(question).to_json()
    return {name: value for name, value in told.items() if name not in LEFT_OUT}


def kept_files(folder: Folder) -> set[str]:
    return {path.parent.name for path in (folder.cache / "events").glob("*/*.parquet")}


def live_files(folder: Folder) -> set[str]:
    return {Path(file.name).stem for file in Table(folder.lake / "events", TABLES["events"]).files()}


def test_answers_are_equal_with_and_without(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    for question in QUESTIONS:
        said = numbers(plain, question)
        assert numbers(kept, question) == said
        # Now from what is kept.
        assert numbers(kept, question) == said
    assert kept_files(story.folder) == live_files(story.folder)


def test_of_what_summaries_know_funnels_keep_no_events(
    story: Story, plain: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("expost.lake.summary", "expost.query.facts"):
        monkeypatch.setattr(f"{module}.LEAST_BYTES", 0)
    assert summarize(story.folder, 10_000_000)
    kept = keeping(story.folder)
    question = Funnel(("Viewed", "Bought"), WEEK, by=Flag("f"), now=NOW)
    assert numbers(kept, question) == numbers(plain, question)
    assert not kept_files(story.folder)
    assert numbers(kept, QUESTIONS[-2]) == numbers(plain, QUESTIONS[-2])
    assert not kept_files(story.folder)
    # Addresses stand in events alone.
    by_path = Trend("Bought", "day", by=ByColumn("path"), now=NOW)
    assert numbers(kept, by_path) == numbers(plain, by_path)
    assert kept_files(story.folder) == live_files(story.folder)
    plain.define(definition("Paid", track="paid", properties=[PropertyMatch("n", "above", 3)]))
    with_property = Funnel(("Viewed", "Paid"), WEEK, now=NOW)
    assert numbers(kept, with_property) == numbers(plain, with_property)


def test_new_events_are_found_beside_those_kept(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    for question in QUESTIONS:
        numbers(kept, question)
    story.capture("kim", view("/"), click("button.buy"), at="11:00")
    story.store()
    for question in QUESTIONS:
        assert numbers(kept, question) == numbers(plain, question)
    # Files that are small are searched every time.
    kept.events = EventCache(story.folder.cache, least_bytes=1_000_000_000)
    for question in QUESTIONS:
        assert numbers(kept, question) == numbers(plain, question)


def test_small_files_are_searched_beside_what_is_kept_of_large_ones(story: Story, plain: Analysis) -> None:
    [large] = live_files(story.folder)
    story.capture("kim", view("/"), click("button.buy"), at="11:00")
    story.store()
    sizes = {path.stem: path.stat().st_size for path in (story.folder.lake / "events").glob("*.parquet")}
    [small] = live_files(story.folder) - {large}
    assert sizes[small] < sizes[large]
    kept = keeping(story.folder)
    kept.events = EventCache(story.folder.cache, least_bytes=sizes[large])
    for question in QUESTIONS:
        assert numbers(kept, question) == numbers(plain, question)
    assert kept_files(story.folder) == {large}


def test_what_was_known_by_a_moment_is_not_taken_from_what_is_kept(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    moment = datetime(2026, 3, 2, 10, 5, 30, tzinfo=UTC)
    question = Preview("Viewed", as_of=moment)
    everything = numbers(kept, Preview("Viewed"))["events"]
    assert numbers(kept, question)["events"] == numbers(plain, question)["events"] < everything


def test_another_version_is_searched_anew(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    before = numbers(kept, Preview("Bought", now=NOW))
    plain.define(definition("Bought", click="span"))
    after = numbers(kept, Preview("Bought", now=NOW))
    assert (before["events"], after["events"]) == (2, 1)
    assert after == numbers(plain, Preview("Bought", now=NOW))


def test_what_is_torn_is_made_anew(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    question = Preview("Bought", now=NOW)
    said = numbers(kept, question)
    for path in (story.folder.cache / "events").glob("*/*.parquet"):
        path.write_bytes(path.read_bytes()[:-7])
    assert numbers(kept, question) == said


def test_what_was_kept_of_a_file_goes_with_the_file(story: Story, plain: Analysis) -> None:
    kept = keeping(story.folder)
    numbers(kept, QUESTIONS[0])
    assert kept_files(story.folder)
    story.capture("kim", view("/"), at="11:00")
    story.store()
    numbers(kept, QUESTIONS[0])
    table = Table(story.folder.lake / "events", TABLES["events"])
    compact({"events": table}, story.folder.spill, everything=True)
    table.vacuum(grace_seconds=-3600)
    assert kept_files(story.folder) <= live_files(story.folder)
    assert numbers(kept, QUESTIONS[0]) == numbers(plain, QUESTIONS[0])


def test_only_the_owner_may_look_at_what_is_kept(story: Story, plain: Analysis) -> None:
    numbers(keeping(story.folder), QUESTIONS[0])
    folders = [story.folder.cache, *(path for path in story.folder.cache.rglob("*") if path.is_dir())]
    assert {path.name for path in folders} >= {"cache", "events", "elements", *live_files(story.folder)}
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_definition_that_matches_too_much_is_not_kept(
    story: Story, plain: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.query.kept_events.MOST_EVENTS", 1)
    kept = keeping(story.folder)
    assert numbers(kept, QUESTIONS[0]) == numbers(plain, QUESTIONS[0])
    assert not kept_files(story.folder)
    assert len(kept.events.too_many) == 2


def test_nothing_is_left_where_the_file_went_meanwhile(tmp_path: Path) -> None:
    cache = EventCache(tmp_path, least_bytes=0)
    cache.keep("key", str(tmp_path / "gone.parquet"), pa.table({"one": [1]}))
    assert not list(tmp_path.rglob("*.parquet"))


def test_what_was_not_asked_for_the_longest_goes_first(tmp_path: Path) -> None:
    cache = EventCache(tmp_path, max_bytes=1_000, least_bytes=0)
    for number in range(3):
        file = tmp_path / f"{number}.parquet"
        file.touch()
        cache.keep("key", str(file), pa.table({"one": list(range(20))}))
        os.utime(
            tmp_path / "events" / str(number) / next((tmp_path / "events" / str(number)).iterdir()).name,
            (number, number),
        )
    cache.keep("other", str(tmp_path / "2.parquet"), pa.table({"one": list(range(20))}))
    assert cache.find("other", str(tmp_path / "2.parquet"))
    assert not cache.find("key", str(tmp_path / "0.parquet"))


def test_no_more_is_kept_than_there_is_room_for_though_all_of_it_was_asked_for_lately(
    story: Story, plain: Analysis
) -> None:
    def room() -> int:
        return sum(each.stat().st_size for each in (story.folder.cache / "events").glob("*/*"))

    kept = keeping(story.folder)
    numbers(kept, QUESTIONS[0])
    for max_bytes in (room() * 2 // 3, 0, 1, room() * 3):
        shutil.rmtree(story.folder.cache)
        kept.events = EventCache(story.folder.cache, max_bytes, least_bytes=0)
        for question in QUESTIONS:
            assert numbers(kept, question) == numbers(plain, question)
            assert room() <= max_bytes
    assert kept_files(story.folder) == live_files(story.folder)


def test_what_a_process_left_that_was_ended_while_it_wrote_goes(tmp_path: Path) -> None:
    cache = EventCache(tmp_path, least_bytes=0)
    file = tmp_path / "1.parquet"
    file.touch()
    cache.keep("key", str(file), pa.table({"one": [1]}))
    torn, fresh = (tmp_path / "events" / "1" / name for name in (".torn", ".fresh"))
    for path in (torn, fresh):
        path.touch()
    os.utime(torn, (1, 1))
    cache.keep("other", str(file), pa.table({"one": [1]}))
    assert not torn.exists()
    assert fresh.exists()


def test_the_draft_of_a_summary_does_not_keep_what_is_left_of_others(tmp_path: Path) -> None:
    cache = EventCache(tmp_path, least_bytes=0)
    file = tmp_path / "1.parquet"
    file.touch()
    # In whichever order folders are looked through.
    drafts, torn = (
        [tmp_path / "events" / f"{number}{name}" / ".left" for number in range(10)] for name in "ab"
    )
    for path in drafts:
        path.mkdir(parents=True)
    for path in torn:
        path.parent.mkdir()
        path.touch()
    for path in (*drafts, *torn):
        os.utime(path, (1, 1))
    cache.keep("key", str(file), pa.table({"one": [1]}))
    assert all(path.exists() for path in drafts)
    assert not any(path.exists() for path in torn)


def test_what_had_no_room_beside_others_is_kept_once_these_are_not_in_use(
    story: Story, plain: Analysis
) -> None:
    story.capture("kim", view("/"), click("button.buy"), at="11:00")
    story.store()
    kept, question = keeping(story.folder), Preview("Bought", now=NOW)
    said = numbers(kept, question)
    files = list((story.folder.cache / "events").glob("*/*.parquet"))
    size = max(path.stat().st_size for path in files)
    assert len(files) == 2
    shutil.rmtree(story.folder.cache)
    others = story.folder.cache / "events" / "others" / "others.parquet"
    others.parent.mkdir(parents=True)
    others.write_bytes(bytes(size * 6 // 5))
    kept.events = EventCache(story.folder.cache, size * 27 // 10, least_bytes=0)
    assert numbers(kept, question) == said
    assert len(kept_files(story.folder)) == 2, "the others, and one of two"
    os.utime(others, (1, 1))
    assert numbers(kept, question) == said
    assert kept_files(story.folder) == live_files(story.folder)
