"""The events of a made-up site in ClickHouse's engine, in this process, and the questions of `questions.py` for it.

Three ways, all of them with what helps ClickHouse: the person of each event stands in a column, worked out before; a
flag's exposures are the earliest by time alone, so that no order of ties is kept; and only the groups of the variations
are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session

from bench.chains import chain_pattern, chain_text
from bench.made_lake import MadeLake
from expost.lake.literal import quoted
from expost.lake.reader import connect
from expost.lake.snapshot import find_lake_snapshot

FLAG = "new-checkout"
COUNTED = "environment = 'production' and not is_bot and not is_internal"

COLUMNS = """
    time DateTime64(6, 'UTC'), type LowCardinality(String), name LowCardinality(String), device_id Int64,
    person_id Int64, element_id Int64, is_bot Bool, is_internal Bool, environment LowCardinality(String),
    flag LowCardinality(String), variation LowCardinality(String)"""
READ = """
    time, type, ifNull(name, ''), device_id, person_id, ifNull(element_id, 0), is_bot, is_internal, environment,
    ifNull(flag, ''), ifNull(variation, '')"""

TABLES = {
    # As products keep it that have the chain of each event as one string.
    "by_device": ("chain String", "toDate(time), type, cityHash64(device_id)"),
    # Our ids, and our reading order with them.
    "by_element": ("", "type, element_id, device_id, time"),
}

FUNNEL = """
with exposures as (
    select {unit} as unit, min(time) as exposed_at, argMin(variation, time) as variation
    from {events}
    where type = 'exposure' and flag = '{flag}' and {counted}
    group by unit
)
select variation, level, count() as people
from (
    select
        e.unit as unit
        , any(exposures.variation) as variation
        , windowFunnel({within}, 'strict_increase')(
            toUInt64(toUnixTimestamp64Micro(e.time)), {steps}
        ) as level
    from (
        select {unit} as unit, time, {named}
        from {events}
        where ({either}) and {counted}
    ) as e
    left any join exposures on exposures.unit = e.unit
    where exposures.unit = 0 or e.time >= exposures.exposed_at
    group by unit
)
where level > 0
group by variation, level
order by variation, level
settings max_threads = {threads}, use_query_condition_cache = 0"""

RETENTION = """
select cohort, week - cohort as period, count() as people
from (
    select
        toRelativeWeekNum(toDate(began)) as cohort
        , arrayJoin(arrayFilter(each -> each.2 > began, returns)).1 as week
    from (
        select
            unit
            , minIf(first, starts > 0) as began
            , groupArrayIf((week, last), backs > 0) as returns
        from (
            select
                {unit} as unit, toRelativeWeekNum(time) as week
                , minIf(time, {start}) as first, countIf({start}) as starts
                , maxIf(time, {returns}) as last, countIf({returns}) as backs
            from {events}
            where ({start} or {returns}) and {counted}
            group by unit, week
        )
        group by unit
        having sum(starts) > 0
    )
)
where period <= {periods}
group by cohort, period
order by cohort, period
settings max_threads = {threads}, use_query_condition_cache = 0"""


@dataclass(frozen=True, slots=True)
class Click:
    """A step: clicks on what a selector matches. `ids` are our elements for it."""

    selector: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Track:
    """A step: events of this name."""

    name: str


class ClickHouse:
    """The events of a lake as tables of MergeTree, made once in `folder`, and our Parquet files as they are."""

    def __init__(self, lake: MadeLake, folder: Path, threads: int) -> None:
        self.threads = threads
        self.lake = lake
        self.session = session.Session(str(folder))
        # chdb keeps which granules a condition found, and so would answer a repeated question from memory.
        self.run("set use_query_condition_cache = 0")
        self.run("create database if not exists bench")
        if self.run("exists table bench.made").strip() != "1":
            self._fill(folder)
            # Only now, so that what was broken off is begun again.
            self.run("create table bench.made (made Bool) engine = MergeTree order by made")
        for name in TABLES:
            self.run(f"system stop merges bench.{name}")
        files = find_lake_snapshot(lake.folder / "lake").tables["events"]
        assert files is not None
        listed = ",".join(Path(file).name for file in files.files)
        self.parquet = f"file('{lake.folder}/lake/events/{{{listed}}}', Parquet)"

    def run(self, sql: str) -> str:
        """What a statement answers, as CSV."""
        return str(self.session.query(sql, "CSV"))

    def close(self) -> None:
        """End the engine."""
        self.session.close()

    def know(self, steps: Sequence[Click | Track]) -> None:
        """Give ClickHouse our elements of each selector, as sets."""
        for number, step in enumerate(steps, 1):
            if isinstance(step, Click):
                self.run(f"create or replace table bench.ids_{number} (id Int64) engine = Set")
                listed = ", ".join(f"({each})" for each in step.ids)
                self.run(f"insert into bench.ids_{number} values {listed}")

    def funnel(self, steps: Sequence[Click | Track], within_us: int, way: str) -> dict[str, list[int]]:
        """People of each variation at each step, `way` being: chain, ids, ids_in_order, parquet."""
        conditions = self._conditions(steps, way)
        text = FUNNEL.format(
            events=self._relation(way),
            unit="device_id" if way == "parquet" else "person_id",
            flag=FLAG,
            counted=COUNTED,
            within=within_us,
            named=", ".join(f"{each} as s{number}" for number, each in enumerate(conditions, 1)),
            steps=", ".join(f"s{number}" for number in range(1, len(steps) + 1)),
            either=" or ".join(conditions),
            threads=self.threads,
        )
        found: dict[str, list[int]] = {}
        for line in self.run(text).splitlines():
            variation, level, people = line.replace('"', "").split(",")
            bars = found.setdefault(variation, [0] * len(steps))
            for step in range(int(level)):
                bars[step] += int(people)
        return found

    def retention(
        self, starts: Click, returns: Click | Track, periods: int, way: str
    ) -> dict[tuple[int, int], int]:
        """How many of each week's people came back in each later week."""
        start, back = self._conditions([starts, returns], way)
        text = RETENTION.format(
            events=self._relation(way),
            unit="person_id",
            start=start,
            returns=back,
            counted=COUNTED,
            periods=periods,
            threads=self.threads,
        )
        rows = (line.split(",") for line in self.run(text).splitlines())
        return {(int(cohort), int(period)): int(people) for cohort, period, people in rows}

    def _relation(self, way: str) -> str:
        return {"chain": "bench.by_device", "ids": "bench.by_device", "ids_in_order": "bench.by_element"}.get(
            way, self.parquet
        )

    def _conditions(self, steps: Sequence[Click | Track], way: str) -> list[str]:
        found = []
        for number, step in enumerate(steps, 1):
            if isinstance(step, Track):
                found.append(f"(type = 'custom' and name = '{step.name}')")
            elif way == "chain":
                pattern = chain_pattern(step.selector).replace("\\", "\\\\").replace("'", "\\'")
                found.append(f"(type = 'click' and match(chain, '{pattern}'))")
            else:
                found.append(f"(type = 'click' and element_id in bench.ids_{number})")
        return found

    def _fill(self, folder: Path) -> None:
        texts = {each.placement_id: chain_text(each) for each in self.lake.elements}
        chains = folder / "chains.parquet"
        pq.write_table(pa.table({"placement_id": list(texts), "chain": list(texts.values())}), chains)
        self.run(f"""
            create or replace table bench.chains (placement_id Int64, chain String)
            engine = Join(any, left, placement_id) as select * from file('{chains}', Parquet)""")
        for name, (more, order) in TABLES.items():
            columns = ", ".join(filter(None, (COLUMNS, more)))
            self.run(
                f"create or replace table bench.{name} ({columns}) engine = MergeTree order by ({order})"
            )
        part = folder / "week.parquet"
        ours = connect(self.lake.folder, threads=self.threads, has_views=False, memory_limit="2GB")
        weeks = ours.execute(
            "select distinct date_trunc('week', time) from lake.events order by 1"
        ).fetchall()
        for (week,) in weeks:
            ours.execute(f"""
                copy (
                    select time, type, name, device_id, person_id, element_id, is_bot, is_internal, environment, flag,
                        variation, placement_id
                    from lake.events_of_people
                    where time >= timestamptz '{week}' and time < timestamptz '{week}' + interval 7 days
                ) to {quoted(str(part))} (format parquet)""")
            for name, (more, _) in TABLES.items():
                chain = ", joinGet('bench.chains', 'chain', ifNull(placement_id, 0))" if more else ""
                self.run(f"insert into bench.{name} select {READ}{chain} from file('{part}', Parquet)")
        ours.close()
        part.unlink()
        for name in TABLES:
            self.run(f"optimize table bench.{name} final")


def sizes(peer: ClickHouse) -> Mapping[str, str]:
    """What each table weighs."""
    rows = peer.run("""
        select table, formatReadableSize(sum(bytes_on_disk)) from system.parts
        where database = 'bench' and active group by table order by table""")
    return dict(line.replace('"', "").split(",") for line in rows.splitlines())
