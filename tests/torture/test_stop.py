"""SIGTERM under load: it ends in time and in good order, and nothing that was acknowledged is lost."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from expost.lake.folder import open_folder
from expost.lake.reader import connect
from expost.lake.sink import Sink
from expost.lake.writer import Writer
from tests.serving import Serving, make_site
from tests.torture.test_kill import EVENTS_PER_BATCH, Sender


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_drains_within_five_seconds(tmp_path, number):
    data = tmp_path / "data"
    key = make_site(data, count_bots=True)
    with Serving(data) as server:
        sender = Sender(1, key, server.port)
        thread = threading.Thread(target=sender.run, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while len(sender.acknowledged) < 20 * EVENTS_PER_BATCH and time.monotonic() < until:
            time.sleep(0.02)
        # Somebody who never finishes what they say must not hold the others up.
        slow = socket.create_connection(("127.0.0.1", server.port))
        slow.sendall(f"POST /e?k={key} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{{".encode())
        assert server.process is not None
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 5
        slow.settimeout(2)
        assert b" 503 " in slow.recv(100)
        slow.close()
        sender.is_over.set()
        thread.join(10)
    folder = open_folder(data)
    assert not list(folder.journal.glob("*.open"))
    # On a slow machine the sink's last seconds may not be enough; what is sealed waits for the next start.
    with Writer(folder) as writer:
        while Sink(folder, writer).move():
            pass
    with connect(data) as connection:
        stored = {str(row[0]) for row in connection.execute("select event_id from events").fetchall()}
    assert len(sender.acknowledged) >= 20 * EVENTS_PER_BATCH
    assert sender.acknowledged.keys() - stored == set()
    assert len(server.said) == 4, server.said
