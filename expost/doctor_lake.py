"""What `expost doctor` finds in the lake: files and logs, whether tables agree, how it grows, what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from expost.agreement import AGREEMENTS
from expost.clock import from_micros, wall_clock
from expost.finding import MEND, MEND_END, MEND_FILE, Finding, counted
from expost.lake.checksum import find_checksum
from expost.lake.delta_log import is_whole
from expost.lake.folder import Folder
from expost.lake.growth import Growth, growth
from expost.lake.mending import find_damage
from expost.lake.reader import connect, snapshot_versions
from expost.lake.schema import TABLES
from expost.lake.snapshot import find_lake_snapshot, find_live_files
from expost.lake.summary import coverage, lacks_summaries, room_for_summaries
from expost.settings import Settings

MAX_READ_SECONDS = 20.0
"""For how long files of the lake are read to their last byte; of the rest only the ends are."""

REPORT = (
    "Stop the server, then: expost journal replay. It stores again what the journal still holds (a day). If the "
    "folder was never damaged nor copied while a server ran, report this as a bug, with what the server printed."
)

MANY_NEW_ELEMENTS = 200
"""New elements per 1,000 events above which the dictionary grows by what no selector should ask for."""
ENOUGH_EVENTS = 10_000
"""With fewer of them in a week a site is still showing its pages for the first time."""

GROWN_IN = timedelta(days=7)


def look_at_lake(folder: Folder) -> Iterator[Finding]:
    """What is damaged; where nothing is, how many rows there are and whether they agree."""
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
        week = growth(connection, from_micros(wall_clock()) - GROWN_IN)
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
        f"elements, last {GROWN_IN.days} days"
    )
    if week.events < ENOUGH_EVENTS or week.elements_rate <= MANY_NEW_ELEMENTS:
        return f"{says}."
    return (
        f"{says}. More than {MANY_NEW_ELEMENTS} elements: ids, classes or attributes of some page are drawn anew all "
        "the time; `data-attributes` on the tag says which are kept (docs/capture.md)."
    )


def look_at_summaries(settings: Settings, folder: Folder) -> Iterator[Finding]:
    """Which files of events have a summary."""
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


def look_at_quarantine(folder: Folder) -> Iterator[Finding]:
    """Files that nobody could read, out of their tables."""
    kept = sorted(path.name for path in folder.quarantine.glob("*"))
    if len(kept) == 1:
        says = f"{kept[0]} could not be read and lies there, out of its table"
        yield Finding("quarantine", f"{says}. Delete it when nobody needs to look at it any more.")
    elif kept:
        says = f"{len(kept):,} files of the lake could not be read and lie there, out of their tables"
        yield Finding("quarantine", f"{says}. Delete them when nobody needs to look at them any more.")
