"""`expost serve`: one web process, one sink, a pool of query processes; one folder, one port."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn

from expost.access import Access
from expost.app import create_app
from expost.clock import wall_clock
from expost.collector.garbage import collect_seldom
from expost.collector.guard import Door
from expost.collector.peer import networks
from expost.collector.service import CAPTURE_PATH, Collector, create
from expost.collector.whole import whole_first
from expost.errors import FolderError
from expost.history.runs import Imports
from expost.lake.erasures import failing, marks
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal
from expost.lake.own_secret import refuse_other_secret
from expost.lake.writer import last_segment
from expost.listener import listen, own_url, urls_elsewhere
from expost.logs import log_as_json
from expost.metrics import Dials, Sources
from expost.pool import QueryPool
from expost.query_process import QueryLimits
from expost.settings import Settings
from expost.sink_process import SinkProcess
from expost.state.accounts import accounts
from expost.state.audit import Actor
from expost.state.cohorts import forget_listed
from expost.state.database import State
from expost.state.keys import add_key, keys
from expost.state.listening import remember_listening
from expost.state.setup_token import make_setup_token
from expost.state.sites import Site, add_site, sites
from expost.tag import tag_of
from expost.ui.desk import PageSite

log = logging.getLogger("expost.serve")

SERVER = Actor("expost serve", "command line")
FILES_OF_OUR_OWN = 200
"""File descriptors that are left for the journal, the state and the pipes to the other processes."""
MOST_FILES = 65_536
REQUEST_SECONDS = 2
"""How long requests that are under way may take after SIGTERM. With the sink's share it all ends within 5 seconds."""


def run(settings: Settings) -> int:
    """Serve until a signal ends it; the exit status."""
    log_as_json()
    listener = listen(settings)
    try:
        return _serve(settings, listener)
    except OSError as problem:
        raise FolderError(
            f"The data folder {settings.data} cannot be used: {problem.strerror or problem}.",
            hint="Check that it is on a disk that you may write to, or choose another with --data.",
        ) from problem
    finally:
        listener.close()


def _serve(settings: Settings, listener: socket.socket) -> int:
    folder = open_folder(settings.data, create=True)
    refuse_other_secret(folder)
    journal = Journal(
        folder,
        wall_clock,
        seal_age_ms=settings.seal_age_ms,
        seal_bytes=settings.seal_bytes,
        max_backlog_bytes=settings.max_backlog_bytes,
        after=last_segment(folder),
    )
    state = State(folder.state_path)
    try:
        _make_first_site(state)
        # The state may have come out of a backup that is older than an erasure.
        forget_listed(state, {mark.id for mark in marks(folder)})
        server = _Server(settings, folder, listener, journal, state)
        server.run(sockets=[listener])
        return 0 if server.started else 1
    finally:
        journal.close()
        state.close()


class _Server(uvicorn.Server):
    """Uvicorn, with what begins before its first request and ends after its last."""

    def __init__(
        self, settings: Settings, folder: Folder, listener: socket.socket, journal: Journal, state: State
    ) -> None:
        self._own_url = own_url(listener)
        self._elsewhere = urls_elsewhere(listener)
        self._base_url = settings.public_url or self._own_url
        self._settings = settings
        self._folder = folder
        self._journal = journal
        self._state = state
        self._shown: tuple[int, Sequence[PageSite]] | None = None
        limits = QueryLimits(
            settings.query_memory, settings.query_threads, settings.query_seconds, settings.cache_bytes
        )
        self._pool = QueryPool(folder.path, settings.query_processes, limits)
        self._sink = SinkProcess(
            folder.path,
            lambda: {site.slug: site.keep_months for site in sites(state)},
            cache_bytes=settings.cache_bytes,
            when_erased=self._forget,
        )
        self._access = Access(state, settings)
        self._imports = Imports(folder, state, settings.max_import_bytes)
        self._door = Door(
            min(settings.max_connections, room_for_connections()),
            settings.max_connections_per_address,
            networks(settings.trusted_proxies),
        )
        journal.queue.senders = lambda: self._door.busy
        self._collector: Collector = create(folder=folder, journal=journal, state=state, settings=settings)
        super().__init__(
            uvicorn.Config(
                create_app(
                    self._collector,
                    self._pool.call,
                    self._page_sites,
                    self._access,
                    self._watch(),
                    self._pool,
                    self._collector.sightings,
                    self._imports,
                ),
                http=whole_first(self._door, CAPTURE_PATH, self._collector.capture.take),
                ws="none",
                loop="uvloop",
                lifespan="off",
                log_config=None,
                access_log=False,
                # Which hops to believe is decided by the collector, from the setting trusted_proxies.
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=REQUEST_SECONDS,
            )
        )

    def _forget(self) -> None:
        """Somebody was erased: what processes remember may be of them."""
        self._pool.renew()
        self._collector.capture.forget()

    def _watch(self) -> Dials:
        return Dials(
            Sources(
                self._journal,
                self._sink,
                self._collector.tally,
                self._door,
                self._pool.call,
                lambda: [site.slug for site in self._page_sites()],
                lambda: len(failing(self._folder)),
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the sink and the server, then print the line to paste."""
        await self._sink.start()
        await self._collector.startup()
        await asyncio.to_thread(self._imports.tidy)
        self._tidying = asyncio.create_task(self._imports.keep_tidy())
        await super().startup(sockets)
        collect_seldom()
        is_first_start = not self._folder.address_path.exists()
        self._folder.listening_path.write_text(f"{self._own_url}\n", "utf-8")
        self._folder.address_path.write_text(f"{self._base_url}\n", "utf-8")
        print(f"Expost keeps {self._folder.path} and answers at {self._base_url}", flush=True)  # noqa: T201
        if is_first_start:
            for each in sites(self._state):
                print(_keeping(each), flush=True)  # noqa: T201
        self._say_who_is_let_in()
        if self._elsewhere and not self._settings.public_url:
            print(_reached(self._elsewhere), flush=True)  # noqa: T201
        for site in self._page_sites():
            print(site.tag, flush=True)  # noqa: T201

    def _say_who_is_let_in(self) -> None:
        """Note where we listen, and print the token for the first account as long as there is none."""
        try:
            remember_listening(self._state, self._settings.host)
            if not accounts(self._state):
                token = make_setup_token(self._state, wall_clock, by=SERVER)
                print(_closed(self._base_url, token), flush=True)  # noqa: T201
        except FolderError as problem:
            # Events are collected all the same: a full disk may have room again in a minute.
            log.error("%s No setup token was made; later: expost accounts token", problem)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End requests first, then what they need."""
        self._tidying.cancel()
        # An import sends requests: it ends before they do, and can be run again.
        await asyncio.to_thread(self._imports.close)
        await super().shutdown(sockets)
        await self._collector.shutdown()
        self._pool.close()
        self._access.close()
        # So that the sink, in its last seconds, can move all of it into the lake.
        await asyncio.to_thread(self._journal.seal)
        await self._sink.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in good order at SIGINT and SIGTERM.

        Uvicorn's own version sends the signal again at the end, which would cut off what comes after the server.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _page_sites(self) -> Sequence[PageSite]:
        """The sites as pages show them, read anew when the state changed, so that a new one shows at once."""
        revision = self._state.revision()
        if self._shown is None or self._shown[0] != revision:
            self._shown = revision, self._read_page_sites()
        return self._shown[1]

    def _read_page_sites(self) -> Sequence[PageSite]:
        shown = []
        for site in sites(self._state):
            key = next(
                (each for each in reversed(keys(self._state, site.slug, "write")) if each.is_active), None
            )
            tag = tag_of(site.public_url or self._base_url, (key.text if key else None) or "")
            shown.append(PageSite(site.slug, site.name, site.time_zone, tag))
        return shown


def _closed(base_url: str, token: str) -> str:
    """Whom pages answer as long as there is no account, and how to make one."""
    return (
        "There is no account, so pages and the API answer this machine only. To open them to others, make one within "
        f"24 hours at {base_url}/setup-account with the setup token {token}"
    )


def _reached(urls: Sequence[str]) -> str:
    """Where other machines find us, what they are asked for, and that the line to paste names this machine."""
    return (
        f"Other machines reach it at {' or '.join(urls)}, where pages and the API ask for a login. The line to paste "
        f"names this machine alone; for pages that others visit: --public-url {urls[0]}"
    )


def _keeping(site: Site) -> str:
    """For how long events of a site are kept, and how to change that."""
    command = f"expost sites change {site.slug} --keep-months"
    return f"Events of {site.slug} are kept {site.kept}. Another time: {command} 13 (or forever)"


def _make_first_site(state: State) -> None:
    if not sites(state):
        site = add_site(state, Site("site", "My site", created_at=wall_clock()), by=SERVER)
        add_key(state, site.slug, "write", wall_clock, by=SERVER)


def room_for_connections() -> int:
    """How many connections the system lets this process hold beside its files. Raises that bound as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, soft - FILES_OF_OUR_OWN)
