"""What a selector costs: over the element dictionary, and by a regular expression over the chain of each event.

    python -P bench/selectors.py [--elements 10000 100000 1000000] [--events 1000000] [--clicks 5000]

Both run in one process on the same data, so the ratio is worth more than the times. With chdb installed the regular
expressions run in ClickHouse's engine as well. The dictionary's cost follows
the number of different elements, the regular expression's the number of events.

Then the same elements with more and more events, by the CPU time of the process: finding the elements of a selector
reads none of these, and a definition that nobody asked for finds them, whatever their number, in the same time.

Last come lists that change while people click in them: how many elements and placements a thousand clicks add to the
dictionary.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa

from expost.lake.batch import ROOT, Descriptor, Element
from expost.lake.dictionary import Dictionary
from expost.lake.schema import DESCRIPTORS, ELEMENTS, PLACEMENTS
from expost.query.selector_parser import parse
from expost.query.selector_sql import compile_selector

VIEWS = Path(__file__).parent.parent / "lake" / "sql" / "dictionary.sql"

PREVIOUS = 20  # siblings that capture keeps

# Each with the regular expression that a chain of `tag.class.class#id[name=value]:index` would be searched with, where
# there is one: no chain holds siblings.
SELECTORS: dict[str, str | None] = {
    "button": r"(^|;)button[.#\[:]",
    ".kind-7": r"(^|;)[^;]*\.kind-7[.#\[:]",
    "#item-42": r"(^|;)[^;]*#item-42[\[:]",
    "[data-test=t9]": r"(^|;)[^;]*\[data-test=t9\]",
    "section.kind-3 button": r"(^|;)button[.#\[:][^;]*;(.*;)?section[^;]*\.kind-3[.#\[:]",
    "div span": r"(^|;)span[.#\[:][^;]*;(.*;)?div[.#\[:]",
    "ul > li:nth-child(2) a": r"(^|;)a[.#\[:][^;]*;(.*;)?li[^;]*:2;ul[.#\[:]",
    "main .kind-1 .kind-2 a[href^='/p']": r"(^|;)a[^;]*\[href=/p[^;]*;(.*;)?[^;]*\.kind-2[.#\[:][^;]*;(.*;)?"
    r"[^;]*\.kind-1[.#\[:][^;]*;(.*;)?main[.#\[:]",
    ".kind-3 + button": None,
    "section > li.kind-1 ~ li:nth-child(4) a": None,
    "p:first-of-type ~ :not(div + *)": None,
    "* + *": None,
}
TAGS = ("div",) * 3 + ("span", "span", "a", "a", "button", "li", "ul", "section", "main", "p", "svg", "label")


def dictionary(count: int, chance: random.Random) -> tuple[dict[str, pa.Table], dict[int, str]]:
    """A site of `count` elements about 12 deep, each in one place, and the chain of each element as one string."""
    descriptors: list[dict[str, object]] = []
    for number in range(max(1_000, count // 8)):
        classes = sorted({f"kind-{chance.randrange(200)}" for _ in range(chance.randrange(4))})
        attributes = []
        if chance.random() < 0.3:
            attributes.append(("data-test", f"t{chance.randrange(500)}"))
        if chance.random() < 0.2:
            attributes.append(("href", f"/p/{chance.randrange(5000)}?q=…"))
        descriptors.append({
            "descriptor_id": number, "tag": chance.choice(TAGS), "namespace": "html",
            "dom_id": f"item-{chance.randrange(20_000)}" if chance.random() < 0.1 else None,
            "class_name": " ".join(classes) or None, "classes": classes,
            "attributes": [{"name": n, "value": v, "is_partial": "…" in v} for n, v in attributes],
            "attribute_names": ["width"] if chance.random() < 0.1 else [], "marks": [],
            "is_checked": False, "is_disabled": False, "is_required": False, "is_open": False,
            "is_read_only": True, "is_quirks": False,
        })  # fmt: skip
    elements: list[dict[str, object]] = []
    placements: list[dict[str, object]] = []
    ancestors: list[list[int]] = []
    chains: dict[int, str] = {}
    for number in range(count):
        # A parent among the last hundreds makes chains about 12 long, as on real pages.
        parent = None if number == 0 else max(0, number - 1 - int(chance.expovariate(1 / (number / 12 + 1))))
        if parent is not None and len(ancestors[parent]) > 24:
            parent = ancestors[parent][-8]
        above = [] if parent is None else [parent, *ancestors[parent]]
        ancestors.append(above)
        what = descriptors[chance.randrange(len(descriptors))]
        index = chance.randrange(1, 6) if chance.random() < 0.8 else chance.randrange(1, 60)
        previous = [chance.randrange(len(descriptors)) for _ in range(min(index - 1, PREVIOUS))]
        standing = {
            "element_id": number, "descriptor_id": what["descriptor_id"], "ancestors": above, "tree_depth": len(above),
            "is_shadow_child": False, "is_cut": False, "is_root": number == 0,
        }  # fmt: skip
        elements.append(standing | {"parent_id": parent, "depth": len(above)})
        placements.append(
            standing
            | {
                "placement_id": number, "parent_placement_id": parent, "sibling_index": index,
                "sibling_count": index + 2, "type_index": 1, "type_count": 1, "previous_siblings": previous,
            }
        )  # fmt: skip
        text = f"{what['tag']}{''.join('.' + c for c in what['classes'])}"  # type: ignore[attr-defined]
        text += f"#{what['dom_id']}" if what["dom_id"] else ""
        text += "".join(f"[{a['name']}={a['value']}]" for a in what["attributes"]) + f":{index}"  # type: ignore[attr-defined]
        chains[number] = text if parent is None else f"{text};{chains[parent]}"
    tables = {
        "descriptors": pa.Table.from_pylist(descriptors, DESCRIPTORS),
        "elements": pa.Table.from_pylist(elements, ELEMENTS),
        "placements": pa.Table.from_pylist(placements, PLACEMENTS),
    }
    return tables, chains


def lake(count: int, events: int) -> duckdb.DuckDBPyConnection:
    """A database with the dictionary of a synthetic site and a table of events, each with its chain as text as well."""
    chance = random.Random(count)
    tables, chains = dictionary(count, chance)
    con = duckdb.connect()
    con.execute("set threads = 2")
    con.execute("create schema lake")
    texts = pa.table({"element_id": list(chains), "chain": list(chains.values())})
    for name, table in (*tables.items(), ("texts", texts)):
        con.register("given", table)
        con.execute(f"create table lake.{name} as from given")
        con.unregister("given")
    con.execute(VIEWS.read_text())
    con.execute(
        "create table events as select element_id, element_id as placement_id, chain from "
        f"(select (hash(range) % {count})::bigint as element_id from range({events})) "
        "join lake.texts using (element_id)"
    )
    return con


def seconds(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> tuple[float, int]:
    """The median of three runs, and the count that was found."""
    times, found = [], 0
    for _ in range(3):
        start = time.perf_counter()
        [(found,)] = con.execute(sql, parameters).fetchall()
        times.append(time.perf_counter() - start)
    return statistics.median(times), found


class ClickHouse:
    """The same events in ClickHouse's engine, in this process."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        from chdb import session

        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "events.parquet"
        con.execute(f"copy (select chain from events) to '{path}' (format parquet)")
        self.session = session.Session()
        self.session.query("create or replace table chains (chain String) engine = Memory")
        self.session.query(f"insert into chains select chain from file('{path}', Parquet)")

    def seconds(self, pattern: str) -> tuple[float, int]:
        """The median of three runs, and the count that was found."""
        quoted = pattern.replace("\\", "\\\\").replace("'", "\\'")
        sql = f"select count() from chains where match(chain, '{quoted}') settings max_threads = 2"
        times, found = [], 0
        for _ in range(3):
            start = time.perf_counter()
            found = int(str(self.session.query(sql, "CSV")))
            times.append(time.perf_counter() - start)
        return statistics.median(times), found


def cpu_ms(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> float:
    """The CPU time of this process, all of its threads: the median of five runs."""
    times = []
    for _ in range(5):
        start = time.process_time()
        con.execute(sql, parameters).fetchall()
        times.append((time.process_time() - start) * 1e3)
    return statistics.median(times)


def print_growth(elements: int, growth: Sequence[int]) -> None:
    """What the elements of each selector take, beside more and more events on as many elements."""
    con = lake(elements, 1_000)
    rows: dict[str, list[float]] = {text: [] for text in SELECTORS}
    for events in growth:
        con.execute(
            "create or replace table events as "
            "select (hash(range) % $elements)::bigint as element_id from range($events)",
            {"elements": elements, "events": events},
        )
        for text, row in rows.items():
            compiled = compile_selector(parse(text))
            sql = compiled.statement(f"select count(*) from {compiled.surely}")
            row.append(cpu_ms(con, sql, compiled.parameters))
    print(f"\n{elements:,} elements: CPU ms to find those of a selector, beside so many events")
    print(f"{'selector':36}" + "".join(f"{events:>14,}" for events in growth))
    for text, row in rows.items():
        print(f"{text:36}" + "".join(f"{each:14.1f}" for each in row))
    sums = [sum(column) for column in zip(*rows.values(), strict=True)]
    print(f"{'all':36}" + "".join(f"{each:14.1f}" for each in sums))
    print(f"{'to the first':36}" + "".join(f"{each / sums[0]:14.2f}" for each in sums))


Change = Callable[[list[Descriptor], random.Random], None]
ITEM = Descriptor("li", None, "item")
ROW, ROW_ON = Descriptor("li", None, "row"), Descriptor("li", None, "row on")


def grow(items: list[Descriptor], chance: random.Random) -> None:
    """Every tenth click loads ten more."""
    items.extend([ITEM] * 10 if chance.random() < 0.1 else [])


def put_first(items: list[Descriptor], chance: random.Random) -> None:
    """Before every tenth click somebody has written something."""
    if chance.random() < 0.1:
        items.insert(0, ITEM)


def toggle(items: list[Descriptor], chance: random.Random) -> None:
    """A click switches one row, and it stays so."""
    place = chance.randrange(len(items))
    items[place] = ROW if items[place] is ROW_ON else ROW_ON


def choose(items: list[Descriptor], chance: random.Random) -> None:
    """A click switches one row on, and the one that was on off."""
    items[:] = [ROW] * len(items)
    items[chance.randrange(len(items))] = ROW_ON


LISTS: dict[str, tuple[list[Descriptor], Change]] = {
    "a feed that grows at its end": ([ITEM] * 20, grow),
    "a feed that grows at its beginning": ([ITEM] * 20, put_first),
    "200 rows, each on or off": ([ROW] * 200, toggle),
    "200 rows, one of them on": ([ROW] * 200, choose),
}


def clicked(lake: Dictionary, items: list[Descriptor], place: int) -> None:
    """Keep a click on the button in the item at `place`, and all above it."""
    descriptors = [
        Descriptor("html"),
        Descriptor("body"),
        Descriptor("ul", None, "list"),
        Descriptor("button"),
        *items,
    ]
    previous = [4 + each for each in range(place)][::-1][:PREVIOUS]
    count = len(items)
    elements = [
        Element(0, flags=ROOT), Element(1, 0, 2, 2), Element(2, 1),
        Element(4 + place, 2, place + 1, count, place + 1, count, previous), Element(3, 3),
    ]  # fmt: skip
    lake.elements(descriptors, elements).place_of(4)


def new_rows(items: list[Descriptor], change: Change, clicks: int) -> list[tuple[int, int]]:
    """How many elements and placements each thousand clicks added; the list changes before each click."""
    chance, lake, items, found = random.Random(1), Dictionary(b"s" * 32), list(items), []
    for _ in range(clicks // 1_000):
        for _ in range(1_000):
            change(items, chance)
            clicked(lake, items, chance.randrange(len(items)))
        found.append((len(lake.fresh["elements"]), len(lake.fresh["placements"])))
        lake.settle()
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--elements", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--growth", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    options.add_argument("--clicks", type=int, default=5_000)
    chosen = options.parse_args()
    for count in chosen.elements:
        con = lake(count, chosen.events)
        [(pairs,)] = con.execute("select count(*) from lake.element_ancestors").fetchall()
        print(f"\n{count:,} elements, {pairs:,} ancestor pairs, {chosen.events:,} events")
        clickhouse = ClickHouse(con) if find_spec("chdb") else None
        heads = ["elements ms", "+ events ms", "regex ms", "regex / ours"]
        heads += ["chdb ms", "chdb / ours"] if clickhouse else []
        print(f"{'selector':36}" + "".join(f"{head:>14}" for head in heads))
        for text, pattern in SELECTORS.items():
            compiled = compile_selector(parse(text))
            alone = compiled.statement(f"select count(*) from {compiled.surely}")
            joined = compiled.statement(
                f"select count(*) from events as e where {compiled.holds(compiled.surely)}"
            )
            by_text = "select count(*) from events where regexp_matches(chain, $pattern)"
            elements, _ = seconds(con, alone, compiled.parameters)
            ours, found = seconds(con, joined, compiled.parameters)
            if pattern is None:
                print(f"{text:36}{elements * 1e3:14.1f}{ours * 1e3:14.1f}")
                continue
            theirs, found_by_text = seconds(con, by_text, {"pattern": pattern})
            figures = [elements * 1e3, ours * 1e3, theirs * 1e3, theirs / ours]
            counts = {found, found_by_text}
            if clickhouse:
                others, found_there = clickhouse.seconds(pattern)
                figures += [others * 1e3, others / ours]
                counts.add(found_there)
            note = "" if len(counts) == 1 else f"  different counts: {sorted(counts)}"
            print(f"{text:36}" + "".join(f"{figure:14.1f}" for figure in figures) + note)
    print_growth(chosen.elements[len(chosen.elements) // 2], chosen.growth)
    print("\nnew elements / placements by each thousand clicks")
    for title, (items, change) in LISTS.items():
        figures = new_rows(items, change, chosen.clicks)
        print(f"{title:36}" + "".join(f"{f'{elements:,} / {places:,}':>14}" for elements, places in figures))


if __name__ == "__main__":
    main()
