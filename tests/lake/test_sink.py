"""The sink as a process: it moves what is sealed, ends with its parent, and may be killed at any moment."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from expost.clock import wall_clock
from expost.ids import uuid7
from expost.lake.batch import Accepted, Event, EventType
from expost.lake.erasures import request_erasure
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.reader import connect
from expost.lake.rebuilding import at_rest
from expost.lake.recovery import set_aside
from expost.lake.segment import OPEN
from expost.lake.sent import keep_as_sent
from expost.lake.sink import Order, Sink
from expost.lake.sink_life import run
from expost.lake.subject import Subject
from expost.lake.writer import Writer

encode = msgspec.msgpack.Encoder().encode


def batch(device: str) -> Accepted:
    """A batch of server events, one of them an identify."""
    now = wall_clock()
    kinds: list[EventType] = ["identify", "custom", "custom"]
    events = [
        Event(uuid7(now), kind, time=now / 1_000, user=f"user of {device}", name="Ticked") for kind in kinds
    ]
    return Accepted(
        site="shop", received_at=now, consent="full", is_imported=False, is_internal=False, device=device,
        user_agent="", sent_at=now / 1_000, session=0, release="", environment="production", viewport=[], page=None,
        views=[], sets=[], descriptors=[], elements=[], events=events,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "data", create=True)


@pytest.fixture
def journal(folder: Folder) -> Iterator[Journal]:
    journal = Journal(folder, wall_clock, seal_age_ms=20)
    yield journal
    journal.close()


def start_sink(folder: Folder) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "expost.lake.sink_life", "--data", str(folder.path)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def is_drained(folder: Folder) -> bool:
    return not list(folder.journal.glob(f"*{OPEN}")) and not sealed_segments(folder.journal)


def query(folder: Folder, text: str) -> list[tuple[object, ...]]:
    with connect(folder.path) as connection:
        return connection.execute(text).fetchall()


def test_what_was_acknowledged_is_queryable_soon_and_the_sink_ends_with_its_parent(
    folder: Folder, journal: Journal
) -> None:
    sink = start_sink(folder)
    for number in range(5):
        journal.write(encode(batch(f"device {number}")))
    wait_until(lambda: is_drained(folder))
    assert query(folder, 'select count(*), count(distinct "user") from events') == [(15, 5)]
    assert sink.stdin is not None
    sink.stdin.close()
    assert sink.wait(10) == 0
    assert sink.stderr is not None
    assert sink.stderr.read() == b""


def test_a_sink_that_is_killed_again_and_again_loses_and_doubles_nothing(
    folder: Folder, journal: Journal
) -> None:
    dice = random.Random(20)
    sent: set[str] = set()
    for _ in range(6):
        sink = start_sink(folder)
        until = time.monotonic() + 0.6 + dice.random()
        while time.monotonic() < until:
            one = batch(f"device {dice.randrange(40)}")
            journal.write(encode(one))
            sent.update(event.id for event in one.events)
            time.sleep(dice.random() / 50)
        sink.kill()
        sink.wait()
    sink = start_sink(folder)
    wait_until(lambda: is_drained(folder))
    sink.kill()
    sink.wait()
    stored = [row[0] for row in query(folder, "select event_id from lake.events")]
    assert len(stored) == len(sent)
    assert set(stored) == sent
    edges = query(folder, "select count(*), count(distinct event_id) from lake.identities")
    assert edges == [(len(sent) // 3, len(sent) // 3)]
    assert query(folder, "select count(*) - count(distinct device_id) from lake.devices") == [(0,)]


def test_frames_that_make_no_sense_are_set_aside(
    folder: Folder, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.write(encode(batch("ann")))
    journal.write(b"\xc1 no frame of ours")
    journal.write(encode(batch("bob")))
    journal.seal()
    with Writer(folder) as writer:
        assert Sink(folder, writer).move()
    assert query(folder, "select count(*) from events") == [(6,)]
    [kept] = folder.rejected.glob("_.*.ndjson")
    assert "no frame of ours" in json.loads(kept.read_text())["content"]
    assert '"event": "rejected"' in capsys.readouterr().err


def test_beside_a_command_nothing_is_said_on_its_output(
    folder: Folder, journal: Journal, capfd: pytest.CaptureFixture[str]
) -> None:
    payload = encode(batch("ann"))
    journal.write(payload)
    journal.seal()
    journal.write(payload)
    journal.close()
    with at_rest(folder):
        pass
    assert query(folder, "select count(*) from lake.events") == [(3,)]
    assert capfd.readouterr().out == ""


def test_a_segment_waits_for_one_with_a_lower_number_that_is_still_open(
    folder: Folder, journal: Journal
) -> None:
    for device in ("ann", "bob"):
        journal.write(encode(batch(device)))
        journal.seal()
    first, second = sealed_segments(folder.journal)
    late = first.rename(first.with_suffix(OPEN))
    with Writer(folder) as writer:
        sink = Sink(folder, writer)
        assert not sink.move()
        late.rename(first)
        assert sink.move()
        assert not sink.move()
    assert not second.exists()
    assert query(folder, "select count(*) from events") == [(6,)]


def test_segments_that_are_much_to_read_are_not_committed_together(
    folder: Folder, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = wall_clock()
    for _ in range(3):
        event = {"id": uuid7(now), "type": "page_view"}
        page = {"id": uuid7(now), "start": now / 1_000}
        body = msgspec.json.encode(
            {"v": 1, "consent": "full", "device": "ann", "page": page, "events": [event]}
        )
        journal.write(keep_as_sent("shop", now, False, "", "", gzip.compress(body + b" " * 10_000)))
        journal.seal()
    sizes = [path.stat().st_size for path in sealed_segments(folder.journal)]
    # By what they take on the disk all three would be of one group.
    monkeypatch.setattr("expost.lake.sink.GROUP_BYTES", 25_000)
    assert sum(sizes) < 10_000
    with Writer(folder) as writer:
        sink = Sink(folder, writer)
        assert sink.move()
        assert [path.stat().st_size for path in sealed_segments(folder.journal)] == sizes[2:]
        assert sink.move()
        assert not sink.move()
    assert query(folder, "select count(*) from events") == [(3,)]


def test_an_interrupted_group_is_repeated_as_it_was(
    folder: Folder, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write(encode(batch("ann")))
    journal.seal()
    journal.write(encode(batch("bob")))
    journal.seal()
    with monkeypatch.context() as patch, Writer(folder) as writer:
        patch.setattr("expost.lake.writer.OTHERS", ["descriptors", "users", "identities", "no such table"])
        with pytest.raises(KeyError):
            Sink(folder, writer).move()
    journal.write(encode(batch("cyd")))
    journal.seal()
    with Writer(folder) as writer:
        assert (writer.committed, writer.begun) == (-1, 2)
        sink = Sink(folder, writer)
        assert sink.move()
        assert writer.committed == 2
        assert sink.move()
        assert writer.committed == 3
    assert query(folder, "select count(*) from lake.identities") == [(3,)]
    assert query(folder, "select count(*) from events") == [(9,)]


def test_what_is_older_than_the_parent_says_is_removed_while_the_rest_goes_on(
    folder: Folder, journal: Journal
) -> None:
    for site in ("shop", "blog"):
        journal.write(encode(imported(site)))
    sink = start_sink(folder)
    assert sink.stdin is not None
    assert sink.stderr is not None
    wait_until(lambda: is_drained(folder))
    sink.stdin.write(b'{"keep_months": {"shop": 25, "blog": null}}\n')
    sink.stdin.flush()
    wait_until(lambda: query(folder, "select distinct site from events") == [("blog",)])
    journal.write(encode(batch("ann")))
    wait_until(lambda: query(folder, "select count(*) from events where site = 'shop'") == [(3,)])
    sink.stdin.close()
    assert sink.wait(10) == 0
    said = json.loads(sink.stderr.read())
    assert (said["event"], said["events"], said["devices"]) == ("removed", 3, 1)


def test_a_line_that_makes_no_sense_is_said_and_nothing_else(folder: Folder) -> None:
    sink = start_sink(folder)
    _, said = sink.communicate(b'{"keep_months": 3}\n', timeout=30)
    assert sink.returncode == 0
    assert json.loads(said)["event"] == "not understood"


def test_a_removal_that_fails_is_said_and_stops_nothing(
    folder: Folder, journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "remove_expired", fail)
    stop, orders = threading.Event(), deque([Order({"shop": 25})], maxlen=1)
    sink = threading.Thread(target=run, args=(folder, stop, orders))
    sink.start()
    try:
        journal.write(encode(batch("ann")))
        wait_until(lambda: is_drained(folder))
    finally:
        stop.set()
        sink.join()
    assert query(folder, "select count(*) from events") == [(3,)]
    [said] = map(json.loads, capsys.readouterr().err.splitlines())
    assert (said["event"], "No space left" in said["error"], "tomorrow" in said["hint"]) == (
        "not removed", True, True,
    )  # fmt: skip


def test_an_erasure_that_fails_again_and_again_keeps_no_event_out_of_the_lake(
    folder: Folder, journal: Journal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("expost.lake.sink.carry_out", fail)
    monkeypatch.setattr("expost.lake.sink_life.RETRY_SECONDS", (0.05,))
    request_erasure(folder, Subject.named(folder.secret(), "shop", user="eve"), wall_clock())
    stop = threading.Event()
    sink = threading.Thread(target=run, args=(folder, stop, deque()))
    sink.start()
    try:
        for who, events in (("ann", 3), ("bob", 6)):
            journal.write(encode(batch(who)))
            journal.seal()
            wait_until(lambda: is_drained(folder))
            assert query(folder, "select count(*) from events") == [(events,)]
    finally:
        stop.set()
        sink.join()
    assert '"not erased"' in capsys.readouterr().err


def test_a_folder_that_took_the_place_of_this_one_is_left_to_its_own_sink(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("expost.lake.sink_life.RETRY_SECONDS", (0.05,))
    stop, said = threading.Event(), list[str]()
    with closing(Journal(folder, wall_clock)) as journal:
        sink = threading.Thread(target=run, args=(folder, stop, deque()))
        sink.start()
        try:
            journal.write(encode(batch("ann")))
            journal.seal()
            wait_until(lambda: is_drained(folder))
            other = open_folder(folder.path.with_name("other"), create=True)
            with Writer(other), closing(Journal(other, wall_clock)) as its_own:
                its_own.write(encode(batch("bob")))
                its_own.seal()
                folder.path.rename(folder.path.with_name("moved away"))
                other.path.rename(folder.path)

                def is_refused() -> bool:
                    said.append(capsys.readouterr().err)
                    return "is in use by process" in "".join(said)

                wait_until(is_refused)
                assert not is_drained(folder)
        finally:
            stop.set()
            sink.join()


def test_damaged_bytes_are_kept_for_seven_days(folder: Folder) -> None:
    week = 7 * 86_400
    for number, age in enumerate((week - 3_600, week + 3_600)):
        path = set_aside(folder.rejected, number, 0, b"torn")
        then = time.time() - age
        os.utime(path, (then, then))
    other = folder.rejected / "shop.2020-01-01.000001.ndjson"
    other.touch()
    os.utime(other, (0, 0))
    with Writer(folder) as writer:
        assert Sink(folder, writer).carry_out(deque([Order({})], maxlen=1))
    assert {path.name for path in folder.rejected.iterdir()} == {other.name, f"journal-{0:020}-0.damaged"}


def test_a_removal_waits_for_a_group_that_was_interrupted(
    folder: Folder, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write(encode(imported("shop")))
    journal.seal()
    with monkeypatch.context() as patch, Writer(folder) as writer:
        patch.setattr("expost.lake.writer.OTHERS", ["users", "identities", "no such table"])
        with pytest.raises(KeyError):
            Sink(folder, writer).move()
    orders = deque([Order({"shop": 25})], maxlen=1)
    with Writer(folder) as writer:
        sink = Sink(folder, writer)
        assert sink.carry_out(orders)
        assert len(orders) == 1
        assert query(folder, "select count(*) from lake.users") == [(1,)]
        assert sink.move()
        assert sink.carry_out(orders)
        assert not orders
    assert query(folder, "select count(*) from lake.users") == [(0,)]
    assert query(folder, "select count(*) from events") == [(0,)]


def imported(site: str) -> Accepted:
    """History that is older than 25 months, and will be for ever."""
    old = 1_600_000_000_000
    one = msgspec.structs.replace(batch("bob"), site=site, is_imported=True)
    return msgspec.structs.replace(
        one, events=[msgspec.structs.replace(each, time=old) for each in one.events]
    )
