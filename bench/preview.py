"""How long a preview takes over millions of events: the count that comes first, and the whole.

    PYTHONPATH=. python -P bench/preview.py [--events 20000000] [--runs 5] [--keep DIR]

What is warm is what is warm in a server that is up: its query process runs, and the summaries of compacted files are
made, which is printed first. Each saved definition was looked at once, so that it is known how many events each element
of those files had. A new question is about a selector that nobody asked for, over a snapshot that nobody
read: something was committed just before. The same question again finds the elements of its selector. Last comes a
process that keeps nothing, as a folder without summaries is read. All have the threads and the memory of the settings,
and ten saved definitions to be compared with. Medians of the time on the clock: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from deltalake import Transaction

from bench.made_lake import SITE, MadeLake, made_lake
from expost.errors import ExpostError
from expost.lake.compactor import summarize_folder
from expost.lake.folder import open_folder
from expost.lake.schema import TABLES
from expost.lake.table import Table
from expost.query.analysis import Analysis
from expost.query.definition import Definition, definition
from expost.query.preview import Preview
from expost.settings import Settings

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"click": "#menu-toggle"},
    {"click": "nav > a:nth-child(2):not(.active)"},
    {"click": "button", "text": "contains:Buy 3"},
    {"track": "order"},
    {"click": ".kind-7"},
    {"view": "/page/1*"},
    {"click": ".kind-8, .kind-9, li.kind-10"},
    {"click": "button[type=submit]"},
    {"click": "main button"},
    {"click": "*"},
)
SAVED = (
    "#menu-toggle",
    ".kind-7",
    "button.kind-7",
    "nav a",
    "a",
    "main .kind-8 a",
    "li",
    ".btn",
    "svg",
    "label",
)


def asked(what: dict[str, Any]) -> str:
    """A question as a line of the table names it."""
    return " ".join(f"{name} {value}" for name, value in what.items())


def timed(analysis: Analysis, of: Definition) -> tuple[float, float, int]:
    """Milliseconds until the count and until the whole, and the events."""
    began = time.perf_counter()
    parts = [
        ((time.perf_counter() - began) * 1e3, part.events)
        for part in analysis.preview_parts(Preview(of, site=SITE))
    ]
    return parts[0][0], parts[-1][0], parts[-1][1]


def summaries(lake: MadeLake) -> None:
    """Make the summaries as compaction does, and print what that took."""
    began, cpu = time.perf_counter(), time.process_time()
    made = summarize_folder(open_folder(lake.folder))
    used, seconds = time.process_time() - cpu, time.perf_counter() - began
    size = sum(each.stat().st_size for each in lake.folder.glob("cache/events/*/summary/*"))
    print(
        f"{made} summaries made in {seconds:.1f} s, {used:.1f} s of CPU; "
        f"{size / 1e6:,.0f} MB, {size / lake.events:.0f} bytes an event"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--events", type=int, default=20_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--keep", type=Path, help="leave the made-up lake here for the next run")
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        made_lake(chosen.keep, Path(scratch), chosen.events) as lake,
    ):
        shutil.rmtree(lake.folder / "cache", ignore_errors=True)
        summaries(lake)
        bounds = {"threads": Settings().query_threads, "memory_limit": Settings().query_memory}
        up, plain = Analysis(lake.folder, **bounds), Analysis(lake.folder, cache_bytes=0, **bounds)
        for number, selector in enumerate(SAVED):
            with suppress(ExpostError):
                up.define(definition(f"Saved {number}", click=selector), site=SITE)
        events = Table(lake.folder / "lake" / "events", TABLES["events"])

        def new(of: Definition) -> tuple[float, float, int]:
            for each in set((lake.folder / "cache" / "elements").iterdir()) - known:
                each.unlink()
            events.mark(Transaction("bench-preview", events.version))
            return timed(up, of)

        ways: tuple[Callable[[Definition], tuple[float, float, int]], ...] = (
            new,
            lambda of: timed(up, of),
            lambda of: timed(plain, of),
        )
        print(
            f"{bounds['threads']} threads, {len(SAVED)} saved definitions; ms until the count and the whole"
        )
        heads = ("events", "of all", "new: count", "whole", "again: count", "whole", "kept none")
        print(f"{'question':36}" + "".join(f"{head:>13}" for head in heads))
        # The elements of saved definitions are known: somebody has looked at each.
        for saved in up.definitions(site=SITE):
            timed(up, saved)
        known = set((lake.folder / "cache" / "elements").iterdir())
        for what in QUESTIONS:
            of = definition("preview", **what)
            rounds = [[way(of) for way in ways] for _ in range(chosen.runs)]
            found = rounds[0][0][2]
            figures = [
                statistics.median(each[way][part] for each in rounds)
                for way, part in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 1))
            ]
            shown = f"{found:13,}{found / lake.events:13.1%}" + "".join(f"{each:13.0f}" for each in figures)
            print(f"{asked(what):36}{shown}", flush=True)


if __name__ == "__main__":
    main()
