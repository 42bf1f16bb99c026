"""A made-up site with millions of events, written as the lake would hold them after compaction.

    PYTHONPATH=. python -P bench/made_lake.py --events 20000000 --keep DIR

One file for each week, in the reading order (type, element, device, time). Elements, pages and devices are as unevenly
used as real ones, and each pair of a number of events and a seed gives the same events. The dictionary goes through the
same code as captured elements.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.clock import to_micros
from expost.lake.batch import ROOT, Descriptor, Element
from expost.lake.dictionary import Dictionary
from expost.lake.folder import open_folder
from expost.lake.part import write_part
from expost.lake.schema import TABLES
from expost.lake.table import Table
from expost.query.analysis import Analysis
from expost.state.sites import Site, add_site

END = datetime(2026, 11, 2, tzinfo=UTC)
WEEKS = 13
EVENTS_PER_DEVICE = 50
SITE, HOST = "shop", "shop.example"

# Sorted, as files are; each with its share of all events.
TYPES = {
    "change": 0.03, "click": 0.5, "custom": 0.03, "exposure": 0.02, "identify": 0.0, "page_leave": 0.15,
    "page_view": 0.25, "submit": 0.02,
}  # fmt: skip
ON_ELEMENTS = ("change", "click", "submit")
CUSTOM = ("order", "search", "video-played", "filter")
PREVIOUS = 20

TAGS = ("div", "span", "a", "button", "li", "p", "label", "svg")
ELEMENT_SHARES = (0.32, 0.16, 0.16, 0.1, 0.12, 0.06, 0.04, 0.04)
LABELLED = ("a", "button", "label", "svg")
WORDS = (
    "Add",
    "Open",
    "Buy",
    "More",
    "Close",
    "Show",
    "Edit",
    "Send",
    "Next",
    "Back",
    "Save",
    "Filter",
    "Help",
)


@dataclass(frozen=True, slots=True)
class MadeElement:
    """An element as events name it. `chain` is it and its ancestors, target first, each with its place."""

    element_id: int
    placement_id: int
    page: int
    label: str | None
    chain: tuple[tuple[Descriptor, Element], ...]


@dataclass(slots=True)
class _Page:
    """The element table of one page while it is drawn. Every element knows its siblings so far."""

    chance: np.random.Generator
    descriptors: list[Descriptor] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    children: dict[int, list[int]] = field(default_factory=dict)

    def add(self, descriptor: Descriptor, parent: int) -> int:
        """Put a last child into `parent`; at least three more will follow it, of which nobody is told."""
        siblings = self.children.setdefault(parent, [])
        same = sum(self.descriptors[each].tag == descriptor.tag for each in siblings)
        self.descriptors.append(descriptor)
        self.elements.append(Element(
            len(self.descriptors) - 1, parent, len(siblings) + 1, len(siblings) + 4, same + 1, same + 4,
            siblings[::-1][:PREVIOUS], ROOT if parent < 0 else 0,
        ))  # fmt: skip
        siblings.append(len(self.elements) - 1)
        return len(self.elements) - 1

    def chain(self, place: int) -> tuple[tuple[Descriptor, Element], ...]:
        """The element at `place` and those above it."""
        levels = []
        while place >= 0:
            levels.append((self.descriptors[place], self.elements[place]))
            place = self.elements[place].parent
        return tuple(levels)


def made_elements(dictionary: Dictionary, count: int, chance: np.random.Generator) -> list[MadeElement]:
    """About `count` elements on pages of about 500, 6 to 20 deep, put into `dictionary`."""
    found: list[MadeElement] = []
    number = 0
    while len(found) < count:
        page = _draw_page(chance, number, min(500, count - len(found)))
        table = dictionary.elements(page.descriptors, page.elements)
        for place in range(len(page.elements)):
            descriptor = page.descriptors[place]
            label = None
            if descriptor.tag in LABELLED:
                label = f"{WORDS[int(chance.integers(len(WORDS)))]} {int(chance.integers(400))}"
            found.append(MadeElement(*table.place_of(place), number, label, page.chain(place)))
        number += 1
    return found


def _draw_page(chance: np.random.Generator, number: int, count: int) -> _Page:
    page = _Page(chance)
    html = page.add(Descriptor("html", None, "js", {"lang": "en"}), -1)
    body = page.add(Descriptor("body", None, f"page theme-{number % 4}", {"data-page": f"p{number}"}), html)
    header = page.add(Descriptor("header", None, "top sticky"), body)
    menu = page.add(Descriptor("nav", None, "menu"), header)
    for place in range(6):
        classes = "item active" if place == number % 6 else "item"
        page.add(Descriptor("a", None, classes, {"href": f"/{place}", "title": f"To {place}"}), menu)
    page.add(
        Descriptor("button", "menu-toggle", "btn icon", {"type": "button", "aria-label": "Menu"}), header
    )
    main = page.add(Descriptor("main", "content", f"layout-{number % 12}"), body)
    open_ = [page.add(Descriptor("section", None, f"block kind-{int(chance.integers(200))}"), main)]
    tags = chance.choice(len(TAGS), count, p=ELEMENT_SHARES)
    draws = chance.integers(0, 1 << 30, (count, 6))
    while len(page.elements) < count:
        at = len(page.elements)
        parent = open_[int(draws[at, 0]) % len(open_)]
        tag = TAGS[tags[at]]
        place = page.add(_made_descriptor(tag, draws[at]), parent)
        if tag in ("div", "li", "span", "button", "a") and len(open_) < 60:
            open_.append(place)
        elif draws[at, 5] % 12 == 0:
            open_ = open_[-40:]
    return page


def _made_descriptor(tag: str, draw: NDArray[np.int64]) -> Descriptor:
    shifts = (0, 6)[: int(draw[3]) % 3]
    utilities = (f"u-{int(draw[2]) >> shift & 63}" for shift in shifts)
    classes = sorted({f"kind-{int(draw[1]) % 200}", *utilities})
    attributes: dict[str, str] = {}
    if draw[4] % 3 == 0:
        attributes["data-test"] = f"t{int(draw[4]) // 3 % 500}"
    if tag == "a":
        attributes["href"] = f"/p/{int(draw[5]) % 5_000}"
    if tag == "button":
        classes.insert(0, "btn")
        attributes["type"] = "submit" if draw[5] % 5 == 0 else "button"
    dom_id = f"item-{int(draw[1]) >> 8 & 16383}" if draw[3] % 10 == 0 else None
    return Descriptor(tag, dom_id, " ".join(classes), attributes)


@dataclass(frozen=True, slots=True)
class MadeLake:
    """A data folder with made-up events, and the elements they happened on."""

    folder: Path
    events: int
    elements: Sequence[MadeElement]


def make_lake(folder: Path, events: int, *, elements: int = 50_000, seed: int = 1) -> MadeLake:
    """The lake of `events` events in `folder`. One that is there already, of the same numbers, is taken as it is."""
    chance = np.random.default_rng(seed)
    dictionary = Dictionary(b"s" * 32)
    made = made_elements(dictionary, elements, chance)
    noted = folder / "demo.json"  # one of the names that a new folder may hold already
    plan = {"events": events, "elements": elements, "seed": seed, "columns": _columns()}
    if noted.exists() and json.loads(noted.read_text()) == plan:
        return MadeLake(folder, events, made)
    # What was made by other numbers, or for an older schema, would be told twice.
    shutil.rmtree(folder, ignore_errors=True)
    opened = open_folder(folder, create=True)
    site = _Site(made, max(1, events // EVENTS_PER_DEVICE), chance)
    for name, rows in (*dictionary.fresh.items(), *site.people().items()):
        if rows:
            schema = TABLES[name]
            filled = [(*row, *[None] * (len(schema) - len(row))) for row in rows.values()]
            columns = zip(*filled, strict=True)
            arrays = [pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)]
            Table(opened.lake / name, TABLES[name]).append(pa.table(arrays, TABLES[name]), "bench", 0)
    table = Table(opened.lake / "events", TABLES["events"])
    for week in range(WEEKS):
        share = events * (week + 1) // WEEKS - events * week // WEEKS
        rows = site.week(END - timedelta(weeks=WEEKS - week), share).cast(TABLES["events"])
        table.replace([], [write_part(table.path, rows, data_change=True, kind="sorted")], data_change=True)
    analysis = Analysis(folder)
    add_site(analysis.state, Site(SITE, "Shop", keep_months=None))
    analysis.close()
    noted.write_text(json.dumps(plan))
    return MadeLake(folder, events, made)


@contextmanager
def made_lake(keep: Path | None, scratch: Path, events: int, **made: Any) -> Iterator[MadeLake]:
    """A lake that is removed afterwards; below `keep`, if one is given, it stays for the next run."""
    folder = (keep or scratch) / f"events-{events}"
    try:
        yield make_lake(folder, events, **made)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _columns() -> list[str]:
    return [f"{name}.{column}" for name, schema in TABLES.items() for column in schema.names]


@dataclass(slots=True)
class _Site:
    """Who visits and what is there to do, and the events of each week."""

    elements: Sequence[MadeElement]
    devices: int
    chance: np.random.Generator
    pages: int = 0
    ids: NDArray[np.int64] = field(init=False)
    element_ids: NDArray[np.int64] = field(init=False)
    placement_ids: NDArray[np.int64] = field(init=False)
    element_pages: NDArray[np.int64] = field(init=False)
    labels: pa.Array = field(init=False)
    label_of: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.pages = self.elements[-1].page + 1
        self.ids = self.chance.integers(-(1 << 62), 1 << 62, self.devices)
        # Which elements are popular has nothing to do with the page they are on.
        chosen = self.chance.permutation(len(self.elements))
        self.element_ids = np.array([each.element_id for each in self.elements], np.int64)[chosen]
        self.placement_ids = np.array([each.placement_id for each in self.elements], np.int64)[chosen]
        self.element_pages = np.array([each.page for each in self.elements], np.int64)[chosen]
        said = pa.array([self.elements[place].label for place in chosen]).dictionary_encode()
        self.labels, self.label_of = said.dictionary, pc_indices(said)

    def people(self) -> dict[str, dict[int, tuple[Any, ...]]]:
        """Rows of the devices, and of users on a fifth of them; one in 200 devices has had a second user."""
        devices = {int(id_): (int(id_), SITE, f"d{number}", False) for number, id_ in enumerate(self.ids)}
        users, edges = {}, {}
        middle = END - timedelta(weeks=WEEKS // 2)
        for number, id_ in enumerate(self.ids[: self.devices // 5]):
            for turn in range(2 if number % 40 == 0 else 1):
                user = 1_000_000_000 + number + turn
                users[user] = (user, SITE, f"user{number + turn}@shop.example")
                at = middle + timedelta(minutes=turn + number % 5_000)
                edges[len(edges)] = (
                    len(edges), SITE, "identify", int(id_), user, at, "", turn, f"edge{len(edges)}", at, "",
                )  # fmt: skip
        return {"devices": devices, "users": users, "identities": edges}

    def week(self, start: datetime, count: int) -> pa.Table:
        """The rows of one week, in reading order."""
        chance = self.chance
        names = list(TYPES)
        kind = chance.choice(len(names), count, p=list(TYPES.values())).astype(np.int8)
        on = np.isin(kind, [names.index(each) for each in ON_ELEMENTS])
        element = np.where(on, uneven(chance, len(self.elements), count), -1)
        device = uneven(chance, self.devices, count, 1.5)
        day = chance.integers(0, 7, count) * 86_400
        moment = to_micros(start) + (day + chance.normal(14 * 3_600, 4 * 3_600, count).clip(0, 86_399)) * 1e6
        moment = moment.astype(np.int64)
        element_id = np.where(on, self.element_ids[element], np.iinfo(np.int64).max)
        order = np.lexsort((moment, self.ids[device], element_id, kind))
        kind, on, element, device, moment = (each[order] for each in (kind, on, element, device, moment))
        return self.table(names, kind, on, element, device, moment)

    def table(
        self,
        names: list[str],
        kind: NDArray[np.int8],
        on: NDArray[np.bool_],
        element: NDArray[np.int64],
        device: NDArray[np.int64],
        moment: NDArray[np.int64],
    ) -> pa.Table:
        count, chance = len(kind), self.chance
        page = np.where(on, self.element_pages[element], uneven(chance, self.pages, count))
        shown = pa.array(moment, pa.timestamp("us", tz="UTC"))
        custom, exposure = kind == names.index("custom"), kind == names.index("exposure")
        seen = chance.random(count)
        said = self.label_of[element]
        has_label = on & (said >= 0)
        columns: dict[str, pa.Array] = {
            "event_id": uuids(chance, moment // 1_000),
            "page_id": chosen_of(uuids(chance, moment[: count // 8 + 1] // 1_000), np.arange(count) // 8),
            "time": shown,
            "client_time": shown,
            "received_at": pa.array(moment + 700_000, pa.timestamp("us", tz="UTC")),
            "sent_at": pa.array(moment + 600_000, pa.timestamp("us", tz="UTC")),
            "client_offset_ms": pa.array(np.zeros(count)),
            "device_id": pa.array(self.ids[device]),
            "session_ordinal": pa.array(chance.integers(1, 9, count, np.int32)),
            "page_ordinal": pa.array(chance.integers(1, 60, count, np.int32)),
            "page_seq": pa.array(chance.integers(1, 60, count, np.int32)),
            "type": chosen_of(names, kind),
            "name": chosen_of(CUSTOM, uneven(chance, len(CUSTOM), count), ~custom),
            "element_id": pa.array(self.element_ids[element], mask=~on),
            "placement_id": pa.array(self.placement_ids[element], mask=~on),
            "label": chosen_of(self.labels, said.clip(0), ~has_label),
            "text": chosen_of(self.labels, said.clip(0), ~has_label),
            "path": chosen_of([f"/page/{number}" for number in range(self.pages)], page),
            "title": chosen_of([f"Page {number}" for number in range(self.pages)], page),
            "x": pa.array(chance.integers(0, 1_400, count, np.int32), mask=~on),
            "y": pa.array(chance.integers(0, 900, count, np.int32), mask=~on),
            "viewport_width": chosen_of(pa.array([390, 1280, 1440, 1920], pa.int32()), device % 4),
            "viewport_height": chosen_of(pa.array([844, 800, 900, 1080], pa.int32()), device % 4),
            "flag": chosen_of(["new-checkout"], np.zeros(count, np.int32), ~exposure),
            "variation": chosen_of(["control", "treatment"], device % 2, ~exposure),
            "environment": chosen_of(["production", "staging"], seen > 0.97),
            "user_agent": chosen_of([f"Mozilla/5.0 (made up) {number}" for number in range(50)], device % 50),
            "is_bot": pa.array(seen < 0.02),
            "is_internal": pa.array(device % 97 == 0),
            "properties": chosen_of(["{}", '{"amount": 12}', '{"amount": 90}'], custom * (device % 3)),
        }
        constants: dict[str, Any] = {
            "imported": False, "site": SITE, "host": HOST, "marks": [], "is_trusted": True, "consent": "full",
            "release": "2026.10", "source": "browser",
        }  # fmt: skip
        arrays = [
            columns[each.name]
            if each.name in columns
            else _constant(constants.get(each.name), each.type, count)
            for each in TABLES["events"]
        ]
        return pa.table(arrays, TABLES["events"].names)


def uneven(chance: np.random.Generator, things: int, count: int, power: float = 3.0) -> NDArray[np.int64]:
    """`count` draws of `things`, the first ones by far the most often, like words in a text."""
    return (chance.random(count) ** power * things).astype(np.int64)


def chosen_of(
    values: Sequence[Any] | pa.Array, places: NDArray[Any], absent: NDArray[np.bool_] | None = None
) -> pa.Array:
    """The values at those places, null where one is absent; each value is kept once."""
    dictionary = values if isinstance(values, pa.Array) else pa.array(list(values))
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=absent), dictionary)


def pc_indices(encoded: pa.DictionaryArray) -> NDArray[np.int64]:
    """The place of each value in the dictionary, −1 for null."""
    return encoded.indices.fill_null(-1).to_numpy().astype(np.int64)


def uuids(chance: np.random.Generator, millis: NDArray[np.int64]) -> pa.Array:
    """UUIDv7 texts of those moments."""
    count = len(millis)
    raw = chance.integers(0, 256, (count, 16), np.uint8)
    raw[:, :6] = millis.astype(">u8").view(np.uint8).reshape(count, 8)[:, 2:]
    raw[:, 6] = raw[:, 6] & 15 | 0x70
    raw[:, 8] = raw[:, 8] & 63 | 0x80
    digits = np.frombuffer(b"".join(b"%02x" % each for each in range(256)), np.uint8).reshape(256, 2)
    texts = np.full((count, 36), ord("-"), np.uint8)
    kept = [place for place in range(36) if place not in (8, 13, 18, 23)]
    texts[:, kept] = digits[raw].reshape(count, 32)
    offsets = np.arange(count + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(texts))


def _constant(value: Any, kind: pa.DataType, count: int) -> pa.Array:
    if value is None or value == []:
        return pa.nulls(count, kind) if value is None else pa.repeat(pa.scalar([], kind), count)
    return pa.repeat(pa.scalar(value, kind), count)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--events", type=int, default=2_000_000)
    options.add_argument("--elements", type=int, default=50_000)
    options.add_argument("--keep", type=Path, help="leave it here for other benches")
    chosen = options.parse_args()
    began, cpu = time.perf_counter(), time.process_time()
    with (
        tempfile.TemporaryDirectory() as scratch,
        made_lake(chosen.keep, Path(scratch), chosen.events, elements=chosen.elements) as lake,
    ):
        size = sum(each.stat().st_size for each in lake.folder.rglob("*.parquet"))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    print(f"{chosen.events:,} events in {seconds:.0f} s, {used:.0f} s of CPU, {size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
