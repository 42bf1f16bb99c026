"""Many lives of one folder, each ended by `kill -9`, a power cut or a bad disk at any point; `make torture` runs them.

    python -m tests.torture.rounds --kills 1000 --cuts 300 --erasures 100

Each life begins where the one before ended, so most of them begin with a recovery, and many die in it. It prints one
row for each kind: lives, events acknowledged, lost (acknowledged and not in the lake), doubled, and never sent. With
`--json` rows are data. The status is 1 when one of the last three is not zero.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from expost.clock import wall_clock
from expost.lake.disk import Disk
from expost.lake.erasure import carry_out
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal
from expost.lake.rebuilding import at_rest
from expost.lake.writer import last_segment
from tests.lake.test_erasure import OF_ANN, OF_BOB, USER, store
from tests.lake.test_sink import batch
from tests.lake.traces import traces
from tests.torture.life import BATCHES, STEPS, Notes, Row, die_at, encode, in_a_child, judge, live
from tests.torture.mendings import corrupt, replays
from tests.torture.power import Power


def kills(base: Path, lives: int, chance: random.Random) -> Row:
    path, notes = base / "data", Notes(base / "notes")
    open_folder(path, create=True)
    killed = 0
    for _ in range(lives):
        step = chance.randint(1, STEPS)

        def life(step: int = step) -> str:
            die_at(step)
            live(path, notes)
            return "to its end"

        killed += in_a_child(life) is None
    return judge("kill -9", lives, path, notes, f"{killed} died in the middle")


def cuts(base: Path, lives: int, chance: random.Random) -> Row:
    path, notes = base / "data 0", Notes(base / "notes")
    open_folder(path, create=True)
    images = 0
    for number in range(1, lives + 1):
        target = base / f"data {number}"
        at, seed = chance.randint(1, STEPS), chance.random()

        def life(path: Path = path, target: Path = target, at: int = at, seed: float = seed) -> str:
            power, count = Power(path, random.Random(seed)), 0

            def on_sync() -> None:
                nonlocal count
                count += 1
                if count == at:
                    power.image(target)
                    os.kill(os.getpid(), signal.SIGKILL)

            power.on_sync = on_sync
            setattr(os, "fsync", power.sync)  # noqa: B010 (its type is wider than what we call it with)
            setattr(os, "fdatasync", power.sync)  # noqa: B010
            live(path, notes)
            return "to its end"

        if in_a_child(life) is None:
            images += 1
            shutil.rmtree(path)
            path = target
    return judge("power cut", lives, path, notes, f"{images} images of the disk")


def faults(base: Path, lives: int, chance: random.Random) -> list[Row]:
    """Lives on a disk that is full, or fails to sync, every now and then."""
    rows = []
    for kind, number in (("disk full", errno.ENOSPC), ("EIO on fsync", errno.EIO)):
        path, notes = base / kind, Notes(base / f"{kind} notes")
        open_folder(path, create=True)
        for _ in range(lives):
            seed = chance.random()

            def life(
                number: int = number, seed: float = seed, path: Path = path, notes: Notes = notes
            ) -> str:
                dice = random.Random(seed)

                def write(descriptor: int, data: bytes | memoryview) -> int:
                    if number == errno.ENOSPC and dice.random() < 0.1:
                        os.write(descriptor, bytes(data)[: len(data) // 2])
                        raise OSError(number, os.strerror(number))
                    return os.write(descriptor, data)

                def sync(descriptor: int) -> None:
                    if number == errno.EIO and dice.random() < 0.1:
                        raise OSError(number, os.strerror(number))
                    os.fdatasync(descriptor)

                live(path, notes, Disk(write, sync))
                return "to its end"

            in_a_child(life)
        refused = len(notes.read("sent") - notes.read("acknowledged"))
        rows.append(judge(kind, lives, path, notes, f"{refused} events refused with 503"))
    return rows


def flips(base: Path, lives: int, chance: random.Random) -> Row:
    """Bytes of the journal flipped between two lives: frames that were not hit are there, and every start succeeds."""
    path, notes = base / "data", Notes(base / "notes")
    folder = open_folder(path, create=True)
    hit: set[str] = set()
    for _ in range(lives):

        def acknowledge() -> dict[str, list[str]]:
            journal = Journal(folder, wall_clock, after=last_segment(folder), seal_age_ms=60_000)
            payloads = {}
            for number in range(BATCHES):
                one = batch(f"device {number}")
                ids = [event.id for event in one.events]
                notes.note("sent", ids)
                journal.write(encode(one))
                notes.note("acknowledged", ids)
                payloads[encode(one).hex()] = ids
            os.kill(os.getpid(), signal.SIGKILL)
            return payloads

        before = set(folder.journal.glob("*.open"))
        in_a_child(acknowledge)
        for segment in set(folder.journal.glob("*.open")) - before:
            data = bytearray(segment.read_bytes())
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
            hit |= _frame_ids(segment, at)
            segment.write_bytes(data)
        in_a_child(lambda: live(path, notes))
    note = f"{len(hit)} events were in the bytes that were hit"
    return judge("bit flips", lives, path, notes, note, frozenset(hit))


def _frame_ids(segment: Path, at: int) -> set[str]:
    from expost.lake.segment import FRAME, parts
    from expost.lake.sent import read_batch

    data = segment.read_bytes()
    return {
        event.id
        for part in parts(data, segment)
        if not part.is_damage and part.start - FRAME.size <= at < part.end
        for event in read_batch(data[part.start : part.end]).events
    }


def erasures(base: Path, lives: int, chance: random.Random) -> Row:
    """An erasure killed at any point, again and again until it is done: no byte is left, of others none is missing."""
    filled = open_folder(base / "filled", create=True)
    in_a_child(lambda: store(filled))
    left = missing = killed = 0
    for number in range(lives):
        path = base / f"data {number}"
        shutil.copytree(filled.path, path)
        folder = open_folder(path)
        in_a_child(partial(_ask, folder))
        while True:
            step = chance.randint(1, STEPS)

            def life(step: int = step, folder: Folder = folder) -> str:
                die_at(step)
                with at_rest(folder) as writer:
                    carry_out(folder, writer)
                return "done"

            if in_a_child(life) is not None:
                break
            killed += 1
        found = {text for _, text in in_a_child(partial(traces, path, [*OF_ANN, *OF_BOB]))}
        left += len(found & set(OF_ANN))
        missing += len(set(OF_BOB) - found)
        shutil.rmtree(path)
    return Row(
        "erasure killed", lives, 0, missing, left, 0, f"{killed} kills; lost: of others, doubled: traces left"
    )


def _ask(folder: Folder) -> None:
    from expost.lake.erasures import request_erasure
    from expost.lake.subject import Subject

    request_erasure(folder, Subject.named(folder.secret(), "shop", user=USER), wall_clock())


def slow(base: Path, milliseconds: int = 200, senders: int = 64) -> Row:
    """A disk that takes 200 ms for a sync: how long an acknowledgement takes, with many senders at once."""
    import asyncio

    folder, notes = open_folder(base / "data", create=True), Notes(base / "notes")

    def sync(descriptor: int) -> None:
        time.sleep(milliseconds / 1_000)
        os.fdatasync(descriptor)

    async def measure() -> list[float]:
        journal = Journal(folder, wall_clock, after=0, disk=Disk(os.write, sync), seal_age_ms=60_000)

        async def send(number: int) -> list[float]:
            took = []
            for _ in range(15):
                one = batch(f"device {number}")
                ids = [event.id for event in one.events]
                notes.note("sent", ids)
                began = time.perf_counter()
                await journal.append(encode(one))
                took.append(time.perf_counter() - began)
                notes.note("acknowledged", ids)
            return took

        found = await asyncio.gather(*(send(number) for number in range(senders)))
        await asyncio.to_thread(journal.close)
        return [each for one in found for each in one]

    took = in_a_child(lambda: asyncio.run(measure()))
    p99 = statistics.quantiles(took, n=100)[98] * 1_000
    bound = 2 * milliseconds + 50
    return judge("slow disk", 1, folder.path, notes, f"p99 {p99:.0f} ms; two syncs and 50 ms are {bound}")


def run(arguments: argparse.Namespace) -> list[Row]:
    chance = random.Random(arguments.seed)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="expost-torture-", dir=arguments.dir) as given:
        base = Path(given)

        def place(name: str) -> Path:
            (base / name).mkdir()
            return base / name

        kinds: list[tuple[int, Callable[[], list[Row]]]] = [
            (arguments.kills, lambda: [kills(place("kills"), arguments.kills, chance)]),
            (arguments.cuts, lambda: [cuts(place("cuts"), arguments.cuts, chance)]),
            (arguments.faults, lambda: faults(place("faults"), arguments.faults, chance)),
            (arguments.flips, lambda: [flips(place("flips"), arguments.flips, chance)]),
            (arguments.corrupt, lambda: [corrupt(place("corrupt"), arguments.corrupt, chance)]),
            (arguments.replays, lambda: [replays(place("replays"), arguments.replays, chance)]),
            (arguments.erasures, lambda: [erasures(place("erasures"), arguments.erasures, chance)]),
            (arguments.slow, lambda: [slow(place("slow"))]),
        ]
        for lives, work in kinds:
            for row in work() if lives else ():
                rows.append(row)
                if not arguments.json:
                    print(_line(row), flush=True)  # noqa: T201
    return rows


def _line(row: Row) -> str:
    return (
        f"{row.kind:<15} {row.lives:>6} {row.acknowledged:>13,} {row.lost:>6} {row.doubled:>8} {row.never_sent:>11}"
        f"  {row.note}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("kills", "cuts", "faults", "flips", "corrupt", "replays", "erasures", "slow"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--dir", default=None)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not arguments.json:
        print(f"{'end':<15} {'lives':>6} {'acknowledged':>13} {'lost':>6} {'doubled':>8} {'never sent':>11}")  # noqa: T201
    rows = run(arguments)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows]))  # noqa: T201
    sys.exit(0 if all(row.is_good for row in rows) else 1)


if __name__ == "__main__":
    main()
