"""One life of a folder, how it ends before it is over, and what became of all that was acknowledged in its lives."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
from deltalake import DeltaTable

from expost.clock import wall_clock
from expost.errors import FolderError
from expost.lake.batch import Accepted
from expost.lake.disk import Disk
from expost.lake.folder import open_folder
from expost.lake.journal import Journal
from expost.lake.reader import connect
from expost.lake.rebuilding import at_rest, drain
from expost.lake.writer import Writer, last_segment
from tests.lake.test_sink import batch

BATCHES = 6
STEPS = 160
"""About as many calls that change the disk as one life makes."""

CALLS: tuple[tuple[Any, str], ...] = (
    (os, "write"), (os, "fsync"), (os, "fdatasync"), (os, "rename"), (os, "replace"), (os, "unlink"), (os, "ftruncate"),
    (pq.ParquetWriter, "close"), (DeltaTable, "create_write_transaction"), (DeltaTable, "create_checkpoint"),
)  # fmt: skip

encode = msgspec.msgpack.Encoder().encode
_write = os.write


@dataclass(frozen=True)
class Row:
    """What became of one kind of end."""

    kind: str
    lives: int
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    never_sent: int = 0
    note: str = ""

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.never_sent)


class Notes:
    """What was sent and what was acknowledged, written beside the folder: it outlives every end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, word: str, event_ids: Sequence[str]) -> None:
        _write(self._descriptor, "".join(f"{word} {each}\n" for each in event_ids).encode())

    def read(self, word: str) -> set[str]:
        found = self.path.read_text().split("\n")
        return {line.split()[1] for line in found if line.startswith(f"{word} ")}


def live(
    path: Path, notes: Notes, disk: Disk | None = None, batches: Sequence[Accepted] | None = None
) -> None:
    """One life: recover, acknowledge a few batches or those given, move them to the lake, merge small files."""
    folder = open_folder(path)
    journal = Journal(
        folder, wall_clock, after=last_segment(folder), seal_age_ms=1, disk=disk or Disk(os.write, _fdatasync)
    )
    with Writer(folder) as writer:
        given = (batch(f"device {number}") for number in range(BATCHES)) if batches is None else batches
        for number, one in enumerate(given):
            ids = [event.id for event in one.events]
            notes.note("sent", ids)
            try:
                journal.write(encode(one))
                notes.note("acknowledged", ids)
            except FolderError:
                continue
            if number % 2:
                drain(folder, writer)
        for table in writer.tables.values():
            table.tend()
    journal.close()


def _fdatasync(descriptor: int) -> None:
    # By its name, so that the one that ends this life is called.
    os.fdatasync(descriptor)


def die_at(step: int) -> None:
    """End this process at its so manyth call that changes the disk: before it, or after half of it or all of it."""
    count = 0

    def dying(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count != step:
                return call(*arguments, **named)
            if step % 3 and name == "write":
                call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            elif step % 3:
                call(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("nobody comes here")

        return wrapped

    for holder, name in CALLS:
        setattr(holder, name, dying(getattr(holder, name), name))


def in_a_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own; `None` when it was killed."""
    reading, writing = os.pipe()
    said_aloud = tempfile.TemporaryFile()  # noqa: SIM115 (closed by both processes)
    child = os.fork()
    if child == 0:
        os.close(reading)
        # What a life says, of its disk or to a server, is shown only if it ended otherwise than it should.
        os.dup2(said_aloud.fileno(), 1)
        os.dup2(said_aloud.fileno(), 2)
        status = 1
        try:
            _write(writing, json.dumps(work()).encode())
            status = 0
        except BaseException as problem:  # noqa: BLE001 (said on standard error, and by the status)
            import traceback

            traceback.print_exception(problem)
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        said_aloud.close()
        return None
    if os.WEXITSTATUS(status):
        said_aloud.seek(0)
        raise SystemExit(
            said_aloud.read().decode(errors="replace") + "A life ended with an error that was no kill."
        )
    said_aloud.close()
    return json.loads(said)


def judge(
    kind: str, lives: int, path: Path, notes: Notes, note: str = "", excused: frozenset[str] = frozenset()
) -> Row:
    """Let all that waits come to the lake, and compare it with what was said. Of `excused` nothing is expected."""

    def count() -> dict[str, int]:
        with at_rest(open_folder(path)), connect(path) as connection:
            rows = connection.execute("select event_id from events").fetchall()
            edges = connection.execute(
                "select count(*) - count(distinct edge_id) from lake.identities"
            ).fetchall()
        stored = Counter(str(row[0]) for row in rows)
        return {
            "acknowledged": len(notes.read("acknowledged")),
            "lost": len(notes.read("acknowledged") - stored.keys() - excused),
            "doubled": sum(each > 1 for each in stored.values()) + edges[0][0],
            "never_sent": len(stored.keys() - notes.read("sent")),
        }

    return Row(kind, lives, **in_a_child(count), note=note)
