"""What a funnel costs: four steps by flag variation over a made-up site, in memory and in CPU time.

    python bench/funnel.py [--events 5000000] [--memory 500MB] [--steps 4] [--keep DIR]

Prints the peak memory of the process that asks, its CPU time, and two ratios from the same run: to a plain
`count(*) … group by type` over the same files, and, on a smaller lake of busy people, to the funnel written as one
self-join per step: its cost grows with the combinations of a person's events, ours with their number.
"""

from __future__ import annotations

import sys

# Python puts a script's folder first on its path, where selectors.py hides the standard library's module.
if sys.path[0].endswith("bench"):
    del sys.path[0]

import argparse
import json
import resource
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from expost.lake.folder import open_folder
from expost.lake.part import ROW_GROUP
from expost.lake.schema import DESCRIPTORS, ELEMENTS, TABLES
from expost.query.analysis import Analysis
from expost.query.breakdown import Flag
from expost.query.definition import definition
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.question import Step
from expost.state.sites import Site, add_site

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ELEMENTS_COUNT = 2_000
STEPS: tuple[Step, ...] = (
    definition("Viewed page", view="/**"),
    definition("Opened card", click=".card"),
    definition("Added", click="button.add"),
    definition("Ordered", track="order"),
)
LONGER: tuple[Step, ...] = tuple(
    definition(f"Kind {number}", click=f".kind-{number}") for number in range(20)
)

# People are Zipf-like busy, elements Zipf-like clicked; one event in 50 is an exposure. Ids are as wide as real ones.
EVENTS = """
select
    uuid()::varchar as event_id
    , timestamptz '2026-09-01 00:00:00+00' + to_microseconds((random() * 5184000000000)::bigint) as time
    , device as device_id
    , uuid()::varchar as page_id
    , (random() * 50)::int as page_seq
    , case
        when kind < 0.35 then 'page_view' when kind < 0.92 then 'click' when kind < 0.94 then 'exposure' else 'custom'
    end as type
    , case when kind >= 0.94 then case when kind < 0.96 then 'order' else 'search' end end as name
    , case when kind >= 0.35 and kind < 0.92 then (power(random(), 3) * {elements})::bigint end as element_id
    , case when kind < 0.35 then '/page/' || (random() * 300)::int end as path
    , case when kind >= 0.92 and kind < 0.94 then 'f' end as flag
    , case
        when kind >= 0.92 and kind < 0.94 then case when device % 2 = 0 then 'control' else 'treatment' end
    end as variation
from (
    select random() as kind, (power(random(), 2) * {people})::bigint as device
    from range({events})
) as rows
"""
CONSTANTS = {
    "received_at": "time", "site": "'shop'", "is_bot": "false", "is_internal": "false",
    "environment": "'production'", "source": "'browser'", "properties": "'{}'", "marks": "[]",
}  # fmt: skip


def make_lake(folder: Path, events: int, per_person: int = 20) -> None:
    """A data folder with `events` events, so many per person on average."""
    opened = open_folder(folder, create=True)
    make = duckdb.connect(
        config={"threads": 2, "memory_limit": "2GB", "temp_directory": str(folder / "making")}
    )
    made = EVENTS.format(elements=ELEMENTS_COUNT, people=events // per_person, events="{events}")
    for rest in range(events, 0, -1_000_000):
        rows = make.sql(made.replace("{events}", str(min(rest, 1_000_000)))).to_arrow_table()
        make.register("rows", rows)
        columns = [
            f'{CONSTANTS.get(name) or (name if name in rows.column_names else "null")} as "{name}"'
            for name in TABLES["events"].names
        ]
        table = make.sql(f"select {', '.join(columns)} from rows").to_arrow_table()
        layout = WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP)
        write_deltalake(
            opened.lake / "events", table.cast(TABLES["events"]), mode="append", writer_properties=layout
        )
    descriptors, elements = dictionary()
    write_deltalake(opened.lake / "descriptors", descriptors)
    write_deltalake(opened.lake / "elements", elements)
    analysis = Analysis(folder)
    add_site(analysis.state, Site("shop", "Shop"))
    analysis.close()


def dictionary() -> tuple[pa.Table, pa.Table]:
    """Elements without parents: a tenth are cards, a twentieth are buttons to add something."""
    descriptors: list[dict[str, object]] = []
    elements: list[dict[str, object]] = []
    for number in range(ELEMENTS_COUNT + 1):
        classes = [f"kind-{number % 40}"] + ["card"] * (number % 10 == 0) + ["add"] * (number % 20 == 5)
        descriptors.append({
            "descriptor_id": number, "tag": "button" if number % 5 == 0 else "a", "namespace": "html",
            "class_name": " ".join(classes), "classes": classes, "attributes": [], "attribute_names": [], "marks": [],
            "is_checked": False, "is_disabled": False, "is_required": False, "is_open": False,
            "is_read_only": True, "is_quirks": False,
        })  # fmt: skip
        elements.append({
            "element_id": number, "parent_id": None, "descriptor_id": number, "sibling_index": 1, "sibling_count": 1,
            "type_index": 1, "type_count": 1, "previous_siblings": [], "ancestors": [], "tree_depth": 0, "depth": 0,
            "is_shadow_child": False, "is_cut": False, "is_root": True,
        })  # fmt: skip
    return pa.Table.from_pylist(descriptors, DESCRIPTORS), pa.Table.from_pylist(elements, ELEMENTS)


def _peak_mb() -> int:
    # Not ru_maxrss: it counts the process that started this one, which has just made the data.
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1_024


def ask(folder: Path, memory: str, steps: int) -> dict[str, Any]:
    """The figures of one funnel, asked in this process."""
    baseline = resource.getrusage(resource.RUSAGE_SELF)
    analysis = Analysis(folder, memory_limit=memory, threads=2)
    began = time.perf_counter()
    chosen = STEPS if steps == 4 else LONGER[:steps]
    answer = analysis.ask(Funnel(chosen, timedelta(days=7), by=Flag("f"), now=NOW))
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert isinstance(answer, FunnelAnswer)
    return {
        "people": [step.people for step in answer.steps],
        "groups": {
            f"{group.kind} {group.value}": [step.people for step in group.steps] for group in answer.groups
        },
        "matched": sum(each.events for each in answer.basis.definitions),
        "peak_mb": _peak_mb(),
        "cpu_s": round(used.ru_utime + used.ru_stime - baseline.ru_utime - baseline.ru_stime, 2),
        "wall_s": round(time.perf_counter() - began, 2),
    }


def plain_scan(folder: Path) -> float:
    """CPU seconds of counting the same events by type."""
    from expost.lake.reader import connect

    connection = connect(folder, threads=2)
    began = time.process_time()
    connection.execute(
        "select type, count(*), count(distinct device_id) from lake.events group by type"
    ).fetchall()
    return time.process_time() - began


def self_joins(folder: Path) -> tuple[float, list[int]]:
    """CPU seconds of the funnel without variations, written as one self-join per step, and what it finds."""
    from expost.lake.reader import connect

    connection = connect(folder, threads=2)
    began = time.process_time()
    [row] = connection.execute("""
        with rows as (
            select e.device_id, e.time, e.page_id, e.page_seq, e.event_id,
                e.type = 'page_view' as s1,
                e.element_id in (select element_id from lake.elements join lake.descriptors using (descriptor_id)
                    where list_contains(classes, 'card')) as s2,
                e.element_id in (select element_id from lake.elements join lake.descriptors using (descriptor_id)
                    where list_contains(classes, 'add') and tag = 'button') as s3,
                e.name = 'order' as s4
            from lake.events as e
        )
        select count(distinct a.device_id), count(distinct b.device_id), count(distinct c.device_id)
            , count(distinct d.device_id)
        from rows as a
        left join rows as b on b.device_id = a.device_id and b.s2 and b.time <= a.time + interval 7 days
            and (b.time, b.page_id, b.page_seq, b.event_id) > (a.time, a.page_id, a.page_seq, a.event_id)
        left join rows as c on c.device_id = a.device_id and c.s3 and c.time <= a.time + interval 7 days
            and (c.time, c.page_id, c.page_seq, c.event_id) > (b.time, b.page_id, b.page_seq, b.event_id)
        left join rows as d on d.device_id = a.device_id and d.s4 and d.time <= a.time + interval 7 days
            and (d.time, d.page_id, d.page_seq, d.event_id) > (c.time, c.page_id, c.page_seq, c.event_id)
        where a.s1
    """).fetchall()
    return time.process_time() - began, list(row)


def main() -> None:
    """Run it and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=5_000_000)
    options.add_argument("--memory", default="500MB", help="DuckDB's memory limit")
    options.add_argument("--steps", type=int, default=4, help="4, or up to 20 kinds of clicks")
    options.add_argument("--keep", type=Path, help="where the lake is made, or is already")
    options.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.ask:
        print(json.dumps(ask(given.ask, given.memory, given.steps)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made) / "lake"
        if not folder.exists():
            make_lake(folder, given.events)
        figures = _in_a_process(folder, given.memory, given.steps)
        scan = plain_scan(folder)
        print(f"{given.events:,} events, {figures['matched']:,} of them match; memory limit {given.memory}")
        print(f"people per step          {figures['people']}  {figures['groups']}")
        print(f"peak memory of the asker {figures['peak_mb']:,} MB (the goal: under 1,000 MB)")
        print(f"CPU {figures['cpu_s']} s, wall {figures['wall_s']} s")
        print(
            f"plain scan               {scan:.2f} CPU s: the funnel costs {figures['cpu_s'] / scan:.1f} times that"
        )
        small = Path(made) / "small"
        make_lake(small, 100_000, per_person=500)
        ours = _in_a_process(small, given.memory, 4)
        naive, found = self_joins(small)
        assert found == ours["people"], (found, ours["people"])
        print(
            f"100,000 events, 500 each self-joins {naive:.2f} CPU s = {naive / ours['cpu_s']:.1f} times ours "
            f"({ours['cpu_s']} s)"
        )


def _in_a_process(folder: Path, memory: str, steps: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--ask", str(folder), "--memory", memory, "--steps", str(steps)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    main()
