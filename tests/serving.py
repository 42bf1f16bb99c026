"""A real `expost serve` in a process of its own, and a relay in front of it that writes down what was acknowledged."""

from __future__ import annotations

import gzip
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from expost.clock import wall_clock
from expost.lake.folder import open_folder
from expost.state.database import State
from expost.state.keys import KeyKind, add_key
from expost.state.sites import Site, add_site

TAG = re.compile(
    r'<script\b[^>]*src="(?P<server>https?://[^"/]+)[^"]*"[^>]*data-key="(?P<key>[^"]*)"[^>]*></script>'
)
SERVE = (sys.executable, "-c", "from expost.cli import main; main()", "serve")
READY_SECONDS = 60


def make_site(data: Path, slug: str = "shop", **settings: Any) -> str:
    """A data folder with one site; the text of its write key."""
    with_state = State(open_folder(data, create=True).state_path)
    add_site(with_state, Site(slug, slug.title(), created_at=wall_clock(), **settings))
    _, text = add_key(with_state, slug, "write", wall_clock)
    with_state.close()
    return text


def make_key(data: Path, kind: KeyKind, slug: str = "shop") -> str:
    """The text of a new key."""
    state = State(open_folder(data, create=False).state_path)
    _, text = add_key(state, slug, kind, wall_clock)
    state.close()
    return text


@dataclass
class Serving:
    """`expost serve` on a free port; a context manager that ends it. It may be killed and started again."""

    data: Path
    port: int = 0
    options: tuple[str, ...] = ()
    tag: str = ""
    said: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue, repr=False)

    def __enter__(self) -> Serving:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait for the line with the tag."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start it, and wait for nothing."""
        command = (*SERVE, "--data", str(self.data), "--port", str(self.port), *self.options)
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self._lines = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process.stdout, self._lines), daemon=True).start()

    def _listen(self, stream: Any, lines: queue.Queue[str | None]) -> None:
        for line in stream:
            self.said.append(line.rstrip())
            lines.put(line)
        lines.put(None)

    def wait_until_ready(self) -> None:
        """Wait for the line with the tag."""
        until = time.monotonic() + READY_SECONDS
        while line := self._lines.get(timeout=max(0.1, until - time.monotonic())):
            if found := TAG.search(line):
                self.tag = found[0]
                self.port = int(found["server"].rpartition(":")[2])
                return
        raise AssertionError("expost serve ended:\n" + "\n".join(self.said[-30:]))

    def children(self, word: bytes) -> set[int]:
        """Its child processes whose command lines hold this word."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
        return {each for each in children if word in Path(f"/proc/{each}/cmdline").read_bytes()}

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def kill(self) -> None:
        """End it as a power cut of the process: no handler runs."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@dataclass
class Relay:
    """Stands between pages and the server and keeps every batch that the server acknowledged.

    A batch that it `loses` is answered with 204 and goes no further.
    """

    server: str
    loses: Callable[[dict[str, Any]], bool] = lambda _: False
    lost: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    _listener: _Listener = field(init=False, repr=False)

    def __enter__(self) -> Relay:
        self._listener = _Listener(("127.0.0.1", 0), _relaying(self))
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_port}"

    def tag(self, tag: str) -> str:
        """The server's tag with the relay in the server's place."""
        return tag.replace(self.server, self.url)


def _relaying(relay: Relay) -> type[BaseHTTPRequestHandler]:
    kept_headers = (
        "Content-Type",
        "Content-Encoding",
        "Accept",
        "Origin",
        "Referer",
        "User-Agent",
        "Sec-Fetch-Site",
    )

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on("GET", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batch = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            if relay.loses(batch):
                relay.lost.append(batch)
                self.send_response(204)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                return
            status, answer = self._pass_on("POST", body)
            if status in (200, 204):
                relay.acknowledged.append(batch)
            else:
                relay.refused.append((status, answer.decode(errors="replace")))

        def _pass_on(self, method: str, body: bytes) -> tuple[int, bytes]:
            headers = {name: self.headers[name] for name in kept_headers if name in self.headers}
            connection = HTTPConnection(relay.server.removeprefix("http://"), timeout=20)
            try:
                connection.request(method, self.path, body or None, headers)
                answer = connection.getresponse()
                content = answer.read()
                status, answered = answer.status, answer.getheaders()
            except (OSError, HTTPException):
                status, content, answered = 502, b"", []
            finally:
                connection.close()
            try:
                self.send_response(status)
                for name, value in answered:
                    if name.lower() not in (
                        "content-length",
                        "transfer-encoding",
                        "connection",
                        "date",
                        "server",
                    ):
                        self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # a browser that was killed does not read its answer
            return status, content

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the base class)
            pass

    return Handler


def events_in_lake(data: Path, until_holding: set[str] | None = None, seconds: float = 15) -> dict[str, int]:
    """How often each event id is in the lake, once all of `until_holding` are there (or time is over)."""
    import expost
    from expost.errors import FolderError

    until = time.monotonic() + seconds
    while True:
        try:
            lake = expost.open(data)
            answer = lake.sql("select event_id, count(*) from events group by 1", limit=1_000_000)
            found: dict[str, int] = dict(answer.values)
        except FolderError:
            # Before the first commit there are no tables.
            found = {}
        if (until_holding or set()) <= found.keys() or time.monotonic() > until:
            return found
        time.sleep(0.3)
