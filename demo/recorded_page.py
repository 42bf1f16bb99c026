"""What real Chromium sent from the shop's pages: element tables, and events of each action, kept in `recorded/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

RECORDED = files("expost.demo") / "recorded"

Json = dict[str, Any]
Row = list[Any]


@dataclass(frozen=True, slots=True)
class RecordedPage:
    """One page's table of elements and the events of each action done on it.

    Events are as on the wire, without what is drawn anew for each visitor: `id`, `seq` and times. `actions` also holds
    "enter", what a load sends by itself. `views` are addresses without the shop's origin.
    """

    name: str
    views: list[Json]
    descriptors: list[Row]
    elements: list[Row]
    actions: dict[str, list[Json]]

    def tables_of(self, events: list[Json]) -> Json:
        """The part of the tables that `events` need, and the events pointing into it: as small as a real batch."""
        needed: dict[int, int] = {}
        for event in events:
            place = event.get("el", -1)
            chain = []
            while place >= 0 and place not in needed:
                chain.append(place)
                place = _parent(self.elements[place])
            for place in reversed(chain):
                needed[place] = len(needed)
        used: dict[int, int] = {}
        elements = []
        for place in needed:
            row = list(self.elements[place])
            row[0] = used.setdefault(row[0], len(used))
            if _parent(row) >= 0:
                row[1] = needed[row[1]]
            if len(row) > 6:
                row[6] = [used.setdefault(previous, len(used)) for previous in row[6]]
            elements.append(row)
        return {
            "descriptors": [self.descriptors[place] for place in used],
            "elements": elements,
            "events": [event | {"el": needed[event["el"]]} if "el" in event else event for event in events],
        }

    def to_text(self) -> str:
        """The file's text: one line for each element and event, so that a change can be read as a diff."""

        def line(value: object) -> str:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

        def lines(rows: list[Any]) -> str:
            return "[\n" + ",\n".join(f"  {line(row)}" for row in rows) + "\n ]"

        tables = (("views", self.views), ("descriptors", self.descriptors), ("elements", self.elements))
        parts = [f' "{name}": {lines(rows)}' for name, rows in tables]
        actions = ",\n".join(f"  {line(name)}: {line(events)}" for name, events in self.actions.items())
        return "{\n" + ",\n".join([*parts, f' "actions": {{\n{actions}\n }}']) + "\n}\n"


def _parent(row: Row) -> int:
    return int(row[1]) if len(row) > 1 else -1


def read_recorded_page(name: str, text: str) -> RecordedPage:
    """The page kept in a file's text."""
    kept = json.loads(text)
    return RecordedPage(name, kept["views"], kept["descriptors"], kept["elements"], kept["actions"])


@cache
def recorded_page(name: str) -> RecordedPage:
    """The page called `name` as it was recorded."""
    return read_recorded_page(name, (RECORDED / f"{name}.json").read_text("utf-8"))
