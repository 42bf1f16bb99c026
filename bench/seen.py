"""What it costs to know every event id of a week: memory, processor, disk and the time of a restart.

    python bench/seen.py [--ids 100000000]

Ids are drawn at random and come in segments of 10,000, spread over seven days; one in twenty is a repeat.
"""

from __future__ import annotations

import sys

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from expost.lake.moment import DAY
from expost.lake.part import LiveFile
from expost.lake.seen import SeenIds

SEGMENT = 10_000


class NoTable:
    """A table in which nothing is, as the files want one."""

    id = "bench"
    version = 1

    def files(self) -> list[LiveFile]:
        return []


def anonymous_mb() -> int:
    """Memory that cannot be given back; pages of files can."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) // 1_024


def measure(folder: Path, ids: int) -> None:
    """Fill, look up, open again; print."""
    table: Any = NoTable()
    draw = np.random.default_rng(1)
    before, most = anonymous_mb(), 0
    seen = SeenIds(bytes(32), folder)
    began, cpu = time.perf_counter(), time.process_time()
    last = 0.0
    repeated = np.empty(0, np.uint64)
    for start in range(0, ids, SEGMENT):
        hashes = draw.integers(0, 2**64, SEGMENT, np.uint64, endpoint=False)
        hashes[: len(repeated)] = repeated
        repeated = hashes[SEGMENT // 2 : SEGMENT // 2 + SEGMENT // 20].copy()
        lookup = time.process_time()
        new = seen.are_new(hashes)
        last = time.process_time() - lookup
        assert start == 0 or int((~new).sum()) >= SEGMENT // 20
        seen.add(hashes[new], start * 7 // ids * DAY)
        seen.spill(table)
        if start % (100 * SEGMENT) == 0:
            most = max(most, anonymous_mb() - before)
    cpu, took = time.process_time() - cpu, time.perf_counter() - began
    size = sum(path.stat().st_size for path in folder.glob("*.ids"))
    count = len(list(folder.glob("*.ids")))
    print(f"{len(seen):,} ids: {most} MB of memory at most, {size / 1e6:,.0f} MB in {count} files")
    print(
        f"  {cpu / ids * 1e6:.2f} µs of CPU an id in all, {last / SEGMENT * 1e6:.2f} µs to look one up at the end"
    )
    print(f"  {took:.0f} s in all")
    began = time.perf_counter()
    again = SeenIds(bytes(32), folder)
    again.load(table, 6 * DAY)
    print(
        f"  opened again in {(time.perf_counter() - began) * 1e3:.0f} ms, all but {len(seen) - len(again):,} ids"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ids", type=int, default=100_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        measure(Path(place) / "seen", arguments.ids)


if __name__ == "__main__":
    main()
