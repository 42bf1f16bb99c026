"""Disks that take longer for a sync than the one at hand, and how long a sync takes on any of them."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from expost.lake.segment import Disk

BATCH_BYTES = 3_400
"""About what the journal keeps of a batch of ten events."""

SYNCS = 200


def slower(seconds: float) -> Disk:
    """A disk that takes so much longer for a sync."""
    if not seconds:
        return Disk()

    def sync(descriptor: int) -> None:
        time.sleep(seconds)
        os.fdatasync(descriptor)

    return Disk(sync=sync)


def sync_seconds(place: Path, disk: Disk) -> float:
    """What a sync of one appended batch takes on this disk: the median of many."""
    descriptor, name = tempfile.mkstemp(dir=place)
    took = []
    for _ in range(SYNCS):
        os.write(descriptor, b"x" * BATCH_BYTES)
        began = time.perf_counter()
        disk.sync(descriptor)
        took.append(time.perf_counter() - began)
    os.close(descriptor)
    Path(name).unlink()
    return statistics.median(took)
