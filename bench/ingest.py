"""What an acknowledged batch costs: the collector beside nginx that answers 204 and does nothing else, on one core.

    python bench/ingest.py [--seconds 2] [--rounds 5] [--connections 128] [--overload 20]

Every variant is a server process of its own on loopback, all on one core. Rounds are interleaved and figures are
medians, so ratios are worth more than times. CPU is that of the server's process tree, from the system's accounting,
per POST of ten events (gzip, as browsers send it). Every visitor has an address, which a trusted proxy tells, and a
device of its own, so that the limits are looked up and nobody is beyond them.

The senders (wrk) are on another core in one round, and on the server's own in the next. The bounds of POST/s are those
of the latter: 0.20 of nginx's POST/s at 9 times its CPU, and 0.25 at 7 times, can hold together only where sending one
costs as much as nginx's answer, on the same core. With the senders elsewhere POST/s is CPU over again: 9 times the CPU
is 0.11 of the POST/s at best. Both tables are printed. The bounds of CPU are those of the former, undisturbed.

    nginx         return 204
    nothing       this server without a collector: reads the body, answers 204
    durable       the collector as it is: key, masks, limits, journal with fdatasync before the answer
    unmasked      the same without masks
    unsynced      the same without fdatasync
    one sync each the same with a sync for each batch instead of one for all that wait

`--overload` is for how many seconds more arrives than a slow disk takes (200 ms a sync), in batches of 1,000 events.
Needs nginx and wrk (on Debian: apt-get install nginx-light wrk).
"""

from __future__ import annotations

import sys

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expost.clock import wall_clock
from expost.ids import uuid7
from expost.lake.journal import read_segment, sealed_segments

HERE = Path(__file__).parent / "ingest"
VARIANTS = ("nginx", "nothing", "durable", "unmasked", "unsynced", "one sync each")
EVENTS = 10
VISITORS = 2_000
LARGE_EVENTS = 1_000
LARGE_VISITORS = 50
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, OTHER_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
NGINX = """
daemon off;
master_process off;
pid {place}/pid;
error_log {place}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place};
    uwsgi_temp_path {place}; scgi_temp_path {place};
    server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 204; }} }}
}}
"""


def batch(chance: random.Random, events: int = EVENTS) -> bytes:
    """Clicks on a page of a shop of 500 teas, 12 elements deep."""
    now = wall_clock()
    descriptors: list[Any] = [
        ["html", None, None, {"lang": "en"}, [], 16],
        ["body", None, "page shop", {}, [], 16],
    ]
    elements: list[Any] = [[0, -1, 1, 1, 1, 1, [], 4], [1, 0, 2, 2, 1, 1, []]]
    for depth in range(8):
        name = f"block block--{depth} {chance.choice('abcdef')}"
        descriptors.append(["div", None, name, {"data-area": str(depth)}, [], 16])
        elements.append([len(descriptors) - 1, len(elements) - 1, 1 + depth % 3, 4, 1, 4, []])
    parent, shown = len(elements) - 1, min(events, 100)
    for number in range(shown):
        tea = chance.randrange(500)
        link = {"href": f"/product/{tea}?from=…", "title": f"Green tea no. {tea}"}
        descriptors.append(["a", None, "card card__link", link, [], 16, ["href"]])
        descriptors.append(["span", None, "card__title", {}, [], 16])
        elements.append(
            [len(descriptors) - 2, parent, number + 1, shown, number + 1, shown, [len(descriptors) - 2]]
        )
        elements.append([len(descriptors) - 1, len(elements) - 1, 1, 1, 1, 1, []])
    clicks = [
        {
            "id": uuid7(now), "type": "click", "t": 100.5 * number, "seq": number + 1,
            "el": 11 + 2 * (number % shown),
            "text": f"Green tea no. {chance.randrange(500)}", "label": f"Green tea no. {chance.randrange(500)}",
            "x": chance.randrange(1_280), "y": chance.randrange(720),
        }
        for number in range(events)
    ]  # fmt: skip
    content = {
        "v": 1, "sent_at": now / 1_000, "page": {"id": uuid7(now), "start": now / 1_000 - 5_000, "ordinal": 1},
        "device": uuid7(now), "session": 1, "consent": "full", "viewport": [1_280, 720],
        "views": [{"url": "https://shop.example/teas?sort=…", "title": "Teas", "marks": ["url"]}], "sets": [],
        "descriptors": descriptors, "elements": elements, "events": clicks,
    }  # fmt: skip
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), 6)


@dataclass(frozen=True)
class Round:
    """What one round of one variant came to. `refused` counts answers other than 2xx; times are milliseconds."""

    posts: int
    refused: int
    seconds: float
    cpu: float
    p50: float
    p99: float


Rounds = dict[str, list[Round]]
"""The rounds of each variant."""


class Server:
    """A variant in a process of its own, and the file of requests that is sent to it."""

    def __init__(
        self, process: subprocess.Popen[str], port: int, key: str, folder: Path | None, place: Path
    ) -> None:
        self.process, self.port, self.folder = process, port, folder
        self._key = key
        self._file = place / f"requests-{process.pid}"

    def prepare(self, bodies: Sequence[bytes]) -> None:
        """Write the requests down: each of another visitor, behind a proxy that says so."""
        with self._file.open("wb") as file:
            for number, body in enumerate(bodies):
                request = (
                    f"POST /e?k={self._key} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nuser-agent: bench\r\n"
                    f"x-forwarded-for: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"
                    f"content-length: {len(body)}\r\n\r\n"
                ).encode() + body
                file.write(f"{len(request)}\n".encode() + request)

    def cpu(self) -> float:
        """Processor seconds of the process tree so far, of user and system."""
        return sum(map(_cpu_of, _tree(self.process.pid)))

    def peak_bytes(self) -> int:
        """The most memory that the process ever held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM"))

    def sending(self, connections: int, seconds: int, core: int = OTHER_CORE) -> subprocess.Popen[str]:
        """The senders, at work on a core."""
        script = ("--script", str(HERE / "requests.lua"), f"http://127.0.0.1:{self.port}")
        command = (
            "wrk",
            "--threads",
            "1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "60s",
            *script,
        )
        return _start((*command, "--", str(self._file)), core)

    def load(self, connections: int, seconds: int, core: int = OTHER_CORE) -> Round:
        """One round, with the senders on this core."""
        cpu = self.cpu()
        said, _ = self.sending(connections, seconds, core).communicate()
        return round_of(said, self.cpu() - cpu)


def round_of(said: str, cpu: float) -> Round:
    """What the last line of wrk says."""
    found = json.loads(said.strip().rsplit("\n", 1)[-1])
    if found["broken"]:
        raise RuntimeError(f"{found['broken']} connections broke:\n{said}")
    return Round(found["requests"], found["refused"], found["seconds"], cpu, found["p50"], found["p99"])


def _start(command: Sequence[str], core: int) -> subprocess.Popen[str]:
    on_core = ("taskset", "--cpu-list", str(core), *command)
    return subprocess.Popen(on_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def serving(variant: str, place: Path) -> Iterator[Server]:
    """A server of this variant, ended at the end."""
    if variant == "nginx":
        port = 20_000 + os.getpid() % 20_000
        (place / "nginx.conf").write_text(NGINX.format(place=place, port=port))
        process = _start(("nginx", "-c", str(place / "nginx.conf")), SERVER_CORE)
        server = Server(process, port, "", None, place)
        time.sleep(0.5)
    else:
        process = _start((sys.executable, "-P", str(HERE / "server.py"), variant), SERVER_CORE)
        assert process.stdout is not None
        port_text, key, folder = process.stdout.readline().split()
        server = Server(process, int(port_text), key, Path(folder), place)
    try:
        yield server
    finally:
        if variant == "nginx":
            process.terminate()
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def empty(folder: Path | None) -> int:
    """Remove what is sealed, as the sink does; how many batches that were."""
    count = 0
    for path in sealed_segments(folder / "journal") if folder else ():
        count += sum(1 for _ in read_segment(path))
        path.unlink()
    return count


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


def show(elsewhere: Rounds, here: Rounds) -> None:
    """A line for each variant, and the ratios that must hold."""
    show_table("senders elsewhere", elsewhere)
    show_table("senders here", here)
    cpu, rate, rate_here = cpu_each(elsewhere), rates(elsewhere), rates(here)
    must("durable POST/s of nginx's, senders here", rate_here["durable"] / rate_here["nginx"], at_least=0.20)
    must("durable CPU of nginx's", cpu["durable"] / cpu["nginx"], at_most=9)
    must(
        "unmasked POST/s of nginx's, senders here", rate_here["unmasked"] / rate_here["nginx"], at_least=0.25
    )
    must("unmasked CPU of nginx's", cpu["unmasked"] / cpu["nginx"], at_most=7)
    must("durable CPU of unsynced", cpu["durable"] / cpu["unsynced"], at_most=1.2)
    must("group commit of one sync each, POST/s", rate["durable"] / rate["one sync each"], at_least=10)
    print(f"acknowledged events per CPU second of the collector: {EVENTS * 1e6 / cpu['durable']:,.0f}")


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
    print()


def must(what: str, found: float, *, at_least: float | None = None, at_most: float | None = None) -> None:
    """A line that says whether a bound holds."""
    is_held = found >= at_least if at_least is not None else found <= (at_most or 0)
    bound = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
    print(f"{'holds ' if is_held else 'MISSED'} {what}: {found:.3g} ({bound})")


def overload(seconds: int, place: Path) -> None:
    """More than a slow disk takes: memory stays bounded, and all that is acknowledged is in the journal."""
    bodies = [batch(random.Random(number), LARGE_EVENTS) for number in range(LARGE_VISITORS)]
    with serving("overloaded", place) as server:
        server.prepare(bodies)
        senders = server.sending(1_000, seconds)
        kept = 0
        while senders.poll() is None:
            time.sleep(0.2)
            kept += empty(server.folder)
        assert senders.stdout is not None
        found = round_of(senders.stdout.read(), 0)
        until = time.monotonic() + 15
        acknowledged = found.posts - found.refused
        while kept < acknowledged and time.monotonic() < until:
            time.sleep(0.2)
            kept += empty(server.folder)
        print(
            f"overload for {seconds} s: {acknowledged:,} batches of {LARGE_EVENTS:,} events acknowledged, "
            f"{found.refused:,} asked to come back, {max(0, acknowledged - kept)} lost"
        )
        must("memory of the collector, MB", server.peak_bytes() / 1e6, at_most=256)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=2, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--overload", type=int, default=20, help="seconds; 0 leaves it out")
    arguments = parser.parse_args()
    missing = [name for name in ("nginx", "wrk", "taskset") if shutil.which(name) is None]
    if missing:
        print(f"Not measured: {', '.join(missing)} missing (on Debian: apt-get install nginx-light wrk).")
        return
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        if arguments.rounds:
            show(*measure(arguments, Path(place)))
        if arguments.overload:
            overload(arguments.overload, Path(place))


if __name__ == "__main__":
    main()
