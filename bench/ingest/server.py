"""One collector for the bench, in a process of its own: `server.py VARIANT`. The parent's pipe ends it.

Port, key and data folder are the first line of standard output. See bench/ingest.py for the variants.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

sys.path.insert(0, str(Path(__file__).parent))
from disks import slower
from one_by_one import OneByOne

from expost.clock import wall_clock
from expost.collector import accept
from expost.collector.accept import Packer
from expost.collector.answers import ACKNOWLEDGED_HEAD
from expost.collector.body import unpack
from expost.collector.descriptors import Descriptors
from expost.collector.garbage import collect_seldom
from expost.collector.guard import Door, guarded
from expost.collector.masks import Masks
from expost.collector.service import CAPTURE_PATH, create
from expost.collector.whole import WholeRequest, whole_first
from expost.collector.wire import Strict
from expost.errors import FolderError
from expost.lake.audience import Audience
from expost.lake.batch import Event
from expost.lake.disk import Disk
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal
from expost.settings import Settings
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site

SLOW_SYNC_SECONDS = 0.2


class NoMasks(Masks):
    """Finds nothing and looks for nothing."""

    def descriptor(self, descriptor: Any) -> Any:
        return descriptor

    def view(self, view: Any) -> Any:
        return view

    def event(self, event: Any) -> Any:
        return event

    def said(self, value: Any, depth: int = 0) -> Any:  # noqa: ARG002
        return value


def are_plain_unmasked(events: Sequence[Event], views: int, elements: int, _clean: object) -> bool:
    """What `verdict.are_plain` looks at, but for the texts."""
    for event in events:
        if (
            event.type in ("identify", "group", "exposure", "custom")
            or event.el >= elements
            or not 0 <= event.view < views
            or event.set >= 0
            or event.properties
            or event.traits
        ):
            return False
    return True


class Least:
    """Keeps a batch and looks at nothing: what gzip, JSON, the journal's format and its sync cost by themselves.

    No key, no limit, no check of a place or an id, no mask; descriptors are kept as the bytes they are.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._decode = msgspec.json.Decoder(Strict).decode
        self._pack = Packer()
        self._audience: Audience | None = None

    def take(self, request: WholeRequest) -> bool:
        request.known = self
        batch: Any = self._decode(unpack(request.body))
        self._audience = self._audience or Audience(request.loop, self._answer_all)
        self._journal.append_for(self._pack(batch), self._audience, request)
        return True

    def _answer_all(self, requests: Sequence[WholeRequest], _error: FolderError | None) -> None:
        now = requests[0].loop.time()
        for request in requests:
            request.acknowledge(ACKNOWLEDGED_HEAD, now)


async def nothing(_scope: Any, receive: Any, send: Any) -> None:
    """The least that a server of this kind does for a POST."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def open_journal(folder: Folder, variant: str) -> Journal:
    """The journal of a variant."""
    if variant == "unsynced":
        return Journal(folder, wall_clock, disk=Disk(sync=lambda _: None))
    if variant == "overloaded":
        return Journal(
            folder, wall_clock, disk=slower(SLOW_SYNC_SECONDS), max_backlog_bytes=Settings().max_backlog_bytes
        )
    grouping, _, more = variant.partition(" +")
    journal = OneByOne if grouping == "one by one" else Journal
    return journal(folder, wall_clock, disk=slower(float(more or 0)))


def serve(variant: str) -> None:
    """Run one variant until standard input is closed."""
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        folder = open_folder(Path(place) / "data", create=True)
        state = State(folder.state_path)
        add_site(state, Site("shop", "Shop"))
        key = add_key(state, "shop", "write", wall_clock)[1]
        journal = open_journal(folder, variant)
        # One key sends all of it, more than any site would with one.
        settings = Settings(trusted_proxies=("127.0.0.0/8",), key_events_per_second=10_000_000)
        if variant == "overloaded":
            # It is the disk that shall be too slow, and not the visitors that are too many.
            settings = replace(settings, device_events_per_second=0, address_events_per_second=0)
        collector: Any = create(folder=folder, journal=journal, state=state, settings=settings)
        if variant == "unmasked":
            collector.capture._descriptors = Descriptors(NoMasks())
            accept.are_plain = are_plain_unmasked
        listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
        print(listener.getsockname()[1], key, folder.path, flush=True)
        door = Door(4_000, 4_000)
        journal.queue.senders = lambda: door.busy
        is_nothing = variant == "nothing"
        take = Least(journal).take if variant == "least" else collector.capture.take
        config = uvicorn.Config(
            nothing if is_nothing else collector,
            http=guarded(door) if is_nothing else whole_first(door, CAPTURE_PATH, take),
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            proxy_headers=False,
            server_header=False,
        )
        server = uvicorn.Server(config)
        collect_seldom()

        async def until_closed() -> None:
            await asyncio.to_thread(sys.stdin.read)
            server.should_exit = True

        async def run() -> None:
            waiting = asyncio.create_task(until_closed())
            await server.serve(sockets=[listener])
            await waiting

        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run())
        journal.close()


if __name__ == "__main__":
    serve(sys.argv[1])
