"""What is kept of selectors from one question to the next: it makes answers faster and changes none."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.lake import reader
from expost.lake.part import write_part
from expost.lake.reader import connect
from expost.lake.schema import TABLES
from expost.lake.table import Table
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.element_cache import ELEMENTS, ElementCache, Judged
from expost.query.preview import Preview, PreviewAnswer
from expost.state.sites import Site, add_site
from tests.story import Story, click

NOW = datetime(2026, 4, 1, tzinfo=UTC)
SELECTORS = (
    "li",
    "li:nth-child(2)",
    ".on a",
    "li.on + li",
    "ul > :not(.on)",
    "#x, a[title=t]",
    "main li ~ .on a",
)
TAGS = ("li", "li.on", "li#x", "li:nth(2,3)", "li:nth(3,3).on", "div.on")


def past(analysis: Analysis, selector: str, *, target_only: bool = False) -> PreviewAnswer:
    asked = Preview(definition("d", click=selector, target_only=target_only), now=NOW)
    answer = analysis.ask(asked)
    assert isinstance(answer, PreviewAnswer)
    return replace(answer, basis=replace(answer.basis, elapsed_ms=0.0))


def clicks(story: Story, seed: int, count: int = 12) -> None:
    chance = random.Random(seed)
    for number in range(count):
        where = f"main ul {chance.choice(TAGS)} {chance.choice(('a', 'a[title=t]', 'span'))}"
        story.capture(f"device{chance.randrange(4)}", click(where), at=f"{10 + seed}:{number:02}")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = Story(tmp_path / "data")
    analysis = Analysis(story.folder.path)
    add_site(analysis.state, Site("shop", "Shop"))
    analysis.close()
    return story


def test_answers_are_the_same_with_and_without_while_the_dictionary_grows(story: Story) -> None:
    plain, keeping = Analysis(story.folder.path, cache_bytes=0), Analysis(story.folder.path)
    for seed in range(3):
        clicks(story, seed)
        story.store()
        for selector in SELECTORS:
            assert past(keeping, selector) == past(plain, selector)
    assert past(keeping, "li") == past(plain, "li")
    assert past(keeping, "li", target_only=True) == past(plain, "li", target_only=True)
    assert len(list((story.folder.cache / "elements").iterdir())) == len(SELECTORS) + 1


@pytest.mark.parametrize("most", [reader.MOST_ANCESTORS, 10, 0])
def test_ancestors_that_a_connection_holds_are_those_of_the_newest_elements(
    story: Story, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(reader, "MOST_ANCESTORS", most)
    holding = Analysis(story.folder.path, cache_bytes=0)
    there: list[tuple[object, ...]] = []
    for seed, where in enumerate(("main a b", "main div a b i", "main ul li div a b i u")):
        story.capture("ann", click(where), at=f"10:0{seed}")
        story.store()
        answer = past(holding, "a")
        assert answer.events == seed + 1
        assert answer == past(holding, "a")
        with holding._held.lend() as connection:
            held = ancestors(connection, "held_ancestors") if is_held(connection) else None
            there = ancestors(connection, "element_ancestors")
        with connect(story.folder.path) as fresh:
            assert there == ancestors(fresh, "element_ancestors")
        assert held == (there if len(there) <= most else None)
    assert len(there) > 10
    holding.close()


def test_ancestors_are_held_from_one_question_to_the_next(story: Story) -> None:
    holding = Analysis(story.folder.path, cache_bytes=0)
    clicks(story, 1)
    story.store()
    past(holding, "li")
    with holding._held.lend() as connection:
        connection.execute("delete from lake.held_ancestors")
    assert past(holding, "ul").events == 0, "every element that was clicked is inside of a list"
    clicks(story, 2)
    story.store()
    assert past(holding, "ul").events == 24
    holding.close()


def is_held(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute("from duckdb_tables() where table_name = 'held_ancestors'").fetchone()
    return found is not None


def ancestors(connection: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[object, ...]]:
    return connection.execute(f"from lake.{relation} order by all").fetchall()


def kept_file(story: Story) -> Path:
    [file] = (story.folder.cache / "elements").glob("*.parquet")
    return file


def empty(file: Path) -> None:
    """Make what is kept say that nothing matches, so that a use of it shows."""
    table = pq.read_table(file)
    pq.write_table(table.slice(0, 0), file)


def test_what_is_kept_is_used_and_only_new_elements_are_judged(story: Story) -> None:
    clicks(story, 1)
    analysis = Analysis(story.path)
    assert past(analysis, "li").events == 11
    empty(kept_file(story))
    assert past(analysis, "li").events == 0
    story.capture("ann", click("main ul li.never-before a"), at="20:00")
    story.store()
    assert past(analysis, "li").events == 1


def test_nothing_is_used_once_a_file_of_the_dictionary_is_gone(story: Story) -> None:
    clicks(story, 1)
    analysis = Analysis(story.path)
    before = past(analysis, "li").events
    empty(kept_file(story))
    # As merging does: the same rows in another file.
    table = Table(story.folder.lake / "elements", TABLES["elements"])
    [rows] = table.read(TABLES["elements"].names)
    table.replace(table.files(), [write_part(table.path, rows, data_change=False)], data_change=False)
    assert past(analysis, "li").events == before


@pytest.mark.parametrize("content", [b"", b"PAR1 torn", None])
def test_a_torn_or_missing_file_is_made_anew(story: Story, content: bytes | None) -> None:
    clicks(story, 1)
    analysis = Analysis(story.path)
    before = past(analysis, "li")
    if content is None:
        shutil.rmtree(story.folder.cache)
    else:
        kept_file(story).write_bytes(content)
    assert past(analysis, "li") == before
    assert pq.read_table(kept_file(story)).num_rows


def test_a_cache_of_no_bytes_keeps_nothing(story: Story) -> None:
    clicks(story, 1)
    past(Analysis(story.path, cache_bytes=0), "li")
    assert not story.folder.cache.exists()


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(story: Story) -> None:
    clicks(story, 1)
    story.folder.cache.write_text("in the way")
    assert past(Analysis(story.path), "li").events == 11


def judged(rows: int) -> Judged:
    table = pa.table(
        {"place_id": list(range(rows)), **dict.fromkeys(ELEMENTS.names[1:], [True] * rows)}, ELEMENTS
    )
    return Judged(table, frozenset({"a"}))


def test_those_not_asked_for_longest_go_first(tmp_path: Path) -> None:
    live = frozenset({"a"})
    cache = ElementCache(tmp_path)
    for name in "abc":
        cache.keep(name, judged(100))
    for file in tmp_path.iterdir():
        os.utime(file, (1_000_000, 1_000_000))
    assert cache.find("b", live) is not None  # now it is the one that was asked for last
    size = sum(each.stat().st_size for each in tmp_path.iterdir())
    replace(cache, max_bytes=size).keep("d", judged(100))
    left = [name for name in "abcd" if cache.find(name, live) is not None]
    assert len(left) == 3
    assert left[-1] == "d"
    assert "b" in left


def test_what_a_process_left_that_was_ended_while_it_wrote_goes(tmp_path: Path) -> None:
    torn = tmp_path / ".torn"
    torn.touch()
    os.utime(torn, (1, 1))
    ElementCache(tmp_path).keep("a", judged(3))
    assert not torn.exists()


def test_an_answer_is_kept_for_its_own_words_and_files_only(tmp_path: Path) -> None:
    cache = ElementCache(tmp_path)
    cache.keep("li", judged(3))
    assert cache.find("li", frozenset({"a", "b"})) is not None
    assert cache.find("li target-only", frozenset({"a"})) is None
    assert cache.find("li", frozenset({"b"})) is None
