"""Runs of imports beside a server: one at a time, each in a process of its own, and how every upload stands."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from expost.clock import Clock, from_micros, wall_clock
from expost.errors import ImportRunning, InvalidInput
from expost.lake.folder import Folder
from expost.lake.lock import find_holder
from expost.state.audit import Actor, note
from expost.state.database import State
from expost.state.sites import find_site

from .aside import remove_left
from .child import source_for
from .kind import guess_kind
from .proposal import Proposal, proposal
from .sources import READERS, TABLES
from .uploads import Arriving, Free, Run, Said, Upload, Uploads, free_bytes

KINDS = (*READERS, *TABLES)
END_SECONDS = 5.0
TIDY_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How an upload stands.

    `state` is `uploaded` (nothing was done with it), `running`, `done`, `failed`, or `interrupted`: its process ended
    before it said what became of it. Run again it stores what is missing, and nothing twice.
    """

    upload: Upload
    state: str
    run: Run | None = None
    said: Said | None = None

    @property
    def is_stored(self) -> bool:
        """Whether its latest run stored all of it."""
        return self.state == "done" and self.run is not None and not self.run.is_dry_run

    def to_json(self) -> dict[str, Any]:
        """The same for a program."""
        upload, run, said = self.upload, self.run, self.said
        return {
            "id": upload.id,
            "file": upload.name,
            "kind": upload.kind,
            "site": upload.site,
            "size_bytes": upload.size_bytes,
            "uploaded_at": from_micros(upload.uploaded_at).isoformat(),
            "who": upload.who,
            "state": self.state,
            "run": None if run is None else {
                "dry_run": run.is_dry_run, "started_at": from_micros(run.started_at).isoformat(), "who": run.who,
                "time_zone": run.time_zone or None, "mapping": run.mapping or None,
            },
            "report": said.report if said else None,
            "error": said.error if said else None,
        }  # fmt: skip


class Imports:
    """Uploads of a folder and the process that imports one of them."""

    def __init__(
        self,
        folder: Folder,
        state: State,
        max_bytes: int,
        clock: Clock = wall_clock,
        free: Free = free_bytes,
    ) -> None:
        self.uploads = Uploads(folder, max_bytes, free)
        self._folder = folder
        self._state = state
        self._clock = clock
        self._process: tuple[str, subprocess.Popen[bytes]] | None = None
        self._lock = threading.Lock()

    def tidy(self) -> None:
        """Remove what is too old, what never arrived whole, and what killed imports left. For the start of a server."""
        remove_left()
        self.uploads.remove_unfinished()
        self.uploads.remove_old(self._clock())

    async def keep_tidy(self) -> None:
        """Remove what is too old, now and every hour, for as long as a server runs."""
        while True:
            with suppress(OSError):
                await asyncio.to_thread(self.uploads.remove_old, self._clock())
            await asyncio.sleep(TIDY_SECONDS)

    def check(self, kind: str | None, site: str | None, size_bytes: int = 0) -> None:
        """Refuse an upload that could not be used, before it arrives."""
        if kind is not None and kind not in KINDS:
            raise InvalidInput(f"{kind!r} is no kind of export.", hint=f"Say one of: {', '.join(KINDS)}.")
        find_site(self._state, site)
        self.uploads.check_size(size_bytes)
        self.uploads.check_room(size_bytes)

    def keep(self, arriving: Arriving, kind: str | None, site: str | None, by: Actor) -> Upload:
        """An upload has arrived: keep it, and find out what it is if nobody said it."""
        found = kind or guess_kind(arriving.path)
        if found is None:
            raise InvalidInput(
                "The file holds JSON of no product that is known here.",
                hint=f"Say which it is ({', '.join(READERS)}), or export it as CSV or Parquet and map its columns.",
            )
        self.uploads.remove_old(self._clock())
        upload = arriving.keep(found, find_site(self._state, site).slug, self._clock(), by.who)
        self._note(by, "upload history", upload)
        return upload

    def all(self) -> list[Standing]:
        """How each stands, the latest first."""
        return [self._standing(each) for each in self.uploads.all()]

    def find(self, id_: str) -> Standing:
        """How one stands."""
        return self._standing(self.uploads.find(id_))

    def find_proposal(self, upload: Upload) -> Proposal | None:
        """What a table seems to hold, and a mapping that seems to fit it; nothing for exports of products."""
        return proposal(self.uploads.path(upload)) if upload.kind in TABLES else None

    def start(
        self, id_: str, by: Actor, *, dry_run: bool, time_zone: str = "", mapping: str = ""
    ) -> Standing:
        """Begin to import it, or to say what would become of it. One at a time."""
        upload, before = self.uploads.find(id_), self.uploads.run(id_)
        if upload.kind in TABLES and not mapping:
            mapping = before.mapping if before else ""
        number = before.number + 1 if before else 1
        run = Run(number, dry_run, self._clock(), by.who, by.place, time_zone, mapping)
        # What cannot be read at all is said here, and not by a process that ends at once.
        source_for(self.uploads.path(upload), upload, run)
        with self._lock:
            if self._process is not None and self._process[1].poll() is None:
                raise ImportRunning(self._process[1].pid)
            self.uploads.write(id_, run)
            command = (
                sys.executable,
                "-P",
                "-m",
                "expost.history.child",
                "--data",
                str(self._folder.path),
                "--id",
                id_,
            )
            # In a group of its own, so that Ctrl-C ends the server first, and that then ends it.
            process = subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)
            self._process = id_, process
        return self.find(id_)

    def stop(self, id_: str) -> Standing:
        """End its run. What was stored stays."""
        self.uploads.find(id_)
        self._end(id_)
        return self.find(id_)

    def remove(self, id_: str, by: Actor) -> None:
        """End its run and forget the upload. What was stored stays."""
        upload = self.uploads.find(id_)
        self._end(id_)
        self.uploads.remove(id_)
        self._note(by, "remove upload", upload)

    def close(self) -> None:
        """End what runs: the server ends."""
        if self._process is not None:
            self._end(self._process[0], seconds=1.0)

    def wait(self, id_: str) -> Standing:
        """How it stands when its run is over."""
        if self._process is not None and self._process[0] == id_:
            self._process[1].wait()
        return self.find(id_)

    def _end(self, id_: str, seconds: float = END_SECONDS) -> None:
        with self._lock:
            if self._process is None or self._process[0] != id_:
                return
            process = self._process[1]
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _standing(self, upload: Upload) -> Standing:
        # In this order: what ends in between has said so before.
        is_running = self._is_running(upload.id)
        run, said = self.uploads.run(upload.id), self.uploads.said(upload.id)
        if run is None:
            return Standing(upload, "uploaded")
        said = said if said is not None and said.number == run.number else None
        if is_running:
            return Standing(upload, "running", run, said)
        if said is not None and said.state in ("done", "failed"):
            return Standing(upload, said.state, run, said)
        return Standing(upload, "interrupted", run, said)

    def _is_running(self, id_: str) -> bool:
        if self._process is not None and self._process[0] == id_ and self._process[1].poll() is None:
            return True
        return find_holder(self.uploads.lock_path(id_)) is not None

    def _note(self, by: Actor, action: str, upload: Upload) -> None:
        with self._state.writing() as connection:
            note(connection, self._clock(), by, action, upload.site, f"{upload.kind}: {upload.name}")
