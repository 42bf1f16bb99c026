"""Records the element tables of the shop's pages from a real Chromium: `python -m expost.demo.record`.

The files in `recorded/` are what `history.py` builds its batches from, so that history holds elements of real pages and
not of somebody's idea of them. A test records anew and compares: run this after a change of the shop or the snippet.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any

from .actions import FORMS, PAGES, Action, ShopPage, perform
from .chromium import Chromium, Tab, find_chromium
from .recorded_page import Json, RecordedPage, Row
from .shop_server import ShopServer

# What a visitor who has been here before has in the browser's storage.
STORAGE: dict[str, Any] = {
    "visitor": "5f0c2e9a-0000-4000-8000-000000000000",
    "cart": [{"slug": "sencha", "size": 100, "quantity": 1}],
    "orders": [{"at": 0, "lines": [{"slug": "sencha", "size": 100, "quantity": 1}]}],
}
QUIET_SECONDS = 0.4
LATE_SECONDS = 15.0
# Trailing defaults may be left out on the wire; here they are, so that a file changes only when its meaning does.
DESCRIPTOR_DEFAULTS: Row = [None, None, None, {}, [], 0, []]
ELEMENT_DEFAULTS: Row = [None, -1, 1, 1, 1, 1, [], 0]
DRAWN_ANEW = ("id", "seq", "t", "time", "view", "set")


@dataclass(frozen=True, slots=True)
class Stay:
    """One load of a page: when it began, and from which moment on its own clock on its events belong to an action."""

    start: float
    moments: list[tuple[str, float]]

    def names(self) -> set[str]:
        """What was done, the load itself included."""
        return {name for name, _ in self.moments}

    def name_of(self, event: Json) -> str:
        """To which of them the event belongs."""
        return next(name for name, moment in reversed(self.moments) if event["t"] >= moment)


@dataclass
class BatchRecorder:
    """A server on loopback with the built snippet that keeps every batch it is sent; a context manager."""

    batches: list[Json] = field(default_factory=list)
    _server: _Server = field(init=False, repr=False)

    def __enter__(self) -> BatchRecorder:
        self._server = _Server(("127.0.0.1", 0), _handler(self.batches))
        Thread(target=self._server.serve_forever, name="recorder", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def tag(self) -> str:
        """The tag that makes a page send here."""
        address = f"http://127.0.0.1:{self._server.server_port}/expost.js"
        return f'<script async src="{address}" data-key="recorder" data-consent="full"></script>'

    def events_of_page(self, start: float) -> list[tuple[Json, Json]]:
        """The events of the document that began at `start`, in their order, each with its batch; sent again is once."""
        found = {
            event["seq"]: (event, batch)
            for batch in list(self.batches)
            if abs(batch["page"]["start"] - start) < 1
            for event in batch["events"]
        }
        return [found[seq] for seq in sorted(found)]

    def wait_until_quiet(self) -> None:
        """Wait until nothing more comes. A page that was left has sent all it had by then, by beacon."""
        known = -1
        while known != len(self.batches):
            known = len(self.batches)
            time.sleep(QUIET_SECONDS)

    def wait_for(self, stay: Stay) -> None:
        """Wait until something of everything that was done in `stay` has come."""
        until = time.monotonic() + LATE_SECONDS
        while stay.names() - {stay.name_of(event) for event, _ in self.events_of_page(stay.start)}:
            if time.monotonic() > until:
                raise TimeoutError(f"Something that was done did not come: {stay}")
            time.sleep(0.05)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A page that is left opens a connection for each of its beacons at once.
    request_queue_size = 128


def _handler(batches: list[Json]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            script = (files("expost.snippet") / "dist" / "expost.js").read_bytes()
            self._answer(200, script if self.path.startswith("/expost.js") else b"", "text/javascript")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batches.append(json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
            self._answer(204, b"", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", kind)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the base class)
            """Quiet."""

    return Handler


@dataclass
class PageTables:
    """The tables of one page, put together from the tables of its batches."""

    origin: str
    views: list[Json] = field(default_factory=list)
    descriptors: list[Row] = field(default_factory=list)
    elements: list[Row] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict, repr=False)

    def take(self, event: Json, batch: Json) -> Json:
        """The event as it is kept, pointing into these tables."""
        kept: Json = {
            name: event[name]
            for name in sorted(event)
            if name not in DRAWN_ANEW and event[name] not in ("", None)
        }
        if "el" in event:
            kept["el"] = self._element(batch, event["el"])
        view = self._intern(self.views, "view", self._without_origin(batch["views"][event.get("view", 0)]))
        return kept | ({"view": view} if view else {})

    def _without_origin(self, view: Json) -> Json:
        return {
            name: view[name].replace(self.origin, "") if isinstance(view[name], str) else view[name]
            for name in sorted(view)
            if view[name]
        }

    def _element(self, batch: Json, place: int) -> int:
        row = list(batch["elements"][place])
        row[0] = self._descriptor(batch, row[0])
        if len(row) > 1 and row[1] >= 0:
            row[1] = self._element(batch, row[1])
        if len(row) > 6:
            row[6] = [self._descriptor(batch, previous) for previous in row[6]]
        return self._intern(self.elements, "element", _trimmed(row, ELEMENT_DEFAULTS))

    def _descriptor(self, batch: Json, place: int) -> int:
        row = _trimmed(batch["descriptors"][place], DESCRIPTOR_DEFAULTS)
        return self._intern(self.descriptors, "descriptor", row)

    def _intern(self, table: list[Any], kind: str, row: Any) -> int:
        key = f"{kind} {json.dumps(row)}"
        if key not in self._places:
            self._places[key] = len(table)
            table.append(row)
        return self._places[key]


def _trimmed(row: Row, defaults: Row) -> Row:
    kept = list(row)
    while len(kept) > 1 and kept[-1] == defaults[len(kept) - 1]:
        kept.pop()
    return kept


def record_page(page: ShopPage, shop: ShopServer, tab: Tab, recorder: BatchRecorder) -> RecordedPage:
    """Everything that can be done on the page, done once; what leads on to another page is done from a fresh load."""
    ways = [tuple(action for action in page.actions if not action.leads)]
    ways += [_way_to(page, action) for action in page.actions if action.leads]
    stays = [_stay(page, way, shop, tab) for way in ways]
    tab.go("about:blank")
    for stay in stays:
        recorder.wait_for(stay)
    recorder.wait_until_quiet()
    tables = PageTables(shop.url)
    actions: dict[str, list[Json]] = {}
    for stay in stays:
        # What was done on the way is in the first stay already.
        known = frozenset(actions)
        for event, batch in recorder.events_of_page(stay.start):
            name = stay.name_of(event)
            # When a page is left is nothing that was done on it, and takes another time at each recording.
            if name not in known and event["type"] != "page_leave":
                actions.setdefault(name, []).append(tables.take(event, batch))
    return RecordedPage(page.name, tables.views, tables.descriptors, tables.elements, actions)


def _way_to(page: ShopPage, action: Action) -> tuple[Action, ...]:
    """What has to be done before it, and it: a form is sent when its fields are filled in."""
    return tuple(page.action(name) for name in FORMS.get(f"{page.name} {action.name}", (action.name,)))


def _stay(page: ShopPage, way: tuple[Action, ...], shop: ShopServer, tab: Tab) -> Stay:
    """Open the page and do what is on the way."""
    tab.go(shop.url + page.path)
    stay = Stay(float(tab.value_of("performance.timeOrigin")), [("enter", 0.0)])
    for action in way:
        stay.moments.append((action.name, _quiet_moment(tab)))
        perform(action, tab)
    return stay


def _quiet_moment(tab: Tab) -> float:
    """A moment on the page's clock after everything that was begun has happened."""
    return float(tab.value_of("new Promise((done) => setTimeout(() => done(performance.now()), 60))"))


def record_shop(names: list[str] | None = None) -> Iterator[RecordedPage]:
    """The pages called `names` (all of them if None), recorded now."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError(
            "No Chromium here. Install it (Debian: apt-get install chromium) or set CHROMIUM."
        )
    with BatchRecorder() as recorder, ShopServer(tag=recorder.tag) as shop, Chromium(path) as chromium:
        for name in names or PAGES:
            tab = chromium.open_tab()
            stored = "".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))});"
                             for key, value in STORAGE.items())  # fmt: skip
            # about:blank has no storage.
            tab.run_first(f"if (location.protocol === 'http:') {{ {stored} }}")
            yield record_page(PAGES[name], shop, tab, recorder)
            tab.close()


def main() -> None:
    """Record all pages, or those named, into `recorded/`."""
    folder = Path(__file__).resolve().parent / "recorded"
    for page in record_shop(sys.argv[1:] or None):
        file = folder / f"{page.name}.json"
        before = file.read_text("utf-8") if file.exists() else ""
        after = page.to_text()
        file.write_text(after, "utf-8")
        sys.stdout.write(f"{page.name}: {len(page.elements)} elements, {len(page.actions)} actions"
                         f"{'' if before == after else ' (changed)'}\n")  # fmt: skip
        sys.stdout.flush()


if __name__ == "__main__":
    main()
