"""Questions go on while a file of the lake is broken or goes away, and the sink mends what can be mended meanwhile."""

from __future__ import annotations

import json
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import expost
from expost.clock import wall_clock
from expost.errors import FolderError, InvalidInput
from expost.lake.broken import is_mending, note_broken, noted_broken
from expost.lake.compactor import compact_folder
from expost.lake.erasure import carry_out
from expost.lake.erasures import request_erasure
from expost.lake.folder import Folder, open_folder
from expost.lake.quarantine import find_broken, rebuild, set_aside_noted
from expost.lake.rebuilding import at_rest
from expost.lake.schema import TABLES
from expost.lake.sink_life import run
from expost.lake.subject import Subject
from expost.lake.table import Table
from expost.lake.writer import Writer
from expost.query import analysis as analysis_module
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.definition import definition
from expost.query.preview import Preview, PreviewAnswer, preview_parts
from expost.query.question import Question
from expost.query.reading import Reading
from expost.query.sandbox import RowsAnswer, SqlQuery
from tests import doors
from tests.lake.test_erasure import USER
from tests.lake.test_mending import live, whole
from tests.lake.test_sink import wait_until
from tests.serving import Serving

EVENTS = SqlQuery("select count(*) as n, count(element_id) from events", site="shop")


@pytest.fixture
def folder(ann_and_bob: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(ann_and_bob.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Flip a bit in the last page of the first column, which the file's own ends do not show."""
    column = pq.read_metadata(path).row_group(0).column(0)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(data)


def ask(folder: Folder) -> RowsAnswer:
    return expost.open(folder.path).sql(EVENTS.text)


@pytest.mark.parametrize("table", ["events", "elements", "devices"])
@pytest.mark.parametrize("breaks", [halve, Path.unlink])
def test_a_question_leaves_a_broken_file_out_and_says_so(
    folder: Folder, table: str, breaks: Callable[[Path], None]
) -> None:
    before = ask(folder).rows()
    [path, *_] = live(folder, table)
    breaks(path)
    answer = ask(folder)
    assert f"Left out is a file of {table} that cannot be read ({path.name}: " in answer.notes[0]
    assert (answer.rows() == before) == (table != "events")
    assert list(noted_broken(folder).values()) == [path]


@pytest.mark.parametrize("table", ["events", "devices", "placements"])
def test_a_file_with_other_columns_than_its_table_is_left_out_like_a_broken_one(
    folder: Folder, table: str
) -> None:
    """As after a flipped bit in the name of a column, or a mistake while files were copied."""
    [path, *_] = live(folder, table)
    [other, *_] = live(folder, "users")
    shutil.copyfile(other, path)
    answer = ask(folder)
    assert f"Left out is a file of {table} that cannot be read ({path.name}: " in answer.notes[0]


def test_rows_that_have_no_place_for_notes_are_fewer_with_a_word_beside_them(folder: Folder) -> None:
    [path, *_] = live(folder, "events")
    halve(path)
    left_out = f"Left out is a file of events that cannot be read ({path.name}: "
    for words in (("sql", EVENTS.text), ("sql", EVENTS.text, "--csv"), ("trend", "Any activity", "--csv")):
        said = doors.run(folder.path, *words)
        assert (said.exit_code, said.stderr.startswith(left_out)) == (0, True), words
    client = doors.Api(folder, "viewer").client
    rows = client.post("/api/v1/sql", json={"query": EVENTS.text})
    assert json.loads(rows.headers["X-Expost-Unread"])[0].startswith(left_out)
    for twin in ("csv", "json"):
        answered = client.get(f"/sql.{twin}", params={"query": EVENTS.text})
        assert (answered.status_code, "X-Expost-Unread" in answered.headers) == (200, True), twin
    assert left_out in client.get("/sql", params={"query": EVENTS.text}).text


def test_a_flipped_bit_is_found_though_the_file_can_be_read(folder: Folder) -> None:
    [path, *_] = live(folder, "events")
    flip(path)
    assert list(find_broken(folder)) == [path]


def test_damage_is_not_copied_by_a_compaction(folder: Folder) -> None:
    [path, *_] = live(folder, "events")
    flip(path)
    with pytest.raises(pa.ArrowInvalid, match=path.name):
        compact_folder(folder, everything=True)


def test_a_query_that_somebody_wrote_badly_is_their_error_still(folder: Folder) -> None:
    with pytest.raises(InvalidInput, match="no parquet here"):
        expost.open(folder.path).sql("select error('no parquet here') from events")
    assert noted_broken(folder) == {}


def test_what_is_whole_or_nothing_refuses_a_broken_file(folder: Folder) -> None:
    halve(live(folder, "events")[0])
    with pytest.raises(FolderError, match="A file of events cannot be read"):
        Analysis(folder.path).export_person(user=USER)


def meanwhile(monkeypatch: pytest.MonkeyPatch, kind: type[Question], happens: Callable[[], Any]) -> None:
    """Let something happen once, between the snapshot of a question and its first look into the files."""
    answer_to = analysis_module.ANSWERS[kind]
    left = [happens]

    def answer(reading: Reading, question: Any) -> Answer:
        if left:
            left.pop()()
        return answer_to(reading, question)

    monkeypatch.setitem(analysis_module.ANSWERS, kind, answer)


def erase(folder: Folder) -> None:
    request_erasure(folder, Subject.named(folder.secret(), "shop", user=USER), wall_clock())
    with at_rest(folder) as writer:
        carry_out(folder, writer)


def compact(folder: Folder) -> None:
    compact_folder(folder, everything=True)
    for name, schema in TABLES.items():
        assert Table(folder.lake / name, schema).forget_past()


@pytest.mark.parametrize(("happens", "events"), [(erase, 6), (compact, 20)])
def test_a_question_survives_that_its_files_are_deleted(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Folder], None], events: int
) -> None:
    meanwhile(monkeypatch, SqlQuery, lambda: happens(folder))
    answer = ask(folder)
    assert answer.rows()[0]["n"] == events
    assert not any("cannot be read" in note for note in answer.notes)
    assert noted_broken(folder) == {}


def test_parts_of_a_preview_come_once_though_a_file_breaks_in_between(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    [path, *_] = live(folder, "events")
    parts_of = preview_parts
    left = [path]

    def parts(reading: Reading, question: Preview) -> Iterator[PreviewAnswer]:
        for answer in parts_of(reading, question):
            yield answer
            if left:
                halve(left.pop())
                raise duckdb.IOException(f"Could not read from file {path}")

    monkeypatch.setattr(analysis_module, "preview_parts", parts)
    question = Preview(definition("any link", click="a"), site="shop")
    counted, rest = Analysis(folder.path).preview_parts(question)
    assert (counted.is_whole, rest.is_whole) == (False, True)
    assert "cannot be read" in rest.notes[0]


def test_a_running_server_sets_a_broken_file_aside_and_has_its_rows_again(folder: Folder) -> None:
    before = whole(folder)
    with Serving(folder.path) as server:
        [path, *_] = live(folder, "events")
        halve(path)
        asked = Request(
            f"{server.url}/api/v1/sql",
            json.dumps({"query": EVENTS.text}).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(asked) as response:
            [said] = json.load(response)
        assert 0 < said["n"] < len(before["events"])
        wait_until(lambda: any('"rebuilt"' in line for line in server.said))
        assert whole(folder) == before
    assert [each.name for each in folder.quarantine.iterdir()] == [f"events-{path.name}"]
    assert list(folder.broken.iterdir()) == []


def test_a_sink_that_cannot_work_for_a_broken_file_mends_and_goes_on(folder: Folder) -> None:
    before = whole(folder)
    halve(live(folder, "devices")[0])
    stop = threading.Event()
    sink = threading.Thread(target=run, args=(folder, stop, deque(maxlen=1)))
    sink.start()
    try:
        wait_until(lambda: folder.quarantine.exists() and not is_mending(folder))
    finally:
        stop.set()
        sink.join()
    assert whole(folder) == before


@pytest.mark.parametrize("ends_at", ["replace", "replay"])
def test_whatever_mending_ends_in_the_rows_come_back(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, ends_at: str
) -> None:
    before = whole(folder)
    [path, *_] = live(folder, "events")
    halve(path)
    note_broken(folder, [path])
    place: Any = Table if ends_at == "replace" else Writer
    with monkeypatch.context() as patch:
        patch.setattr(place, ends_at, _end)
        with pytest.raises(InterruptedError), at_rest_after_mending(folder):
            pass
    with at_rest_after_mending(folder):
        pass
    assert whole(folder) == before


@contextmanager
def at_rest_after_mending(folder: Folder) -> Iterator[Writer]:
    set_aside_noted(folder)
    with at_rest(folder) as writer:
        rebuild(folder, writer)
        yield writer


def _end(*_: object, **__: object) -> None:
    raise InterruptedError
