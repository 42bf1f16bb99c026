"""From the socket to Parquet: what a core carries, how soon it can be asked, and what acknowledgements feel of it."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

from bounds import must
from servers import ALL_CORES, SERVER_CORE, empty, paced_result, serving, serving_all
from shop import EVENTS

from expost.lake.journal import sealed_segments
from expost.lake.reader import connect
from expost.lake.segment import find_header

QUERYABLE_SECONDS = 5.0
SEGMENTS = 8
ROUNDS = 3


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
    sink: float = _sink_bench().throughput(place / "sink", SEGMENTS, new_tables=False)
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


def beside(events_a_second: float, place: Path, seconds: int) -> None:
    """Acknowledgements with sink and compaction on the same two cores, and without, in turns, at 30 % of the load."""
    rate = 0.3 * events_a_second / EVENTS
    alone: list[float] = []
    together: list[float] = []
    with serving("durable", place, ALL_CORES) as bare, serving_all(place, ALL_CORES) as whole:
        assert whole.folder is not None
        for number in range(ROUNDS + 1):
            found = bare.paced(rate, seconds if number else 2, seed=number)
            empty(bare.folder)
            senders = whole.pacing(rate, seconds if number else 2, seed=100 + number)
            while senders.poll() is None:
                # What the sink's own compaction does once in a while, again and again, giving way as it does.
                _compact(whole.folder)
            after = paced_result(senders)
            drained(whole.folder)
            if number:
                alone.append(found["p99"])
                together.append(after["p99"])
    before, after_all = statistics.median(alone), statistics.median(together)
    print(
        f"p99 at {rate:,.0f} batches a second: {before:.1f} ms alone, {after_all:.1f} ms with sink and compaction"
    )
    must("p99 with sink and compaction of that without", after_all / before, at_most=1.5)


def _compact(folder: Path) -> None:
    command = ("nice", "-n", "19", "taskset", "--cpu-list", ALL_CORES, sys.executable, "-P", "-c",
               "from expost.cli import main; main()", "compact", "--data", str(folder))  # fmt: skip
    subprocess.run(command, check=False, capture_output=True)


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
