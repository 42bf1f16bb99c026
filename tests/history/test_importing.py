"""Imports as a whole: once, whatever happens in between, at rest and while a server runs."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pytest
from click.testing import CliRunner

import expost
from expost.cli import main
from expost.clock import from_micros, wall_clock
from expost.errors import FolderError, ImportRunning
from expost.history import importing, known
from expost.history.batches import Body
from expost.history.delivery import ToServer
from expost.history.importing import Progress
from expost.history.mapping import mapping_of
from expost.history.report import Report
from expost.history.sources import mapped_source, source_of
from expost.lake.compaction import Compacted
from expost.lake.compactor import compact_folder
from expost.lake.edits import Edit, say
from expost.lake.erasures import erasures, request_erasure
from expost.lake.folder import open_folder
from expost.lake.journal import Journal
from expost.lake.lock import Lock
from expost.lake.reader import connect
from expost.lake.rebuilding import at_rest
from expost.lake.subject import Subject
from expost.query.analysis import Analysis
from expost.state.database import State
from expost.state.keys import keys
from tests.history.importing import imported, rows_of, run, written
from tests.lake.traces import traces
from tests.serving import Serving, make_site

DAY = "2026-03-02"
MANY = [
    {"event_type": f"Step {number % 3}", "event_time": f"{DAY} 10:00:00", "device_id": f"d{number % 7}",
     "event_id": number, "uuid": f"u{number}"}
    for number in range(60)
]  # fmt: skip


def _paid(at: float | str, **properties):
    said = {"time": at, "distinct_id": "ann", "$insert_id": at} | properties
    return {"event": "Paid", "properties": said}


def test_an_import_is_stored_with_its_own_times_and_marked(tmp_path: Path) -> None:
    report = imported(tmp_path / "data", "amplitude", MANY[:1])
    assert (report.rows, report.stored, report.missing) == (1, 1, 0)
    stored = rows_of(tmp_path / "data", "imported, source, type, name, time = client_time, year(time)")
    assert stored == [(True, "server", "custom", "Step 0", True, 2026)]


def test_the_same_import_adds_nothing_however_long_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    first = imported(data, "amplitude", MANY)

    # The sink has forgotten the ids of more than seven days ago: the lake has not.
    def later() -> int:
        return wall_clock() + 30 * 86_400 * 1_000_000

    second = imported(data, "amplitude", [*MANY, *MANY[:5]], clock=later)
    assert (first.stored, second.stored, second.stored_before, second.repeats, second.missing) == (
        60,
        0,
        60,
        5,
        0,
    )
    assert rows_of(data, "count(*)") == [(60,)]


def test_every_row_is_stored_or_a_repeat_or_was_stored_or_is_rejected(tmp_path: Path) -> None:
    data = tmp_path / "data"
    imported(data, "mixpanel", [_paid(1772442000)])
    rows = [
        _paid(1772442000),
        _paid(1772442001),
        _paid(1772442001),
        _paid("x"),
        [],
        {"event": "Paid"},
        _paid(1772442002, distinct_id="x" * 300),
    ]
    report = imported(data, "mixpanel", rows)
    assert (report.rows, report.stored, report.repeats, report.stored_before, report.rejected_rows) == (
        7,
        1,
        1,
        1,
        4,
    )
    kept = [json.loads(line) for line in Path(report.rejects_file).read_text("utf-8").splitlines()]
    assert sorted(each["row"] for each in kept) == [4, 5, 6, 7]
    assert all(each["reason"] and each["file"] for each in kept)
    assert Path(report.rejects_file).stat().st_mode & 0o077 == 0


def test_a_dry_run_says_the_same_and_stores_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=None)
    rows = [_paid(1772442000), _paid(1772442001, distinct_id="x" * 300)]
    dry = imported(data, "mixpanel", rows, is_dry_run=True)
    assert not (data / "lake" / "events").exists()
    wet = imported(data, "mixpanel", rows)
    assert (dry.stored, dry.rejected) == (wet.stored, wet.rejected)


def test_what_is_older_than_its_site_keeps_is_rejected_and_not_removed_the_next_day(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=1)
    report = imported(data, "mixpanel", [_paid(1_000_000_000)])
    assert (report.stored, list(report.rejected)) == (
        0,
        ["it is older than this site keeps events, for … month"],
    )


def test_secrets_are_masked_and_addresses_dropped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    row = _paid(
        1772442000,
        card="4111 1111 1111 1111",
        ip="192.0.2.9",
        **{"$current_url": "https://shop.example/?token=1"},
    )
    imported(data, "mixpanel", [row])
    ((properties, query),) = rows_of(data, "properties, query")
    assert json.loads(properties) == {"card": "…"}
    assert query == "token=…"


def test_rows_of_the_same_moment_keep_the_order_of_the_source(tmp_path: Path) -> None:
    data = tmp_path / "data"
    log = tmp_path / "log.csv"
    log.write_text("at,who,what\n" + "".join(f"{DAY} 10:00,ann,{name}\n" for name in "edcba"), "utf-8")
    mapping = mapping_of({"time": "at", "user": "who", "event": "what"})
    run(data, mapped_source("csv", [log], mapping))
    assert [name for (name,) in rows_of(data, "name")] == list("edcba")


def test_rows_that_are_the_same_are_one_event_or_each_one_as_is_asked(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("at,who\n" + f"{DAY} 10:00,ann\n" * 3 + f"{DAY} 10:00,bob\n", "utf-8")
    mapping = mapping_of({"time": "at", "user": "who", "name": "Seen"})
    once = run(tmp_path / "once", mapped_source("csv", [log], mapping))
    each = run(tmp_path / "each", mapped_source("csv", [log], replace(mapping, repeats="each")))
    again = run(tmp_path / "each", mapped_source("csv", [log], replace(mapping, repeats="each")))
    assert (once.stored, once.repeats, each.stored, again.stored, again.stored_before) == (2, 2, 4, 0, 4)


def test_the_users_of_a_device_are_joined_by_the_logins_that_rows_imply(tmp_path: Path) -> None:
    data = tmp_path / "data"
    rows = [
        {
            "event_type": "Seen",
            "event_time": f"{DAY} 10:0{minute}",
            "device_id": device,
            "user_id": user,
            "uuid": f"u{minute}",
        }
        for minute, (device, user) in enumerate(
            [("d1", ""), ("d1", "ann"), ("d1", "ann"), ("d2", ""), ("d2", "ann")]
        )
    ]
    report = imported(data, "amplitude", rows)
    assert (report.stored, report.logins_made) == (5, 2)
    seen = expost.open(data).preview(track="Seen")
    assert (seen.events, seen.people) == (5, 1)
    assert imported(data, "amplitude", rows).logins_made == 0


def test_an_import_beside_a_command_that_has_the_folder_sends_nothing_anywhere(tmp_path: Path) -> None:
    data = tmp_path / "data"
    imported(data, "amplitude", MANY[:3])
    folder = open_folder(data)
    # As a server that was killed leaves it.
    folder.listening_path.write_text("http://127.0.0.1:9\n", "utf-8")
    with at_rest(folder), pytest.raises(FolderError, match=r"in use by process \d+ \(a command\)") as refused:
        imported(data, "amplitude", MANY)
    assert refused.value.hint.startswith("Wait until that is done")
    assert imported(data, "amplitude", MANY).stored == 57


def test_many_ids_are_known_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "IN_MEMORY", 10)
    monkeypatch.setattr(importing, "STRETCH", 8)
    data = tmp_path / "data"
    first = imported(data, "amplitude", [*MANY, *MANY[:9]])
    second = imported(data, "amplitude", MANY)
    assert (first.stored, first.repeats, second.stored_before) == (60, 9, 60)


KILLED = """
import os, signal, sys
from pathlib import Path
from expost.history import delivery, importing
from tests.history.importing import run
from expost.history.sources import source_of
importing.STRETCH = 10
moves, sealed = [0], delivery.AtRest.finish
def finish(self):
    moves[0] += 1
    if moves[0] == int(sys.argv[3]):
        if sys.argv[4] == "moved":
            sealed(self)
        os.kill(os.getpid(), signal.SIGKILL)
    sealed(self)
delivery.AtRest.finish = finish
run(Path(sys.argv[1]), source_of("amplitude", [Path(sys.argv[2])]))
"""


@pytest.mark.parametrize(("stretch", "moment"), [(2, "written"), (4, "moved")])
def test_an_import_that_was_killed_is_finished_by_running_it_again(
    tmp_path: Path, stretch: int, moment: str
) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=None)
    export = written(tmp_path, "export.ndjson", MANY)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(data), str(export), str(stretch), moment], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    report = run(data, source_of("amplitude", [export]))
    assert (report.rows, report.missing, report.rejected_rows) == (60, 0, 0)
    assert 0 < report.stored_before < 60
    assert report.stored + report.stored_before == 60
    assert rows_of(data, "count(*), count(distinct event_id)") == [(60, 60)]


def test_a_second_import_at_the_same_time_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=None)
    lock = Lock(data / "import.lock")
    with pytest.raises(ImportRunning, match="Another import is writing"):
        imported(data, "amplitude", MANY)
    lock.release()


def test_while_a_server_runs_it_takes_the_import_and_gives_the_same(tmp_path: Path) -> None:
    data, export = tmp_path / "data", written(tmp_path, "export.ndjson", [*MANY, {"event_type": "x"}])
    make_site(data, keep_months=None)
    with Serving(data):
        answers = [
            CliRunner().invoke(
                main,
                [
                    "import",
                    "amplitude",
                    str(export),
                    "--data",
                    str(data),
                    "--json",
                    "--rejects",
                    str(tmp_path / "bad"),
                ],
            )
            for _ in range(2)
        ]
        first, second = (json.loads(answer.stdout) for answer in answers)
    assert (first["stored"], first["missing"], first["rejected"]["rows"]) == (60, 0, 1)
    assert (second["stored"], second["duplicates"]["stored_before"]) == (0, 60)
    assert rows_of(data, "count(*), bool_and(imported)") == [(60, True)]
    state = State(open_folder(data).state_path)
    assert [key.is_active for key in keys(state, kind="import")] == [False, False]


def beside(do: Callable[[], object], look: Callable[[], object]) -> tuple[Progress, list[object]]:
    """Does something after the first stretch of an import, and looks after each later one; what was seen."""
    seen: list[object] = []

    def progress(_: Report) -> None:
        seen.append(look() if seen else do())

    return progress, seen


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports take ten rows at a time."""
    monkeypatch.setattr(importing, "STRETCH", 10)


@pytest.mark.usefixtures("stretches")
def test_a_merge_that_is_said_beside_an_import_is_in_the_lake_before_its_end(tmp_path: Path) -> None:
    make_site(tmp_path / "data", keep_months=None)
    folder = open_folder(tmp_path / "data")
    edit = Edit(7, "shop", "merge", 1, 2, wall_clock(), "eve")
    progress, seen = beside(lambda: say(folder, edit), lambda: list(folder.edits.glob("*.json")))
    imported(folder.path, "amplitude", MANY, progress=progress)
    assert len(seen) > 2
    assert seen[1:] == [[]] * (len(seen) - 1)
    with connect(folder.path) as connection:
        assert connection.execute("select edge_id from lake.identities").fetchall() == [(7,)]


@pytest.mark.usefixtures("stretches")
def test_who_is_erased_beside_an_import_is_gone_before_its_end_and_does_not_come_back(tmp_path: Path) -> None:
    make_site(tmp_path / "data", keep_months=None)
    folder = open_folder(tmp_path / "data")
    asked = Subject.named(folder.secret(), "shop", device="d1")
    progress, seen = beside(
        lambda: request_erasure(folder, asked, wall_clock()),
        lambda: [each.status for each in erasures(folder)],
    )
    report = imported(folder.path, "amplitude", MANY, progress=progress)
    assert len(seen) > 2
    assert seen[1:] == [["done"]] * (len(seen) - 1)
    left = [row for row in MANY if row["device_id"] != "d1"]
    assert rows_of(folder.path, "count(*)") == [(len(left),)]
    assert report.missing == len(MANY) - len(left)
    assert [path for path, _ in traces(folder.path, ['"d1"', "d1\0"])] == []


@pytest.mark.usefixtures("stretches")
def test_a_lake_is_compacted_beside_an_import_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    make_site(tmp_path / "data", keep_months=None)
    folder = open_folder(tmp_path / "data")
    progress, seen = beside(
        lambda: compact_folder(folder, everything=True), lambda: compact_folder(folder, everything=True)
    )
    imported(folder.path, "amplitude", MANY, progress=progress)
    assert len(seen) > 2
    assert rows_of(folder.path, "count(*), count(distinct event_id)") == [(60, 60)]
    # Each time the stretch before was in the lake already, and all of it became one file.
    events = [
        each.files_after for done in seen for each in cast("list[Compacted]", done) if each.table == "events"
    ]
    assert events == [1] * len(seen)


def test_an_import_ends_where_somebody_cannot_be_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.history.delivery.Sink.erase", lambda _: False)
    with pytest.raises(FolderError, match="Somebody is to be erased, and that failed") as refusal:
        imported(tmp_path / "data", "amplitude", MANY)
    assert "expost erasures" in refusal.value.hint
    monkeypatch.undo()
    report = imported(tmp_path / "data", "amplitude", MANY)
    assert report.stored + report.stored_before == 60


def test_people_who_were_erased_do_not_come_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    imported(data, "amplitude", MANY)
    Analysis(data).erase(site=None, device="d1", user=None, is_lasting=True, author="", place="")
    report = imported(data, "amplitude", MANY)
    assert report.stored == report.missing > 0
    assert not rows_of(data, "1", "device_id in (select device_id from lake.devices where device = 'd1')")


def test_two_rows_of_one_id_that_say_different_things_are_counted_and_the_first_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    rows = [_paid(1772442000, price=1), _paid(1772442000, price=1), _paid(1772442000, price=2)]
    report = imported(data, "mixpanel", rows)
    assert (report.stored, report.repeats) == (1, 2)
    assert dict(report.doubts) == {
        "it has the id of an earlier row and says something else: the earlier one is kept": 1
    }
    (example,) = report.to_json()["doubts"]["examples"]
    assert (example["file"], example["row"]) == ("mixpanel.ndjson", 3)
    assert rows_of(data, "properties") == [('{"price":1}',)]


def test_times_that_are_most_likely_not_meant_are_stored_and_said(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("at,who\n1772442000,ann\n1772442000000,bob\n9999999999999,bob\n", "utf-8")
    mapping = mapping_of({"time": "at", "time_format": "milliseconds", "user": "who", "name": "Paid"})
    report = run(tmp_path / "data", mapped_source("csv", [log], mapping))
    assert report.stored == 3
    assert dict(report.doubts) == {
        "it happened before …: is the unit of its time the right one?": 1, "it lies in the future": 1,
    }  # fmt: skip


def test_times_that_a_clock_shows_twice_or_never_are_taken_in_one_way_and_said(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    times = (
        "2026-10-25 01:59",
        "2026-10-25 02:30",
        "2026-10-25 02:30+01:00",
        "2026-03-29 02:30",
        "2026-03-29 03:30",
    )
    log.write_text("\n".join(["at,who", *(f"{time},ann" for time in times)]), "utf-8")
    mapping = mapping_of({"time": "at", "time_zone": "Europe/Berlin", "user": "who", "name": "Paid"})
    far = wall_clock() + 2 * 366 * 86_400 * 1_000_000
    report = run(tmp_path / "data", mapped_source("csv", [log], mapping), clock=lambda: far)
    found = [
        time for (time,) in rows_of(tmp_path / "data", "strftime(time at time zone 'UTC', '%m-%d %H:%M')")
    ]
    # In the gap 02:30 and 03:30 are one moment.
    assert found == ["03-29 01:30", "03-29 01:30", "10-24 23:59", "10-25 00:30", "10-25 01:30"]
    assert list(report.doubts.values()) == [1, 1]
    assert [each["reason"] for each in report.to_json()["doubts"]["examples"]] == [
        "its at '2026-10-25 02:30' stands twice on the clock of Europe/Berlin: the first is taken",
        "its at '2026-03-29 02:30' never stands on the clock of Europe/Berlin, which is set forward then: it is taken "
        "as if it were not",
    ]


def test_the_groups_that_posthog_names_with_every_event_are_units_of_history(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def paid(number: int, who: str, at: str, **groups: str) -> dict[str, object]:
        return {"uuid": f"u{number}", "event": "Paid", "timestamp": f"{DAY}T{at}:00Z", "distinct_id": who,
                "properties": {"$groups": groups} if groups else {}}  # fmt: skip

    rows = [
        paid(1, "ann", "10:00"), paid(2, "ann", "10:01", company="acme"), paid(3, "ann", "10:02", company="acme"),
        paid(4, "bob", "10:03", company="acme", team="red"), paid(5, "ann", "10:04", company="best"),
    ]  # fmt: skip
    report = imported(data, "posthog", rows)
    assert (report.stored, report.memberships_made, report.missing) == (5, 4, 0)
    again = imported(data, "posthog", rows)
    assert (again.stored, again.memberships_made) == (0, 0)
    assert len(rows_of(data, "event_id", "type = 'group'")) == 4
    lake = expost.open(data)
    lake.define("Paid", track="Paid")
    now = from_micros(wall_clock())
    answer = lake.funnel("Paid", "Paid", within="1 day", unit="group:company", now=now)
    # Acme's are the second to the fourth, the first belongs to none.
    assert [step.people for step in answer.steps] == [2, 1]


def test_users_are_counted_each_once_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "FRESH", 3)
    monkeypatch.setattr(known, "IN_MEMORY", 8)
    counted = known.Distinct(tmp_path)
    for number in range(200):
        counted.add(f"u{number % 50}")
        counted.add("")
    assert (counted.count(), counted.count()) == (50, 50)


def test_a_set_of_hashes_takes_no_more_memory_when_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "IN_MEMORY", 5_000)
    monkeypatch.setattr("expost.lake.id_files.PIECE", 5_000)
    numbers = np.random.default_rng(1).integers(0, 2**64, 160_000, np.uint64, endpoint=False)
    held = known.HashSet(tmp_path)
    tracemalloc.start()
    peaks = []
    try:
        for some in np.split(numbers, 160):
            assert not held.hold(some).any()
            held.add(some)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[-1] < 1.3 * peaks[len(peaks) // 8]
    assert held.hold(numbers).all()


AT = 1_772_442_000
ONE_PERSON: dict[str, list[dict[str, object]]] = {
    "posthog": [
        {"event": "$pageview", "timestamp": f"{DAY}T10:00:00Z", "distinct_id": "d1",
         "properties": {"$device_id": "d1", "$current_url": "https://shop.example/"}},
        {"event": "$identify", "timestamp": f"{DAY}T10:01:00Z", "distinct_id": "ann",
         "properties": {"$device_id": "d1", "$anon_distinct_id": "d1", "$set": {"plan": "pro"}}},
        {"event": "Paid", "timestamp": f"{DAY}T10:02:00Z", "distinct_id": "ann"},
    ],
    "amplitude": [
        {"event_type": "Seen", "event_time": f"{DAY} 10:00:00", "device_id": "d1", "uuid": "1"},
        {"event_type": "$identify", "event_time": f"{DAY} 10:01:00", "device_id": "d1", "user_id": "ann", "uuid": "2",
         "user_properties": {"plan": "pro"}},
        {"event_type": "Paid", "event_time": f"{DAY} 10:02:00", "device_id": "d2", "user_id": "ann", "uuid": "3"},
    ],
    "mixpanel": [
        {"event": "Seen", "properties": {"time": AT, "distinct_id": "$device:d1", "$device_id": "d1"}},
        {"event": "$identify", "properties": {"time": AT + 1, "distinct_id": "ann", "$anon_distinct_id": "d1",
                                              "$identified_id": "ann"}},
        {"event": "Paid", "properties": {"time": AT + 2, "distinct_id": "ann"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize("product", ONE_PERSON)
def test_what_a_device_did_before_somebody_was_identified_is_theirs(tmp_path: Path, product: str) -> None:
    data = tmp_path / "data"
    rows = [{"uuid": f"u{number}"} | row for number, row in enumerate(ONE_PERSON[product])]
    report = imported(data, product, rows)
    assert (report.stored, report.rejected_rows) == (3, 0)
    with connect(data) as connection:
        people = "select count(distinct person_id), bool_and(is_user) from lake.events_of_people"
        assert connection.execute(people).fetchone() == (1, True)


def test_a_disk_that_takes_nothing_more_ends_an_import_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Journal, "write_all", full)
    with pytest.raises(FolderError, match="cannot go on: No space left on device") as refused:
        imported(tmp_path / "data", "amplitude", MANY)
    assert "nothing is stored twice" in refused.value.hint
    monkeypatch.undo()
    assert imported(tmp_path / "data", "amplitude", MANY).stored == 60


class Full(BaseHTTPRequestHandler):
    """A server whose disk is full once."""

    answers: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = 200 if self.answers else 503
        self.answers.append(status)
        body = (
            b'{"accepted": 1, "duplicates": 0, "rejected": []}' if status == 200 else b"The disk is full.\n"
        )
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_what_a_server_says_that_takes_nothing_is_told_while_it_is_asked_again(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said: list[str] = []
    make_site(tmp_path / "data")
    delivery = ToServer(
        open_folder(tmp_path / "data"), f"http://127.0.0.1:{server.server_port}", "key", said.append
    )
    assert delivery.deliver([Body(b"{}", "", ["a"])]) == []
    delivery.close()
    server.shutdown()
    assert (said, Full.answers) == (["The disk is full."], [503, 200])
