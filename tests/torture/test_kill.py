"""`kill -9` in the middle, again and again: what was acknowledged is in the lake exactly once, and nothing else is."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

from expost.clock import wall_clock
from expost.ids import uuid7
from tests.serving import Serving, events_in_lake, make_site

KILLS = 20
SENDERS = 3
EVENTS_PER_BATCH = 8
DESCRIPTORS = [["html"], ["body"], ["button", "buy", "btn primary", {"type": "submit"}]]
ELEMENTS = [[0, -1, 1, 1, 1, 1, [], 4], [1, 0, 2, 2], [2, 1]]


@dataclass
class Sender:
    """Sends batches as the snippet does: one at a time, and again with the same ids until it is answered for."""

    number: int
    key: str
    port: int
    sent: set[str] = field(default_factory=set)
    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: list[int] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.is_over.is_set():
            batch = self._batch()
            ids = [event["id"] for event in batch["events"]]
            self.sent.update(ids)
            while not self.is_over.is_set() and not self._is_acknowledged(batch, ids):
                time.sleep(0.02)

    def _batch(self) -> dict[str, Any]:
        now = wall_clock()
        device = f"00000000-0000-7000-8000-{self.number:012d}"
        events = [
            {"id": uuid7(now), "type": "click", "t": float(place), "seq": place + 1, "el": 2, "label": "Buy"}
            for place in range(EVENTS_PER_BATCH)
        ]
        return {
            "v": 1, "page": {"id": uuid7(now), "start": now / 1_000}, "device": device, "consent": "full",
            "views": [{"url": "http://127.0.0.1/cart"}], "descriptors": DESCRIPTORS, "elements": ELEMENTS,
            "events": events,
        }  # fmt: skip

    def _is_acknowledged(self, batch: dict[str, Any], ids: list[str]) -> bool:
        body = gzip.compress(json.dumps(batch | {"sent_at": wall_clock() / 1_000}).encode(), 1)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", f"/e?k={self.key}", body, {"Content-Type": "text/plain"})
            status = connection.getresponse().status
        except (OSError, HTTPException):
            # Killed while it answered, or not up again: nobody promised anything.
            return False
        finally:
            connection.close()
        if status in (429, 503):
            return False
        if status != 204:
            self.refused.append(status)
            return True
        self.acknowledged.update(ids)
        return True


def test_killed_twenty_times_it_loses_nothing_and_doubles_nothing(tmp_path):
    data = tmp_path / "data"
    key = make_site(data, count_bots=True)
    chance = random.Random(9)
    with Serving(data) as server:
        # Known from here on, so that it is the same after every kill.
        server.stop()
        server.spawn()
        senders = [Sender(number, key, server.port) for number in range(SENDERS)]
        threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
        for thread in threads:
            thread.start()
        for number in range(KILLS):
            if number % 2:
                # While it starts: in the imports, in the recovery of the last kill, in the first requests.
                time.sleep(chance.uniform(0.1, 1.6))
            else:
                # While it runs: from before the first seal to after several commits of the sink.
                server.wait_until_ready()
                time.sleep(chance.choice((0.05, 0.3, 1.0, 2.2)))
            server.kill()
            server.spawn()
        server.wait_until_ready()
        time.sleep(0.5)
        for sender in senders:
            sender.is_over.set()
        for thread in threads:
            thread.join(10)
        acknowledged = {event for sender in senders for event in sender.acknowledged}
        stored = events_in_lake(data, acknowledged, seconds=30)
    assert [sender.refused for sender in senders] == [[]] * SENDERS
    assert len(acknowledged) > KILLS * EVENTS_PER_BATCH
    assert acknowledged - stored.keys() == set(), "acknowledged, and lost"
    assert {event for event, count in stored.items() if count > 1} == set(), "doubled"
    assert stored.keys() - {event for sender in senders for event in sender.sent} == set(), "never sent"
