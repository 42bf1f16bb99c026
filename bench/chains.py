"""A selector over millions of events: ours beside a regular expression over the chain of each event in ClickHouse.

    PYTHONPATH=. python -P bench/chains.py [--events 20000000] [--runs 3] [--keep DIR]

The peer's way, as products that keep the chain of each event as one string have it: a MergeTree table in this process
(chdb), and for each selector the regular expression that finds it in such a string. Ours is asked of a selector never
seen before, by summaries of the event files as previews are and once more by the events themselves, and of a saved
definition whose events are kept from an earlier question. Both ways count the same
clicks with two threads, one after the other in each round; the CPU time of the whole process is taken, and its median.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session

from bench.made_lake import SITE, MadeElement, MadeLake, made_lake
from expost.lake.batch import Descriptor, Element
from expost.lake.compactor import summarize_folder
from expost.lake.folder import open_folder
from expost.lake.reader import connect
from expost.query.condition import compile_definition
from expost.query.definition import definition
from expost.query.element_cache import ElementCache
from expost.query.elements import make_elements
from expost.query.event_cache import EventCache
from expost.query.facts import FACTS, opened_facts
from expost.query.kept_events import in_lake, kept_source
from expost.query.selector import Attribute, Class, Complex, Compound, Id, Position, Simple, Type
from expost.query.selector_parser import parse

SELECTORS = (
    "#menu-toggle",
    "button.kind-7",
    "[data-test=t9]",
    "nav.menu > a:nth-child(2)",
    "section button.kind-9[type=submit]",
    "main .kind-1 .kind-2 a",
    "div.kind-11 > span",
    "a[href^='/p/12']",
)
THREADS = 2
FRESH, NAMED = 40, 120
"""How many times less CPU we mean to take: never seen before, and named and kept."""


def chain_text(element: MadeElement) -> str:
    """A chain as one string, target first: `a.item.on:data-test="t9"href="/p"id="x"nth-child="2";nav.menu:…`."""
    return ";".join(_level_text(*level) for level in element.chain)


def _level_text(descriptor: Descriptor, placed: Element) -> str:
    classes = "".join(f".{name}" for name in sorted((descriptor.class_name or "").split()))
    attributes = descriptor.attributes | {
        "nth-child": str(placed.index),
        "nth-of-type": str(placed.type_index),
    }
    if descriptor.dom_id:
        attributes["id"] = descriptor.dom_id
    return f"{descriptor.tag}{classes}:" + "".join(
        f'{name}="{attributes[name]}"' for name in sorted(attributes)
    )


def chain_pattern(selector: str) -> str:
    """The regular expression that finds a selector in such a string.

    >>> chain_pattern("nav.menu > a[href]")
    '(?:^|;)a(?:\\\\.[^.;:]*)*:[^;]*href="[^;]*;nav(?:\\\\.[^.;:]*)*\\\\.menu(?:\\\\.[^.;:]*)*:'
    """
    [complex_] = parse(selector).alternatives
    return "(?:^|;)" + _complex_pattern(complex_)


def _complex_pattern(complex_: Complex) -> str:
    levels = [_compound_pattern(each) for each in reversed(complex_.compounds)]
    text = levels[0]
    for combinator, level in zip(reversed(complex_.combinators), levels[1:], strict=True):
        between = {">": "[^;]*;", " ": "[^;]*;(?:.*;)?"}[combinator]
        text += between + level
    return text


def _compound_pattern(compound: Compound) -> str:
    tag, classes, attributes = "[^.;:]+", [], []
    for each in compound.conditions:
        match each:
            case Type(name):
                tag = re.escape(name)
            case Class(name):
                classes.append(name)
            case _:
                attributes.append(_attribute_pattern(each))
    some = r"(?:\.[^.;:]*)*"
    head = tag + "".join(rf"{some}\.{re.escape(name)}" for name in sorted(classes)) + some + ":"
    return head + "".join(f"[^;]*{each}" for each in sorted(attributes))


def _attribute_pattern(condition: Simple) -> str:
    match condition:
        case Id(name):
            return f'id="{re.escape(name)}"'
        case Attribute(name, None):
            return f'{name}="'
        case Attribute(name, "=", value):
            return f'{name}="{re.escape(value)}"'
        case Attribute(name, "^=", value):
            return f'{name}="{re.escape(value)}'
        case Position(_, False, False, 0, offset):
            return f'nth-child="{offset}"'
    raise ValueError(f"The peer's way is not written for {condition}.")


class ChainTable:
    """The events in ClickHouse's engine, each with its chain."""

    def __init__(self, lake: MadeLake, folder: Path) -> None:
        texts = {each.placement_id: chain_text(each) for each in lake.elements}
        chains = folder / "chains.parquet"
        pq.write_table(pa.table({"placement_id": list(texts), "chain": list(texts.values())}), chains)
        self.session = session.Session(str(folder / "clickhouse"))
        self.run("create database if not exists bench")
        self.run(f"""
            create or replace table bench.chains (placement_id Int64, chain String)
            engine = Join(any, left, placement_id) as select * from file('{chains}', Parquet)""")
        self.run("""
            create or replace table bench.events (
                time DateTime64(6), type LowCardinality(String), device_id Int64, chain String
            ) engine = MergeTree order by (toDate(time), type, cityHash64(device_id))""")
        for file in sorted((lake.folder / "lake" / "events").glob("*.parquet")):
            self.run(f"""
                insert into bench.events
                select time, type, device_id, joinGet('bench.chains', 'chain', assumeNotNull(placement_id))
                from file('{file}', Parquet)""")
        self.run("optimize table bench.events final")
        self.run("system stop merges bench.events")

    def run(self, sql: str) -> str:
        return str(self.session.query(sql, "CSV"))

    def count(self, pattern: str) -> int:
        """How many clicks have a chain like that."""
        quoted = pattern.replace("\\", "\\\\").replace("'", "\\'")
        where = f"type = 'click' and match(chain, '{quoted}')"
        return int(
            self.run(f"select count() from bench.events where {where} settings max_threads = {THREADS}")
        )

    def size(self) -> str:
        """What the table weighs, and its chains alone."""
        return self.run("""
            select formatReadableSize(sum(data_compressed_bytes)), formatReadableSize(sum(data_uncompressed_bytes))
            from system.columns where database = 'bench' and table = 'events' and name = 'chain'""").strip()


def count_clicks(connection: duckdb.DuckDBPyConnection, selector: str, folder: Path | None) -> int:
    """How many clicks a selector matches: parsed, compiled and asked as previews do.

    By the summaries in `folder`, which compaction has made; by the events where there is no folder.
    """
    compiled = compile_definition(definition("clicks", click=selector), "m1")
    make_elements(connection, compiled, None)
    over = compiled.over_elements()
    with opened_facts(connection, folder) as facts:
        counted = f"sum(e.events) from {FACTS}" if facts else "count(*) from lake.events"
        text = (
            f"with {', '.join(over.expressions())}\n"
            f"select {counted} as e where e.site = $site and {over.surely}"
        )
        [statement] = connection.extract_statements(text)
        values = compiled.parameters | {"site": SITE}
        [(found,)] = connection.execute(
            statement, {name: values[name] for name in statement.named_parameters}
        ).fetchall()
    return int(found or 0)


def count_named(
    connection: duckdb.DuckDBPyConnection, selector: str, cache: ElementCache, events: EventCache
) -> int:
    """The same of a saved definition, of which earlier questions have kept the events."""
    named = replace(definition("clicks", click=selector), version=1)
    compiled = compile_definition(named, "m1")
    make_elements(connection, compiled, cache)
    source = kept_source(connection, events, SITE, named, compiled.over_elements(), "m1") or in_lake(compiled)
    text = f"select count(*) from {source.relation} as e where e.site = $site and {source.match.surely}"
    [(found,)] = connection.execute(text, {"site": SITE}).fetchall()
    return int(found)


def used(work: Callable[[], int]) -> tuple[float, int]:
    """The CPU seconds of this process, all of its threads, and what was found."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def compare(lake: MadeLake, scratch: Path, selectors: Sequence[str], runs: int) -> tuple[float, float]:
    """Print both ways for each selector; the median ratios of all: never seen before, and named."""
    began = time.process_time()
    theirs = ChainTable(lake, scratch)
    print(
        f"chains of {lake.events:,} events in {time.process_time() - began:.0f} CPU s; packed, plain: {theirs.size()}"
    )
    began = time.process_time()
    made = summarize_folder(open_folder(lake.folder))
    print(
        f"{made} summaries of event files in {time.process_time() - began:.1f} CPU s, as compaction makes them"
    )
    ours = connect(lake.folder, threads=THREADS, has_views=False)
    cache, events = ElementCache(scratch / "cache" / "elements"), EventCache(scratch / "cache")
    heads = (
        "clicks",
        "regex CPU s",
        "new CPU ms",
        "by events ms",
        "named CPU ms",
        "regex / new",
        "regex / named",
    )
    print(f"{'selector':36}" + "".join(f"{head:>14}" for head in heads))
    ratios: list[tuple[float, float]] = []
    for selector in selectors:
        pattern = chain_pattern(selector)
        ways: tuple[Callable[[], int], ...] = (
            lambda pattern=pattern: theirs.count(pattern),
            lambda selector=selector: count_clicks(ours, selector, lake.folder / "cache"),
            lambda selector=selector: count_clicks(ours, selector, None),
            lambda selector=selector: count_named(ours, selector, cache, events),
        )
        count_named(ours, selector, cache, events)
        rounds = [[used(way) for way in ways] for _ in range(runs)]
        [regex, new, events_read, named] = [
            statistics.median(each[0] for each in column) for column in zip(*rounds, strict=True)
        ]
        found = {each for round_ in rounds for _, each in round_}
        ratios.append((regex / new, regex / named))
        note = "" if len(found) == 1 else f"  different counts: {sorted(found)}"
        figures = (
            f"{max(found):14,}{regex:14.2f}{new * 1e3:14.0f}{events_read * 1e3:14.0f}{named * 1e3:14.0f}"
        )
        figures += f"{regex / new:14.0f}{regex / named:14.0f}"
        print(f"{selector:36}{figures}{note}", flush=True)
    ours.close()
    new, named = (statistics.median(column) for column in zip(*ratios, strict=True))
    return new, named


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--events", type=int, default=20_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--keep", type=Path, help="leave the made-up lake here for the next run")
    options.add_argument("--selectors", nargs="+", default=SELECTORS)
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        made_lake(chosen.keep, Path(scratch), chosen.events) as lake,
    ):
        new, named = compare(lake, Path(scratch), chosen.selectors, chosen.runs)
    print(
        f"median: {new:.0f} times less CPU than the regular expression (goal {FRESH}), named {named:.0f} (goal {NAMED})"
    )


if __name__ == "__main__":
    main()
