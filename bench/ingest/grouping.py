"""What group commit gains over a sync for each batch, on this disk and on slower ones.

Where a sync costs less than reading a batch, the processor bounds both, and no disk could make the gain larger than it
is without any sync. It grows with what a sync takes; the table says from where on it is as large as it must be. What
the journal gains by itself, where nobody has to read a request first, is printed beside it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

from bounds import must
from disks import BATCH_BYTES, slower, sync_seconds
from one_by_one import OneByOne
from servers import empty, serving
from shop import batch

from expost.clock import wall_clock
from expost.lake.folder import open_folder
from expost.lake.journal import Journal

MORE_SECONDS = (0.0, 0.0005, 0.001, 0.002)
"""How much longer than the disk at hand the disks of the table take for a sync. The first is that disk itself."""

LEAST_GAIN = 10
ALONE_ROUNDS = 25
VISITORS = 500


def show_gain(place: Path, connections: int, seconds: int, rounds: int) -> None:
    """Print a line for each disk, and whether the gain is what it must be on this one and on the slowest."""
    pairs = [(f"in groups +{more:g}", f"one by one +{more:g}") for more in MORE_SECONDS]
    variants = ["unsynced", *(variant for pair in pairs for variant in pair)]
    rate = _rates(place, variants, connections, seconds, rounds)
    took = [statistics.median(sync_seconds(place, slower(more))) * 1e3 for more in MORE_SECONDS]
    gain = [rate[grouped] / rate[single] for grouped, single in pairs]
    ceiling = rate["unsynced"] / rate[pairs[0][1]]
    print(f"{'a sync takes':18}{'in groups, POST/s':>18}{'one by one':>12}{'times':>8}")
    print(f"{'no time at all':18}{rate['unsynced']:18,.0f}{'':12}{ceiling:8.1f} of one by one on this disk")
    for millis, times, (grouped, single) in zip(took, gain, pairs, strict=True):
        print(f"{millis:6.2f} ms         {rate[grouped]:18,.0f}{rate[single]:12,.0f}{times:8.1f}")
    print(_from_where(took, gain))
    must(
        f"group commit of one sync each in the journal by itself, {connections} senders",
        _gain_alone(place, connections),
        at_least=LEAST_GAIN,
    )
    must(
        "group commit of one sync each, POST/s",
        gain[0],
        at_least=LEAST_GAIN,
        note=f"on this disk, where a sync takes {took[0]:.2f} ms; with no sync at all it would be {ceiling:.1f}",
    )
    must(f"group commit of one sync each where a sync takes {took[-1]:.2f} ms", gain[-1], at_least=LEAST_GAIN)


def _gain_alone(place: Path, senders: int) -> float:
    """How many times as fast the journal keeps a group of payloads with one sync as with one each, on this disk.

    The group is that of so many senders: half of them.
    """
    payloads = [b"x" * BATCH_BYTES] * (senders // 2)
    took: dict[type[Journal], list[float]] = {Journal: [], OneByOne: []}
    with ExitStack() as stack:
        journals = {kind: stack.enter_context(_opened(kind, place)) for kind in took}
        for journal in journals.values():
            journal.queue.senders = lambda: senders
        for _ in range(ALONE_ROUNDS):
            for kind, journal in journals.items():
                began = time.perf_counter()
                journal.write_all(payloads)
                took[kind].append(time.perf_counter() - began)
    return statistics.median(took[OneByOne]) / statistics.median(took[Journal])


@contextmanager
def _opened(kind: type[Journal], place: Path) -> Iterator[Journal]:
    journal = kind(open_folder(place / kind.__name__, create=True), wall_clock)
    try:
        yield journal
    finally:
        journal.close()


def _from_where(took: Sequence[float], gain: Sequence[float]) -> str:
    """From which latency of a sync on the gain is large enough, on the line between two of the disks."""
    if gain[0] >= LEAST_GAIN:
        return f"{LEAST_GAIN} times is reached on this disk"
    for (quick, less), (slow, more) in pairwise(zip(took, gain, strict=True)):
        if less < LEAST_GAIN <= more:
            millis = quick + (LEAST_GAIN - less) / (more - less) * (slow - quick)
            return f"{LEAST_GAIN} times is reached where a sync takes {millis:.2f} ms or more"
    return f"{LEAST_GAIN} times is reached on none of these disks"


def _rates(
    place: Path, variants: Sequence[str], connections: int, seconds: int, rounds: int
) -> dict[str, float]:
    """POST/s of each variant, in interleaved rounds, of which the first warms up. Senders are on another core."""
    bodies = [batch(random.Random(number)) for number in range(VISITORS)]
    found: dict[str, list[float]] = {variant: [] for variant in variants}
    with ExitStack() as stack:
        servers = {variant: stack.enter_context(serving(variant, place)) for variant in variants}
        for server in servers.values():
            server.prepare(bodies)
        for number in range(rounds + 1):
            for variant, server in servers.items():
                one = server.load(connections, seconds if number else 1)
                empty(server.folder)
                if number:
                    found[variant].append(one.posts / one.seconds)
    return {variant: statistics.median(rates) for variant, rates in found.items()}
