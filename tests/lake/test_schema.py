"""docs/schema.md is the schema in words: table by table and column by column the same as the code."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from expost.lake.event_table import BATCH_COLUMNS, VIEW_COLUMNS
from expost.lake.schema import TABLES

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
WORDS = {
    "string": "string", "int64": "bigint", "int32": "int", "double": "double", "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamp",
}  # fmt: skip


def in_words(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return f"list of {in_words(type_.value_type)}"
    if pa.types.is_struct(type_):
        return f"struct({', '.join(f'`{field.name}`' for field in type_)})"
    return WORDS[str(type_)]


def sections() -> dict[str, str]:
    parts = re.split(r"^## (\w+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_every_column_with_its_type_and_meaning(name: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", sections()[name], flags=re.MULTILINE)
    assert [(column, kind) for column, kind, _ in rows] == [
        (field.name, in_words(field.type)) for field in TABLES[name]
    ]
    assert all(meaning.strip() for _, _, meaning in rows)


def test_the_page_has_no_other_table() -> None:
    assert set(sections()) == {*TABLES, "Views"}


def test_no_column_of_an_event_is_filled_from_two_places() -> None:
    filled = (*BATCH_COLUMNS, *VIEW_COLUMNS)
    assert len(set(filled)) == len(filled)
    assert set(filled) < set(TABLES["events"].names)
