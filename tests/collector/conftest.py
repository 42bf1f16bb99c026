"""A collector without a network: what is sent is answered, what it kept can be looked at."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from expost.collector.limits import Holder, Limits, Rate
from expost.collector.service import Collector, create
from expost.ids import uuid7
from expost.lake.batch import Accepted
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.segment import read_segment
from expost.lake.sent import read_batch
from expost.settings import Settings
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site

# One address sends all of the tests' events; the limits have tests of their own.
UNLIMITED = {
    "device_events_per_second": 0, "address_events_per_second": 0, "key_events_per_second": 0,
}  # fmt: skip
NOW = 1_764_000_000_000_000
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


def event_id(number: int = 0, at: int = NOW) -> str:
    """A UUIDv7, the same for the same number."""
    return uuid7(at, number.to_bytes(10, "big"))


def click(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A click on the first element of `batch`."""
    return {"id": event_id(number), "type": "click", "t": 10.0, "seq": number + 1, "el": 0} | fields


def batch(*events: Any, **head: Any) -> dict[str, Any]:
    """A batch of one page with one element."""
    return {
        "v": 1,
        "sent_at": NOW / 1_000,
        "page": {"id": event_id(9_999), "start": NOW / 1_000 - 60_000, "ordinal": 1},
        "device": event_id(7_777),
        "session": 1,
        "consent": "full",
        "views": [{"url": "https://shop.example/cart", "title": "Cart"}],
        "descriptors": [["button", "buy", "btn primary"]],
        "elements": [[0]],
        "events": list(events) or [click()],
    } | head


def body_of(content: Any) -> bytes:
    """JSON in the bytes that a browser writes."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reasons(self) -> list[str]:
        return [each["reason"] for each in self.json["rejected"]]


class Desk:
    """Sends to a collector and looks into its folder."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        self.seconds = 1_000.0
        self.folder: Folder = open_folder(path / "data", create=True)
        self.state = State(self.folder.state_path)
        add_site(self.state, Site("shop", "Shop"))
        add_site(self.state, Site("blog", "Blog", origins=("https://blog.example",)))
        self.keys = {
            (site, kind): add_key(self.state, site, kind, lambda: 1)[1]
            for site in ("shop", "blog")
            for kind in ("write", "server", "import")
        }
        self.journal = Journal(self.folder, lambda: self.now, seal_age_ms=60_000)
        self.collector = self.new_collector()

    def new_collector(self, **settings: Any) -> Collector:
        return create(
            folder=self.folder,
            journal=self.journal,
            state=self.state,
            settings=Settings(**{**UNLIMITED, **settings}),
            clock=lambda: self.now,
        )

    def limit(self, *, trusted_proxies: tuple[str, ...] = (), **rates: tuple[int, int]) -> None:
        """A new collector with these limits: events a second and at once, by holder; `seconds` is their clock."""
        self.collector = self.new_collector(trusted_proxies=trusted_proxies)
        self.count_by(Limits({cast("Holder", holder): Rate(*rate) for holder, rate in rates.items()}))
        capture: Any = self.collector.capture
        capture._seconds = lambda: self.seconds

    def count_by(self, limits: Limits) -> None:
        """Let the collector count by these limits."""
        capture: Any = self.collector.capture
        capture._limits = capture._admissions._limits = limits

    def send(
        self,
        content: Any,
        *,
        key: str | None = None,
        wants_json: bool = True,
        headers: Mapping[str, str] | None = None,
        zipped: bool = False,
        method: str = "POST",
        chunk: int = 1_000_000_000,
        peer: str = "198.51.100.7",
    ) -> Answer:
        """The answer to one request on `/e`."""
        body = content if isinstance(content, bytes) else body_of(content)
        if zipped:
            body = gzip.compress(body)
        sent = {"user-agent": CHROME, "content-type": "text/plain;charset=UTF-8"}
        sent |= {"accept": "application/json"} if wants_json else {}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        key = self.keys["shop", "write"] if key is None else key
        return self.ask("/e", method, f"k={key}", sent, body, chunk, peer)

    def ask(
        self,
        path: str,
        method: str = "GET",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        chunk: int = 1_000_000_000,
        peer: str = "198.51.100.7",
    ) -> Answer:
        """The answer to one request."""
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
        messages = iter(
            {"type": "http.request", "body": piece, "more_body": number + 1 < len(pieces)}
            for number, piece in enumerate(pieces)
        )
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return next(messages, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "client": (peer, 50_000),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        }
        asyncio.run(self.collector(scope, receive, send))
        start, *bodies = sent
        return Answer(
            start["status"],
            {name.decode(): value.decode("latin-1") for name, value in start["headers"]},
            b"".join(each.get("body", b"") for each in bodies),
        )

    def kept(self) -> list[Accepted]:
        """Every batch that was kept since the last call, in order."""
        self.journal.seal()
        found = []
        for path in sealed_segments(self.folder.journal):
            found += [read_batch(payload) for _, payload in read_segment(path)]
            path.unlink()
        return found

    def rejected(self) -> list[dict[str, Any]]:
        """Every line in `rejected/`."""
        files = sorted(self.folder.rejected.glob("*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def close(self) -> None:
        self.journal.close()
        self.state.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A collector of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One collector for many inputs: none of them may spoil it for the next."""
    path = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
        desk = Desk(path)
        yield desk
        desk.close()
