"""From the journal to Parquet: events per second of CPU, and whether commits stay as quick as the log grows.

    python bench/sink.py [--segments 42] [--commits 2000]

Segments are 1,000 batches of ten clicks as `bench/ingest.py` sends them, each with ids of its own. They are read,
checked, decoded, freed of repeats, made into rows, written and committed, small files merged, segments kept as stored.
Once the tables of elements come again, as those of one page and one button do; once each comes for the first time, of
elements that are known. The same for batches that are kept as they were sent, and for those that are written anew.
Commits are of 500 rows; their latency, and the time of finding the newest snapshot, are compared between the first
hundreds and the last ones.
"""

from __future__ import annotations

import sys

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import gc
import gzip
import importlib.util
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from expost.clock import wall_clock
from expost.ids import uuid7
from expost.lake.batch import Accepted, Descriptor, Element, Event, Page, View
from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.segment import SEALED, OpenSegment
from expost.lake.sent import keep_as_sent
from expost.lake.sink import Sink
from expost.lake.snapshot import find_snapshot
from expost.lake.table import Table
from expost.lake.writer import Writer

BATCHES = 1_000
HEAD = ("sent_at", "page", "device", "session", "consent", "release", "environment", "viewport")

Write = Callable[[Accepted], bytes]
"""Makes a frame of the journal of a batch."""


def _batch() -> Any:
    """The function that makes a batch for `bench/ingest.py`."""
    spec = importlib.util.spec_from_file_location("ingest_bench", Path(__file__).with_name("ingest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ingest_bench"] = module
    spec.loader.exec_module(module)
    return module.batch


def accepted(content: dict[str, Any], chance: random.Random) -> Accepted:
    """A batch as the collector puts it into the journal."""
    return Accepted(
        site="shop", received_at=wall_clock(), consent="full", is_imported=False, is_internal=False,
        device=content["device"], sent_at=content["sent_at"], session=1, release="1", environment="production",
        user_agent=f"Mozilla/5.0 (X11; Linux x86_64; rv:{chance.randrange(80, 140)}.0) Gecko/20100101 Firefox/140.0",
        viewport=[1280, 720], page=msgspec.convert(content["page"], Page),
        views=msgspec.convert(content["views"], list[View]), sets=[],
        descriptors=msgspec.convert(content["descriptors"], list[Descriptor]),
        elements=msgspec.convert(content["elements"], list[Element]),
        events=msgspec.convert(content["events"], list[Event]),
    )  # fmt: skip


def with_new_ids(batch: Accepted) -> Accepted:
    """The same, as if it had happened again."""
    events = [msgspec.structs.replace(event, id=uuid7(wall_clock())) for event in batch.events]
    return msgspec.structs.replace(batch, events=events)


def with_new_table(batch: Accepted) -> Accepted:
    """The same, with a descriptor that no element has: so its tables came never before."""
    return msgspec.structs.replace(
        batch, descriptors=[*batch.descriptors, Descriptor("i", uuid7(wall_clock()))]
    )


def anew(batch: Accepted) -> bytes:
    """A frame that was written anew."""
    return msgspec.msgpack.encode(batch)


def as_sent(batch: Accepted) -> bytes:
    """A frame with a batch as it was sent."""
    said = {name: getattr(batch, name) for name in HEAD} | {"v": 1}
    tables = {name: getattr(batch, name) for name in ("views", "descriptors", "elements", "events")}
    body = gzip.compress(msgspec.json.encode(said | tables), 6)
    return keep_as_sent(batch.site, batch.received_at, False, batch.user_agent, "", body)


def seal(folder: Folder, number: int, frames: Sequence[bytes]) -> None:
    """A sealed segment of these frames."""
    segment = OpenSegment(folder.journal, number, wall_clock(), Disk())
    segment.append(frames)
    segment.sync()
    segment.close()
    segment.path.rename(segment.path.with_suffix(SEALED))


def throughput(place: Path, segments: int, write: Write, *, new_tables: bool) -> float:
    """Events per second of CPU, in this process, which does nothing else."""
    make, chance = _batch(), random.Random(1)
    batches = [accepted(msgspec.json.decode(gzip.decompress(make(chance))), chance) for _ in range(BATCHES)]
    events, seconds = 0, 0.0
    folder = open_folder(place, create=True)
    gc.disable()
    with Writer(folder) as writer:
        sink = Sink(folder, writer)
        for number in range(segments + 2):
            again = map(with_new_ids, batches)
            seal(folder, number + 1, list(map(write, map(with_new_table, again) if new_tables else again)))
            began = time.process_time()
            sink.move()
            if number > 1:
                seconds += time.process_time() - began
                events += sum(len(batch.events) for batch in batches)
    gc.enable()
    return events / seconds


def measure_throughput(place: Path, segments: int) -> None:
    """From sealed segments to Parquet, merging with it."""
    for said, write in (("as they were sent", as_sent), ("written anew", anew)):
        again, new = (
            throughput(place / f"{write.__name__}-{new_tables}", segments, write, new_tables=new_tables)
            for new_tables in (False, True)
        )
        print(
            f"journal to Parquet, batches {said}: {again:,.0f} events per second of CPU, "
            f"{new:,.0f} if each table of elements comes for the first time"
        )


def measure_growth(place: Path, commits: int) -> None:
    """Latency of commits and of snapshots, at the beginning and at the end."""
    schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
    rows = pa.table({"number": range(500), "text": [f"text {number}" for number in range(500)]}, schema)
    table = Table(place, schema)
    latencies, snapshots, cpu = [], [], time.process_time()
    for number in range(commits):
        began = time.perf_counter()
        table.append(rows, "journal", number)
        latencies.append(time.perf_counter() - began)
        table.tend()
        if number % 10 == 0:
            began = time.perf_counter()
            find_snapshot(place)
            snapshots.append(time.perf_counter() - began)
    cpu = time.process_time() - cpu
    for name, taken, window in (("commit", latencies, 200), ("snapshot", snapshots, 20)):
        skipped = len(taken) // 20
        first, last = (
            statistics.median(part) * 1e3 for part in (taken[skipped : skipped + window], taken[-window:])
        )
        print(
            f"{name}: {first:.1f} ms at first, {last:.1f} ms after {commits:,} commits, x {last / first:.2f}"
        )
    print(f"a commit with its share of merging: {cpu / commits * 1e3:.1f} ms of CPU")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=42)
    parser.add_argument("--commits", type=int, default=2_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        measure_throughput(Path(place) / "data", arguments.segments)
        measure_growth(Path(place) / "table", arguments.commits)


if __name__ == "__main__":
    main()
