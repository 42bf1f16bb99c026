"""Servers of the bench, each in a process of its own, and the senders that load them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expost.clock import wall_clock
from expost.lake.folder import open_folder
from expost.lake.journal import sealed_segments
from expost.lake.segment import read_segment
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, OTHER_CORE = str(CORES[0]), str(CORES[-1])
ALL_CORES = ",".join(map(str, CORES))
NGINX = """
daemon off;
master_process off;
pid {place}/pid;
error_log {place}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place};
    uwsgi_temp_path {place}; scgi_temp_path {place};
    server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 204; }} }}
}}
"""


@dataclass(frozen=True)
class Round:
    """What one round of wrk came to. `refused` counts answers other than 2xx; times are milliseconds.

    `unsaid` of them were 503 or 429 without Retry-After. `connect`, `read` and `write` are connections that broke, and
    `timeout` answers that took more than a minute: those may still have come.
    """

    posts: int
    refused: int
    unsaid: int
    connect: int
    read: int
    write: int
    timeout: int
    seconds: float
    cpu: float
    p50: float
    p99: float
    longest: float

    @property
    def broken(self) -> int:
        return self.connect + self.read + self.write + self.timeout

    @property
    def broken_in_words(self) -> str:
        return f"connect {self.connect}, read {self.read}, write {self.write}, timeout {self.timeout}"


class Server:
    """A process that answers, and its data folder if it has one."""

    def __init__(
        self, process: subprocess.Popen[str], port: int, key: str, folder: Path | None, place: Path
    ) -> None:
        self.process, self.port, self.key, self.folder = process, port, key, folder
        self._file = place / f"requests-{process.pid}"

    def prepare(self, bodies: Sequence[bytes]) -> None:
        """Write the requests for wrk down: each of another visitor, behind a proxy that says so."""
        with self._file.open("wb") as file:
            for number, body in enumerate(bodies):
                request = (
                    f"POST /e?k={self.key} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\nuser-agent: bench\r\n"
                    f"x-forwarded-for: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"
                    f"content-length: {len(body)}\r\n\r\n"
                ).encode() + body
                file.write(f"{len(request)}\n".encode() + request)

    def cpu(self) -> float:
        """Processor seconds of the process tree so far, of user and system."""
        return sum(map(_cpu_of, _tree(self.process.pid)))

    def peak_bytes(self) -> int:
        """The most memory that the process itself ever held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM"))

    def sending(
        self, connections: int, seconds: int, core: str = OTHER_CORE, *, looks_at_answers: bool = False
    ) -> subprocess.Popen[str]:
        """Senders that are never done (wrk), at work on a core."""
        command = ["wrk", "--threads", "1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "--script",
                   str(HERE / "requests.lua"), f"http://127.0.0.1:{self.port}", "--", str(self._file)]  # fmt: skip
        return start([*command, "look"] if looks_at_answers else command, core)

    def load(self, connections: int, seconds: int, core: str = OTHER_CORE) -> Round:
        """One round of them. Figures of a round with broken connections would mean nothing: RuntimeError."""
        cpu = self.cpu()
        said, _ = self.sending(connections, seconds, core).communicate()
        found = round_of(said, self.cpu() - cpu)
        if found.broken:
            raise RuntimeError(f"connections broke: {found.broken_in_words}\n{said}")
        return found

    def pacing(
        self, rate: float, seconds: float, core: str = OTHER_CORE, **more: Any
    ) -> subprocess.Popen[str]:
        """Senders at a rate, at work on a core; `paced_result` of their output says what became of it."""
        wishes = {"port": self.port, "key": self.key, "rate": rate, "seconds": seconds, "connections": 128,
                  "visitors": 2_000, "seed": 1, **more}  # fmt: skip
        return start([sys.executable, "-P", str(HERE / "paced.py"), json.dumps(wishes)], core)

    def paced(self, rate: float, seconds: float, core: str = OTHER_CORE, **more: Any) -> dict[str, Any]:
        """What senders at a rate saw."""
        return paced_result(self.pacing(rate, seconds, core, **more))


def paced_result(senders: subprocess.Popen[str]) -> dict[str, Any]:
    """What senders at a rate saw, once they are done."""
    said, _ = senders.communicate()
    found: dict[str, Any] = json.loads(said)
    return found


def round_of(said: str, cpu: float) -> Round:
    """What the last line of wrk says."""
    found = json.loads(said.strip().rsplit("\n", 1)[-1])
    found["posts"], found["longest"] = found.pop("requests"), found.pop("max")
    return Round(cpu=cpu, **found)


def start(command: Sequence[str], cores: str, **more: Any) -> subprocess.Popen[str]:
    """A process on these cores, with pipes to and from it."""
    on_core = ("taskset", "--cpu-list", cores, *command)
    return subprocess.Popen(on_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def serving(variant: str, place: Path, cores: str = SERVER_CORE) -> Iterator[Server]:
    """A server of this variant, ended at the end."""
    if variant == "nginx":
        port = free_port()
        (place / "nginx.conf").write_text(NGINX.format(place=place, port=port))
        process = start(("nginx", "-c", str(place / "nginx.conf")), cores)
        server = Server(process, port, "", None, place)
        time.sleep(0.5)
    else:
        process = start((sys.executable, "-P", str(HERE / "server.py"), variant), cores)
        assert process.stdout is not None
        port_text, key, folder = process.stdout.readline().split()
        server = Server(process, int(port_text), key, Path(folder), place)
    try:
        yield server
    finally:
        if variant == "nginx":
            process.terminate()
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


@contextmanager
def serving_all(place: Path, cores: str) -> Iterator[Server]:
    """`expost serve` as it is: collector, sink, compaction, query processes."""
    path = place / "served"
    state = State(open_folder(path, create=True).state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    key = add_key(state, "shop", "write", wall_clock)[1]
    state.close()
    port = free_port()
    command = (sys.executable, "-P", "-c", "from expost.cli import main; main()", "serve")
    # One key sends all of it, more than any site would with one.
    more = {"EXPOST_TRUSTED_PROXIES": "127.0.0.0/8", "EXPOST_KEY_EVENTS_PER_SECOND": "10000000"}
    with (place / "served.log").open("w") as log:
        process = start(
            (*command, "--data", str(path), "--port", str(port)), cores, env=os.environ | more, stderr=log
        )
        assert process.stdout is not None
        while "Expost keeps" not in process.stdout.readline():
            if process.poll() is not None:
                raise RuntimeError(f"expost serve ended: {(place / 'served.log').read_text()}")
        reading = threading.Thread(target=process.stdout.read, daemon=True)
        reading.start()
        try:
            yield Server(process, port, key, path, place)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """A port on loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def empty(folder: Path | None) -> int:
    """Remove what is sealed, as the sink does; how many batches that were."""
    count = 0
    for path in sealed_segments(folder / "journal") if folder else ():
        count += sum(1 for _ in read_segment(path))
        path.unlink()
    return count
