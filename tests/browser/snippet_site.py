"""A site with the snippet in it, and a collector that keeps what it is sent: for tests of what leaves the browser."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from expost.collector.script import PINNED, hash_of

SNIPPET = Path(__file__).parents[2] / "snippet" / "dist"
WAIT_SECONDS = 45.0

HALF_AN_HOUR_LATER = """
    const remembered = JSON.parse(localStorage.expost);
    remembered.seen -= 31 * 60e3;
    localStorage.expost = JSON.stringify(remembered);
"""


@dataclass
class Request:
    """One request, and the batch in it if it was one."""

    method: str
    path: str
    headers: dict[str, str]
    status: int
    batch: dict[str, Any] | None = None
    raw: bytes = b""


@dataclass
class Site:
    """Pages on `http://localhost`, script and collector on `http://127.0.0.1`: two origins."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    is_down: bool = False
    requests: list[Request] = field(default_factory=list)
    change: Condition = field(default_factory=Condition)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def tag(self, **data: str) -> str:
        attributes = {"key": "wk_test", "consent": "full"} | data
        written = " ".join(f'data-{name}="{value}"' for name, value in attributes.items() if value)
        return f'<script async src="http://127.0.0.1:{self.port}/expost.js" {written}></script>'

    def page(self, body: str, *, path: str = "/", head: str = "", **data: str) -> str:
        """Puts up a page with the tag in its head; its address."""
        self.pages[path] = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
            f"<title>Shop</title>{head}{self.tag(**data)}</head><body>{body}</body></html>"
        )
        return self.origin + path

    @property
    def batches(self) -> list[dict[str, Any]]:
        """What the collector has answered for with 204, each in the order of arrival."""
        return [
            request.batch for request in self.requests if request.batch is not None and request.status == 204
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Events that were answered for, each id once, in the order in which they happened on their page.

        `chain` is added: the elements from the target upwards as dictionaries. So are `set_`, `view_` and the batch.
        """
        seen: dict[str, dict[str, Any]] = {}
        for batch in self.batches:
            for event in batch["events"]:
                seen.setdefault(event["id"], spelled_out(event, batch))
        return sorted(seen.values(), key=lambda event: (event["batch"]["page"]["start"], event["seq"]))

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] in types]

    def wait(self, holds: Callable[[Site], object]) -> None:
        """Returns once `holds` is true of what has arrived."""
        deadline = time.monotonic() + WAIT_SECONDS
        with self.change:
            while not holds(self):
                left = deadline - time.monotonic()
                arrived = [(event["type"], event["seq"]) for event in self.events]
                assert left > 0, f"arrived in {WAIT_SECONDS} s: {arrived}, {len(self.requests)} requests"
                self.change.wait(left)

    def wait_for_count(self, count: int) -> list[dict[str, Any]]:
        """All events, once there are so many."""
        self.wait(lambda site: len(site.events) >= count)
        return self.events

    def wait_for(self, *types: str) -> list[dict[str, Any]]:
        """All events, once those of the given types have arrived, each at least as often as it is named."""

        def holds(site: Site) -> bool:
            arrived = [event["type"] for event in site.events]
            return all(arrived.count(kind) >= types.count(kind) for kind in types)

        self.wait(holds)
        return self.events


def spelled_out(event: dict[str, Any], batch: dict[str, Any]) -> dict[str, Any]:
    """The event with what it points to."""
    chain = []
    place = event.get("el", -1)
    while place >= 0:
        chain.append(element(batch, place))
        place = chain[-1]["parent"]
    set_place = event.get("set", -1)
    return event | {
        "chain": chain,
        "batch": batch,
        "view_": batch["views"][event.get("view", 0)],
        "set_": batch["sets"][set_place] if set_place >= 0 else {},
    }


DESCRIPTOR: dict[str, Any] = {
    "tag": "",
    "id": None,
    "class": None,
    "attributes": {},
    "names": [],
    "state": 0,
    "marks": [],
}
ELEMENT: dict[str, Any] = {
    "descriptor": -1, "parent": -1, "index": 1, "count": 1, "type_index": 1, "type_count": 1,
    "previous": [], "flags": 0,
}  # fmt: skip


def descriptor(batch: dict[str, Any], place: int) -> dict[str, Any]:
    row = batch["descriptors"][place]
    return DESCRIPTOR | dict(zip(DESCRIPTOR, row, strict=False))


def element(batch: dict[str, Any], place: int) -> dict[str, Any]:
    row = ELEMENT | dict(zip(ELEMENT, batch["elements"][place], strict=False))
    assert row["parent"] < place
    previous = [descriptor(batch, at) for at in row["previous"]]
    return row | descriptor(batch, row["descriptor"]) | {"previous": previous}


def script_at(path: str) -> bytes | None:
    """What the collector has at this path: the script of the tag, or a file of it by its hash."""
    if path == "/expost.js":
        return (SNIPPET / "expost.js").read_bytes()
    named = PINNED.match(path)
    files = (file.read_bytes() for file in SNIPPET.glob("expost*.js"))
    return next((file for file in files if hash_of(file) == named[1]), None) if named else None


@contextmanager
def running_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            # A page that is gone waits for no answer.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def keep(self, status: int, raw: bytes = b"", batch: dict[str, Any] | None = None) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, status, batch, raw)
            with site.change:
                site.requests.append(request)
                site.change.notify_all()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            script = script_at(path)
            if script is not None:
                status, body, kind = 200, script, "text/javascript"
            elif path in site.pages:
                status, body, kind = 200, site.pages[path].encode(), "text/html"
            else:
                status, body, kind = 404, b"", "text/plain"
            headers = {"Content-Type": kind} | site.headers
            if PINNED.match(path) and status == 200:
                headers["Access-Control-Allow-Origin"] = "*"
            time.sleep(site.slow.get(path, 0))
            self.keep(status)
            self.answer(status, headers, body)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if site.is_down:
                self.close_connection = True
                return
            text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
            batch = json.loads(text)
            status, headers = site.answers.pop(0) if site.answers else (204, {})
            cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
            self.answer(status, cors | headers)
            self.keep(status, text, batch)

        def do_OPTIONS(self) -> None:
            self.keep(405)
            self.answer(405)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named so by the base class)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
