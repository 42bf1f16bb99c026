"""Memory and time of imports of each format: files of two sizes, each in a process of its own that holds nothing else.

PYTHONPATH=. python -P bench/imports.py [--rows 50000] [--times 4] [--stored FORMAT …]

Without `--stored` nothing is stored: reading, mapping, masking and telling repeats apart. With it all of it goes to a
lake at rest; what a running server has beside that are its sink and its collector. `own` is the peak without mapped
files: hashes that are too many for memory lie in such, and the system takes their pages back when it needs them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from bench.memory import own_mb, peak_mb
from expost.clock import wall_clock
from expost.history.importing import Source, import_history
from expost.history.mapping import mapping_of
from expost.history.snowplow import COLUMNS
from expost.history.sources import TABLES, mapped_source, source_of
from expost.lake.folder import open_folder
from expost.state.database import State
from expost.state.sites import Site, add_site, find_site

BEGAN = 1_760_000_000
SESSION, BESIDE = 10, 50
"""Each device has so many events, in turns with so many others."""

MAPPING = {"time": "ts", "time_format": "seconds", "user": "who", "device": "dev", "event": "what", "id": ["id"],
           "url": "url"}  # fmt: skip
CHAIN = (
    'span:nth-child="{place}"nth-of-type="1"text="Buy";button.btn:attr__class="btn"attr__data-id="{kind}"'
    'nth-child="3"nth-of-type="2";body:nth-child="2"nth-of-type="1"'
)


def told(rows: int) -> Iterator[tuple[int, int, int, str]]:
    """Number, device, second and time of each row."""
    for number in range(rows):
        at = BEGAN + number // 5
        device = number // (SESSION * BESIDE) * BESIDE + number % BESIDE
        yield number, device, at, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def posthog(rows: int, file: IO[str]) -> None:
    for number, device, _, at in told(rows):
        said = {"$event_type": "click", "$device_id": f"d{device}", "plan": "pro",
                "$current_url": f"https://shop.example/p/{number % 500}"}  # fmt: skip
        row = {"uuid": f"u{number}", "event": "$autocapture", "timestamp": f"{at.replace(' ', 'T')}Z",
               "distinct_id": f"u{device}", "properties": said,
               "elements_chain": CHAIN.format(place=number % 9 + 1, kind=number % 200)}  # fmt: skip
        file.write(json.dumps(row) + "\n")


def amplitude(rows: int, file: IO[str]) -> None:
    for number, device, _, at in told(rows):
        row = {"event_type": f"Step {number % 7}", "event_time": at, "device_id": f"d{device}", "event_id": number,
               "user_id": f"u{device}", "uuid": f"u{number}", "event_properties": {"price": number % 100}}  # fmt: skip
        file.write(json.dumps(row) + "\n")


def mixpanel(rows: int, file: IO[str]) -> None:
    for number, device, second, _ in told(rows):
        said = {"time": second, "distinct_id": f"u{device}", "$device_id": f"d{device}", "$user_id": f"u{device}",
                "$insert_id": f"i{number}", "price": number % 100}  # fmt: skip
        file.write(json.dumps({"event": f"Step {number % 7}", "properties": said}) + "\n")


def snowplow(rows: int, file: IO[str]) -> None:
    for number, device, _, at in told(rows):
        said = {"event": "page_view", "event_id": f"e{number}", "collector_tstamp": at, "user_id": f"u{device}",
                "domain_userid": f"d{device}", "page_url": f"https://shop.example/p/{number % 500}"}  # fmt: skip
        file.write("\t".join(said.get(name, "") for name in COLUMNS) + "\n")


def csv(rows: int, file: IO[str]) -> None:
    file.write("ts,id,who,dev,what,price,url\n")
    for number, device, second, _ in told(rows):
        file.write(
            f"{second},{number},u{device},d{device},Step {number % 7},{number % 100}.5,"
            f"https://shop.example/p/{number % 500}\n"
        )


def parquet(rows: int, path: Path) -> None:
    names = ("ts", "id", "who", "dev", "what", "url")
    lines = (
        (
            second,
            number,
            f"u{device}",
            f"d{device}",
            f"Step {number % 7}",
            f"https://shop.example/p/{number % 500}",
        )
        for number, device, second, _ in told(rows)
    )
    table = pa.table(dict(zip(names, (list(column) for column in zip(*lines, strict=True)), strict=True)))
    # One row group of all rows is what asks most of a reader.
    pq.write_table(table, path, row_group_size=rows)


WRITERS: dict[str, Callable[[int, IO[str]], None]] = {
    "posthog": posthog, "amplitude": amplitude, "mixpanel": mixpanel, "snowplow": snowplow, "csv": csv,
}  # fmt: skip
FORMATS = (*WRITERS, "parquet")


def make(kind: str, rows: int, path: Path) -> None:
    """A file of this format, packed as the product packs it."""
    if kind == "parquet":
        parquet(rows, path)
    elif kind in ("amplitude", "mixpanel"):
        with gzip.open(path, "wt", 1) as packed:
            WRITERS[kind](rows, packed)  # type: ignore[arg-type]
    else:
        with path.open("w") as file:
            WRITERS[kind](rows, file)


def source(kind: str, path: Path) -> Source:
    return mapped_source(kind, [path], mapping_of(MAPPING)) if kind in TABLES else source_of(kind, [path])


def import_one(kind: str, path: Path, data: Path, *, is_stored: bool) -> None:
    """Import a file in this process, and print what it took as JSON."""
    folder = open_folder(data, create=True)
    state = State(folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    before = resource.getrusage(resource.RUSAGE_SELF)
    with own_mb() as own:
        report = import_history(
            folder, state, find_site(state), source(kind, path), data / "rejects", is_dry_run=not is_stored
        )
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {"peak_mb": peak_mb(), "own_mb": own[0], "micros": seconds / report.rows * 1e6}
    print(json.dumps({"rows": report.stored} | figures))


def measured(kind: str, rows: int, place: Path, *, is_stored: bool) -> dict[str, float]:
    """What an import of so many rows takes, in a process of its own."""
    path, data = place / f"{kind}.{rows}", place / "data"
    make(kind, rows, path)
    command = [sys.executable, "-P", __file__, "--one", kind, str(path), str(data)]
    answer = subprocess.run(
        [*command, "--is-stored"] if is_stored else command, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(answer.stdout)
    assert found["rows"] == rows, found
    found["file_mb"] = path.stat().st_size / 1e6
    path.unlink()
    shutil.rmtree(data)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    parser.add_argument("--stored", nargs="*", default=[])
    parser.add_argument("--one", nargs=3)
    parser.add_argument("--is-stored", action="store_true")
    said = parser.parse_args()
    if said.one:
        import_one(said.one[0], Path(said.one[1]), Path(said.one[2]), is_stored=said.is_stored)
        return
    place = Path(mkdtemp(prefix="expost-bench-"))
    print(
        "format      stored     rows   file MB   peak MB    own MB   of the smaller   µs CPU a row   rows/s of a core"
    )
    try:
        for is_stored, kinds in ((False, said.formats), (True, said.stored)):
            for kind in kinds:
                smaller: float | None = None
                for rows in (said.rows, said.rows * said.times):
                    found = measured(kind, rows, place, is_stored=is_stored)
                    micros = found["micros"]
                    ratio = "" if smaller is None else f"{found['own_mb'] / smaller:.2f}"
                    smaller = smaller or found["own_mb"]
                    print(
                        f"{kind:10}  {'yes' if is_stored else 'no':6} {rows:>9,} {found['file_mb']:>8.1f} "
                        f"{found['peak_mb']:>9.0f} {found['own_mb']:>9.0f} {ratio:>16} {micros:>14.0f} "
                        f"{1e6 / micros:>18,.0f}",
                        flush=True,
                    )
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
