"""In which order, how compressed and in how large row groups events are read fastest: the table of decision 6.

    python bench/order.py [--events 4000000] [--rounds 5] [--keep DIR]

A made-up week of one site: people Zipf-like busy, in sessions, elements Zipf-like clicked. The same rows are written in
each layout, then every question is asked of each, interleaved, in one thread. Figures are medians of CPU time, as
ratios to the first layout of the table.

    funnel      view > click on 10 of 2,000 elements > click on 20 > an order, as first and last times by device
    selector    clicks on 20 of 2,000 elements by day, with people
    types       events by type and day
    person      all columns of one device, in the order of time
"""

from __future__ import annotations

import sys

# Python puts a script's folder first on its path, where selectors.py hides the standard library's module.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expost.lake.part import encodings
from expost.lake.schema import TABLES

ROWS = """
select
    lpad(hex(epoch_us(happened_at) // 1000), 12, '0') || '7' || substr(uuid()::varchar, 15) as event_id
    , happened_at as time, happened_at as client_time
    , happened_at + interval 2 second as received_at, happened_at + interval 1 second as sent_at
    , 'shop' as site, (hash(device) >> 1)::bigint as device_id, md5(device || ':' || session) as page_id
    , (random() * 50)::int as page_seq, 1 + session % 9 as session_ordinal, 1 + session % 40 as page_ordinal
    , case when kind < 0.3 then 'page_view' when kind < 0.85 then 'click' when kind < 0.95 then 'page_leave'
        else 'custom' end as type
    , case when kind >= 0.95 then case when kind < 0.955 then 'order' else 'search' end end as name
    , case when kind >= 0.3 and kind < 0.85 then (hash((power(random(), 3) * 2000)::int) >> 1)::bigint end as element_id
    , case when kind >= 0.3 and kind < 0.85 then 'Product ' || (power(random(), 3) * 2000)::int end as label
    , 'shop.example' as host, '/page/' || (power(random(), 2) * 300)::int as path, '' as query, '' as hash
    , 'Page ' || (power(random(), 2) * 300)::int as title
    , case when random() < 0.1 then 'https://search.example/' else '' end as referrer
    , (random() * 1280)::int as x, (random() * 720)::int as y, 1280 as viewport_width, 720 as viewport_height
    , true as is_trusted, 'full' as consent, '1.' || (device % 3) as release, 'production' as environment
    , 'browser' as source, 'Mozilla/5.0 (X11; Linux x86_64; rv:' || (device % 60) || '.0) Firefox' as user_agent
    , false as is_bot, false as is_internal, false as imported, '{{}}' as properties, [] as marks
from (
    select *, timestamptz '2026-11-16 00:00:00+00' + to_microseconds(
        (hash(device * 1000 + session) % 600000)::bigint * 1000000 + (random() * 1800e6)::bigint) as happened_at
    from (
        select random() as kind, (power(random(), 2) * {people})::bigint as device
            , (random() * 3)::int as session
        from range({events})
    ) as drawn
) as happened
"""

BY_DEVICE = "device_id, time"
BY_TYPE = "type, element_id, device_id, time"


@dataclass(frozen=True)
class Layout:
    """How the rows lie in one file."""

    name: str
    order: str = BY_TYPE
    compression: str = "zstd"
    row_group: int = 64_000
    pages: str = "2.0"
    level: int | None = None
    is_encoded: bool = True
    by_duckdb: bool = False


LAYOUTS = (
    Layout("device, time", BY_DEVICE),
    Layout("type, element, device, time"),
    Layout("  as it arrived", "received_at"),
    Layout("  v1 pages", pages="1.0"),
    Layout("  dictionaries for all", is_encoded=False),
    Layout("  lz4", compression="lz4"),
    Layout("  zstd 6", level=6),
    Layout("  groups of 16 k", row_group=16_000),
    Layout("  groups of 32 k", row_group=32_000),
    Layout("  groups of 128 k", row_group=128_000),
    Layout("  written by DuckDB", by_duckdb=True),
)


def questions(elements: list[int], device: int) -> dict[str, str]:
    """The SQL of each question; `{file}` is the file it is asked of."""
    ten, twenty = (
        ", ".join(map(str, elements[start : start + count])) for start, count in ((50, 10), (80, 20))
    )
    return {
        "funnel": f"""
            select count(*) from (
                select device_id, min(time) filter (type = 'page_view') as seen
                    , max(time) filter (element_id in ({ten})) as opened
                    , max(time) filter (element_id in ({twenty})) as added
                    , max(time) filter (name = 'order') as ordered
                from (
                    select device_id, time, type, element_id, name from {{file}} where type = 'page_view'
                    union all select device_id, time, type, element_id, name from {{file}}
                    where type = 'click' and element_id in ({ten}, {twenty})
                    union all select device_id, time, type, element_id, name from {{file}}
                    where type = 'custom' and name = 'order'
                ) as matched
                group by device_id
            ) as reached
            where opened > seen and added > seen and ordered > seen""",
        "selector": f"""select date_trunc('day', time) as day, count(*), count(distinct device_id) from {{file}}
            where type = 'click' and element_id in ({twenty}) group by day""",
        "types": "select date_trunc('day', time) as day, type, count(*) from {file} group by day, type",
        "person": f"select * from {{file}} where device_id = {device} order by time",
    }


def write(make: duckdb.DuckDBPyConnection, layout: Layout, path: Path) -> float:
    """Write the rows in one layout; the CPU time of the writing alone."""
    schema = TABLES["events"]
    if layout.by_duckdb:
        began = time.process_time()
        make.execute(
            f"copy (from rows order by {layout.order}) to '{path}' (format parquet, compression zstd, "
            f"parquet_version v2, row_group_size {layout.row_group})"
        )
        return time.process_time() - began
    reader = make.sql(f"from rows order by {layout.order}").to_arrow_reader(64_000)
    took = 0.0
    with pq.ParquetWriter(
        path,
        schema,
        compression=layout.compression,
        compression_level=layout.level,
        data_page_version=layout.pages,
        store_schema=False,
        **(encodings(schema) if layout.is_encoded else {}),
    ) as writer:
        waiting: list[pa.Table] = []
        for batch in reader:
            waiting.append(pa.Table.from_batches([batch]).cast(schema))
            if sum(map(len, waiting)) >= 256_000:
                together = pa.concat_tables(waiting)
                waiting = []
                began = time.process_time()
                writer.write_table(together, row_group_size=layout.row_group)
                took += time.process_time() - began
        began = time.process_time()
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=layout.row_group)
    return took + time.process_time() - began


def measure(folder: Path, events: int, rounds: int) -> None:
    """Write, ask and print."""
    make = duckdb.connect(
        config={"threads": 2, "memory_limit": "3GB", "temp_directory": str(folder / "spill")}
    )
    make.execute("set TimeZone = 'UTC'")
    make.execute("select setseed(0.5)")
    make.execute(f"create temp table drawn as {ROWS.format(events=events, people=events // 40)}")
    there = {row[0] for row in make.execute("describe drawn").fetchall()}
    columns = ", ".join(name if name in there else f"null as {name}" for name in TABLES["events"].names)
    make.execute(f"create temp view rows as select {columns} from drawn")
    by_count = "select element_id from drawn where element_id is not null group by 1 order by count(*) desc"
    elements = [row[0] for row in make.execute(by_count).fetchall()]
    [busy] = make.execute(
        "select device_id from drawn group by 1 order by count(*) desc limit 1 offset 100"
    ).fetchall()
    asked = questions(elements, busy[0])
    files = {layout.name: folder / f"{number}.parquet" for number, layout in enumerate(LAYOUTS)}
    written = {layout.name: write(make, layout, files[layout.name]) for layout in LAYOUTS}
    make.close()
    took: dict[tuple[str, str], list[float]] = {}
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    for number in range(rounds + 1):
        for layout, path in files.items():
            for question, sql in asked.items():
                began = time.process_time()
                connection.execute(sql.format(file=f"read_parquet('{path}')")).fetchall()
                if number:
                    took.setdefault((layout, question), []).append(time.process_time() - began)
    show(
        files, written, {key: statistics.median(values) for key, values in took.items()}, list(asked), events
    )


def show(
    files: dict[str, Path], written: dict[str, float], took: dict[tuple[str, str], float],
    asked: list[str], events: int,
) -> None:  # fmt: skip
    """A line for each layout."""
    first = next(iter(files))
    absolute = ", ".join(f"{each} {took[first, each] * 1e3:.1f} ms" for each in asked)
    size = files[first].stat().st_size / events
    print(
        f"{events:,} events; {first}: {absolute}, {size:.1f} bytes an event, writing {written[first]:.1f} CPU s"
    )
    print(f"{'':30}{'bytes':>8}{'writing':>9}" + "".join(f"{each:>10}" for each in asked))
    for layout, path in files.items():
        size = path.stat().st_size / files[first].stat().st_size
        ratios: list[Any] = [took[layout, each] / took[first, each] for each in asked]
        print(
            f"{layout:30}{size:8.2f}{written[layout] / written[first]:9.2f}"
            + "".join(f"{each:10.2f}" for each in ratios)
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder for the files, which stay")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        measure(arguments.keep, arguments.events, arguments.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="expost-bench-", dir=Path.cwd()) as place:
        measure(Path(place), arguments.events, arguments.rounds)


if __name__ == "__main__":
    main()
