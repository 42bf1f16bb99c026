"""A folder whose tables were made before the latest columns is opened, read and written on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from expost.lake.compactor import compact_folder, enrich_folder
from expost.lake.schema import ELEMENTS, EVENTS
from expost.lake.snapshot import find_snapshot
from expost.lake.table import MERGE_AT, Table
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.preview import Preview, PreviewAnswer
from expost.state.sites import Site, add_site, sites
from tests.story import Story, click, view

NEWER = ("consent_version", "placement_id", *EVENTS.names[EVENTS.names.index("browser") :])
OLD_EVENTS = pa.schema([field for field in EVENTS if field.name not in NEWER])


def make_old(story: Story) -> None:
    """The same events as a folder has them that was written before `consent_version`, `page_counts` and `placements`.

    Then an element was what a placement is now.
    """
    story.store()
    elements = [
        each
        | {
            "element_id": old_id(each["placement_id"]),
            "parent_id": old_id(each["parent_placement_id"]),
            "ancestors": [old_id(above) for above in each["ancestors"]],
            "depth": len(each["ancestors"]),
        }
        for each in rows_of(story, "placements")
    ]
    events = [each | {"element_id": old_id(each["placement_id"])} for each in rows_of(story, "events")]
    for name in ("events", "elements", "placements", "page_counts"):
        shutil.rmtree(story.folder.lake / name)
    for name, rows, schema in (("elements", elements, ELEMENTS), ("events", events, OLD_EVENTS)):
        table = story.folder.lake / name
        Table(table, schema).append(pa.Table.from_pylist(rows, schema), "journal", story._segment)
        for file in table.glob("part-*"):
            # Nor did the names of files say how many columns they have.
            file.rename(table / re.sub(r"part-\d+-", "part-", file.name))
        for entry in table.glob("_delta_log/*.json"):
            entry.write_text(re.sub(r"part-\d+-", "part-", entry.read_text()))


def rows_of(story: Story, name: str) -> list[dict[str, Any]]:
    snapshot = find_snapshot(story.folder.lake / name)
    assert snapshot is not None
    rows: list[dict[str, Any]] = pa.concat_tables(
        [pq.read_table(file) for file in snapshot.files]
    ).to_pylist()
    return rows


def old_id(placement_id: int | None) -> int | None:
    """Another hash was made of the same place then."""
    return None if placement_id is None else placement_id ^ 1


@pytest.fixture
def old(lake: Story) -> Story:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    lake.capture("ann", view("/tea"), at="10:05")
    make_old(lake)
    return lake


TOLD = "select count(*), count(consent_version), max(consent_version) from events"


def test_it_is_read_as_it_is(old: Story) -> None:
    assert old.sql(TOLD) == [(3, 0, None)]
    assert old.sql("select count(*), sum(missing) from losses") == [(2, 0)]
    assert old.sql("select count(*) from lake.page_counts") == [(0,)]


def test_it_is_written_on(old: Story) -> None:
    old.capture("ann", view("/cart"), at="10:10", consent_version="2026-11", counts={1: 4})
    assert old.sql(TOLD) == [(4, 1, "2026-11")]
    assert old.sql("select page_ordinal, last_seq from lake.page_counts order by 1") == [
        (1, 4), (2, None), (3, None),
    ]  # fmt: skip
    columns = [field.name for field in DeltaTable(old.folder.lake / "events").schema().fields]
    assert columns == EVENTS.names
    old.capture("ann", click("a"), at="10:11")
    assert old.sql(TOLD) == [(5, 2, "2026-11")]


def test_files_of_both_kinds_are_merged(old: Story) -> None:
    old.capture("ann", view("/cart"), at="10:10", consent_version="2026-11")
    path: Path = old.path / "lake" / "events"
    table = Table(path, EVENTS)
    rows = pq.read_table(min(path.glob(f"part-{len(EVENTS)}-*")), schema=EVENTS)
    for number in range(MERGE_AT):
        table.append(rows, "more", number)
    table.tend()
    assert len(table.snapshot().files) == 1
    assert old.sql(TOLD) == [(3 + 1 + MERGE_AT, 1 + MERGE_AT, "2026-11")]


def test_files_of_both_kinds_are_compacted_and_the_old_are_judged(old: Story) -> None:
    old.capture("ann", view("/cart"), at="10:10", consent_version="2026-11")
    old.store()
    compact_folder(old.folder, everything=True)
    assert enrich_folder(old.folder) == 3
    assert old.sql(TOLD) == [(4, 1, "2026-11")]
    assert old.sql("select count(*), browser, device_class from events group by all") == [
        (4, "Firefox", "desktop")
    ]


PLACES = (
    "ul.menu li:nth(1,3) a.link",
    "ul.menu li:nth(2,3) a.link",
    "ul.menu li:nth(3,3) a.link",
    "nav a.link",
)
SELECTORS = {
    "a.link": 4, ".menu a": 3, "ul > li > a": 3, "nav > .link": 1, "li:nth-child(2) a": 1, "li:first-child > a": 1,
    "li:not(:last-child) a": 2, "a:only-child": 4, ":is(nav, li:nth-child(n+2)) > a": 3, "p + li a": 0, "li + li a": 2,
}  # fmt: skip


def click_them(story: Story, at: str) -> None:
    story.capture("ann", *map(click, PLACES), at=at)


def found(story: Story) -> dict[str, tuple[int, set[str]]]:
    """For each selector the events that it matches, and their chains in words, places and all."""
    story.store()
    analysis = Analysis(story.path, threads=1)
    try:
        if not sites(analysis.state):
            add_site(analysis.state, Site("shop", "Shop"))
        answers = {
            text: cast(PreviewAnswer, analysis.ask(Preview(definition("It", click=text))))
            for text in SELECTORS
        }
        return {
            text: (answer.events, {str([(each.tag, each.index, each.count, each.is_match) for each in sample.chain])
                                   for sample in answer.samples})
            for text, answer in answers.items()
        }  # fmt: skip
    finally:
        analysis.close()


def test_selectors_find_in_it_what_they_found_before(lake: Story) -> None:
    click_them(lake, at="10:00")
    before = found(lake)
    assert {text: events for text, (events, _) in before.items()} == SELECTORS
    make_old(lake)
    old = found(lake)
    assert {text: events for text, (events, _) in old.items()} == SELECTORS
    # Without placements the three items are three elements, and so three samples.
    assert old["li + li a"][1] > before["li + li a"][1]
    click_them(lake, at="11:00")
    assert {text: events for text, (events, _) in found(lake).items()} == {
        text: events * 2 for text, events in SELECTORS.items()
    }


def test_events_of_both_kinds_stand_in_the_same_places(old: Story) -> None:
    old.capture("ann", click("a"), at="10:11")
    assert old.sql("select count(*), count(placement_id), count(distinct placement_id) from events") == [
        (4, 2, 2)
    ]
    assert old.sql("select count(*) from events join placements using (placement_id, element_id)") == [(2,)]
