"""Files of exports: what they are is seen from their bytes, and a bad row takes nothing else with it."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.errors import InvalidInput
from expost.history.files import Shape, find_files, objects, tables
from expost.history.foreign import Unusable
from expost.history.packed import MAX_LINE_BYTES

LINES = b'{"a": 1}\n\n{"a": 2}\n'


def _rows(found):
    return [row for _, row in found if not isinstance(row, Unusable)]


def _reasons(found):
    return [(place.row, str(row)) for place, row in found if isinstance(row, Unusable)]


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        b"\xef\xbb\xbf" + LINES,
        gzip.compress(LINES),
        gzip.compress(LINES[:9]) + gzip.compress(LINES[9:]),
        _zip(**{"day/1.json": LINES[:9], "day/2.json": LINES[9:], "__MACOSX/x": b"x"}),
        _zip(**{"1.json.gz": gzip.compress(LINES)}),
        LINES.decode().encode("utf-16"),
        b"\xfe\xff" + LINES.decode().encode("utf-16-be"),
        gzip.compress(LINES.decode().encode("utf-16")),
        b'[{"a": 1},{"a": 2}]',
        b'\xef\xbb\xbf [\n  {\n    "a": 1\n  },\n  {"a":\n 2}\n]\n',
        gzip.compress(b'[{"a": 1}\n,{"a": 2}\n]'),
    ],
    ids=["plain", "bom", "gzip", "two members", "zip", "zip of gzip", "UTF-16", "UTF-16 big end first",
         "gzip of UTF-16", "array", "array over lines with bom", "gzip of array"],
)  # fmt: skip
def test_json_lines_are_read_however_they_are_packed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "whatever.bin"
    path.write_bytes(content)
    assert _rows(objects(path)) == [{"a": 1}, {"a": 2}]


def test_what_is_no_json_object_is_named_by_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"a": 1}\n[1]\n{"a": \n"\xff"\n' + b'{"a":' * 100_000 + b'\n{"a": 2}\n')
    assert _rows(objects(path)) == [{"a": 1}, {"a": 2}]
    assert [row for row, _ in _reasons(objects(path))] == [2, 3, 4, 5]


def test_a_line_without_end_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"a": "' + b"x" * (2 * MAX_LINE_BYTES) + b'"}\n{"a": 2}\n')
    assert _rows(objects(path)) == [{"a": 2}]
    assert _reasons(objects(path)) == [(1, "its line has 8,000,010 bytes, and at most 4,000,000 are read")]


def test_items_of_an_array_are_told_apart_whatever_stands_in_their_texts(tmp_path: Path) -> None:
    items = [
        {"a": '}],"{[\\'},
        {"b": {"c": [[1], {"d": "\\\\"}]}},
        {"e": "x" * 100_000 + '"'},
        {"f": "\u00e9\u2028"},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(items), "utf-8")
    assert _rows(objects(path)) == items
    path.write_text(json.dumps(items, ensure_ascii=False, indent=1), "utf-8")
    assert _rows(objects(path)) == items


def test_a_bad_item_of_an_array_takes_no_other_with_it_and_a_missing_end_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(
        b'[{"a": 1}, {"a": tru}, {"a": "' + b"x" * (MAX_LINE_BYTES + 1) + b'"}, {"a": 2}, {"a": 3'
    )
    assert _rows(objects(path)) == [{"a": 1}, {"a": 2}]
    assert [(row, reason[:20]) for row, reason in _reasons(objects(path))] == [
        (2, "it is no JSON object"), (3, "its item has 4,000,0"), (5, "a.json is damaged fr"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04 and then nothing", "cannot be read as a zip"),
        (b"BZh91AY&SY", "packed as bzip2"),
        (b"\xfd7zXZ\x00\x00", "packed as xz"),
        (b"\x28\xb5\x2f\xfd\x00", "packed as zstd"),
        (_zip(**{"a.parquet": b"PAR1 whatever"}), "Parquet in a zip"),
        (b"PAR1 and then nothing", "damaged from here on"),
        (b"\x1f\x8b\x08 and then nothing", "damaged from here on"),
    ],
)
def test_a_file_that_cannot_be_opened_is_a_reason_with_a_next_step_and_no_end(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    for read in (objects(path), tables(path, Shape()), objects(path)):
        ((_, reason),) = read
        assert isinstance(reason, Unusable)
        assert says in str(reason)
        assert reason.hint


@pytest.mark.parametrize("lines", [3, 2_000])
def test_a_quote_that_nothing_closes_does_not_swallow_what_follows_unsaid(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text('when,what\n1,x\n2,"y\n' + "3,z\n" * lines, "utf-8")
    assert _rows(tables(path, Shape())) == [{"when": "1", "what": "x"}]
    assert _reasons(tables(path, Shape())) == [
        (3, f"the lines 3 to {lines + 3} are no row: a quote in it is not closed")
    ]


def test_what_is_no_utf_8_is_named_by_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("when,what\n1,größe\n".encode("windows-1252"))
    assert _reasons(tables(path, Shape())) == [(2, "it is not UTF-8: byte 5 is 0xf6")]


@pytest.mark.parametrize("cut", [20, -6], ids=["in the middle", "at the end"])
def test_of_a_damaged_file_the_rows_before_the_damage_are_read(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.gz"
    lines = b"".join(
        json.dumps({"a": number, "pad": f"{number * 7919 % 1009}"}).encode() + b"\n"
        for number in range(3_000)
    )
    path.write_bytes(gzip.compress(lines)[:cut] if cut < 0 else gzip.compress(lines)[: 6_000 + cut])
    found = list(objects(path))
    assert _rows(found)[:2] == [{"a": 0, "pad": "0"}, {"a": 1, "pad": "856"}]
    assert "damaged from here on" in _reasons(found)[-1][1]


def test_tables_are_read_with_quotes_line_breaks_and_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('when,what\n1,"a ""b""\nc"\n2\n3,x,y\n\n4,z\n', "utf-8")
    assert _rows(tables(path, Shape())) == [
        {"when": "1", "what": 'a "b"\nc'},
        {"when": "2"},
        {"when": "4", "what": "z"},
    ]
    assert _reasons(tables(path, Shape())) == [(5, "it has 3 cells, and there are 2 columns")]


def test_a_line_of_a_table_that_is_not_utf_8_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"when\n1\n\xff\n2\n")
    assert _rows(tables(path, Shape())) == [{"when": "1"}, {"when": "2"}]
    assert [row for row, _ in _reasons(tables(path, Shape()))] == [3]


def test_columns_that_are_set_apart_by_spaces_are_read_without_a_first_row(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(" 0004  19970101   2 \n", "utf-8")
    assert _rows(tables(path, Shape(" ", ("who", "day", "count")))) == [
        {"who": "0004", "day": "19970101", "count": "2"}
    ]


def test_parquet_is_read_as_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), path)
    assert _rows(objects(path)) == _rows(tables(path, Shape())) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def test_of_one_large_group_of_rows_little_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [random.Random(number).randbytes(64).hex() for number in range(100_000)]
    pq.write_table(pa.table({"a": texts}), path, row_group_size=len(texts), use_dictionary=False)
    before = pa.total_allocated_bytes()
    rows = objects(path)
    assert next(rows)[1] == {"a": texts[0]}
    assert pa.total_allocated_bytes() - before < path.stat().st_size / 3
    assert _rows(rows)[-1] == {"a": texts[-1]}


def test_folders_are_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2", "a/1", ".DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_files([tmp_path])] == ["1", "2"]
    with pytest.raises(InvalidInput, match="no file"):
        find_files([tmp_path / "missing"])


def test_a_heading_that_stands_twice_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,user, user,event\n1,ann,bob,Looked\n")
    with pytest.raises(InvalidInput, match=r"The heading 'user' stands twice in log\.csv") as refused:
        list(tables(path, Shape()))
    assert refused.value.hint == "Rename one of the two columns."
    with pytest.raises(InvalidInput, match="'a' stands twice"):
        list(tables(path, Shape(columns=("a", "b", "a", "c"))))
    # Columns without a name are left by spreadsheets, and nothing can ask for them.
    path.write_text("time,user,,\n1,ann,,\n")
    assert _rows(tables(path, Shape())) == [{"time": "1", "user": "ann", "": ""}]
