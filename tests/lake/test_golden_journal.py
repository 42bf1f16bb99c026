"""Segments as released versions wrote them: each is read for ever, byte by byte as it is here."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from zlib import crc32

import pytest

from expost.errors import FolderError
from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.inspection import batches, inspect
from expost.lake.journal import Journal
from expost.lake.reader import connect
from expost.lake.rebuilding import drain
from expost.lake.segment import HEADER, VERSION, OpenSegment, read_segment
from expost.lake.writer import Writer

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "journal").glob("v*.sealed"))
NUMBER = 7
MADE_AT = 1_772_445_600_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "data", create=True)


def test_there_is_one_of_each_version() -> None:
    assert [path.stem for path in GOLDEN] == [f"v{version}" for version in range(1, VERSION + 1)]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_it_is_stored_whole(golden: Path, folder: Folder) -> None:
    shutil.copy(golden, folder.journal / f"{NUMBER:020}.sealed")
    with Writer(folder) as writer:
        assert drain(folder, writer) == 1
    with connect(folder.path) as connection:
        rows = connection.execute('select type, label, name, "user", properties from events order by time')
        assert rows.fetchall() == [
            ("page_view", None, None, "ann@shop.example", "{}"),
            ("click", "Buy now", None, "ann@shop.example", "{}"),
            ("identify", None, None, "ann@shop.example", "{}"),
            ("custom", None, "Refunded", None, '{"amount":12.5}'),
        ]


def test_this_version_still_writes_the_same_bytes(folder: Folder) -> None:
    golden = GOLDEN[-1]
    segment = OpenSegment(folder.journal, NUMBER, MADE_AT, Disk())
    for _, payload in read_segment(golden):
        segment.append([payload])
    segment.close()
    assert segment.path.read_bytes() == golden.read_bytes()


def test_a_newer_version_is_refused_by_every_reader_and_nothing_is_touched(folder: Folder) -> None:
    data = GOLDEN[-1].read_bytes()
    rest = struct.pack("<IQQ", VERSION + 1, NUMBER, MADE_AT)
    newer = data[:8] + rest[:4] + struct.pack("<I", crc32(rest)) + rest[4:] + data[HEADER.size :]
    path = folder.journal / f"{NUMBER:020}.open"
    path.write_bytes(newer)
    for read in (lambda: Journal(folder, lambda: 1), lambda: inspect(path), lambda: list(batches(path))):
        with pytest.raises(FolderError, match=f"written by a newer Expost .format {VERSION + 1}") as refused:
            read()
        assert "pip install --upgrade expost" in refused.value.hint
    assert path.read_bytes() == newer
