"""The collector as one ASGI app: `/e` and `/expost.js`, and everything they hold open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from expost.clock import Clock, wall_clock
from expost.errors import FolderError
from expost.lake.folder import Folder
from expost.lake.journal import Journal
from expost.settings import Settings
from expost.state.audit import Actor, note
from expost.state.database import State

from .admission import Admissions
from .capture import Capture
from .clock_watch import ClockWatch
from .country import Countries
from .daily import DailyIds, salt_place
from .descriptors import Descriptors
from .keyring import Keyring
from .limits import Limits
from .masks import Masks
from .peer import Visitors, networks
from .refused import RefusedLog
from .script import PINNED, Script
from .sightings import Sightings
from .tally import Tally

log = logging.getLogger("expost.collector")

CLOCK_SECONDS = 1.0
CAPTURE_PATH = "/e"
SCRIPT_PATH = "/expost.js"
PUBLIC_PATHS = frozenset({CAPTURE_PATH, SCRIPT_PATH})
"""What anybody may ask for, with the versions of the script; all else is for this machine."""


def is_public(path: str) -> bool:
    """Whether the collector answers for this path, and so anybody may ask."""
    return path in PUBLIC_PATHS or PINNED.match(path) is not None


class Collector:
    """What the browser talks to: the ASGI function for the paths that are public."""

    def __init__(
        self,
        capture: Capture,
        script: Script,
        daily: DailyIds,
        refused: RefusedLog,
        tally: Tally,
        clock: Clock,
        note_jump: Callable[[float], None],
        countries: Countries | None = None,
        sightings: Sightings | None = None,
    ) -> None:
        self.capture = capture
        self.sightings = sightings or Sightings()
        self._routes: dict[str, ASGIApp] = {CAPTURE_PATH: capture}
        self._script = script
        self._daily = daily
        self._refused = refused
        self.tally = tally
        self._clock = clock
        self._note_jump = note_jump
        self._countries = countries
        self._upkeep: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for one of these paths."""
        await self._routes.get(scope["path"], self._script)(scope, receive, send)

    async def startup(self) -> None:
        """Begin what goes on beside the requests.

        The salt of a day that is over is destroyed, and what was rejected more than seven days ago.
        """
        await asyncio.to_thread(self._script.keep)
        self._upkeep = [asyncio.create_task(self._keep_up()), asyncio.create_task(self._watch_clock())]

    async def shutdown(self) -> None:
        """End it. The journal is closed by whoever opened it, after the last answer."""
        for task in self._upkeep:
            task.cancel()
        await asyncio.gather(*self._upkeep, return_exceptions=True)

    async def _keep_up(self) -> None:
        while True:
            await asyncio.to_thread(self._refused.make_room, self._clock())
            if self._countries is not None:
                await asyncio.to_thread(self._countries.reload)
            # Not in one long sleep: the clock of a machine may be set, or stand still while it is suspended.
            await asyncio.sleep(min(self._daily.turn() + 0.1, 60))

    async def _watch_clock(self) -> None:
        watch = ClockWatch(self._clock)
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            if jump := watch.jump():
                await asyncio.to_thread(self._note_jump, jump)
                self.tally.clock_jumps += 1


def create(
    *,
    folder: Folder,
    journal: Journal,
    state: State,
    settings: Settings,
    clock: Clock = wall_clock,
    script_folder: Path | None = None,
) -> Collector:
    """The collector of a data folder whose journal and state are open."""
    masks, tally, sightings = Masks(), Tally(), Sightings(clock)
    daily = DailyIds(clock, salt_place(folder.path))
    refused = RefusedLog(folder.rejected, masks, settings.max_rejected_bytes, tally)
    countries = Countries(settings.country_file) if settings.country_file else None
    limits, visitors = Limits.of(settings), Visitors(networks(settings.trusted_proxies))
    capture = Capture(
        journal=journal,
        admissions=Admissions(Keyring(state), limits, visitors, countries, sightings),
        daily=daily,
        descriptors=Descriptors(masks),
        refused=refused,
        limits=limits,
        tally=tally,
        clock=clock,
    )

    def note_jump(seconds: float) -> None:
        said = f"by {seconds:+,.0f} seconds, or it slept"
        log.warning("the clock of this machine was set %s", said)
        try:
            with state.writing() as connection:
                note(
                    connection,
                    clock(),
                    Actor("expost serve", "this machine"),
                    "clock set",
                    "this machine",
                    said,
                )
        except FolderError as problem:
            log.error("that is not noted: %s", problem)

    script = Script(script_folder, folder.scripts, sightings)
    return Collector(capture, script, daily, refused, tally, clock, note_jump, countries, sightings)
