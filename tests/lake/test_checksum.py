"""A file whose name says its checksum is known to be damaged, wherever a bit flips in it."""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.lake.broken import why_broken
from expost.lake.checksum import checksum_of, find_checksum
from expost.lake.part import PartWriter, read_unsorted, write_part
from expost.lake.rewrite import rewrite
from expost.lake.table import MERGE_AT, Table

SCHEMA = pa.schema([("number", pa.int64()), ("site", pa.string())])


def rows(first: int) -> pa.Table:
    return pa.table({"number": range(first, first + 5), "site": ["shop"] * 5}, SCHEMA)


def flip(path: Path, place: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def rename_column(path: Path) -> None:
    """What no checksum of a page shows: the end of the file calls a column by another name of that length."""
    data = path.read_bytes()
    footer = data.rindex(b"number")
    path.write_bytes(data[:footer] + b"numbed" + data[footer + 6 :])


def test_a_file_is_called_by_its_checksum(tmp_path: Path) -> None:
    add = write_part(tmp_path, rows(0), data_change=True)
    assert find_checksum(add.path) == checksum_of(tmp_path / add.path)
    assert [path.name for path in tmp_path.iterdir()] == [add.path]
    assert why_broken(tmp_path / add.path) is None


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / write_part(tmp_path, rows(0), data_change=True).path
    chance, size = random.Random(5), path.stat().st_size
    for place in range(size):
        bit = chance.randrange(8)
        flip(path, place, bit)
        assert why_broken(path) == "its bytes are not those that were written", place
        flip(path, place, bit)
    assert why_broken(path) is None


def test_a_file_of_an_older_version_is_read_to_its_end_as_before(tmp_path: Path) -> None:
    add = write_part(tmp_path, rows(0), data_change=True)
    path = (tmp_path / add.path).rename(tmp_path / "part-2-old.zstd.parquet")
    assert why_broken(path) is None
    column = pq.read_metadata(path).row_group(0).column(0)
    flip(path, column.data_page_offset + column.total_compressed_size - 1)
    assert why_broken(path) is not None


def test_what_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, SCHEMA)
    writer.write(rows(0))
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_could_not_be_written_leaves_nothing_however_often_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(writer: pq.ParquetWriter, *_: object, **__: object) -> None:
        # Else it would try once more when it is collected.
        writer.is_open = False
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("write_table", "close"):
        with monkeypatch.context() as patched:
            patched.setattr(pq.ParquetWriter, name, full)
            with pytest.raises(OSError, match="No space left"):
                write_part(tmp_path, rows(0), data_change=True)
        assert list(tmp_path.iterdir()) == [], name


@pytest.fixture
def table(tmp_path: Path) -> Table:
    table = Table(tmp_path / "table", SCHEMA)
    for number in range(MERGE_AT):
        table.append(rows(10 * number), "test", number)
    return table


def test_neither_a_merge_nor_a_rewrite_copies_what_only_the_end_of_a_file_says_wrongly(table: Table) -> None:
    path = table.path / table.files()[0].name
    rename_column(path)
    before = table.version
    with pytest.raises(pa.ArrowInvalid, match="not those that were written"):
        table.tend()
    with pytest.raises(pa.ArrowInvalid, match="not those that were written"):
        rewrite(table, ["site"], lambda found: pa.chunked_array([pa.array([True] * len(found))]))
    assert table.version == before


def test_a_sound_file_is_read_again_whole(table: Table) -> None:
    file = table.path / table.files()[0].name
    assert sum(map(len, read_unsorted(file, SCHEMA))) == 5
