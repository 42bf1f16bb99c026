"""Pages for tests, captured without a browser: markup parsed by html5lib, every element as the wire would hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import soupsieve
from bs4 import BeautifulSoup, Tag

from expost.lake.batch import (
    CHECKED,
    DISABLED,
    MATHML,
    OPEN,
    QUIRKS,
    READ_ONLY,
    REQUIRED,
    ROOT,
    SVG,
    Descriptor,
    Element,
)
from expost.lake.dictionary import Dictionary
from expost.lake.rows import Rows
from expost.lake.schema import TABLES
from expost.query.selector_parser import parse
from expost.query.selector_sql import compile_selector

VIEWS = Path(__file__).parents[2] / "lake" / "sql" / "dictionary.sql"
NAMESPACES = {"http://www.w3.org/2000/svg": SVG, "http://www.w3.org/1998/Math/MathML": MATHML}

STATES = {
    ":checked": CHECKED,
    ":disabled": DISABLED,
    ":required": REQUIRED,
    "[open]": OPEN,
    ":read-only": READ_ONLY,
}
PREVIOUS = 20


@dataclass(frozen=True)
class Captured:
    """Descriptors and elements as the wire has them, each element with a descriptor of its own."""

    descriptors: list[Descriptor]
    elements: list[Element]


def parse_page(markup: str) -> list[Tag]:
    """Every element of the page in the order of the document.

    The root is taken out of its document, which soupsieve would take for an element that `* *` finds the root in.
    """
    root = BeautifulSoup(markup, "html5lib").html
    assert root is not None
    root.extract()
    return [root, *root.find_all(True)]


def capture(tags: Sequence[Tag], *, is_quirks: bool = False) -> Captured:
    """All of those elements, with every attribute in clear. The browser whose word is taken for states is soupsieve."""
    places = {id(tag): place for place, tag in enumerate(tags)}
    descriptors, elements = [], []
    for place, tag in enumerate(tags):
        attributes = {
            name: " ".join(value) if isinstance(value, list) else value for name, value in tag.attrs.items()
        }
        dom_id, class_name = attributes.pop("id", None), attributes.pop("class", None)
        state = NAMESPACES.get(str(tag.namespace), 0) | (QUIRKS if is_quirks else 0)
        state |= sum(bit for selector, bit in STATES.items() if soupsieve.match(selector, tag))
        descriptors.append(Descriptor(tag.name, dom_id, class_name, attributes, state=state))
        parent = places.get(id(tag.parent), -1)
        siblings = [each for each in (tag.parent.children if tag.parent else [tag]) if isinstance(each, Tag)]
        same = [each for each in siblings if (each.name, each.namespace) == (tag.name, tag.namespace)]
        index, type_index = _index(siblings, tag), _index(same, tag)
        flags = ROOT if parent < 0 else 0
        previous = [places[id(each)] for each in siblings[: index - 1][::-1][:PREVIOUS]]
        elements.append(Element(place, parent, index, len(siblings), type_index, len(same), previous, flags))
    return Captured(descriptors, elements)


def _index(tags: Sequence[Tag], tag: Tag) -> int:
    return next(place for place, each in enumerate(tags, start=1) if each is tag)


class ElementLake:
    """An element dictionary in a database of its own, and the placement of each captured element, in order."""

    def __init__(self, *pages: Captured) -> None:
        dictionary = Dictionary(b"s" * 32)
        self.ids: list[int] = []
        for page in pages:
            table = dictionary.elements(page.descriptors, page.elements)
            self.ids += [table.place_of(place).placement_id for place in range(len(page.elements))]
        tables = Rows(dictionary).tables()
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("create schema lake")
        for name in ("descriptors", "elements", "placements"):
            table = tables.get(name, TABLES[name].empty_table())
            # Twice: dictionaries may hold repeats.
            self.con.register("given", pa.concat_tables([table, table]))
            self.con.execute(f"create table lake.{name} as from given")
        self.con.execute(VIEWS.read_text())
        self.descriptors = tables["descriptors"].to_pylist()
        self.placements = tables["placements"].to_pylist()

    def ask(self, text: str, **options: Any) -> Answers:
        """All that a compiled selector answers, by one statement; for placements, whatever it was judged over."""
        compiled = compile_selector(parse(text), prefix="step_1", **options)
        key = compiled.grain.id
        sql = compiled.statement(
            f"select 'matches' as answer, {key}, is_sure::bigint as other from {compiled.matches}\n"
            f"union all select 'surely', {key}, null from {compiled.surely}\n"
            f"union all select 'possibly', {key}, null from {compiled.possibly}\n"
            f"union all select 'subjects', {key}, distance from (\n{compiled.subjects}\n) as subjects"
        )
        found: dict[str, dict[int, int | None]] = {
            "matches": {},
            "surely": {},
            "possibly": {},
            "subjects": {},
        }
        for answer, id_, other in self.con.execute(sql, compiled.parameters).fetchall():
            assert id_ not in found[answer], "one is answered for twice"
            found[answer][id_] = other
        placements = [(each[key], each["placement_id"], each["ancestors"]) for each in self.placements]
        return Answers(
            {
                placement: bool(found["matches"][id_]) or None
                for id_, placement, _ in placements
                if id_ in found["matches"]
            },
            {placement for id_, placement, _ in placements if id_ in found["surely"]},
            {placement for id_, placement, _ in placements if id_ in found["possibly"]},
            {
                placement: [placement, *ancestors][found["subjects"][id_] or 0]
                for id_, placement, ancestors in placements
                if id_ in found["subjects"]
            },
        )


@dataclass(frozen=True)
class Answers:
    """Placements that match themselves (True or None); targets whose chain does; the subject of each of those."""

    matches: dict[int, bool | None]
    surely: set[int]
    possibly: set[int]
    subjects: dict[int, int]
