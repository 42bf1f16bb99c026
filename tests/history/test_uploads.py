"""Uploads: what arrives is there whole or not at all, and how it stands is told by its files."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.errors import ImportRunning, InvalidInput, NoRoom, TooLarge
from expost.history import delivery, importing, runs
from expost.history import uploads as kept
from expost.history.child import carry_out
from expost.history.kind import guess_kind
from expost.history.runs import Imports, Standing
from expost.history.snowplow import COLUMNS
from expost.history.uploads import RESERVED_BYTES, Run, UnknownImport, Upload, Uploads
from expost.lake.backup import back_up
from expost.lake.erasure import remove_uploads
from expost.lake.folder import Folder, open_folder
from expost.lake.lock import Lock
from expost.state.audit import Actor, audit_lines
from expost.state.database import State
from tests import doors
from tests.history.importing import rows_of
from tests.serving import make_site

ANN = Actor("ann", "page")
LOG = b"ts,who,what\n2026-03-02 10:00,ann,Paid\n2026-03-02 11:00,bob,Paid\nyesterday,bob,Paid\n"
MAPPING = 'time = "ts"\nuser = "who"\nevent = "what"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    make_site(tmp_path / "data", keep_months=None)
    return open_folder(tmp_path / "data")


@pytest.fixture
def imports(folder: Folder) -> Iterator[Imports]:
    state = State(folder.state_path)
    made = Imports(folder, state, 1_000_000)
    yield made
    made.close()
    state.close()


def uploaded(
    imports: Imports, content: bytes = LOG, name: str = "log.csv", kind: str | None = None
) -> Upload:
    with imports.uploads.arriving(name) as arriving:
        arriving.write(content)
        return imports.keep(arriving, kind, None, ANN)


def carried_out(imports: Imports, upload: Upload, number: int, *, dry_run: bool = False) -> Standing:
    """How it stands after a run in this process."""
    run = Run(number, dry_run, 0, "ann", "page", mapping=MAPPING)
    imports.uploads.write(upload.id, run)
    carry_out(imports.uploads, upload, run)
    return imports.find(upload.id)


def test_an_upload_is_tried_then_imported_and_again_adds_nothing(imports: Imports, folder: Folder) -> None:
    upload = uploaded(imports)
    assert (upload.kind, upload.site, imports.find(upload.id).state) == ("csv", "shop", "uploaded")
    proposed = imports.find_proposal(upload)
    assert proposed is not None
    assert proposed.mapping.time == ("ts",)
    states: list[tuple[Any, ...]] = []
    report: dict[str, Any] = {}
    imports.start(upload.id, ANN, dry_run=True, mapping=MAPPING)
    for number in (1, 2, 3):
        found = imports.wait(upload.id) if number == 1 else carried_out(imports, upload, number)
        assert found.said is not None
        assert found.said.report is not None
        report = found.said.report
        states.append((found.state, found.is_stored, report["stored"], report["duplicates"]["stored_before"]))
    assert states == [("done", False, 2, 0), ("done", True, 2, 0), ("done", True, 0, 2)]
    assert rows_of(folder.path, "count(*)") == [(2,)]
    example = report["rejected"]["examples"][0]
    assert (example["file"], example["row"], example["reason"][:18]) == ("log.csv", 4, "its ts 'yesterday'")
    (line,) = imports.uploads.rejects_path(upload.id).read_text("utf-8").splitlines()
    assert json.loads(line)["row"] == 4
    told = [(each.action, each.who, each.detail) for each in audit_lines(State(folder.state_path))]
    assert told[:3] == [("import history", "ann", "a csv export")] * 2 + [
        ("upload history", "ann", "csv: log.csv")
    ]
    imports.remove(upload.id, ANN)
    with pytest.raises(UnknownImport):
        imports.find(upload.id)
    assert rows_of(folder.path, "count(*)") == [(2,)]


def test_a_run_that_cannot_begin_is_refused_and_changes_nothing(imports: Imports) -> None:
    upload = uploaded(imports)
    with pytest.raises(InvalidInput, match="no column 'when'"):
        imports.start(upload.id, ANN, dry_run=True, mapping=MAPPING.replace('"ts"', '"when"'))
    with pytest.raises(InvalidInput, match="names no column of the time"):
        imports.start(upload.id, ANN, dry_run=True)
    assert imports.find(upload.id).state == "uploaded"


def test_one_import_runs_at_a_time(imports: Imports, folder: Folder) -> None:
    upload = uploaded(imports)
    lock = Lock(folder.path / "import.lock")
    found = carried_out(imports, upload, 1)
    assert (found.state, found.said and found.said.error and found.said.error["code"]) == (
        "failed",
        "import_running",
    )
    lock.release()
    imports.start(upload.id, ANN, dry_run=False)
    with pytest.raises(ImportRunning):
        imports.start(uploaded(imports).id, ANN, dry_run=True, mapping=MAPPING)
    assert imports.wait(upload.id).is_stored


def test_a_run_whose_process_ended_without_a_word_is_interrupted_and_goes_on_when_it_is_run_again(
    imports: Imports, folder: Folder
) -> None:
    upload = uploaded(imports)
    imports.uploads.write(upload.id, Run(1, False, 0, mapping=MAPPING))
    assert imports.find(upload.id).state == "interrupted"
    lock = Lock(imports.uploads.lock_path(upload.id))
    assert imports.find(upload.id).state == "running"
    lock.release()
    imports.start(upload.id, ANN, dry_run=False)
    assert imports.stop(upload.id).state in ("interrupted", "done")
    assert carried_out(imports, upload, 3).state == "done"
    assert rows_of(folder.path, "count(*), count(distinct event_id)") == [(2, 2)]


def test_what_does_not_fit_is_refused_and_nothing_of_it_stays(folder: Folder) -> None:
    free = RESERVED_BYTES + 10
    small, full = Uploads(folder, 10), Uploads(folder, 1_000, lambda _: free)
    with small.arriving("a") as arriving:
        arriving.write(b"x" * 8)
        with pytest.raises(TooLarge, match="at most 10 can be uploaded"):
            arriving.write(b"x" * 8)
    with pytest.raises(NoRoom, match="kept for events"), full.arriving("a") as arriving:
        arriving.write(b"x" * 11)
    with pytest.raises(InvalidInput, match="empty"), small.arriving("a") as arriving:
        arriving.keep("csv", "shop", 0, "")
    assert list(folder.imports.iterdir()) == []


def test_what_never_arrived_whole_is_removed_at_the_next_start_and_the_rest_after_a_week(
    imports: Imports, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploaded(imports)
    (folder.imports / "0123456789ab" / "file").mkdir(parents=True)
    imports.tidy()
    assert [path.name for path in folder.imports.iterdir()] == [upload.id]
    monkeypatch.setattr(kept, "KEPT", -1)
    imports.tidy()
    assert list(folder.imports.iterdir()) == []


def test_an_upload_that_lost_its_end_in_a_power_cut_is_removed_at_the_next_start(imports: Imports) -> None:
    upload, whole = uploaded(imports), uploaded(imports)
    imports.uploads.path(upload).write_bytes(LOG[:40])
    imports.tidy()
    assert [each.upload for each in imports.all()] == [whole]


def test_an_upload_goes_after_a_week_while_the_server_runs(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []

    async def week() -> None:
        loop, twice = asyncio.get_running_loop(), asyncio.Event()

        def remove_old(now: int) -> None:
            remove(now)
            left.append(len(imports.all()))
            monkeypatch.setattr(kept, "KEPT", -1)
            if len(left) == 2:
                loop.call_soon_threadsafe(twice.set)

        remove = imports.uploads.remove_old
        monkeypatch.setattr(imports.uploads, "remove_old", remove_old)
        tidying = asyncio.create_task(imports.keep_tidy())
        await asyncio.wait_for(twice.wait(), 10)
        tidying.cancel()

    monkeypatch.setattr(runs, "TIDY_SECONDS", 0)
    uploaded(imports)
    asyncio.run(week())
    assert left[:2] == [1, 0]


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/passwd", "..", "", "\0", "a" * 300, "CON/..\\x", "ü b\n.csv"]
)
def test_no_name_of_a_file_leads_out_of_its_folder(folder: Folder, name: str) -> None:
    with Uploads(folder, 100).arriving(name) as arriving:
        assert arriving.path.parent.parent.parent == folder.imports
        assert arriving.path.is_file()


def test_no_id_of_an_upload_leads_out_of_the_folder(imports: Imports) -> None:
    for id_ in ("..", "../state", "", "0123456789ab", "0123456789AB"):
        with pytest.raises(UnknownImport):
            imports.find(id_)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"uuid": "u", "event": "x", "distinct_id": "a", "timestamp": "t", "properties": {}}\n', "posthog"),
        (b"uuid,event,properties,timestamp,distinct_id\n", "posthog"),
        (b'[{"event": "x", "properties": {"time": 1, "distinct_id": "a"}}]', "mixpanel"),
        (b'no json\n{"event_type": "x", "device_id": "d"}\n', "csv"),
        (b'{"event_type": "x", "device_id": "d"}\n', "amplitude"),
        (("\t".join(COLUMNS) + "\n").encode(), "snowplow"),
        (LOG, "csv"),
        (b"", "csv"),
        (b'{"a": 1}\n', None),
        (b"\x1f\x8b damaged", "csv"),
    ],
)
def test_what_a_file_is_its_first_row_says(tmp_path: Path, content: bytes, kind: str | None) -> None:
    path = tmp_path / "x"
    for each in (content, gzip.compress(content)):
        path.write_bytes(each)
        assert guess_kind(path) == kind


def test_a_parquet_file_is_of_posthog_by_its_columns(tmp_path: Path) -> None:
    for columns, kind in ((("event", "distinct_id", "properties"), "posthog"), (("ts", "who"), "parquet")):
        pq.write_table(pa.table({name: ["x"] for name in columns}), tmp_path / "x")
        assert guess_kind(tmp_path / "x") == kind


def test_json_of_no_product_is_refused_when_it_has_arrived(imports: Imports, folder: Folder) -> None:
    with pytest.raises(InvalidInput, match="no product"):
        uploaded(imports, b'{"a": 1}\n')
    assert list(folder.imports.iterdir()) == []


def test_uploads_are_in_no_backup(imports: Imports, folder: Folder, tmp_path: Path) -> None:
    uploaded(imports)
    back_up(folder, tmp_path / "backup", 0)
    assert not (tmp_path / "backup" / "imports").exists()


def test_an_erasure_removes_uploads_because_they_may_hold_whoever_is_erased(
    imports: Imports, folder: Folder
) -> None:
    carried_out(imports, uploaded(imports), 1)
    assert doors.run(folder.path, "erase", "--user", "ann", "--yes").exit_code == 0
    assert imports.all() == []
    assert list(folder.imports.iterdir()) == []


def test_an_import_whose_upload_is_removed_under_it_ends_with_a_sentence_and_leaves_no_folder(
    imports: Imports, folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    upload = uploaded(imports, LOG + b"2026-03-02 12:00,cyd,Paid\n2026-03-02 13:00,dan,Paid\n")
    deliver = delivery.AtRest.deliver

    def deliver_and_remove(*args: Any) -> Any:
        remove_uploads(folder)
        return deliver(*args)

    monkeypatch.setattr(importing, "STRETCH", 1)
    monkeypatch.setattr(delivery.AtRest, "deliver", deliver_and_remove)
    run = Run(1, False, 0, mapping=MAPPING)
    imports.uploads.write(upload.id, run)
    carry_out(imports.uploads, upload, run)
    assert "was removed while it was imported" in caplog.text
    assert "An erasure removes every upload" in caplog.text
    assert list(folder.imports.iterdir()) == []
    assert rows_of(folder.path, "count(*)") == [(1,)]
