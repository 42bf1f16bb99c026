"""A lake that has grown: a thousand small files, two years of days, and what its commits cost when little happens.

    python bench/growth.py [--files 1000] [--days 730] [--commits 200]

Files: so many live ones of ten clicks each, as if nobody had merged them for an hour; a question over them, then the
merging, then the question again. Days: history of two sites, one file a day and site, with a click of each of ten
people a day; all of it compacted into weekly files, and a trend by week before and after, which must be the same.
Share: the CPU of a group of one batch, over all tables, of the 1.5 seconds after which a server commits one.
"""

from __future__ import annotations

import sys

# Python looks for modules beside a script first, and `selectors.py` beside this one is not the standard library's.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from expost.clock import to_micros, wall_clock
from expost.ids import uuid7
from expost.lake.batch import Accepted, Descriptor, Element, Event
from expost.lake.compactor import compact_folder
from expost.lake.dictionary import Dictionary
from expost.lake.folder import Folder, open_folder
from expost.lake.moment import DAY, SECOND
from expost.lake.part import write_part
from expost.lake.rows import Rows
from expost.lake.schema import TABLES
from expost.lake.table import Table
from expost.lake.writer import Writer
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.trend import Trend, TrendAnswer
from expost.state.sites import Site, add_site, sites

SITES = ("shop", "blog")
PEOPLE = 10
SEAL_SECONDS = 1.5
FIRST_DAY = to_micros(datetime(2024, 11, 4, tzinfo=UTC))


def clicks(site: str, at: int, device: str) -> Accepted:
    """One person's click at a moment, as history says it."""
    return Accepted(
        site=site, received_at=at, consent="full", is_imported=True, is_internal=False, device=device, sent_at=None,
        session=0, release="1", environment="production", user_agent="", viewport=[], page=None, views=[], sets=[],
        descriptors=[Descriptor("main"), Descriptor("button", class_name="buy")],
        elements=[Element(0), Element(1, 0)],
        events=[Event(id=uuid7(at), type="click", time=at / 1_000, el=1, label="Buy")],
    )  # fmt: skip


def fill(folder: Folder, files: Sequence[Sequence[Accepted]]) -> dict[str, Table]:
    """A lake in which the events of each of these lie in a file of their own."""
    tables = {name: Table(folder.lake / name, schema) for name, schema in TABLES.items()}
    dictionary = Dictionary(folder.secret())
    adds = []
    for batches in files:
        rows = Rows(dictionary)
        for batch in batches:
            rows.add(batch)
        adds.append(write_part(tables["events"].path, rows.tables()["events"], data_change=True))
    for name, made in Rows(dictionary).tables().items():
        tables[name].append(made, "bench", 1)
    tables["events"].replace([], adds, data_change=True)
    return tables


def weeks(folder: Folder, site: str) -> tuple[list[int], float]:
    """Clicks per week, and the seconds that the answer took in a fresh reader."""
    analysis = Analysis(folder.path)
    if all(each.slug != site for each in sites(analysis.state)):
        add_site(analysis.state, Site(site, site))
    asked = definition("bought", click="main button.buy")
    began = time.perf_counter()
    answer = analysis.ask(Trend(asked, "week", site=site, now=datetime(2026, 12, 1, tzinfo=UTC)))
    taken = time.perf_counter() - began
    analysis.close()
    assert isinstance(answer, TrendAnswer)
    return [point.events for point in answer.points], taken


def measure_files(place: Path, files: int) -> None:
    """A question over many small files, the merging, and the question again."""
    folder = open_folder(place, create=True)
    parts = [
        [
            clicks("shop", FIRST_DAY + (number * PEOPLE + each) * SECOND, f"device-{each}")
            for each in range(PEOPLE)
        ]
        for number in range(files)
    ]
    events = fill(folder, parts)["events"]
    before, slow = weeks(folder, "shop")
    began = time.perf_counter()
    tending = Table(events.path, events.schema)
    while True:
        live = len(tending.files())
        tending.tend()
        if len(tending.files()) == live:
            break
    merging = time.perf_counter() - began
    after, quick = weeks(folder, "shop")
    assert before == after
    assert sum(before) == files * PEOPLE
    print(
        f"{files:,} live small files: a question {slow * 1e3:,.0f} ms; merged into {live} in {merging:.2f} s; "
        f"then {quick * 1e3:,.0f} ms, the same answer"
    )


def measure_days(place: Path, days: int) -> None:
    """History of many days, compacted."""
    folder = open_folder(place, create=True)
    parts = [
        [clicks(site, FIRST_DAY + day * DAY + each * 60 * SECOND, f"device-{each}") for each in range(PEOPLE)]
        for day in range(days)
        for site in SITES
    ]
    events = fill(folder, parts)["events"]
    before = {site: weeks(folder, site) for site in SITES}
    began = time.perf_counter()
    compact_folder(folder, everything=True)
    taken = time.perf_counter() - began
    events.refresh()
    after = {site: weeks(folder, site) for site in SITES}
    for site in SITES:
        full = [7 * PEOPLE] * (days // 7) + [days % 7 * PEOPLE] * (days % 7 > 0)
        assert before[site][0] == after[site][0]
        assert [count for count in after[site][0] if count] == full
    print(
        f"{days:,} days of {len(SITES)} sites in {len(parts):,} files: a question {before['shop'][1] * 1e3:,.0f} ms; "
        f"compacted into {len(events.files())} weekly files in {taken:.1f} s; then {after['shop'][1] * 1e3:,.0f} ms, "
        "the same answer, and the right one"
    )


def measure_share(place: Path, commits: int) -> None:
    """What committing costs a server on which one batch of somebody new arrives every 1.5 seconds."""
    folder = open_folder(place, create=True)
    with Writer(folder) as writer:
        taken = []
        for number in range(1, commits + 1):
            batch = clicks("shop", wall_clock(), f"device-{number}")
            began = time.process_time()
            writer.ingest(number, [batch])
            writer.tend()
            taken.append(time.process_time() - began)
    mean = sum(taken) / len(taken)
    print(
        f"a group of one batch {mean * 1e3:.1f} ms of CPU: "
        f"{mean / SEAL_SECONDS:.2%} of a core, one every {SEAL_SECONDS} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--commits", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        measure_share(Path(place) / "share", arguments.commits)
        measure_files(Path(place) / "files", arguments.files)
        measure_days(Path(place) / "days", arguments.days)


if __name__ == "__main__":
    main()
