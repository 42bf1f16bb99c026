"""`expost demo`: Expost, a small shop that carries its snippet, a month of history and a few live visitors."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import expost
from expost.clock import from_micros, wall_clock
from expost.errors import ExpostError, FolderError
from expost.lake.folder import open_folder
from expost.state.database import State
from expost.state.keys import add_key, revoke_key
from expost.state.sites import Site, add_site, sites
from expost.ui.point import definer_tag

from .child import Child, ChildFailed
from .chromium import find_chromium
from .history import Filled, HistoryRefused, batches_of_month, count_events, send_history
from .named import name_what_is_there
from .shop_server import ShopServer

SITE = "tea-shop"
NOTES = "demo.json"
READY_SECONDS = 60.0
QUERYABLE_SECONDS = 120.0
KEY_NOTICED_SECONDS = 0.3
TAG = re.compile(r'<script\b[^>]*src="(?P<server>https?://[^"/]+)[^"]*"[^>]*></script>')

# The flag is used at the checkout, so its variations are compared from there on.
FIRST_FUNNEL = "/funnel?step=Started+checkout&step=Placed+order&step=Signed+up&within=7d&by=flag:new-checkout"


@dataclass(frozen=True, slots=True)
class Notes:
    """What the demo remembers of its folder: the same values give the same history, event ids included."""

    until: int
    days: int
    shop_url: str
    events: int = 0
    is_filled: bool = False

    def keep(self, data: Path) -> None:
        """Write them beside the data."""
        (data / NOTES).write_text(json.dumps(asdict(self)), "utf-8")


@dataclass
class Demo:
    """One run of the demo. What it starts is on `stack` and ends with it, last first."""

    data: Path
    port: int
    shop_port: int
    visitors: int
    days: int
    no_browser: bool
    exit_when_ready: bool
    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    stack: ExitStack = field(default_factory=ExitStack)

    def run(self) -> int:
        """Everything in order; returns when it is over."""
        self._make_folder()
        server, tag = self._start_server()
        shop = self._start_shop(tag)
        self._fill(server, shop)
        name_what_is_there(expost.open(self.data), SITE)
        self._print_addresses(server, shop)
        live = self._send_visitors(shop)
        if not self.exit_when_ready:
            self.console.print("Stop with Ctrl-C.")
            self._wait_for_the_end(live)
        elif live:
            live.process.wait()
            self._tell_of(live)
        return 0

    def _make_folder(self) -> None:
        is_ours = not self.data.exists() or not any(self.data.iterdir()) or (self.data / NOTES).exists()
        if not is_ours:
            raise FolderError(
                f"{self.data} holds data that is not the demo's.", hint="Name another folder: --data DIR"
            )
        folder = open_folder(self.data, create=True)
        state = State(folder.state_path)
        if not sites(state):
            # Headless Chromium says so of itself, and here it is the visitor.
            add_site(state, Site(SITE, "Tea shop", count_bots=True, created_at=wall_clock()))
            add_key(state, SITE, "write", wall_clock)
        state.close()

    def _start_server(self) -> tuple[str, str]:
        command = [sys.executable, "-c", "from expost.cli import main; main()", "serve"]
        server = self.stack.enter_context(
            Child([*command, "--data", str(self.data), "--port", str(self.port)])
        )
        try:
            ready = server.wait_for(TAG, READY_SECONDS)
        except ChildFailed as problem:
            raise FolderError(
                f"Expost did not start: {problem}", hint="Is the port taken? Try --port 8010"
            ) from None
        return ready["server"], ready[0]

    def _start_shop(self, tag: str) -> ShopServer:
        try:
            return self.stack.enter_context(ShopServer(tag=definer_tag(tag), port=self.shop_port))
        except OSError as problem:
            raise FolderError(
                f"The shop cannot have port {self.shop_port}: {problem.strerror}.", hint="Try --shop-port 0"
            ) from None

    def _fill(self, server: str, shop: ShopServer) -> None:
        """Send the history, unless an earlier run did."""
        notes = self._notes() or Notes(wall_clock() // 1_000, self.days, shop.url)
        if notes.is_filled:
            until = from_micros(notes.until * 1_000)
            self.console.print(
                f"{notes.events:,} events of history until {until:%d %B %Y, %H:%M} UTC are there from an earlier run "
                f"and stay. Remove {self.data} for a new one."
            )
            return
        notes.keep(self.data)
        state = State(open_folder(self.data).state_path)
        key, text = add_key(state, SITE, "import", wall_clock)
        batches = batches_of_month(shop_url=notes.shop_url, until=notes.until, days=notes.days)
        # A running server notices a new key within a quarter of a second.
        time.sleep(KEY_NOTICED_SECONDS)
        try:
            filled = self._send(batches, server, text)
        finally:
            # Its text is known to nobody after this run.
            revoke_key(state, key.prefix, wall_clock)
            state.close()
        self.console.print(
            f"{filled.events:,} events in {filled.batches:,} batches went through {server}/e in {filled.seconds:.0f} s."
        )
        self._wait_until_queryable(filled.events)
        replace(notes, events=filled.events, is_filled=True).keep(self.data)

    def _notes(self) -> Notes | None:
        with suppress(FileNotFoundError):
            return Notes(**json.loads((self.data / NOTES).read_text("utf-8")))
        return None

    def _send(self, batches: list[dict[str, Any]], server: str, key: str) -> Filled:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        total = count_events(batches)
        if not self.console.is_terminal:
            self.console.print(f"Sending {total:,} events of history.")
            return send_history(batches, server, key, lambda _: None)
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task("History", total=total)
            return send_history(batches, server, key, lambda events: progress.update(task, completed=events))

    def _wait_until_queryable(self, events: int) -> None:
        """Acknowledged is on disk; this is for the moment after which the lake answers with all of it."""
        lake = expost.open(self.data)
        until = time.monotonic() + QUERYABLE_SECONDS
        while time.monotonic() < until:
            with suppress(ExpostError):
                rows = lake.sql("select count(*) from events where imported")
                if int(rows.values[0][0]) >= events:
                    return
            time.sleep(0.3)
        raise FolderError(
            "The history is on disk but not in the lake.", hint="See what is wrong with: expost doctor"
        )

    def _print_addresses(self, server: str, shop: ShopServer) -> None:
        self.console.print()
        self.console.print(f"  Expost   [bold]{server}[/]")
        self.console.print(f"  Shop     [bold]{shop.url}[/]   click around: it is in Expost within seconds")
        self.console.print(f"  Funnel   {server}{FIRST_FUNNEL}", markup=False)
        self.console.print(f"  Folder   {self.data}", markup=False)
        self.console.print()

    def _send_visitors(self, shop: ShopServer) -> Child | None:
        if self.no_browser or not self.visitors:
            return None
        if find_chromium() is None:
            self.console.print("There is no Chromium here, so nobody visits the shop but you.")
            return None
        self.console.print(f"{self.visitors} visitors in a real Chromium are walking through the shop.")
        command = [sys.executable, "-m", "expost.demo.visitors", shop.url, "--visitors", str(self.visitors)]
        return self.stack.enter_context(Child(command))

    def _wait_for_the_end(self, live: Child | None) -> None:
        while True:
            time.sleep(0.5)
            if live and live.process.poll() is not None:
                self._tell_of(live)
                live = None

    def _tell_of(self, visitors: Child) -> None:
        if visitors.process.returncode:
            self.console.print(
                "The visitors did not get through:", *visitors.said[-5:], sep="\n", markup=False
            )
        else:
            self.console.print("The visitors have left again; what they did is in Expost.")


def run_demo(
    *,
    data: Path,
    port: int = 8000,
    shop_port: int = 8001,
    visitors: int = 6,
    days: int = 30,
    no_browser: bool = False,
    exit_when_ready: bool = False,
) -> int:
    """The exit status. Runs until Ctrl-C; with `exit_when_ready` until the data is there and the visitors are done.

    A folder that an earlier run filled is kept as it is; one that was left half filled is filled again with the same
    event ids, so that nothing is there twice.
    """
    demo = Demo(data, port, shop_port, visitors, days, no_browser, exit_when_ready)
    # A supervisor's SIGTERM ends the children as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with demo.stack:
        try:
            return demo.run()
        except KeyboardInterrupt:
            demo.console.print(f"\nStopped. The data stays in {data}.", markup=False)
            return 0
        except (HistoryRefused, OSError) as problem:
            raise FolderError(
                f"The demo stopped: {problem}", hint="Run it again: it goes on where it was."
            ) from None
