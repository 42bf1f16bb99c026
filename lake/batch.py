"""A batch as it was captured: the structures that the wire is decoded into and that the journal keeps.

The wire in words is `snippet/wire.md`. Every field is bounded here, so that whatever has been decoded can be stored.
All is `gc=False`: decoded trees hold no cycles, and without them the collector of cycles has a quarter less to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder as JsonDecoder
from msgspec.msgpack import Decoder

from expost.ids import ZERO_UUID

Short = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2_000)]
Url = Annotated[str, Meta(max_length=8_000)]
UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
Uuid = Annotated[str, Meta(pattern=UUID, max_length=36)]
Index = Annotated[int, Meta(ge=-1, le=1_000_000)]
Place = Annotated[int, Meta(ge=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]
Millis = Annotated[float, Meta(ge=-1e14, le=1e14)]
Pixels = Annotated[int, Meta(ge=-10_000_000, le=10_000_000)]

# A device id that the server made for one day begins with this; one that a browser sends never does.
DAILY_PREFIX = "daily-"

NOBODY = frozenset(
    {
        "",
        "undefined",
        "null",
        "nil",
        "none",
        "nan",
        "[object object]",
        "anonymous",
        "true",
        "false",
        ZERO_UUID,
    }
)

BATCH_VERSION = 1

Consent = Literal["full", "cookieless"]
EventType = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_:.-]{0,59}\Z", max_length=60)]
Counts = dict[Count, Count]
"""The last numbers of pages that were left, by the ordinal of the page."""


def is_nobody(text: str) -> bool:
    """Whether an id is one that a site's mistake gives to everyone, so that it must never join people.

    >>> is_nobody("[object Object]"), is_nobody("ann")
    (True, False)
    """
    return text.strip().lower() in NOBODY


def is_uuid(text: str) -> bool:
    """Whether an id is one that an event can have.

    >>> is_uuid("00000000-0000-0000-0000-00000000000A"), is_uuid("7")
    (True, False)
    """
    return len(text) == 36 and re.match(UUID, text) is not None


# Bits of Descriptor.state
CHECKED, DISABLED, REQUIRED, OPEN, READ_ONLY, QUIRKS, SVG, MATHML, FOREIGN = (1 << bit for bit in range(9))
# Bits of Element.flags
SHADOW_CHILD, CHAIN_CUT, ROOT = 1, 2, 4


class Descriptor(Struct, array_like=True, frozen=True, gc=False):
    """What an element is. `None` for an attribute that is absent; an empty one is the empty string.

    `marks` names the attributes (`id` and `class` included) whose value is not whole: in such a value every
    stretch that was cut or masked stands as one `…`, and all else is exact.
    """

    tag: Short
    dom_id: Short | None = None
    class_name: Annotated[str, Meta(max_length=4_000)] | None = None
    attributes: dict[Short, Annotated[str, Meta(max_length=1_000)]] = field(default_factory=dict)
    names: list[Short] = field(default_factory=list)
    state: Count = 0
    marks: list[Short] = field(default_factory=list)


class Element(Struct, array_like=True, frozen=True, gc=False):
    """Where an element stands: `descriptor` and `parent` are positions in the batch's tables, -1 for no parent.

    A parent comes before its children. `index` and `type_index` count from 1. `previous` lists the descriptors of up
    to 20 previous siblings, nearest first. With SHADOW_CHILD the parent is the host of the shadow root it stands in.
    """

    descriptor: Place
    parent: Index = -1
    index: Count = 1
    count: Count = 1
    type_index: Count = 1
    type_count: Count = 1
    previous: Annotated[list[Place], Meta(max_length=20)] = field(default_factory=list)
    flags: Count = 0


class Page(Struct, frozen=True, gc=False):
    """One document load. `start` is its first moment by the client's clock, in milliseconds since 1970."""

    id: Uuid
    start: Millis
    ordinal: Count = 0


class View(Struct, frozen=True, gc=False):
    """One address of a page: the first, then one for every SPA navigation."""

    url: Url
    title: Short = ""
    referrer: Url = ""
    marks: list[Short] = field(default_factory=list)


class Event(Struct, frozen=True, gc=False, omit_defaults=True):
    """One captured fact. `t` is milliseconds since the page's start; events without a page give `time` instead."""

    id: Uuid
    type: EventType
    t: Millis = 0.0
    time: Millis | None = None
    seq: Count = 0
    view: Index = 0
    el: Index = -1
    text: Text | None = None
    label: Text | None = None
    marks: list[Short] = field(default_factory=list)
    x: Pixels | None = None
    y: Pixels | None = None
    trusted: bool = True
    name: Short | None = None
    set: Index = -1
    properties: dict[str, Any] = field(default_factory=dict)
    user: Short | None = None
    traits: dict[str, Any] = field(default_factory=dict)
    group_type: Short | None = None
    group: Short | None = None
    flag: Short | None = None
    variation: Short | None = None
    flag_version: Short | None = None
    rule: Short | None = None


class Accepted(Struct, frozen=True, gc=False):
    """One acknowledged batch: a frame of the journal, all that the sink needs to make rows of it.

    `received_at` and the corrected times are decided when the batch is accepted. `device` is the text of the device id
    (the browser's own, or the daily one made by the server), empty for server events that name none. `counts` are what
    the browser last knew of its pages, those that are still open left out. `country` is that of its address, if known.
    """

    site: Short
    received_at: int
    consent: Consent
    is_imported: bool
    is_internal: bool
    device: Short
    user_agent: Annotated[str, Meta(max_length=1_000)]
    sent_at: Millis | None
    session: Count
    release: Short
    environment: Short
    viewport: list[Pixels]
    page: Page | None
    views: list[View]
    sets: list[dict[str, Any]]
    descriptors: list[Descriptor]
    elements: list[Element]
    events: list[Event]
    version: int = BATCH_VERSION
    consent_version: Short = ""
    counts: Counts = field(default_factory=dict)
    country: Annotated[str, Meta(max_length=2)] = ""


class Stored(Accepted, frozen=True, gc=False):
    """The same as the collector writes it: descriptors that were met before are written as they are."""

    descriptors: list[Raw]  # type: ignore[assignment]  # what reads them takes either


class FrameEvent(Event, frozen=True, gc=False, omit_defaults=True):
    """An event in a frame. Its id and type were held against their patterns when it was accepted.

    Doing that again would be half of what it costs to read a batch.
    """

    id: Annotated[str, Meta(min_length=36, max_length=36)]
    type: Annotated[str, Meta(min_length=1, max_length=60)]


class Frame(Accepted, frozen=True, gc=False):
    """The same as the sink reads it. Its tables of elements stay bytes until `element_tables`: they are its bulk."""

    descriptors: Raw  # type: ignore[assignment]  # `element_tables` takes either
    elements: Raw  # type: ignore[assignment]  # as above
    events: list[FrameEvent]  # type: ignore[assignment]  # each is an event


class SentFrame(Frame, frozen=True, gc=False):
    """The same of a batch that is kept as it was sent: its tables of elements are JSON."""


def element_tables(accepted: Accepted) -> tuple[Sequence[Descriptor | Raw], Sequence[Element]]:
    """The descriptors and the elements of a batch. Of a frame the descriptors stay bytes, because few are new."""
    descriptors: Any = accepted.descriptors
    elements: Any = accepted.elements
    raws, read = _JSON if isinstance(accepted, SentFrame) else _MESSAGE_PACK
    return (
        raws(descriptors) if isinstance(descriptors, Raw) else descriptors,
        read(elements) if isinstance(elements, Raw) else elements,
    )


def element_bytes(accepted: Accepted) -> bytes | None:
    """The tables of elements of a frame as they are in the journal, `None` if they have been read."""
    descriptors: Any = accepted.descriptors
    elements: Any = accepted.elements
    if isinstance(descriptors, Raw) and isinstance(elements, Raw):
        return bytes(descriptors) + bytes(elements)
    return None


def read_descriptor(data: bytes) -> Descriptor:
    """The descriptor whose bytes stand in a table of `element_tables`."""
    return (_json_descriptor if data.startswith(b"[") else _descriptor)(data)


_MESSAGE_PACK = Decoder(list[Raw]).decode, Decoder(list[Element]).decode
_JSON = JsonDecoder(list[Raw]).decode, JsonDecoder(list[Element]).decode
_descriptor = Decoder(Descriptor).decode
_json_descriptor = JsonDecoder(Descriptor).decode
