"""More than the disk takes: memory is bounded, what is beyond is told to come back, what was acknowledged is kept."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

from expost.lake.journal import Journal
from expost.lake.segment import Disk

from .conftest import Desk, batch, body_of, click

SENDERS = 60
BACKLOG_BYTES = 20_000


def test_beyond_the_backlog_batches_get_503_and_the_acknowledged_ones_are_all_there(desk: Desk) -> None:
    is_free = threading.Event()

    def slow_sync(descriptor: int) -> None:
        is_free.wait(20)
        os.fdatasync(descriptor)

    desk.journal.close()
    desk.journal = Journal(
        desk.folder,
        lambda: desk.now,
        seal_age_ms=60_000,
        max_backlog_bytes=BACKLOG_BYTES,
        disk=Disk(sync=slow_sync),
    )
    desk.collector = desk.new_collector()
    statuses = asyncio.run(flood(desk, is_free))
    assert set(statuses) == {204, 503}
    assert statuses.count(503) > SENDERS // 4
    kept = desk.kept()
    assert len(kept) == statuses.count(204)
    assert desk.journal.backlog_bytes == 0
    assert desk.send(batch()).status == 200


async def flood(desk: Desk, is_free: threading.Event) -> list[int]:
    """All send at once; the disk is free as soon as the first of them was refused."""

    async def one(number: int) -> int:
        body = body_of(batch(click(number)))
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("status") == 503:
                is_free.set()

        scope: Any = {
            "type": "http", "method": "POST", "path": "/e", "client": ("192.0.2.1", 5), "headers": [],
            "query_string": f"k={desk.keys['shop', 'write']}".encode(),
        }  # fmt: skip
        await desk.collector(scope, receive, send)
        assert sent[0]["status"] == 204 or (b"retry-after", b"5") in sent[0]["headers"]
        return int(sent[0]["status"])

    return list(await asyncio.gather(*map(one, range(SENDERS))))
