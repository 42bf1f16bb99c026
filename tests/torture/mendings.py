"""Lives between which a lake is damaged and mended from the journal, also after much of it was sent again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from expost.clock import wall_clock
from expost.lake.batch import Accepted
from expost.lake.broken import note_broken
from expost.lake.folder import Folder, open_folder
from expost.lake.inspection import batches
from expost.lake.moment import DAY
from expost.lake.quarantine import ask_for_rebuilding, find_broken, set_aside_noted
from expost.lake.rebuilding import rebuild_at_rest
from expost.lake.schema import TABLES
from expost.lake.snapshot import find_snapshot
from expost.lake.stored_segments import KEPT_SECONDS, forget_stored, stored_segments
from expost.lake.writer import Writer, last_segment
from tests.lake.test_sink import batch
from tests.torture.life import BATCHES, STEPS, Notes, Row, die_at, in_a_child, judge, live


def corrupt(base: Path, lives: int, chance: random.Random) -> Row:
    """A Parquet file of any table cut, flipped or gone between two lives, and its mending killed at any point.

    The journal holds all of it for a day, so that nothing is lost: it is set aside, and its rows are stored again.
    """
    path, notes = base / "data", Notes(base / "notes")
    folder = open_folder(path, create=True)
    killed = aside = 0
    for _ in range(lives):
        in_a_child(lambda: live(path, notes))
        files = in_a_child(partial(_live_files, folder))
        _damage(Path(chance.choice(files)), chance)
        killed += mend(folder, chance)
        aside = sum(1 for _ in folder.quarantine.glob("*"))
    return judge(
        "corrupt Parquet", lives, path, notes, f"{aside} files set aside, {killed} kills while mending"
    )


def _live_files(folder: Folder) -> list[str]:
    found = []
    for name in TABLES:
        snapshot = find_snapshot(folder.lake / name)
        found += [] if snapshot is None else list(snapshot.files)
    return sorted(found)


def _damage(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    how = chance.randrange(4)
    if how == 0:
        path.unlink()
    elif how == 1:
        path.write_bytes(data[: chance.randrange(len(data))])
    else:
        # Its pages, or its end, which no checksum but that of its name knows of.
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        place = chance.randrange(footer) if how == 2 else chance.randrange(footer, len(data))
        data[place] ^= 1 << chance.randrange(8)
        path.write_bytes(data)


def replays(base: Path, lives: int, chance: random.Random) -> Row:
    """Lives in which half of all was sent before, each followed by a replay of the journal, killed at any point.

    Now and then the journal lets go of all that is in the lake, as it does after a day, so that it holds the repeat and
    not the first. A file whose events the journal does hold may be damaged before.
    """
    path, notes = base / "data", Notes(base / "notes")
    folder = open_folder(path, create=True)
    past: list[Accepted] = []
    killed = damaged = again = 0
    for _ in range(lives):
        if chance.random() < 0.5:
            forget_stored(folder.journal, wall_clock() / 1_000_000 + 2 * KEPT_SECONDS)
        new = [_received(batch(f"device {number}"), chance.choice((0, 1, 6))) for number in range(BATCHES)]
        repeats = [_received(each) for each in chance.sample(past, min(len(past), BATCHES))]
        sent = [*new, *repeats]
        chance.shuffle(sent)
        past += new
        again += len(repeats)
        step = chance.randint(1, 2 * STEPS)

        def life(step: int = step, sent: Sequence[Accepted] = sent) -> str:
            die_at(step)
            live(path, notes, batches=sent)
            return "to its end"

        killed += in_a_child(life) is None
        files = in_a_child(partial(_spare_files, folder))
        if files:
            _damage(Path(chance.choice(files)), chance)
            damaged += 1
        ask_for_rebuilding(folder)
        killed += mend(folder, chance)
    note = f"{again} batches sent again, {damaged} files damaged, {killed} kills"
    return judge("replays", lives, path, notes, note)


def _received(accepted: Accepted, days_ago: int = 0) -> Accepted:
    return msgspec.structs.replace(accepted, received_at=wall_clock() - days_ago * DAY)


def _spare_files(folder: Folder) -> list[str]:
    """The files of events in which nothing is that the journal does not hold; none where a group was interrupted."""
    last_segment(folder)
    with Writer(folder) as writer:
        if writer.is_interrupted:
            return []
    stored = stored_segments(folder.journal)
    ids = {event.id for path in stored for each in batches(path) for event in each.events}
    snapshot = find_snapshot(folder.lake / "events")
    return sorted(
        file
        for file in (snapshot.files if snapshot else ())
        if ids.issuperset(pq.read_table(file, columns=["event_id"])["event_id"].to_pylist())
    )


def mend(folder: Folder, chance: random.Random) -> int:
    """Set aside what is damaged and store it again, killed at any point until it is done; how many kills that were."""
    killed = 0
    while True:
        step = chance.randint(1, STEPS)

        def mending(step: int = step) -> str:
            die_at(step)
            note_broken(folder, find_broken(folder))
            set_aside_noted(folder)
            rebuild_at_rest(folder)
            return "done"

        if in_a_child(mending) is not None:
            return killed
        killed += 1
