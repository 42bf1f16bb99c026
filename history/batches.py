"""Batches of the wire, made of foreign events: those of one device stand together, since a batch has one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .foreign import Chain, Foreign

MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 700_000
MAX_EVENT_BYTES = 300_000
MAX_NAME = 200
MAX_SEQUENCE = 10_000_000

_encode = msgspec.json.Encoder(enc_hook=str).encode

_NO_HEADER = re.compile(r"[^ -~\u00a0-\u00ff]")

Identified = tuple[str, int, Foreign]
"""An event with its id and its place in the order of the source."""


@dataclass(frozen=True, slots=True)
class Body:
    """A batch as it is sent, whose user agent stands in its headers, and the ids of its events."""

    content: bytes
    user_agent: str
    ids: Sequence[str]


def bodies(events: Iterable[Identified]) -> Iterator[Body]:
    """These events as batches, in any order: their times and sequences say theirs."""
    groups: dict[tuple[Any, ...], list[Identified]] = {}
    for each in events:
        foreign = each[2]
        groups.setdefault(_envelope(foreign), []).append(each)
    for group in groups.values():
        yield from _split(group)


def size_of(foreign: Foreign) -> int:
    """About how many bytes an event takes."""
    return len(_encode(foreign.properties)) + len(_encode(foreign.traits))


def _envelope(foreign: Foreign) -> tuple[Any, ...]:
    has_view = foreign.url is not None
    return (
        foreign.device, foreign.user_agent, foreign.viewport, foreign.release, foreign.environment, has_view,
    )  # fmt: skip


def _split(group: Sequence[Identified]) -> Iterator[Body]:
    some: list[Identified] = []
    size = 0
    for each in group:
        bytes_of_it = 500 + size_of(each[2])
        if some and (len(some) >= MAX_BATCH_EVENTS or size + bytes_of_it > MAX_BATCH_BYTES):
            yield _body(some)
            some, size = [], 0
        some.append(each)
        size += bytes_of_it
    if some:
        yield _body(some)


def _body(group: Sequence[Identified]) -> Body:
    first = group[0][2]
    views = _Places()
    tables = _Tables()
    events = []
    for id_, sequence, foreign in group:
        event = _event(id_, sequence, foreign)
        if foreign.url is not None:
            view = {"url": foreign.url, "title": foreign.title, "referrer": foreign.referrer}
            event["view"] = views.place(view, (foreign.url, foreign.title, foreign.referrer))
        if foreign.chain is not None:
            event["el"] = tables.place(foreign.chain)
        events.append(event)
    batch: dict[str, Any] = {
        "v": 1,
        # Whoever exported it had it: the mode of each event is not known.
        "consent": "full",
        "device": first.device,
        "release": first.release[:MAX_NAME],
        "environment": first.environment[:MAX_NAME] or "production",
        "viewport": list(first.viewport),
        "views": views.rows,
        "descriptors": tables.descriptors.rows,
        "elements": tables.elements,
        "events": events,
    }
    # What the header of a browser cannot hold is left out.
    user_agent = _NO_HEADER.sub("", first.user_agent)
    return Body(_encode(batch), user_agent, [id_ for id_, _, _ in group])


def _event(id_: str, sequence: int, foreign: Foreign) -> dict[str, Any]:
    said = {
        "name": foreign.name, "text": foreign.text, "label": foreign.label, "x": foreign.x, "y": foreign.y,
        "user": foreign.user or None, "properties": foreign.properties or None, "traits": foreign.traits or None,
        "group_type": foreign.group_type, "group": foreign.group, "flag": foreign.flag,
        "variation": foreign.variation,
    }  # fmt: skip
    event = {name: value for name, value in said.items() if value is not None}
    return event | {
        "id": id_,
        "type": foreign.type,
        "time": foreign.time / 1_000,
        "seq": sequence % MAX_SEQUENCE,
    }


class _Places:
    """Rows of a table of a batch, each once."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._known: dict[Any, int] = {}

    def place(self, row: Any, key: Any) -> int:
        """Where a row stands."""
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.rows)
            self.rows.append(row)
        return found


class _Tables:
    """Descriptors and elements of a batch."""

    def __init__(self) -> None:
        self.descriptors = _Places()
        self.elements: list[Any] = []
        self._known: dict[bytes, int] = {}

    def place(self, chain: Chain) -> int:
        """Where the target of a chain stands."""
        key = _encode((chain.descriptors, chain.elements))
        found = self._known.get(key)
        if found is not None:
            return found
        first = len(self.elements)
        places = [self.descriptors.place(each, _encode(each)) for each in chain.descriptors]
        for each in chain.elements:
            parent = each.parent + first if each.parent >= 0 else -1
            self.elements.append(
                msgspec.structs.replace(each, descriptor=places[each.descriptor], parent=parent)
            )
        self._known[key] = len(self.elements) - 1
        return self._known[key]
