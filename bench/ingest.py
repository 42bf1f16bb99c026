"""What an acknowledged batch costs: the collector beside nginx that answers 204 and does nothing else, on one core.

    python -P bench/ingest.py             everything below but the long runs, in less than ten minutes
    python -P bench/ingest.py --main      the tables of POST/s and CPU only
    python -P bench/ingest.py --beside    acknowledgements with sink and compaction, and without
    python -P bench/ingest.py --overload 600
    python -P bench/ingest.py --sustain 600

Each bound is a line that ends in "held" or "not held"; the status is 0 either way. Every variant is a server process of
its own on loopback, all on one core. Rounds are interleaved and figures are medians, so ratios are worth more than
times. CPU is that of the server's process tree, from the system's accounting, per POST of ten events (gzip, as browsers
send it). Every visitor has an address, which a trusted proxy tells, and a device of its own, so that the limits are
looked up and nobody is beyond them.

The senders (wrk) are on another core in one round, and on the server's own in the next. The bounds of POST/s are those
of the latter: 0.20 of nginx's POST/s at 9 times its CPU, and 0.25 at 7 times, can hold together only where sending one
costs as much as nginx's answer, on the same core. With the senders elsewhere POST/s is CPU over again: 9 times the CPU
is 0.11 of the POST/s at best. Both tables are printed. The bounds of CPU are those of the former, undisturbed.

    nginx         return 204
    nothing       this server without a collector: reads the body, answers 204
    least         a batch kept and not looked at: gzip, JSON, the journal's format and its sync by themselves
    durable       the collector as it is: key, masks, limits, journal with fdatasync before the answer
    unmasked      the same without masks
    unsynced      the same without fdatasync

A table of its own says what group commit gains over a sync for each batch: on this disk, where a sync takes half a
millisecond, one or two more, and with no sync at all, which is all that a quicker disk could ever bring.

The Python that runs it is part of what is measured, and is named first: on a fresh Debian that is /usr/bin/python3, and
one that was built here from source is often slower. To measure with another one than `python3`, in a checkout that has
no .venv yet: make PYTHON=/usr/bin/python3 bench-ingest

From the socket to Parquet `expost serve` runs as it is, and the senders keep to a rate (bench/ingest/paced.py).
`--overload` is for how many seconds more arrives than a slow disk takes (200 ms a sync), in batches of 1,000 events.
`--sustain` is for how many seconds two cores carry 1,000 batches a second and two dashboards, the senders with them.
Needs nginx and wrk (on Debian: apt-get install nginx-light wrk).
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]
sys.path.insert(0, str(Path(__file__).parent / "ingest"))

import lasting
import stored
from bounds import missed, must
from grouping import show_gain
from interpreter import interpreter
from servers import OTHER_CORE, SERVER_CORE, Round, empty, serving
from shop import EVENTS, batch

VARIANTS = ("nginx", "nothing", "least", "durable", "unmasked", "unsynced")
VISITORS = 2_000

Rounds = dict[str, list[Round]]
"""The rounds of each variant."""


def measure(arguments: argparse.Namespace, place: Path) -> tuple[Rounds, Rounds]:
    """All rounds of all variants, with the senders elsewhere and with them on the same core, interleaved.

    The first of each warms up and is not counted.
    """
    bodies = [batch(random.Random(number)) for number in range(VISITORS)]
    print(
        f"{EVENTS} events a POST, {statistics.mean(map(len, bodies)):.0f} bytes gzip, "
        f"{arguments.connections} connections"
    )
    elsewhere: Rounds = {variant: [] for variant in VARIANTS}
    here: Rounds = {variant: [] for variant in VARIANTS}
    with ExitStack() as stack:
        servers = {variant: stack.enter_context(serving(variant, place)) for variant in VARIANTS}
        for server in servers.values():
            server.prepare(bodies)
        for number in range(arguments.rounds + 1):
            for rounds, core in (elsewhere, OTHER_CORE), (here, SERVER_CORE):
                for variant, server in servers.items():
                    found = server.load(arguments.connections, arguments.seconds if number else 1, core)
                    if found.refused:
                        raise RuntimeError(f"{variant} refused {found.refused} of {found.posts}")
                    if number:
                        rounds[variant].append(found)
                    empty(server.folder)
    return elsewhere, here


def rates(rounds: Rounds) -> dict[str, float]:
    """POST/s of each variant."""
    return {
        name: statistics.median(each.posts / each.seconds for each in found) for name, found in rounds.items()
    }


def cpu_each(rounds: Rounds) -> dict[str, float]:
    """Microseconds of CPU a POST of each variant."""
    return {
        name: statistics.median(each.cpu / each.posts for each in found) * 1e6
        for name, found in rounds.items()
    }


def show(elsewhere: Rounds, here: Rounds) -> float:
    """A line for each variant, and the ratios that must hold; events that the collector takes a second of CPU."""
    show_table("senders elsewhere", elsewhere)
    show_table("senders here", here)
    cpu, rate_here = cpu_each(elsewhere), rates(here)
    of_nginx = {name: rate_here[name] / rate_here["nginx"] for name in ("durable", "unmasked")}
    must("durable POST/s of nginx's on the same core", of_nginx["durable"], at_least=0.20)
    must("durable CPU a POST of nginx's", cpu["durable"] / cpu["nginx"], at_most=9)
    must("unmasked POST/s of nginx's on the same core", of_nginx["unmasked"], at_least=0.25)
    must(
        "unmasked CPU a POST of nginx's",
        cpu["unmasked"] / cpu["nginx"],
        at_most=7,
        note=f"a batch that is kept and not looked at costs {cpu['least'] / cpu['nginx']:.2f}",
    )
    must("durable CPU of unsynced", cpu["durable"] / cpu["unsynced"], at_most=1.2)
    return EVENTS * 1e6 / cpu["durable"]


def show_table(title: str, rounds: Rounds) -> None:
    """A line for each variant."""
    rate, cpu = rates(rounds), cpu_each(rounds)
    print(f"{title:18}{'POST/s':>9}{'of nginx':>10}{'CPU µs':>9}{'x nginx':>9}{'p50 ms':>8}{'p99 ms':>8}")
    for name, found in rounds.items():
        p50, p99 = (statistics.median(times) for times in zip(*((r.p50, r.p99) for r in found), strict=True))
        print(
            f"{name:18}{rate[name]:9.0f}{rate[name] / rate['nginx']:10.3f}{cpu[name]:9.1f}"
            f"{cpu[name] / cpu['nginx']:9.2f}{p50:8.1f}{p99:8.1f}"
        )
    print(flush=True)


def run(arguments: argparse.Namespace, place: Path) -> None:
    """What was asked for."""
    if arguments.overload:
        lasting.overload(arguments.overload, place)
    if arguments.sustain:
        lasting.sustain(arguments.sustain, place)
    if arguments.overload or arguments.sustain:
        return
    if arguments.beside:
        stored.beside(arguments.events_a_second, place, arguments.stretch / 2)
        return
    print(interpreter())
    collector_events = show(*measure(arguments, place))
    show_gain(place, arguments.connections, arguments.seconds, max(1, arguments.rounds // 2))
    if arguments.main:
        return
    carried = stored.throughput(collector_events, place)
    stored.freshness(carried, place, arguments.stretch)
    shutil.rmtree(place / "served")
    stored.beside(carried, place, arguments.stretch / 2)
    lasting.overload(arguments.stretch * 2, place)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=2, help="of a round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--stretch", type=int, default=10, help="seconds of a round at a rate")
    parser.add_argument("--main", action="store_true", help="the tables of POST/s and CPU only")
    parser.add_argument("--beside", action="store_true", help="with sink and compaction, and without, only")
    parser.add_argument("--events-a-second", type=float, default=65_000, help="what --beside takes for all")
    parser.add_argument("--overload", type=int, default=0, metavar="SECONDS", help="this only")
    parser.add_argument("--sustain", type=int, default=0, metavar="SECONDS", help="this only")
    arguments = parser.parse_args()
    missing = [name for name in ("nginx", "wrk", "taskset") if shutil.which(name) is None]
    if missing:
        print(f"Not measured: {', '.join(missing)} missing (on Debian: apt-get install nginx-light wrk).")
        return
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        run(arguments, Path(place))
    print(f"not held: {'; '.join(missed)}" if missed else "all of it held")


if __name__ == "__main__":
    main()
