"""`expost doctor`: every setting with its source, and whether the parts of a data folder agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import duckdb
from rich.console import Console
from rich.markup import escape

from expost.agreement import AGREEMENTS
from expost.clock import from_micros, wall_clock
from expost.collector.country import BadCountryFile, find_country_file
from expost.doctor_journal import look_at_journal, look_into_journal
from expost.errors import ExpostError, QueryLimit
from expost.finding import MEND, MEND_END, MEND_FILE, Finding, counted, rows_in_words
from expost.lake.checksum import find_checksum
from expost.lake.delta_log import is_whole
from expost.lake.erasures import erasures
from expost.lake.folder import Folder, open_folder
from expost.lake.growth import Growth, growth
from expost.lake.lock import Holder, held_by
from expost.lake.mending import ask_server, find_damage, mend_lake
from expost.lake.own_secret import refuse_other_secret
from expost.lake.reader import connect, find_lake_snapshot, snapshot_versions
from expost.lake.schema import TABLES
from expost.lake.summary import coverage, lacks_summaries, room_for_summaries
from expost.lake.table import find_live_files
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

MAX_READ_SECONDS = 20.0
"""For how long files of the lake are read to their last byte; of the rest only the ends are."""


LOST_STATE = "If state.sqlite was lost, put it back from a backup: keys and definitions are in it. Else:"
REPORT = (
    "Stop the server, then: expost journal replay. It stores again what the journal still holds (a day). If the "
    "folder was never damaged nor copied while a server ran, report this as a bug, with what the server printed."
)

MANY_NEW_ELEMENTS = 200
"""New elements per 1,000 events above which the dictionary grows by what no selector should ask for."""
ENOUGH_EVENTS = 10_000
"""With fewer of them in a week a site is still showing its pages for the first time."""

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
    parts: Parts = (*PARTS, ("summaries", partial(_look_at_summaries, settings)))
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
    if not (mended.files or mended.entries or mended.segments or mended.behind):
        return [Finding("mended", "Nothing: every file and every log of the lake is whole.")]
    rows = rows_in_words(mended.rows) or "no row"
    done = (
        (mended.files, f"{counted(mended.files, 'file')} set aside in quarantine/"),
        (mended.entries, f"{counted(mended.entries, 'entry', 'entries')} of logs set aside beside them"),
        (mended.segments, f"{counted(mended.segments, 'segment')} moved to the lake again"),
        (mended.behind, f"the last entries were missing in the logs of {', '.join(mended.behind)}"),
        (mended.files or mended.entries or mended.behind, f"back from the journal: {rows}"),
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


def _look_at_quarantine(folder: Folder) -> Iterator[Finding]:
    kept = sorted(path.name for path in folder.quarantine.glob("*"))
    if len(kept) == 1:
        says = f"{kept[0]} could not be read and lies there, out of its table"
        yield Finding("quarantine", f"{says}. Delete it when nobody needs to look at it any more.")
    elif kept:
        says = f"{len(kept):,} files of the lake could not be read and lie there, out of their tables"
        yield Finding("quarantine", f"{says}. Delete them when nobody needs to look at them any more.")


def _look_at_lake(folder: Folder) -> Iterator[Finding]:
    damage = find_damage(folder, MAX_READ_SECONDS)
    for each in damage:
        for name, reason in each.files.items():
            is_there = (folder.lake / each.table / name).exists()
            says = f"{name} cannot be read: {reason}" if is_there else f"{name} is missing"
            yield Finding("lake", f"{each.table}: {says}", True, MEND_FILE)
        if each.after_gap:
            first = each.after_gap[0]
            is_torn = not is_whole(first)
            says = f"cannot be read: {first.name}" if is_torn else f"is missing before {first.name}"
            yield Finding("lake", f"{each.table}: an entry of its log {says}", True, MEND)
        if each.behind:
            says = f"its log ended at version {each.behind.was} and ends at {each.behind.is_at} now"
            yield Finding("lake", f"{each.table}: {says}: the last entries are missing", True, MEND_END)
    if damage:
        return
    snapshot = find_lake_snapshot(folder.lake)
    yield _checksums(folder)
    connection = connect(folder.path, snapshot=snapshot)
    try:
        versions = snapshot_versions(connection)
        for name in versions:
            [rows] = connection.execute(f"select count(*) from lake.{name}").fetchone() or (0,)
            yield Finding("lake", f"{name}: {counted(rows, 'row')} at version {versions[name]}")
        for says, query in AGREEMENTS:
            [count] = connection.execute(query).fetchone() or (0,)
            yield Finding("lake", f"{says}: {count:,}", count > 0, REPORT)
        week = growth(connection, from_micros(wall_clock()) - METERED)
        if week.events:
            yield Finding("dictionary", growth_in_words(week))
    finally:
        connection.close()


def _checksums(folder: Folder) -> Finding:
    names = [file.name for name in TABLES for file in find_live_files(folder.lake / name)]
    without = sum(find_checksum(name) is None for name in names)
    if not without:
        return Finding("lake", f"The checksum of each of {counted(len(names), 'file')} stands in its name.")
    return Finding(
        "lake",
        f"{without:,} of {counted(len(names), 'file')} were written by an older version, without a checksum in the "
        "name: a bit that flips in the end of such a file may go unseen. Each gets one when it is compacted, all of "
        "them by: expost compact",
    )


def growth_in_words(week: Growth) -> str:
    """New elements and placements per 1,000 events, and what it means where those are many."""
    says = (
        f"{week.elements_rate:,} new elements and {week.placements_rate:,} new placements per 1,000 events on "
        f"elements, last {METERED.days} days"
    )
    if week.events < ENOUGH_EVENTS or week.elements_rate <= MANY_NEW_ELEMENTS:
        return f"{says}."
    return (
        f"{says}. More than {MANY_NEW_ELEMENTS} elements: ids, classes or attributes of some page are drawn anew all "
        "the time; `data-attributes` on the tag says which are kept (docs/capture.md)."
    )


def _look_at_summaries(settings: Settings, folder: Folder) -> Iterator[Finding]:
    # Nothing here is wrong: without summaries answers are the same, and come later.
    if settings.cache_bytes == 0:
        yield Finding("summaries", "None are made, as cache_bytes is 0.")
        return
    found = coverage(folder)
    room = room_for_summaries(folder, settings.cache_bytes)
    files = counted(found.files, "large file")
    says = f"{found.summed_up} of {files} of events have one ({found.taken_bytes:,} bytes)."
    if found.summed_up < found.files:
        says += (
            " The others get theirs within ten minutes while a server runs, or by: expost compact"
            if lacks_summaries(folder, room)
            else f" For the others there is no room: they would take {found.missing_bytes:,} bytes, all may take "
            f"{room:,} (half of cache_bytes, or what the disk leaves). Questions read their events instead."
        )
    yield Finding("summaries", says)


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
    ("quarantine", _look_at_quarantine),
    ("lake", _look_at_lake),
    ("losses", _look_at_losses),
)
