"""What an acknowledged batch costs: the collector against the same server that answers 204 and does nothing else.

    python bench/ingest.py [--seconds 2] [--rounds 3] [--connections 64]

Every variant is a server process of its own on loopback, all on one core; the senders are on the other. Rounds are
interleaved and figures are medians, so ratios are worth more than times. CPU is the server's own, from the system's
accounting, per POST of ten events (gzip, as browsers send it).

    nothing     reads the body, answers 204
    durable     the collector as it is: key, masks, limits, journal with fdatasync before the answer
    unsynced    the same without fdatasync
    unmasked    the same without masks
"""

from __future__ import annotations

import sys

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import asyncio
import gzip
import json
import os
import random
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from expost.clock import wall_clock
from expost.collector.descriptors import Descriptors
from expost.collector.guard import GuardedProtocol
from expost.collector.masks import Masks
from expost.collector.service import create
from expost.ids import uuid7
from expost.lake.folder import open_folder
from expost.lake.journal import Journal
from expost.lake.segment import Disk
from expost.settings import Settings
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site

VARIANTS = ("nothing", "durable", "unsynced", "unmasked")
EVENTS = 10
BATCHES = 200
TICK = os.sysconf("SC_CLK_TCK")


def batch(chance: random.Random) -> bytes:
    """Ten clicks on a page of a shop, 12 elements deep."""
    now = wall_clock()
    descriptors: list[Any] = [
        ["html", None, None, {"lang": "en"}, [], 16],
        ["body", None, "page shop", {}, [], 16],
    ]
    elements: list[Any] = [[0, -1, 1, 1, 1, 1, [], 4], [1, 0, 2, 2, 1, 1, []]]
    for depth in range(8):
        descriptors.append(
            [
                "div",
                None,
                f"block block--{depth} {chance.choice('abcdef')}",
                {"data-area": str(depth)},
                [],
                16,
            ]
        )
        elements.append([len(descriptors) - 1, len(elements) - 1, 1 + depth % 3, 4, 1, 4, []])
    parent = len(elements) - 1
    for number in range(EVENTS):
        href = {
            "href": f"/product/{chance.randrange(500)}?from=…",
            "title": f"Product {chance.randrange(500)}",
        }
        descriptors.append(["a", None, "card card--wide", href, ["onclick"], 16, ["href"]])
        descriptors.append(["span", f"name-{number}", "card__name", {}, [], 16])
        elements.append(
            [len(descriptors) - 2, parent, number + 1, EVENTS, number + 1, EVENTS, [len(descriptors) - 2]]
        )
        elements.append([len(descriptors) - 1, len(elements) - 1, 1, 1, 1, 1, []])
    events = [
        {
            "id": uuid7(now), "type": "click", "t": 100.5 * number, "seq": number + 1, "el": 11 + 2 * number,
            "text": f"Green tea no. {chance.randrange(500)}", "label": f"Green tea no. {chance.randrange(500)}",
            "x": chance.randrange(1_280), "y": chance.randrange(720),
        }
        for number in range(EVENTS)
    ]  # fmt: skip
    content = {
        "v": 1, "sent_at": now / 1_000, "page": {"id": uuid7(now), "start": now / 1_000 - 5_000, "ordinal": 1},
        "device": uuid7(now), "session": 1, "consent": "full", "viewport": [1_280, 720],
        "views": [{"url": "https://shop.example/teas?sort=…", "title": "Teas", "marks": ["url"]}], "sets": [],
        "descriptors": descriptors, "elements": elements, "events": events,
    }  # fmt: skip
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), 6)


class NoMasks(Masks):
    """Finds nothing and looks for nothing."""

    def descriptor(self, descriptor: Any) -> Any:
        return descriptor

    def view(self, view: Any) -> Any:
        return view

    def event(self, event: Any) -> Any:
        return event

    def said(self, value: Any, _depth: int = 0) -> Any:
        return value


async def nothing(_scope: Any, receive: Any, send: Any) -> None:
    """The least that a server of this kind does for a POST."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def serve(variant: str) -> None:
    """Run one variant until standard input is closed; its port and key are the first line of standard output."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        folder = open_folder(Path(place) / "data", create=True)
        state = State(folder.state_path)
        add_site(state, Site("shop", "Shop"))
        key = add_key(state, "shop", "write", wall_clock)[1]
        disk = Disk(sync=lambda _: None) if variant == "unsynced" else None
        journal = Journal(folder, wall_clock, disk=disk)
        collector: Any = create(folder=folder, journal=journal, state=state, settings=Settings())
        if variant == "unmasked":
            collector._routes["/e"]._descriptors = Descriptors(NoMasks())
        listener = socket.create_server(("127.0.0.1", 0), backlog=1_024)
        print(listener.getsockname()[1], key, flush=True)
        app = nothing if variant == "nothing" else collector
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
        )
        server = uvicorn.Server(config)

        async def until_closed() -> None:
            await asyncio.to_thread(sys.stdin.read)
            server.should_exit = True

        async def run() -> None:
            waiting = asyncio.create_task(until_closed())
            await server.serve(sockets=[listener])
            await waiting

        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run())
        journal.close()


@dataclass
class Round:
    """What one round of one variant came to."""

    posts: int
    seconds: float
    cpu: float
    latencies: list[float]


class Sender(asyncio.Protocol):
    """One connection that sends the next batch as soon as the last one is acknowledged."""

    def __init__(self, requests: Sequence[bytes], until: float, chance: random.Random) -> None:
        self.requests, self.until, self.chance = requests, until, chance
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent_at = 0.0
        self.received = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        if not self.received.startswith(b"HTTP/1.1 204"):
            self.done.set_exception(RuntimeError(self.received[:300].decode("latin-1")))
            self.transport.close()
            return
        now = time.perf_counter()
        self.latencies.append(now - self.sent_at)
        if now < self.until:
            self._send()
        else:
            self.done.set_result(None)
            self.transport.close()

    def _send(self) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.transport.write(self.chance.choice(self.requests))


class Server:
    """A variant in a process of its own."""

    def __init__(self, variant: str, bodies: Sequence[bytes]) -> None:
        command = [sys.executable, __file__, "--serve", variant]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        port, key = self.process.stdout.readline().split()
        self.port = int(port)
        self.requests = [
            f"POST /e?k={key} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nuser-agent: bench\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
            for body in bodies
        ]

    def cpu(self) -> float:
        """Processor seconds used so far, of user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    async def load(self, connections: int, seconds: float) -> Round:
        """One round."""
        loop = asyncio.get_running_loop()
        cpu, began = self.cpu(), time.perf_counter()
        senders = [Sender(self.requests, began + seconds, random.Random(each)) for each in range(connections)]
        for sender in senders:
            await loop.create_connection(lambda sender=sender: sender, "127.0.0.1", self.port)  # type: ignore[misc]
        await asyncio.gather(*(sender.done for sender in senders))
        took = time.perf_counter() - began
        latencies = sorted(each for sender in senders for each in sender.latencies)
        return Round(len(latencies), took, self.cpu() - cpu, latencies)

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


async def measure(arguments: argparse.Namespace) -> dict[str, list[Round]]:
    """All rounds of all variants, interleaved; the first of each warms up and is not counted."""
    bodies = [batch(random.Random(number)) for number in range(BATCHES)]
    print(
        f"{EVENTS} events a POST, {statistics.mean(map(len, bodies)):.0f} bytes gzip, "
        f"{arguments.connections} connections"
    )
    servers = {variant: Server(variant, bodies) for variant in VARIANTS}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rounds: dict[str, list[Round]] = {variant: [] for variant in VARIANTS}
    try:
        for number in range(arguments.rounds + 1):
            for variant, server in servers.items():
                found = await server.load(arguments.connections, arguments.seconds if number else 0.5)
                if number:
                    rounds[variant].append(found)
    finally:
        for server in servers.values():
            server.stop()
    return rounds


def show(rounds: dict[str, list[Round]]) -> None:
    """A line for each variant, and ratios to the first."""
    rate = {
        name: statistics.median(each.posts / each.seconds for each in found) for name, found in rounds.items()
    }
    cpu = {
        name: statistics.median(each.cpu / each.posts for each in found) * 1e6
        for name, found in rounds.items()
    }
    print(f"{'':10}{'POST/s':>9}{'of nothing':>12}{'CPU µs':>9}{'x nothing':>11}{'p50 ms':>8}{'p99 ms':>8}")
    for name, found in rounds.items():
        times = sorted(latency for each in found for latency in each.latencies)
        p50, p99 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99))
        print(
            f"{name:10}{rate[name]:9.0f}{rate[name] / rate['nothing']:12.2f}{cpu[name]:9.0f}"
            f"{cpu[name] / cpu['nothing']:11.2f}{p50:8.1f}{p99:8.1f}"
        )
    print(f"durable / unsynced: CPU x {cpu['durable'] / cpu['unsynced']:.2f}")
    print(f"durable / unmasked: CPU x {cpu['durable'] / cpu['unmasked']:.2f}")
    print(f"acknowledged events per CPU second of the collector: {EVENTS * 1e6 / cpu['durable']:,.0f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--serve", choices=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
    else:
        show(asyncio.Runner(loop_factory=uvloop.new_event_loop).run(measure(arguments)))


if __name__ == "__main__":
    main()
