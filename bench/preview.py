"""How long a preview takes over millions of events: the count that comes first, and the whole.

    PYTHONPATH=. python -P bench/preview.py [--events 20000000] [--runs 5] [--keep DIR]

Each selector is asked new (nothing kept) and kept (its elements are known from an earlier question), every time over a
fresh connection with two threads, as a query process does. Medians of the time on the clock: run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench.made_lake import SITE, made_lake
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.preview import Preview

SELECTORS = (
    "#menu-toggle",
    "nav > a:nth-child(2):not(.active)",
    ".kind-7",
    "section.kind-3 button",
    "button[type=submit]",
    "main button",
    "*",
)


def timed(analysis: Analysis, selector: str) -> tuple[float, float, int]:
    """Milliseconds until the count and until the whole, and the events."""
    began = time.perf_counter()
    parts = [
        ((time.perf_counter() - began) * 1e3, part.events)
        for part in analysis.preview_parts(Preview(definition("preview", click=selector), site=SITE))
    ]
    return parts[0][0], parts[-1][0], parts[-1][1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--events", type=int, default=20_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--keep", type=Path, help="leave the made-up lake here for the next run")
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        made_lake(chosen.keep, Path(scratch), chosen.events) as lake,
    ):
        new = Analysis(lake.folder, threads=2, memory_limit="2GB", cache_bytes=0)
        kept = Analysis(lake.folder, threads=2, memory_limit="2GB")
        heads = ("events", "of all", "new: count ms", "whole ms", "kept: count ms", "whole ms")
        print(f"{'selector':36}" + "".join(f"{head:>15}" for head in heads))
        for selector in SELECTORS:
            timed(kept, selector)
            rounds = [(timed(new, selector), timed(kept, selector)) for _ in range(chosen.runs)]
            events = rounds[0][0][2]
            figures = [
                statistics.median(each[way][part] for each in rounds) for way in (0, 1) for part in (0, 1)
            ]
            shown = f"{events:15,}{events / lake.events:15.1%}" + "".join(f"{each:15.0f}" for each in figures)
            print(f"{selector:36}{shown}", flush=True)


if __name__ == "__main__":
    main()
