"""From the socket to Parquet: what a core carries, how soon it can be asked, and what acknowledgements feel of it."""

from __future__ import annotations

import importlib.util
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from bounds import must
from servers import ALL_CORES, SERVER_CORE, empty, serving, serving_all, start
from shop import EVENTS

from expost.lake.journal import sealed_segments
from expost.lake.reader import connect
from expost.lake.segment import find_header

QUERYABLE_SECONDS = 5.0
SEGMENTS = 8
BESIDE_ROUNDS = 5
COMPACTOR = """
import os, sys, time
from pathlib import Path
from expost.errors import FolderError
from expost.lake.compactor import LEAST_PRIORITY, compact_folder
from expost.lake.folder import open_folder
os.nice(LEAST_PRIORITY)
folder = open_folder(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    try:
        compact_folder(folder, everything=True)
    except FolderError:
        # The server's own compactor is at it, which serves as well.
        time.sleep(0.1)
"""


def _sink_bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sink_bench", Path(__file__).parents[1] / "sink.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sink_bench"] = module
    spec.loader.exec_module(module)
    return module


def throughput(collector_events: float, place: Path) -> float:
    """Print and return events per second of CPU, from the socket to Parquet; the collector's alone are given."""
    bench = _sink_bench()
    sink: float = bench.throughput(place / "sink", SEGMENTS, bench.as_sent, new_tables=False)
    whole = 1 / (1 / sink + 1 / collector_events)
    print(
        f"events per second of CPU: socket to journal {collector_events:,.0f}, journal to Parquet {sink:,.0f}"
    )
    must("socket to Parquet, events per second of CPU", whole, at_least=65_000)
    return whole


class Watch:
    """Watches the journal: how old each segment's first batch was when all of it was in the lake."""

    def __init__(self, folder: Path) -> None:
        self._journal = folder / "journal"
        self._seen = set(self._journal.glob("*.stored"))
        self.delays: list[float] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(0.05):
            for path in set(self._journal.glob("*.stored")) - self._seen:
                self._seen.add(path)
                with path.open("rb") as file:
                    header = find_header(file.read(64))
                if header is not None:
                    self.delays.append(time.time() - header.made_at / 1e6)


def freshness(events_a_second: float, place: Path, seconds: int) -> None:
    """Collector and sink on one core, the senders on another: at half of what they carry, at nearly all, beyond it."""
    with serving_all(place, SERVER_CORE) as server:
        assert server.folder is not None
        acknowledged = server.paced(200, 3)["acknowledged"]
        for share, what, bound in (
            (0.5, "queryable at half load, s", QUERYABLE_SECONDS),
            (0.8, "the sink keeps up at 0.8 of the load: behind by, s", 2 * QUERYABLE_SECONDS),
        ):
            watch = Watch(server.folder)
            found = server.paced(share * events_a_second / EVENTS, seconds)
            watch.stop()
            acknowledged += found["acknowledged"]
            late = watch.delays[len(watch.delays) // 2 :] or [float("inf")]
            must(what, max(late), at_most=bound, note=f"{found['acknowledged'] / seconds:,.0f} batches a second, "
                 f"p99 {found['p99']:.0f} ms, {found['refused']} refused")  # fmt: skip
            acknowledged_beyond = drained(server.folder)
        found = server.paced(1.5 * events_a_second / EVENTS, seconds)
        acknowledged += found["acknowledged"]
        acknowledged_beyond = drained(server.folder)
        must(f"backlog of {seconds} s beyond the load is drained after, s", acknowledged_beyond, at_most=seconds,
             note=f"{found['acknowledged'] / seconds:,.0f} batches a second, {found['refused']} refused")  # fmt: skip
        events, distinct = stored_events(server.folder)
        must("acknowledged events lost", max(0, acknowledged * EVENTS - distinct), at_most=0)
        must("events stored twice", events - distinct, at_most=0)


def beside(events_a_second: float, place: Path, seconds: float) -> None:
    """Acknowledgements without sink and compaction, with the sink, and with both, in turns, at 30 % of the load."""
    rate = 0.3 * events_a_second / EVENTS
    p99: dict[str, list[float]] = {"alone": [], "with sink": [], "with sink and compaction": []}
    with serving("durable", place, ALL_CORES) as bare, serving_all(place, ALL_CORES) as whole:
        assert whole.folder is not None
        for each in bare, whole:
            each.paced(rate, 2)
        for number in range(BESIDE_ROUNDS):
            p99["alone"].append(bare.paced(rate, seconds, seed=number)["p99"])
            empty(bare.folder)
            p99["with sink"].append(whole.paced(rate, seconds, seed=100 + number)["p99"])
            with compacting(whole.folder):
                p99["with sink and compaction"].append(whole.paced(rate, seconds, seed=200 + number)["p99"])
            drained(whole.folder)
    medians = {name: statistics.median(found) for name, found in p99.items()}
    print(f"p99 at {rate:,.0f} batches a second, median of {BESIDE_ROUNDS} rounds of {seconds:g} s:")
    for name, found in p99.items():
        rounds = ", ".join(f"{each:.1f}" for each in found)
        print(f"    {name:26}{medians[name]:6.1f} ms ({rounds})")
    alone, _, together = medians.values()
    must("p99 with sink and compaction of that without", together / alone, at_most=1.5)


@contextmanager
def compacting(folder: Path) -> Iterator[None]:
    """The compactor of a server, which never rests: what it does once a day, again and again, giving way as it does."""
    process = start((sys.executable, "-P", "-c", COMPACTOR, str(folder)), ALL_CORES)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError("the compactor ended")
    finally:
        process.kill()
        process.wait()


def drained(folder: Path) -> float:
    """Wait until all that is in the journal is in the lake too; seconds."""
    began = time.monotonic()
    journal = folder / "journal"
    while sealed_segments(journal) or any(journal.glob("*.open")):
        time.sleep(0.05)
        if time.monotonic() - began > 300:
            break
    return time.monotonic() - began


def stored_events(folder: Path) -> tuple[int, int]:
    """How many events are in the lake, and how many different ones."""
    with connect(folder) as connection:
        [found] = connection.execute("select count(*), count(distinct event_id) from events").fetchall()
    return int(found[0]), int(found[1])
