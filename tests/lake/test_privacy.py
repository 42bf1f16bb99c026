"""docs/privacy.md is complete: each column of each table is in the data map, each entry in the browser is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expost.lake.retention import SUBJECTS
from expost.lake.schema import TABLES
from expost.state.schema import KEEP_MONTHS
from tests.story import Story

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
SNIPPET = ROOT / "snippet" / "src"
PERSONAL = {"yes", "linked", "may be", "no"}
KEPT = {
    "Kept for the site's months": {"events", "identities", "traits", "page_counts"},
    "Kept until none of their events is left": set(SUBJECTS),
    "Stay": {"descriptors", "elements", "placements"},
}


def sections() -> dict[str, str]:
    data_map = PAGE.partition("## The data map")[2].partition("\n### Outside")[0]
    parts = re.split(r"^### (\w+)$", data_map, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in cells if row[0].startswith("`")]


def test_the_data_map_has_every_table() -> None:
    assert set(sections()) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_stands_once_in_the_data_map_with_all_that_is_to_be_said_of_it(name: str) -> None:
    found = rows(sections()[name])
    columns = [column for row in found for column in re.findall(r"`(\w+)`", row[0])]
    assert sorted(columns) == sorted(TABLES[name].names)
    for row in found:
        assert len(row) == 5
        assert all(row)
        assert row[2] in PERSONAL, row


@pytest.mark.parametrize("name", TABLES)
def test_the_data_map_says_how_long_each_table_is_kept_and_what_for(name: str) -> None:
    said = sections()[name].strip().partition("\n")[0]
    assert [name in tables for words, tables in KEPT.items() if said.startswith(words)] == [True]
    assert "Purpose: " in said


def test_ids_of_people_are_called_personal_wherever_they_stand() -> None:
    ids = {"device_id", "user_id", "from_id", "to_id", "subject_id", "device", "user"}
    for name, text in sections().items():
        for row in rows(text):
            if ids & set(re.findall(r"`(\w+)`", row[0])):
                assert row[2] == "yes", (name, row)


def test_the_entry_in_the_browser_is_told_field_by_field() -> None:
    [interface] = re.findall(
        r"interface Browser \{(.*?)\n\}", (SNIPPET / "consent.ts").read_text("utf-8"), re.DOTALL
    )
    fields = re.findall(r"^  (\w+)\??:", interface, flags=re.MULTILINE)
    [entry] = [row for row in rows(PAGE.partition("## In the browser")[2]) if row[0] == "`expost`"]
    told = re.findall(r"`(\w+)`", entry[1])
    # The call that gives the user is named beside it.
    assert sorted(told) == sorted([*fields, "identify"])


def test_the_page_names_the_limits_that_the_code_has() -> None:
    kept = (SNIPPET / "kept.ts").read_text("utf-8")
    assert re.findall(r"MAX_AGE = (\d+) \* 3_600_000", kept) == ["48"]
    assert re.findall(r"MAX_LENGTH = ([\d_]+)", kept) == ["256_000"]
    assert "at most 48 hours and 256 kB (256,000 characters)" in PAGE
    assert f"Events are kept for **{KEEP_MONTHS} months**" in PAGE


def test_the_queries_on_the_page_can_be_asked(rich_lake: Story) -> None:
    queries = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
    assert queries
    for query in queries:
        rich_lake.sql(query)
