"""`expost doctor`: every setting with its source, and whether the parts of a data folder agree with each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape

from expost.clock import from_micros, wall_clock
from expost.collector.country import BadCountryFile, find_country_file
from expost.errors import ExpostError, QueryLimit
from expost.lake.delta_log import is_whole
from expost.lake.folder import Folder, open_folder
from expost.lake.growth import Growth, growth
from expost.lake.inspection import inspect_all
from expost.lake.lock import find_holder
from expost.lake.mending import find_damage, mend_lake
from expost.lake.reader import connect, find_lake_snapshot, snapshot_versions
from expost.lake.stored_segments import stored_segments
from expost.lake.writer import lost_segments
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

LATE_SECONDS = 60
"""A sealed segment older than this should be in the lake by now, if a server runs."""

MAX_READ_SECONDS = 20.0
"""For how long files of the lake are read to their last byte; of the rest only the ends are."""

MEND = (
    "Stop the server, then: expost doctor --mend. It sets aside what is damaged and stores again what the "
    "journal still holds (a day); what is older comes from a backup. A running server does so "
    "for a file that a question meets."
)

SPARE = "Nothing is lost: it is a spare copy, kept for a day. More: expost journal verify"
REPORT = (
    "Stop the server, then: expost journal replay. It stores again what the journal still holds (a day). If the "
    "folder was never damaged nor copied while a server ran, report this as a bug, with what the server printed."
)
REJECTED = "What is whole in it is stored, the rest goes to rejected/. More: expost journal verify"

MANY_NEW_ELEMENTS = 200
"""New elements per 1,000 events above which the dictionary grows by what no selector should ask for."""
ENOUGH_EVENTS = 10_000
"""With fewer of them in a week a site is still showing its pages for the first time."""

METERED = timedelta(days=7)
MAX_METER_SECONDS = 5.0
"""For how long the loss meter may look: it reads every event that is kept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it says, whether that is wrong, and what to do then."""

    part: str
    says: str
    is_wrong: bool = False
    hint: str = ""


def examine(settings: Settings) -> list[Finding]:
    """What is found in the folder of these settings, part by part. Changes nothing."""
    try:
        folder = open_folder(settings.data)
    except ExpostError as error:
        return [Finding("folder", error.message, True, error.hint)]
    findings = [Finding("folder", str(folder.path)), *_look_at_countries(settings)]
    for part, look in PARTS:
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
    """Make the lake whole again, as far as the journal reaches; what was done. No server may run on the folder."""
    mended = mend_lake(open_folder(settings.data))
    if not (mended.files or mended.entries or mended.segments or mended.behind):
        return [Finding("mended", "Nothing: every file and every log of the lake is whole.")]
    rows = ", ".join(f"{counted(count, 'row')} of {name}" for name, count in mended.rows.items()) or "no row"
    done = (
        (mended.files, f"{counted(mended.files, 'file')} set aside in quarantine/"),
        (mended.entries, f"{counted(mended.entries, 'entry', 'entries')} of logs set aside beside them"),
        (mended.segments, f"{counted(mended.segments, 'segment')} moved to the lake again"),
        (mended.behind, f"the last entries were missing in the logs of {', '.join(mended.behind)}"),
        (mended.files or mended.entries or mended.behind, f"back from the journal: {rows}"),
    )
    return [Finding("mended", says) for count, says in done if count]


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


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "file"), counted(1_200, "entry", "entries")
    ('1 file', '1,200 entries')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _look_at_countries(settings: Settings) -> Iterator[Finding]:
    if settings.country_file is not None:
        try:
            found = find_country_file(settings.country_file)
        except BadCountryFile as error:
            yield Finding("countries", error.message, True, error.hint)
        else:
            yield Finding("countries", f"By {found.path}: {found.kind}, made on {found.built_on}.")


def _look_at_server(folder: Folder) -> Iterator[Finding]:
    holder = find_holder(folder.lock_path)
    address = (
        folder.address_path.read_text("utf-8").strip()
        if folder.address_path.is_file()
        else "an unknown address"
    )
    serves = f"Process {holder} serves this folder at {address}."
    yield Finding("server", serves if holder else "No server runs on this folder.")


def _look_at_state(folder: Folder) -> Iterator[Finding]:
    state = State(folder.state_path)
    try:
        for site in sites(state):
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


def _look_at_journal(folder: Folder) -> Iterator[Finding]:
    waiting = sorted(folder.journal.glob("*.sealed"))
    size = sum(path.stat().st_size for path in waiting)
    oldest = max((time.time() - path.stat().st_mtime for path in waiting), default=0.0)
    kept = stored_segments(folder.journal)
    waits = f"{counted(len(waiting), 'segment')} ({size:,} bytes) waiting for the lake"
    says = f"{waits}, {len(kept)} of the last day are in it"
    is_late = bool(find_holder(folder.lock_path)) and oldest > LATE_SECONDS
    yield Finding(
        "journal", says, is_late, "The sink does not keep up or does not run: see what the server prints."
    )


def _look_into_journal(folder: Folder) -> Iterator[Finding]:
    serves = find_holder(folder.lock_path) is not None
    damaged = [
        each
        for each in inspect_all(folder.journal)
        if not each.is_sound and not (serves and each.state == "open")
    ]
    for is_stored in (False, True):
        bad = [each for each in damaged if (each.state == "stored") == is_stored]
        if bad:
            size = sum(each.damaged_bytes for each in bad)
            where = "in the lake already" if is_stored else "waiting for the lake"
            says = f"{counted(len(bad), 'damaged segment')} {where}: {size:,} bytes, the first is {bad[0].number}"
            yield Finding("journal", says, True, SPARE if is_stored else REJECTED)
    lost = lost_segments(folder)
    if lost:
        says = f"The lake knows nothing of {counted(len(lost), 'segment')} that went into it"
        yield Finding("journal", says, True, MEND)


def _look_at_rejected(folder: Folder) -> Iterator[Finding]:
    kept = [path for path in folder.rejected.rglob("*") if path.is_file()]
    yield Finding(
        "rejected", f"{counted(len(kept), 'file')} ({sum(path.stat().st_size for path in kept):,} bytes)"
    )


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
            yield Finding("lake", f"{each.table}: {says}", True, MEND)
        if each.after_gap:
            first = each.after_gap[0]
            is_torn = not is_whole(first)
            says = f"cannot be read: {first.name}" if is_torn else f"is missing before {first.name}"
            yield Finding("lake", f"{each.table}: an entry of its log {says}", True, MEND)
        if each.behind:
            says = f"its log ended at version {each.behind.was} and ends at {each.behind.is_at} now"
            yield Finding("lake", f"{each.table}: {says}: the last entries are missing", True, MEND)
    if damage:
        return
    snapshot = find_lake_snapshot(folder.lake)
    connection = connect(folder.path, snapshot=snapshot)
    try:
        versions = snapshot_versions(connection)
        for name in versions:
            [rows] = connection.execute(f"select count(*) from lake.{name}").fetchone() or (0,)
            yield Finding("lake", f"{name}: {counted(rows, 'row')} at version {versions[name]}")
        for says, query in _AGREEMENTS:
            [count] = connection.execute(query).fetchone() or (0,)
            yield Finding("lake", f"{says}: {count:,}", count > 0, REPORT)
        week = growth(connection, from_micros(wall_clock()) - METERED)
        if week.events:
            yield Finding("dictionary", growth_in_words(week))
    finally:
        connection.close()


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


_AGREEMENTS = (
    (
        "events whose element is missing",
        """
        select count(*) from lake.events
        where element_id is not null and element_id not in (select element_id from lake.elements)
        """,
    ),
    (
        "elements whose descriptor or parent is missing",
        """
        select count(*) from lake.elements
        where descriptor_id not in (select descriptor_id from lake.descriptors)
            or (parent_id is not null and parent_id not in (select element_id from lake.elements))
        """,
    ),
    (
        "events whose placement is missing",
        """
        select count(*) from lake.events
        where placement_id is not null and placement_id not in (select placement_id from lake.placements)
        """,
    ),
    (
        "placements whose element or parent is missing",
        """
        select count(*) from lake.placements
        where element_id not in (select element_id from lake.elements)
            or (parent_placement_id is not null
                and parent_placement_id not in (select placement_id from lake.placements))
        """,
    ),
    (
        "events whose device is missing",
        """
        select count(*) from lake.events
        where device_id is not null and device_id not in (select device_id from lake.devices)
        """,
    ),
    (
        "events whose user is missing",
        """
        select count(*) from lake.events
        where user_id is not null and user_id not in (select user_id from lake.users)
        """,
    ),
    (
        "identities whose device or user is missing",
        """
        select count(*) from lake.identities
        where kind = 'identify' and (
            from_id not in (select device_id from lake.devices) or to_id not in (select user_id from lake.users)
        ) or kind = 'merge' and not (
            from_id in (select user_id from lake.users) and to_id in (select user_id from lake.users)
        )
        """,
    ),
    (
        "page counts whose device is missing",
        "select count(*) from lake.page_counts where device_id not in (select device_id from lake.devices)",
    ),
    (
        "event ids that are stored more than once",
        "select count(*) - count(distinct (site, event_id)) from lake.events",
    ),
)

PARTS: tuple[tuple[str, Callable[[Folder], Iterator[Finding]]], ...] = (
    ("server", _look_at_server),
    ("site", _look_at_state),
    ("accounts", _look_at_access),
    ("journal", _look_at_journal),
    ("journal", _look_into_journal),
    ("rejected", _look_at_rejected),
    ("quarantine", _look_at_quarantine),
    ("lake", _look_at_lake),
    ("losses", _look_at_losses),
)
