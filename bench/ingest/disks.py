"""Disks that take longer for a sync than the one at hand, and how long a sync takes on any of them."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from expost.lake.disk import Disk

BATCH_BYTES = 3_400
"""About what the journal keeps of a batch of ten events."""

SYNCS = 200
PAUSE_SECONDS = 0.02


def slower(seconds: float) -> Disk:
    """A disk that takes so much longer for a sync."""
    if not seconds:
        return Disk()

    def sync(descriptor: int) -> None:
        time.sleep(seconds)
        os.fdatasync(descriptor)

    return Disk(sync=sync)


def sync_seconds(place: Path, disk: Disk, pause: float = 0.0) -> list[float]:
    """What syncs of one appended batch each take on this disk, the quickest first; with a pause before each."""
    descriptor, name = tempfile.mkstemp(dir=place)
    took = []
    for _ in range(SYNCS):
        time.sleep(pause)
        os.write(descriptor, b"x" * BATCH_BYTES)
        began = time.perf_counter()
        disk.sync(descriptor)
        took.append(time.perf_counter() - began)
    os.close(descriptor)
    Path(name).unlink()
    return sorted(took)


def quietness(place: Path) -> str:
    """What else keeps this machine busy: nothing of the bench runs meanwhile."""
    took = sync_seconds(place, Disk(), pause=PAUSE_SECONDS)
    busy = os.getloadavg()[0]
    return (
        f"before it: a load average of {busy:.1f}, a sync takes {statistics.median(took) * 1e3:.2f} ms, "
        f"one in a hundred {took[int(len(took) * 0.99)] * 1e3:.1f} ms"
    )
