"""Senders at a given rate, in a process of their own: `paced.py WISHES`, where the wishes are JSON.

Batches leave at moments drawn beforehand, whatever the server does; the time of an answer counts from that moment, so
that a server that stands still is not asked less. A batch that is refused (503, 429) is counted and not sent again.
Standard output gets one line of JSON: batches sent and acknowledged, refused (and of them without Retry-After), other
answers, connections that could not be made, were closed before an answer, or had none after 60 seconds; milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
from shop import EVENTS, Template

TEMPLATES = 200
TIMEOUT_SECONDS = 60.0
TICK_SECONDS = 0.001


class Counts:
    """What became of the batches, and how long their answers took."""

    def __init__(self) -> None:
        self.sent = self.acknowledged = self.refused = self.unsaid = self.other = 0
        self.connect = self.closed = self.timeout = 0
        self.took: list[float] = []

    def to_json(self, seconds: float) -> dict[str, Any]:
        times = sorted(self.took) or [0.0]
        quantile = {name: times[min(len(times) - 1, int(len(times) * share))] for name, share in
                    (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}  # fmt: skip
        return {
            "seconds": seconds, "sent": self.sent, "acknowledged": self.acknowledged, "refused": self.refused,
            "unsaid": self.unsaid, "other": self.other, "connect": self.connect, "closed": self.closed,
            "timeout": self.timeout, **{name: each * 1e3 for name, each in quantile.items()},
        }  # fmt: skip


class Sender(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._answer = b""
        self.due: float | None = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._pace.idle.append(self)

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self._answer = b""
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or self.due is None:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) < int(fields.get(b"content-length", 0)):
            return
        due, self.due = self.due, None
        self._pace.answered(int(head[9:12]), fields, due)
        if fields.get(b"connection") == b"close":
            self.transport.close()
        else:
            self._pace.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.due is not None:
            self._pace.counts.closed += 1
        self._pace.lost(self)


class Pace:
    """Sends at a rate over some connections."""

    def __init__(self, wishes: dict[str, Any]) -> None:
        self._wishes = wishes
        chance = random.Random(wishes["seed"])
        self._chance = chance
        self._templates = [Template(chance, wishes.get("events", EVENTS)) for _ in range(TEMPLATES)]
        self._heads = [
            f"POST /e?k={wishes['key']} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nuser-agent: bench\r\n"
            f"x-forwarded-for: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\ncontent-length: "
            for number in range(wishes["visitors"])
        ]
        self._mark = os.urandom(4).hex()
        self._number = 0
        self.idle: deque[Sender] = deque()
        self._all: set[Sender] = set()
        self._due: deque[float] = deque()
        self.counts = Counts()

    async def run(self) -> dict[str, Any]:
        await asyncio.gather(*(self._connect() for _ in range(self._wishes["connections"])))
        start = time.monotonic()
        until, moment = start + self._wishes["seconds"], start
        while (now := time.monotonic()) < until:
            while moment <= now:
                self._due.append(moment)
                moment += self._chance.expovariate(self._wishes["rate"])
            self._send_due()
            await asyncio.sleep(TICK_SECONDS)
        self._due.clear()
        end = time.monotonic() + TIMEOUT_SECONDS
        while any(sender.due is not None for sender in self._all) and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.counts.timeout = sum(sender.due is not None for sender in self._all)
        return self.counts.to_json(until - start)

    def answered(self, status: int, fields: dict[bytes, bytes], due: float) -> None:
        if status == 204:
            self.counts.acknowledged += 1
            self.counts.took.append(time.monotonic() - due)
        elif status in (429, 503):
            self.counts.refused += 1
            self.counts.unsaid += b"retry-after" not in fields
        else:
            self.counts.other += 1

    def lost(self, sender: Sender) -> None:
        self._all.discard(sender)
        if sender in self.idle:
            self.idle.remove(sender)
        self._again = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        try:
            _, sender = await asyncio.get_running_loop().create_connection(
                lambda: Sender(self), "127.0.0.1", self._wishes["port"]
            )
            self._all.add(sender)
        except OSError:
            self.counts.connect += 1

    def _send_due(self) -> None:
        while self._due and self.idle:
            sender = self.idle.popleft()
            body = self._chance.choice(self._templates).batch(self._event_id)
            head = self._heads[self.counts.sent % len(self._heads)]
            sender.send(b"%b%d\r\n\r\n%b" % (head.encode(), len(body), body), self._due.popleft())
            self.counts.sent += 1

    def _event_id(self) -> str:
        self._number += 1
        at = f"{time.time_ns() // 1_000_000:012x}"
        return f"{at[:8]}-{at[8:]}-7{self._mark[:3]}-8{self._mark[3:6]}-{self._number:012x}"


if __name__ == "__main__":
    # Senders are other people's machines: what is measured is how long the server lets them wait, not this core.
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    pace = Pace(json.loads(sys.argv[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(pace.run())), flush=True)
