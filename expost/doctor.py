"""`expost doctor`: every setting with its source, and whether the parts of a data folder agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import duckdb
from rich.console import Console
from rich.markup import escape

from expost.clock import from_micros
from expost.collector.country import BadCountryFile, find_country_file
from expost.doctor_journal import look_at_journal, look_into_journal
from expost.doctor_lake import look_at_lake, look_at_quarantine, look_at_summaries
from expost.errors import ExpostError, QueryLimit
from expost.finding import MEND, Finding, counted, rows_in_words
from expost.lake.erasures import erasures
from expost.lake.folder import Folder, open_folder
from expost.lake.lock import Holder, held_by
from expost.lake.mending import ask_server, mend_lake
from expost.lake.own_secret import refuse_other_secret
from expost.lake.snapshot import find_live_files
from expost.loopback import is_loopback
from expost.query.analysis import Analysis
from expost.query.losses import Losses, LossesAnswer
from expost.settings import Settings
from expost.state.accounts import accounts
from expost.state.database import State
from expost.state.keys import keys
from expost.state.listening import find_listening
from expost.state.sites import sites
from expost.table import cell, table
from expost.terminal_arrival import losses_in_words

LOST_STATE = (
    "If state.sqlite was lost, stop the server and put the file back from a backup: keys and definitions are in it. "
    "Else:"
)

METERED = timedelta(days=7)
MAX_METER_SECONDS = 5.0
"""For how long the loss meter may look: it reads every event that is kept."""

Parts: TypeAlias = tuple[tuple[str, Callable[[Folder], Iterator[Finding]]], ...]


def examine(settings: Settings) -> list[Finding]:
    """What is found in the folder of these settings, part by part. Changes nothing."""
    try:
        folder = open_folder(settings.data)
    except ExpostError as error:
        return [Finding("folder", error.message, True, error.hint)]
    findings = [Finding("folder", str(folder.path)), *_look_at_countries(settings)]
    parts: Parts = (*PARTS, ("summaries", partial(look_at_summaries, settings)))
    for part, look in parts:
        try:
            findings += look(folder)
        except ExpostError as error:
            # Several parts may stumble over the same thing.
            if all(each.says != error.message for each in findings):
                findings.append(Finding(part, error.message, True, error.hint))
        except (OSError, duckdb.Error) as error:
            if any(each.part == "lake" and each.is_wrong for each in findings):
                findings.append(Finding(part, "Nobody can tell while the lake is damaged.", True, MEND))
            else:
                findings.append(
                    Finding(part, f"It cannot be read: {error}", True, "Put it back from a backup.")
                )
    return findings


def mend(settings: Settings) -> list[Finding]:
    """Make the lake whole again, as far as the journal reaches; what was done.

    Where a server runs on the folder, it is asked to look after the files that cannot be read. Beside anything else
    that has the folder nothing is done.
    """
    folder = open_folder(settings.data)
    holder = held_by(folder.lock_path)
    if holder is not None:
        return [_asked(folder) if holder.serves else _in_use(holder)]
    mended = mend_lake(folder)
    if not (mended.files or mended.entries or mended.segments or mended.behind or mended.logs):
        return [Finding("mended", "Nothing: every file and every log of the lake is whole.")]
    rows = rows_in_words(mended.rows) or "no row"
    done = (
        (mended.files, f"{counted(mended.files, 'file')} set aside in quarantine/"),
        (mended.entries, f"{counted(mended.entries, 'entry', 'entries')} of logs set aside beside them"),
        (
            mended.logs,
            f"logs made anew of the files that lay there: {', '.join(mended.logs)}; the old tables lie in quarantine/",
        ),
        (mended.segments, f"{counted(mended.segments, 'segment')} moved to the lake again"),
        (mended.behind, f"the last entries were missing in the logs of {', '.join(mended.behind)}"),
        (mended.files or mended.entries or mended.behind or mended.logs, f"back from the journal: {rows}"),
    )
    return [Finding("mended", says) for count, says in done if count]


def _asked(folder: Folder) -> Finding:
    damage, is_done = ask_server(folder)
    files = counted(sum(len(each.files) for each in damage), "file")
    if not any(each.files for each in damage):
        # What is wrong with a log stands below, with what to do.
        return Finding("mended", "Nothing by the server that runs: every file of the lake is whole.")
    if is_done:
        return Finding("mended", f"The server has set {files} aside, and stored what the journal held.")
    hint = "Look again soon with: expost doctor. If it stays so, look at the server's log."
    return Finding("mended", f"The server was asked to set {files} aside, and is not done yet.", True, hint)


def _in_use(holder: Holder) -> Finding:
    """Whoever holds the folder and is no server looks after nothing but its own work."""
    return Finding(
        "mended",
        f"Nothing: the folder is in use by {holder}.",
        True,
        "Wait until that is done, then again: expost doctor --mend.",
    )


def findings_json(settings: Settings, findings: list[Finding]) -> dict[str, Any]:
    """The same for programs. Only what is wrong has a hint."""
    return {
        "settings": [
            {"setting": name, "value": value, "from": source} for name, value, source, _ in settings.shown()
        ],
        "findings": [
            {"part": each.part, "says": each.says, "is_wrong": each.is_wrong}
            | ({"hint": each.hint} if each.is_wrong and each.hint else {})
            for each in findings
        ],
    }


def show_findings(console: Console, settings: Settings, findings: list[Finding]) -> None:
    """Print the settings and the findings."""
    columns = [("setting", "left"), ("value", "left"), ("from", "left")]
    table(console, columns, [(name, value, source) for name, value, source, _meaning in settings.shown()])
    console.print()
    for finding in findings:
        mark = "[red]wrong[/red]" if finding.is_wrong else "[green]ok[/green]   "
        console.print(f"{mark}  {finding.part:<10} {escape(cell(finding.says))}")
        if finding.is_wrong and finding.hint:
            console.print(f"{'':>18}{escape(finding.hint)}", style="dim")


def _look_at_countries(settings: Settings) -> Iterator[Finding]:
    if settings.country_file is not None:
        try:
            found = find_country_file(settings.country_file)
        except BadCountryFile as error:
            yield Finding("countries", error.message, True, error.hint)
        else:
            yield Finding("countries", f"By {found.path}: {found.kind}, made on {found.built_on}.")


def _look_at_secret(folder: Folder) -> Iterator[Finding]:
    refuse_other_secret(folder)
    yield from ()


def _look_at_server(folder: Folder) -> Iterator[Finding]:
    holder = held_by(folder.lock_path)
    if holder is not None and not holder.serves:
        yield Finding("server", f"No server runs on this folder, but it is in use by {holder}.")
        return
    address = (
        folder.address_path.read_text("utf-8").strip()
        if folder.address_path.is_file()
        else "an unknown address"
    )
    yield Finding(
        "server",
        f"Process {holder.process or 'unknown'} serves this folder at {address}."
        if holder
        else "No server runs on this folder.",
    )


def _look_at_state(folder: Folder) -> Iterator[Finding]:
    state = State(folder.state_path)
    try:
        known = sites(state)
        for site in known:
            active = [key.kind for key in keys(state, site.slug) if key.is_active]
            counts = [f"{active.count(kind)} {kind}" for kind in ("write", "server", "import")]
            says = (
                f"{site.slug}: {counts[0]}, {counts[1]} and {counts[2]} keys in use, events kept {site.kept}"
            )
            yield Finding(
                "site", says, "write" not in active, f"Make a key: expost sites keys {site.slug} --new write"
            )
    finally:
        state.close()
    for slug in sorted(_sites_of_events(folder) - {site.slug for site in known}):
        says = f"The lake holds events of {slug}, and no site is called that."
        yield Finding("site", says, True, f"{LOST_STATE} expost sites add NAME --slug {slug}")


def _sites_of_events(folder: Folder) -> set[str]:
    """Sites that files of events name as their first or last."""
    files = find_live_files(folder.lake / "events")
    ends = [end.get("site") for file in files for end in (file.least, file.greatest)]
    return {site for site in ends if isinstance(site, str)}


def _look_at_access(folder: Folder) -> Iterator[Finding]:
    state = State(folder.state_path)
    try:
        known, host = accounts(state), find_listening(state)
    finally:
        state.close()
    is_near = host is None or host == "localhost" or is_loopback(host)
    who = (
        f"{len(known)} of them, every page asks for a login"
        if known
        else "none, pages answer this machine only"
    )
    yield Finding("accounts", f"{who}. More: expost accounts list")
    if host is not None:
        reach = "this machine only" if is_near else "beyond this machine"
        yield Finding("listening", f"The server was started last on {host}, so it is reached from {reach}.")


def _look_at_rejected(folder: Folder) -> Iterator[Finding]:
    kept = [path for path in folder.rejected.rglob("*") if path.is_file()]
    yield Finding(
        "rejected", f"{counted(len(kept), 'file')} ({sum(path.stat().st_size for path in kept):,} bytes)"
    )


def _look_at_erasures(folder: Folder) -> Iterator[Finding]:
    found = erasures(folder)
    open_ = sum(each.status != "done" for each in found)
    if found:
        is_done = f"{open_:,} of them not done yet" if open_ else "all done"
        yield Finding("erasures", f"{counted(len(found), 'receipt')}, {is_done}. More: expost erasures")


def _look_at_losses(folder: Folder) -> Iterator[Finding]:
    analysis = Analysis(folder.path, max_seconds=MAX_METER_SECONDS)
    try:
        for site in sites(analysis.state):
            week = Losses(start=from_micros(analysis.clock()) - METERED, site=site.slug)
            try:
                answer = analysis.ask(week)
            except QueryLimit:
                yield Finding("losses", f"{site.slug}: many pages to look at; ask with: expost losses")
                continue
            assert isinstance(answer, LossesAnswer)
            said = losses_in_words(answer.total) if answer.total.pages else "No page sent anything."
            yield Finding("losses", f"{site.slug}, last {METERED.days} days: {said}")
    finally:
        analysis.close()


PARTS: Parts = (
    ("secret", _look_at_secret),
    ("server", _look_at_server),
    ("site", _look_at_state),
    ("accounts", _look_at_access),
    ("journal", look_at_journal),
    ("journal", look_into_journal),
    ("rejected", _look_at_rejected),
    ("erasures", _look_at_erasures),
    ("quarantine", look_at_quarantine),
    ("lake", look_at_lake),
    ("losses", _look_at_losses),
)
