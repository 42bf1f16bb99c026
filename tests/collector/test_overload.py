"""More than the disk takes: memory is bounded, what is beyond is told to come back, what was acknowledged is kept."""

from __future__ import annotations

import asyncio
import http.client
import os
import threading
from typing import Any

import pytest

from expost.collector import capture
from expost.lake.disk import Disk
from expost.lake.journal import Journal

from .conftest import Desk, batch, body_of, click
from .test_guard import running

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
    assert desk.journal.queue.bytes == 0
    assert desk.send(batch()).status == 200


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "ordinary"])
def test_batches_beyond_what_can_be_read_in_time_get_503_and_their_connection_stays(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    with running(shared_desk, is_whole=is_whole) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

        def status() -> tuple[int, str | None]:
            connection.request("POST", f"/e?k={shared_desk.keys['shop', 'write']}", body_of(batch()))
            answer = connection.getresponse()
            answer.read()
            assert not answer.will_close
            return answer.status, answer.getheader("retry-after")

        assert [status(), status()] == [(204, None)] * 2
        with monkeypatch.context() as changed:
            # Every turn of the loop has taken longer.
            changed.setattr(capture, "MAX_TURN_SECONDS", -1.0)
            assert [status(), status()] == [(503, "5")] * 2
        assert status() == (204, None)
    assert len(shared_desk.kept()) == 3


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
