"""The batches of history: what the snippet would have sent, within the collector's bounds, acknowledged one by one."""

import gzip
import json
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import msgspec
import pytest

from expost.demo.history import SEED, HistoryRefused, batches_of_month, count_events, send_history
from expost.demo.recorded_page import recorded_page
from expost.lake.batch import Descriptor, Element, Event, Page, View

UNTIL = 1_772_000_000_000.0
SHOP = "http://127.0.0.1:8001"


def _month(seed=SEED):
    return batches_of_month(shop_url=SHOP, until=UNTIL, days=7, visitors_per_day=30, seed=seed)


@pytest.fixture(scope="module")
def month():
    return _month()


def test_the_same_arguments_give_the_same_bytes(month):
    assert msgspec.json.encode(_month()) == msgspec.json.encode(month)
    assert msgspec.json.encode(_month(seed=7)) != msgspec.json.encode(month)


def test_every_batch_is_one_that_the_collector_can_decode(month):
    for batch in month:
        msgspec.convert(batch["page"], Page)
        msgspec.convert(batch["views"], list[View])
        msgspec.convert(batch["descriptors"], list[Descriptor])
        msgspec.convert(batch["elements"], list[Element])
        msgspec.convert(batch["events"], list[Event])


def test_tables_hold_what_the_events_need_and_nothing_else(month):
    for batch in month:
        events, elements, descriptors = batch["events"], batch["elements"], batch["descriptors"]
        needed = {event["el"] for event in events if "el" in event}
        for place in sorted(needed, reverse=True):
            while (place := elements[place][1]) >= 0:
                needed.add(place)
        assert needed == set(range(len(elements)))
        assert all(row[1] < place for place, row in enumerate(elements))
        used = {row[0] for row in elements} | {each for row in elements if len(row) > 6 for each in row[6]}
        assert used == set(range(len(descriptors)))
        assert all(event["view"] < len(batch["views"]) for event in events)


def test_events_are_numbered_and_named_once_and_lie_in_the_past(month):
    ids = Counter(event["id"] for batch in month for event in batch["events"])
    assert set(ids.values()) == {1}
    for batch in month:
        assert [event["seq"] for event in batch["events"]] == list(range(1, len(batch["events"]) + 1))
        times = [event["t"] for event in batch["events"]]
        assert times == sorted(times)
        assert batch["page"]["start"] + times[-1] <= batch["sent_at"] <= UNTIL + 1_000


def test_a_full_month_has_tens_of_thousands_of_events_and_is_made_in_seconds():
    began = time.monotonic()
    batches = batches_of_month(shop_url=SHOP, until=UNTIL, days=30)
    assert 20_000 <= count_events(batches) <= 40_000
    assert len({batch["device"] for batch in batches}) > 1_000
    assert time.monotonic() - began < 15


def test_every_click_in_history_was_recorded_from_a_real_page(month):
    for batch in month[:300]:
        for event in batch["events"]:
            if event["type"] == "click":
                chain = []
                place = event["el"]
                while place >= 0:
                    chain.append(batch["descriptors"][batch["elements"][place][0]][0])
                    place = batch["elements"][place][1]
                assert chain[-2:] == ["body", "html"]
    rated = recorded_page("product-sencha").actions["rate"][0]
    tables = recorded_page("product-sencha").tables_of([rated])
    tags = [row[0] for row in tables["descriptors"]]
    assert {"star-icon", "product-rating"} <= set(tags)


@pytest.fixture
def collector():
    """A collector of the test's own: it answers with the statuses in `answers`, then 200, and keeps ids."""
    answers: list[int] = []
    ids: Counter[str] = Counter()
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            batch = json.loads(gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))))
            with lock:
                status = answers.pop() if answers else 200
                if status == 200:
                    ids.update(event["id"] for event in batch["events"])
            body = json.dumps({"accepted": len(batch["events"]), "duplicates": 0, "rejected": []}).encode()
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):  # noqa: A002  (its name in the base class)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers, ids
    server.shutdown()
    server.server_close()


def test_a_busy_collector_gets_the_same_ids_again_and_progress_counts_the_acknowledged(month, collector):
    address, answers, ids = collector
    answers += [503, 429, 503]
    told: list[int] = []
    filled = send_history(month, address, "xi_key", told.append)
    assert filled.events == count_events(month) == told[-1] == sum(ids.values())
    assert filled.batches == len(month) == len(told)
    assert set(ids.values()) == {1}


def test_a_refusal_ends_it_and_says_what_was_answered(month, collector):
    address, answers, _ = collector
    answers += [401]
    with pytest.raises(HistoryRefused, match="answered 401"):
        send_history(month, address, "xi_key", lambda _: None)
