"""More connections than the system has file descriptors: new ones are refused, old ones served, and it recovers."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from pathlib import Path

import pytest

from expost.clock import wall_clock
from tests import serving
from tests.serving import Serving, events_in_lake, make_site
from tests.torture.test_kill import Sender

FILES = 300


def test_with_no_file_descriptor_left_old_connections_are_served_and_it_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_site(tmp_path / "data", count_bots=True)
    monkeypatch.setattr(serving, "SERVE", ("prlimit", f"--nofile={FILES}:{FILES}", *serving.SERVE))
    with Serving(tmp_path / "data") as server:
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        assert post(kept, key) == 204
        with contextlib.ExitStack() as stack:
            for _ in range(FILES * 2):
                connection = socket.socket()
                stack.callback(connection.close)
                connection.settimeout(5)
                with contextlib.suppress(OSError):
                    connection.connect(("127.0.0.1", server.port))
            refused = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            assert post(refused, key) in (503, 0)
            assert [post(kept, key) for _ in range(3)] == [204] * 3
        until = time.monotonic() + 20
        while post(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20), key) != 204:
            assert time.monotonic() < until
        acknowledged = set(SENDER.acknowledged)
        assert acknowledged <= events_in_lake(tmp_path / "data", acknowledged).keys()


SENDER = Sender(1, "", 0)


def post(connection: http.client.HTTPConnection, key: str) -> int:
    """The status of one batch, 0 for a connection that was closed on us; what was acknowledged is remembered."""
    import json

    batch = SENDER._batch()
    body = json.dumps(batch | {"sent_at": wall_clock() / 1_000})
    try:
        connection.request("POST", f"/e?k={key}", body)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    if answer.status == 204:
        SENDER.acknowledged.update(event["id"] for event in batch["events"])
    return answer.status
