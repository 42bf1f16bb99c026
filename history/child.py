"""An import of an upload as a process of its own: it says how far it is, ends with the server, and may be killed."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from expost.clock import wall_clock
from expost.errors import ExpostError
from expost.lake.folder import open_folder
from expost.lake.lock import Lock
from expost.state.audit import Actor
from expost.state.database import State
from expost.state.sites import find_site

from .importing import Source, import_history
from .mapping import parse_mapping
from .report import Report
from .sources import TABLES, mapped_source, source_of
from .uploads import Run, Said, UnknownImport, Upload, UploadRemoved, Uploads

log = logging.getLogger("expost.import")

PRIORITY = 10
"""As `nice` counts: below questions, which are below what browsers send."""

SAY_SECONDS = 0.5


def source_for(path: Path, upload: Upload, run: Run) -> Source:
    """What an upload holds, as its run says that it is to be read."""
    if upload.kind in TABLES:
        return mapped_source(upload.kind, [path], parse_mapping(run.mapping))
    return source_of(upload.kind, [path], run.time_zone or None)


def carry_out(uploads: Uploads, upload: Upload, run: Run) -> None:
    """Do what the run says, and say what became of it, whatever that is.

    Where the upload is removed meanwhile there is nowhere to say it but the log.
    """
    try:
        _carry_out(uploads, upload, run)
    except UploadRemoved as problem:
        log.warning("%s %s", problem.message, problem.hint)


def _carry_out(uploads: Uploads, upload: Upload, run: Run) -> None:
    def say(state: str, report: Report | None, error: dict[str, str] | None = None) -> None:
        told = None if report is None else report.to_json()
        if told and told["rejected"]["file"]:
            # Where it lies on the server is nobody's affair who asks from elsewhere.
            told["rejected"]["file"] = uploads.rejects_path(upload.id).name
        uploads.write(upload.id, Said(run.number, state, wall_clock(), told, error))

    latest: list[Report] = []

    def go_on(report: Report) -> None:
        # Of a file that is open each row can still be read, whoever removed it.
        uploads.check_there(upload.id)
        tell(report)

    tell = _seldom(lambda report: say("running", report), latest)
    try:
        report = _import(uploads, upload, run, go_on)
    except ExpostError as problem:
        say("failed", latest[-1] if latest else None, problem.to_json()["error"])
    except Exception:
        log.exception("an import failed")
        unforeseen = ExpostError(
            "The import failed for a reason that nobody foresaw.",
            hint="It stands in what the server prints. What was stored stays: it can be run again.",
        )
        say("failed", latest[-1] if latest else None, unforeseen.to_json()["error"])
    else:
        say("done", report)


def _import(uploads: Uploads, upload: Upload, run: Run, progress: Callable[[Report], None]) -> Report:
    state = State(uploads.folder.state_path)
    rejects = uploads.rejects_path(upload.id)
    rejects.unlink(missing_ok=True)
    try:
        return import_history(
            uploads.folder,
            state,
            find_site(state, upload.site),
            source_for(uploads.path(upload), upload, run),
            rejects,
            is_dry_run=run.is_dry_run,
            by=Actor(run.who, run.place),
            progress=progress,
        )
    finally:
        state.close()


def _seldom(say: Callable[[Report], None], latest: list[Report]) -> Callable[[Report], None]:
    """Says how far it is now and then."""
    said_at = 0.0

    def progress(report: Report) -> None:
        nonlocal said_at
        latest[:] = [report]
        if time.monotonic() - said_at >= SAY_SECONDS:
            said_at = time.monotonic()
            # A full disk is met by the import itself, if at all.
            with suppress(ExpostError):
                say(report)

    return progress


def main(words: list[str] | None = None) -> None:
    """Carry out the latest run of an upload."""
    parser = argparse.ArgumentParser(prog="python -m expost.history.child")
    parser.add_argument("--data", required=True)
    parser.add_argument("--id", required=True)
    said: Any = parser.parse_args(words)
    uploads = Uploads(open_folder(said.data), 0)
    os.nice(PRIORITY)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_server, daemon=True).start()
    try:
        upload, run = uploads.find(said.id), uploads.run(said.id)
        lock = Lock(uploads.lock_path(said.id))
    except (UnknownImport, FileNotFoundError):
        sys.exit(str(UploadRemoved(said.id)))
    assert run is not None
    try:
        carry_out(uploads, upload, run)
    finally:
        lock.release()


def _end(_number: int, _frame: FrameType | None) -> None:
    """End in order: what waits for the lake goes there, a key that was made is revoked."""
    raise SystemExit(1)


def _end_with_server() -> None:
    """End at once when the pipe from the server is closed, as it is when that was killed."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
