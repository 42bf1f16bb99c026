"""The wire format is read here (`snippet/wire.md`): bytes in, a batch out, with a verdict for each event.

A batch that is right in every part is decoded in one go. Any other is decoded part by part, so that one bad event,
element or view takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from expost.errors import InvalidInput
from expost.lake.batch import Element, Event, Page, Place, Short, View
from expost.lake.sent import BOM, Head

from .cut import cut_event, cut_head, cut_view
from .descriptors import Descriptors
from .masks import Masks
from .reason import reason_of
from .repair import repair_json

VERSION = 1
MAX_EVENTS = 1_000

HEX_DIGITS = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
SMALL_HEX_DIGITS = bytes.maketrans(b"123456789abcdef", b"0" * 15)
UUID_SHAPE = b"00000000-0000-0000-0000-000000000000"
KnownType = Literal[
    "click", "auxclick", "change", "submit", "page_view", "page_leave", "identify", "group", "reset", "exposure",
    "custom", "snippet_error", "download", "web_vital",
    "contextmenu", "copy", "cut", "dblclick", "dragend", "dragstart", "drop", "ended", "error", "focusin", "focusout",
    "fullscreenchange", "input", "invalid", "pause", "paste", "play", "scroll", "search", "select", "toggle",
]  # fmt: skip
"""What the snippet sends and may be asked to send. A batch with a type of the site's own is read part by part."""

Part = TypeVar("Part")


class Unreadable(InvalidInput):
    """A body that is no batch."""

    code = "unreadable_batch"


class TooLarge(InvalidInput):
    """A body, or a number of events, beyond the limits."""

    code = "batch_too_large"
    status = 413


class FromTheFuture(InvalidInput):
    """A batch of a wire version that this collector does not know."""

    code = "newer_wire_version"


class QuickPage(Page, frozen=True, gc=False, forbid_unknown_fields=True):
    """A page whose id is looked at later, with those of its events."""

    id: Annotated[str, Meta(min_length=36, max_length=36)]


class Quick(Event, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """An event whose id is looked at later, those of the whole batch at once: one by one that is slow.

    Its type is one of those that are known: they are told apart in no time, and by far the most are.

    What it does not say is UNSET where `Event` has an empty list or dictionary, of which each would be made.
    """

    id: Annotated[str, Meta(min_length=36, max_length=36)]
    type: KnownType
    marks: list[Short] | UnsetType = UNSET  # type: ignore[assignment]  # what reads them takes either
    properties: dict[str, Any] | UnsetType = UNSET  # type: ignore[assignment]
    traits: dict[str, Any] | UnsetType = UNSET  # type: ignore[assignment]


class Placed(Element, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """An element whose previous siblings, which few have, are a tuple: the empty one has not to be made."""

    previous: Annotated[tuple[Place, ...], Meta(max_length=20)] = ()  # type: ignore[assignment]


class KnownView(View, frozen=True, gc=False, forbid_unknown_fields=True):
    """A view that says nothing but what the format has."""


class Strict(Head, gc=False, forbid_unknown_fields=True):
    """A batch in which every part is right, and nothing beside what the format has: it may be kept as it is."""

    page: QuickPage | None = None  # pyright: ignore[reportIncompatibleVariableOverride] (only read)
    views: list[KnownView] = field(default_factory=list)
    sets: list[dict[str, Any]] = field(default_factory=list)
    descriptors: list[Raw] = field(default_factory=list)
    elements: list[Placed] = field(default_factory=list)
    events: list[Quick] = field(default_factory=list)


class Loose(Head, gc=False):
    """A batch whose parts are still to be looked at."""

    views: list[Raw] = field(default_factory=list)
    sets: list[Raw] = field(default_factory=list)
    descriptors: list[Raw] = field(default_factory=list)
    elements: list[Raw] = field(default_factory=list)
    events: list[Raw] = field(default_factory=list)


class Versioned(Struct):
    """The one thing that every version of the format says in the same way."""

    v: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not stored: its id if it has one, why, and its bytes."""

    id: str
    reason: str
    content: bytes


class Batch(Struct, gc=False):
    """A decoded batch. `None` stands in the tables for what could not be read, so that places stay true."""

    head: Head
    views: Sequence[View | None]
    sets: Sequence[dict[str, Any] | None]
    descriptors: Sequence[Raw | None]
    elements: Sequence[Element | None]
    events: list[Event]
    ids: list[str]
    refused: list[Refused] = []
    may_have_gaps: bool = True
    are_distinct: bool = False
    """Whether no two events have the same id, as far as that was seen at a glance."""
    is_whole: bool = False
    """Whether its body says this and nothing else, in descriptors without secrets that were all met before."""


_strict = msgspec.json.Decoder(Strict).decode
_loose = msgspec.json.Decoder(Loose).decode
_version = msgspec.json.Decoder(Versioned).decode
_view = msgspec.json.Decoder(View).decode
_set = msgspec.json.Decoder(dict[str, Any]).decode
_element = msgspec.json.Decoder(Element).decode
_event = msgspec.json.Decoder(Event).decode


def decode(body: bytes, descriptors: Descriptors) -> Batch:
    """The batch that `body` holds. Raises Unreadable, TooLarge or FromTheFuture."""
    body = body.removeprefix(BOM)
    try:
        try:
            return _decode(body, descriptors)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Scripts cut strings in the middle of an emoji, and some serialisers write NaN.
            repaired = repair_json(body)
            if repaired == body:
                raise
            batch = _decode(repaired, descriptors)
            batch.is_whole = False
            return batch
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Unreadable(
            f"The body is no batch: {reason_of(problem)}.", hint="The format is described in snippet/wire.md."
        ) from problem


def _decode(body: bytes, descriptors: Descriptors) -> Batch:
    try:
        strict = _strict(body)
    except msgspec.ValidationError:
        _check_version(_version(body).v)
        return _decode_parts(_read_loose(body, descriptors.masks), descriptors)
    if strict.v != VERSION:
        _check_version(strict.v)
    events: Any = strict.events
    if len(events) > MAX_EVENTS:
        _check_count(events)
    ids = [event.id for event in events]
    written = ids if strict.page is None else [*ids, strict.page.id]
    are_small = are_small_uuids(written)
    if not (are_small or are_uuids(written)):
        return _decode_parts(_loose(body), descriptors)
    known = descriptors.find(strict.descriptors)
    # In the order of its fields: by name it takes several times as long.
    return Batch(
        strict,
        strict.views,
        strict.sets,
        descriptors.read(strict.descriptors) if known is None else known,
        strict.elements,
        events,
        ids,
        [],
        known is None,
        are_small and len(set(ids)) == len(ids),
        known is not None,
    )


def _read_loose(body: bytes, masks: Masks) -> Loose:
    try:
        return _loose(body)
    except msgspec.ValidationError:
        return _loose(cut_head(body, masks))


def are_uuids(ids: Sequence[str]) -> bool:
    """Whether every id is a UUID, as `Event` asks for. All of them have 36 characters.

    >>> are_uuids(["0189-34567-89ab-cdef-0123-456789abcd"]), are_uuids(["01890000-89ab-7def-8123-456789ABCDEF"])
    (False, True)
    """
    return "".join(ids).encode().translate(HEX_DIGITS) == UUID_SHAPE * len(ids)


def are_small_uuids(ids: Sequence[str]) -> bool:
    """The same for UUIDs written in small letters, as nearly all are: of those, equal ones are equal as texts.

    >>> [are_small_uuids([f"01890000-89ab-7def-8123-456789{end}"]) for end in ("abcdef", "ABCDEF", "abcdeg")]
    [True, False, False]
    """
    return "".join(ids).encode().translate(SMALL_HEX_DIGITS) == UUID_SHAPE * len(ids)


def _decode_parts(loose: Loose, descriptors: Descriptors) -> Batch:
    _check_count(loose.events)
    masks = descriptors.masks
    refused: list[Refused] = []
    events = []
    for raw in loose.events:
        event = _part(raw, _event, partial(cut_event, masks=masks))
        if isinstance(event, str):
            refused.append(Refused(_id_of(raw), event, bytes(raw)))
        else:
            events.append(event)
    return Batch(
        loose,
        views=[_or_none(_part(raw, _view, partial(cut_view, masks=masks))) for raw in loose.views],
        sets=[_or_none(_part(raw, _set, None)) for raw in loose.sets],
        descriptors=descriptors.read(loose.descriptors),
        elements=[_or_none(_part(raw, _element, None)) for raw in loose.elements],
        events=events,
        ids=[event.id for event in events],
        refused=refused,
    )


def _part(raw: Raw, decode_part: Callable[[Raw], Part], cut: Callable[[Any], Part] | None) -> Part | str:
    """The part, cut to its limits if that is all that is wrong with it, else the reason why it is not."""
    try:
        return decode_part(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        reason = reason_of(problem)
        if cut is None or not isinstance(problem, msgspec.ValidationError):
            return reason
    try:
        return cut(msgspec.json.decode(raw))
    except (ValueError, RecursionError, TypeError, AttributeError):
        return reason


def _or_none(part: Part | str) -> Part | None:
    return None if isinstance(part, str) else part


def _check_version(version: int) -> None:
    if version > VERSION:
        raise FromTheFuture(f"This batch has wire version {version}; this collector reads up to {VERSION}.")
    if version < 1:
        raise Unreadable(
            f"There is no wire version {version}.", hint=f"This collector reads versions 1 to {VERSION}."
        )


def _check_count(events: Sequence[object]) -> None:
    if len(events) > MAX_EVENTS:
        raise TooLarge(
            f"The batch holds {len(events)} events.", hint=f"Split it into batches of at most {MAX_EVENTS}."
        )


def _id_of(raw: Raw) -> str:
    try:
        found = msgspec.json.decode(raw)["id"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return ""
    return found[:100] if isinstance(found, str) else ""
