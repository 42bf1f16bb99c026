from __future__ import annotations

import asyncio
import errno
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from expost.errors import FolderError
from expost.lake import journal as journal_module
from expost.lake import queue as queue_module
from expost.lake.audience import Audience, settle
from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.lock import find_holder
from expost.lake.segment import VERSION, OpenSegment, read_segment
from expost.lake.sent import keep_as_sent


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "data", create=True)


@contextmanager
def journal_of(folder: Folder, **options: object) -> Iterator[Journal]:
    journal = Journal(folder, lambda: 1, **{"seal_age_ms": 60_000, **options})  # type: ignore[arg-type]
    try:
        yield journal
    finally:
        journal.close()


def payloads(folder: Folder) -> list[bytes]:
    return [payload for path in sealed_segments(folder.journal) for _, payload in read_segment(path)]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("senders", "group"),
    [(None, 128), (10_000, 128), (201, 100), (2, 32)],
    ids=["uncounted", "very many", "half of them", "few"],
)
def test_what_comes_while_a_group_gathers_is_synced_with_it_until_it_is_full(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, senders: int | None, group: int
) -> None:
    for name in "LULL_SECONDS", "GATHER_SECONDS":
        monkeypatch.setattr(queue_module, name, 60.0)

    disk = BadDisk()
    disk.gate = threading.Event()

    async def send(journal: Journal) -> None:
        first = journal.append(b"x")
        await asyncio.to_thread(wait_for, lambda: disk.syncs)
        few = [journal.append(b"x") for _ in range(2)]
        assert disk.gate is not None
        disk.gate.set()
        await first
        await asyncio.gather(*few, *(journal.append(b"x") for _ in range(group - 2)))

    with journal_of(folder, disk=disk.disk()) as journal:
        if senders is not None:
            journal.queue.senders = lambda: senders
        asyncio.run(send(journal))
        assert journal.groups == disk.syncs == 2


def test_a_sender_who_is_alone_is_not_kept_waiting(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "LULL_SECONDS", "GATHER_SECONDS":
        monkeypatch.setattr(queue_module, name, 60.0)

    def write_three() -> None:
        for _ in range(3):
            journal.write(b"x")

    with journal_of(folder) as journal:
        sender = threading.Thread(target=write_three, daemon=True)
        sender.start()
        sender.join(30)
        assert not sender.is_alive()
        assert journal.groups == 3


def test_there_is_no_room_from_the_first_refusal_until_the_disk_has_taken_something(folder: Folder) -> None:
    disk = BadDisk()
    disk.gate = threading.Event()
    with journal_of(folder, max_backlog_bytes=1_000, disk=disk.disk()) as journal:
        sender = threading.Thread(target=journal.write, args=(b"x" * 900,))
        sender.start()
        wait_for(lambda: journal.queue.bytes)
        journal.check_room()
        with pytest.raises(FolderError):
            journal.write(b"x" * 200)
        with pytest.raises(FolderError):
            journal.check_room()
        disk.gate.set()
        sender.join()
        journal.check_room()


class BadDisk:
    """A disk whose next writes or syncs fail while `write_error` or `sync_error` is set."""

    def __init__(self) -> None:
        self.write_error = 0
        self.sync_error = 0
        self.syncs = 0
        self.synced: set[int] = set()
        self.gate: threading.Event | None = None

    def disk(self) -> Disk:
        return Disk(self._write, self._sync)

    def _write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.write_error:
            os.write(descriptor, bytes(data)[: len(data) // 2])
            raise OSError(self.write_error, os.strerror(self.write_error))
        return os.write(descriptor, data)

    def _sync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.gate:
            self.gate.wait(10)
        if self.sync_error:
            raise OSError(self.sync_error, os.strerror(self.sync_error))
        os.fdatasync(descriptor)


def test_what_is_acknowledged_is_read_back_in_order(folder: Folder) -> None:
    sent = [os.urandom(size) for size in (0, 1, 10_000, 3)]
    with journal_of(folder) as journal:
        for payload in sent:
            journal.write(payload)
    assert payloads(folder) == sent


def test_many_are_written_by_one_call_also_when_nothing_else_wakes_the_journal(folder: Folder) -> None:
    sent = [b"x" * 300] * 5
    with journal_of(folder, max_backlog_bytes=1_000) as journal:
        sender = threading.Thread(target=journal.write_all, args=(sent,), daemon=True)
        sender.start()
        sender.join(30)
        assert not sender.is_alive()
    assert payloads(folder) == sent


def test_all_that_wait_at_once_share_one_sync(folder: Folder) -> None:
    bad = BadDisk()
    with journal_of(folder, disk=bad.disk()) as journal:

        async def send_many() -> None:
            bad.gate = threading.Event()
            first = journal.append(b"first")
            await asyncio.to_thread(wait_for, lambda: bad.syncs)
            rest = [journal.append(b"%d" % number) for number in range(500)]
            bad.gate.set()
            await asyncio.gather(first, *rest)

        asyncio.run(send_many())
        assert bad.syncs == 2
    assert len(payloads(folder)) == 501


def test_nothing_is_acknowledged_before_its_sync_returned(folder: Folder) -> None:
    bad = BadDisk()
    bad.gate = threading.Event()
    with journal_of(folder, disk=bad.disk()) as journal:

        async def send() -> bool:
            future = journal.append(b"x")
            await asyncio.sleep(0.05)
            was_done = future.done()
            assert bad.gate is not None
            bad.gate.set()
            await future
            return was_done

        assert asyncio.run(send()) is False


def test_a_segment_is_sealed_by_age_even_when_nothing_more_arrives(folder: Folder) -> None:
    with journal_of(folder, seal_age_ms=60) as journal:
        journal.write(b"alone")
        wait_for(lambda: sealed_segments(folder.journal))
        assert payloads(folder) == [b"alone"]
        time.sleep(0.15)
        assert len(sealed_segments(folder.journal)) == 1
        assert not list(folder.journal.glob("*.open"))


def test_a_segment_is_sealed_by_size(folder: Folder) -> None:
    with journal_of(folder, seal_bytes=1_000) as journal:
        for _ in range(4):
            journal.write(b"x" * 600)
        wait_for(lambda: len(sealed_segments(folder.journal)) == 2)


def test_a_segment_of_little_that_is_much_when_it_is_read_is_sealed_before_that(folder: Folder) -> None:
    payload = keep_as_sent("shop", 1, False, "", "", gzip.compress(b" " * 11_000))
    assert len(payload) < 200
    with journal_of(folder, seal_bytes=10_000) as journal:
        for _ in range(4):
            journal.write(payload)
        wait_for(lambda: len(sealed_segments(folder.journal)) == 2)


def test_sealing_on_request_hands_over_all_that_is_acknowledged(folder: Folder) -> None:
    with journal_of(folder) as journal:
        journal.write(b"x")
        journal.seal()
        assert payloads(folder) == [b"x"]


def test_a_number_is_never_used_twice_even_when_the_sink_took_everything(folder: Folder) -> None:
    seen: list[str] = []
    for _ in range(3):
        with journal_of(folder) as journal:
            for _ in range(3):
                journal.write(b"x")
                journal.seal()
        taken = sealed_segments(folder.journal)
        seen += [path.name for path in taken]
        for path in taken:
            path.unlink()
    assert seen == sorted(set(seen))
    assert len(seen) == 9


def test_numbers_go_on_after_the_highest_one_in_the_lake(folder: Folder) -> None:
    with journal_of(folder, after=5_000_000) as journal:
        journal.write(b"x")
    assert sealed_segments(folder.journal)[0].name == "00000000000005000001.sealed"


def test_a_second_process_is_refused_and_told_who_holds_the_folder(folder: Folder) -> None:
    with journal_of(folder):
        assert find_holder(folder.lock_path) == os.getpid()
        with pytest.raises(FolderError, match=f"process {os.getpid()}"):
            Journal(folder, lambda: 1)
    assert find_holder(folder.lock_path) is None
    with journal_of(folder):
        pass


def test_a_failed_sync_fails_its_group_only_and_never_touches_that_file_again(folder: Folder) -> None:
    bad = BadDisk()
    with journal_of(folder, disk=bad.disk()) as journal:
        journal.write(b"before")
        bad.sync_error = errno.EIO
        with pytest.raises(FolderError, match="Input/output error"):
            journal.write(b"failed")
        assert journal.problem == "Input/output error"
        with pytest.raises(FolderError):
            journal.write(b"while resting")
        bad.sync_error = 0
        wait_for(lambda: _takes(journal, b"after"))
        assert not journal.problem
    assert payloads(folder) == [b"before", b"after"]
    assert len(sealed_segments(folder.journal)) == 2


def test_a_full_disk_refuses_and_heals_without_losing_what_was_acknowledged(folder: Folder) -> None:
    bad = BadDisk()
    with journal_of(folder, disk=bad.disk()) as journal:
        journal.write(b"one")
        bad.write_error = errno.ENOSPC
        for _ in range(20):
            with pytest.raises(FolderError, match="No space left"):
                journal.write(b"x" * 1_000)
        bad.write_error = 0
        wait_for(lambda: _takes(journal, b"two"))
    assert payloads(folder) == [b"one", b"two"]
    assert not list(folder.journal.glob("*.open"))


def test_a_folder_deleted_while_running_is_noticed(folder: Folder) -> None:
    with journal_of(folder) as journal:
        journal.write(b"x")
        shutil.rmtree(folder.journal)
        with pytest.raises(FolderError, match="No such file"):
            journal.write(b"y")
        folder.journal.mkdir()
        wait_for(lambda: _takes(journal, b"z"))
    assert payloads(folder) == [b"z"]


def test_more_than_the_bound_is_refused_at_once(folder: Folder) -> None:
    bad = BadDisk()
    with journal_of(folder, disk=bad.disk(), max_backlog_bytes=10_000) as journal:

        async def flood() -> int:
            bad.gate = threading.Event()
            kept, refused = [], 0
            for _ in range(100):
                try:
                    kept.append(journal.append(b"x" * 1_000))
                except FolderError:
                    refused += 1
            bad.gate.set()
            await asyncio.gather(*kept)
            return refused

        assert asyncio.run(flood()) == 90
        assert journal.queue.bytes == 0
        journal.write(b"room again")


@pytest.mark.parametrize("step", ["rename", "sync"])
def test_a_segment_that_cannot_be_sealed_is_said_once_and_sealed_later(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with journal_of(folder) as journal:
        journal.write(b"x")
        with monkeypatch.context() as patched:
            if step == "rename":
                patched.setattr(Path, "rename", fail)
            else:
                patched.setattr(journal_module, "sync", fail)
            for _ in range(3):
                journal.seal()
        journal.seal()
    assert payloads(folder) == [b"x"]
    assert len(caplog.messages) == 1
    assert "cannot be handed to the lake yet" in caplog.messages[0]


def test_a_closed_journal_refuses(folder: Folder) -> None:
    with journal_of(folder) as journal:
        pass
    with pytest.raises(FolderError):
        journal.write(b"late")


def test_a_newer_format_is_refused_with_a_clear_message(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.lake.segment.VERSION", VERSION + 1)
    segment = OpenSegment(folder.journal, 1, 1, Disk())
    segment.append([b"from the future"])
    segment.sync()
    segment.close()
    monkeypatch.undo()
    with pytest.raises(FolderError, match="newer Expost"):
        Journal(folder, lambda: 1)
    assert segment.path.exists()


def test_killed_at_any_moment_it_loses_nothing_that_was_acknowledged(folder: Folder) -> None:
    acknowledged: set[int] = set()
    start = 0
    for round_number in range(6):
        child = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("journal_child.py"), folder.path, str(start)],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        for _ in range(random.Random(round_number).randrange(1, 400)):
            acknowledged.add(int(child.stdout.readline()))
        child.send_signal(signal.SIGKILL)
        acknowledged.update(int(line) for line in child.stdout if line.endswith(b"\n"))
        child.stdout.close()
        child.wait()
        start = max(acknowledged) + 100
    with journal_of(folder):
        pass
    kept = [int(payload.split(b":")[0]) for payload in payloads(folder)]
    assert set(kept) >= acknowledged
    assert len(kept) == len(set(kept))


def _takes(journal: Journal, payload: bytes) -> bool:
    try:
        journal.write(payload)
    except FolderError:
        return False
    return True


def test_a_folder_that_took_the_place_of_this_one_is_not_written_to(folder: Folder) -> None:
    with journal_of(folder) as journal:
        journal.write(b"mine")
        folder.path.rename(folder.path.with_name("moved away"))
        other = open_folder(folder.path, create=True)
        with journal_of(other) as its_own:
            its_own.write(b"its own")
            journal.seal()
            with pytest.raises(FolderError, match="another folder stands in its place") as refused:
                journal.write(b"mine as well")
            assert refused.value.hint.startswith("Stop this server")
        assert payloads(other) == [b"its own"]
        assert journal.problem is not None


def test_a_folder_that_comes_back_is_written_to_again(folder: Folder) -> None:
    away = folder.path.with_name("away")
    with journal_of(folder) as journal:
        journal.write(b"before")
        folder.path.rename(away)
        journal.seal()
        with pytest.raises(FolderError, match="does not take what arrives") as refused:
            journal.write(b"while it is away")
        assert refused.value.hint.startswith("Put the folder back")
        away.rename(folder.path)
        wait_for(lambda: _takes(journal, b"after"))
    assert set(payloads(folder)) == {b"before", b"after"}


def test_a_folder_that_comes_back_while_a_segment_is_looked_for_has_not_lost_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = folder.path.with_name("away")
    hand_over = Journal._hand_over

    def late(journal: Journal, path: Path) -> None:
        try:
            hand_over(journal, path)
        except FileNotFoundError:
            away.rename(folder.path)
            raise

    with journal_of(folder) as journal:
        journal.write(b"before")
        folder.path.rename(away)
        monkeypatch.setattr(Journal, "_hand_over", late)
        journal.seal()
        monkeypatch.undo()
        wait_for(lambda: _takes(journal, b"after"))
    assert set(payloads(folder)) == {b"before", b"after"}


def test_two_loops_that_append_at_once_are_each_told_of_their_own(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = asyncio.new_event_loop()
    there = asyncio.new_event_loop()
    other = threading.Thread(target=there.run_forever)
    other.start()
    are_told_at_home: list[bool] = []
    resolve = settle

    def told(futures: Sequence[asyncio.Future[None]], error: FolderError | None) -> None:
        are_told_at_home.extend(asyncio.get_running_loop() is future.get_loop() for future in futures)
        resolve(futures, error)

    class Interrupted(Journal):
        """The loop there appends as soon as the one here has said whose futures are to come."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if isinstance(value, Audience) and value.loop is here:
                asyncio.run_coroutine_threadsafe(send(b"there"), there).result(10)

    async def send(payload: bytes) -> None:
        await journal.append(payload)

    monkeypatch.setattr(journal_module, "settle", told)
    journal = Interrupted(folder, lambda: 1)
    try:
        here.run_until_complete(asyncio.wait_for(send(b"here"), 10))
    finally:
        journal.close()
        there.call_soon_threadsafe(there.stop)
        other.join()
        here.close()
        there.close()
    assert are_told_at_home == [True, True]
