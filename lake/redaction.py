"""A batch without what belongs to somebody who was erased: its events, and the parts that only they pointed at.

The same words decide what the sink stores no more and what is taken out of the journal's segments.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from zlib import crc32

import msgspec

from expost.ids import keyed_hash

from .batch import Accepted, Descriptor, Event, View, element_tables
from .disk import draft_of, sync, write_draft
from .moment import event_time, micros
from .segment import (
    FRAME,
    FRAME_REST,
    MARKER,
    find_header,
    header_bytes,
    parts,
    segment_number,
)
from .sent import read_batch

_encode = msgspec.msgpack.Encoder().encode

Redact = Callable[[Accepted], Accepted | None]
"""Gives a batch as it may be kept, itself where nothing of it has to go, `None` where all of it has."""


class Mark(msgspec.Struct, frozen=True):
    """Of whom nothing is stored any more: a keyed hash, from which no id can be told.

    With `until`, what happened after that moment (µs since 1970) is somebody's new history, and is stored.
    """

    kind: str
    id: int
    until: int | None = None

    def covers(self, time: int) -> bool:
        """Whether an event of that time is not stored."""
        return self.until is None or time <= self.until


class Redaction:
    """Takes out of batches what `marks`, and the ids of single events, name."""

    def __init__(
        self, secret: bytes, marks: Iterable[Mark], event_ids: Collection[str] = frozenset()
    ) -> None:
        self._secret = secret
        self._marks: dict[tuple[str, int], Mark] = {}
        for mark in marks:
            known = self._marks.get((mark.kind, mark.id))
            # Erased twice: what lasts longer counts.
            if known is None or (
                known.until is not None and (mark.until is None or mark.until > known.until)
            ):
                self._marks[mark.kind, mark.id] = mark
        self._event_ids = event_ids
        self._found: dict[tuple[str, str, str], Mark | None] = {}

    def __bool__(self) -> bool:
        return bool(self._marks or self._event_ids)

    def __call__(self, accepted: Accepted) -> Accepted | None:
        """The batch as it may be kept."""
        device = self._find("device", accepted.site, accepted.device) if accepted.device else None
        kept = [event for event in accepted.events if not self._is_erased(accepted, event, device)]
        if len(kept) == len(accepted.events):
            return accepted
        if not kept:
            return None
        return _without_the_unused(msgspec.structs.replace(accepted, events=kept))

    def is_of_erased(self, site: str, device: object, users: Iterable[str]) -> bool:
        """Whether the device or one of the users is somebody who was erased, whenever."""
        named = [("device", device)] if isinstance(device, str) else []
        named += [("user", user) for user in users]
        return any(self._find(kind, site, text) is not None for kind, text in named)

    def _is_erased(self, accepted: Accepted, event: Event, device: Mark | None) -> bool:
        if event.id.lower() in self._event_ids:
            return True
        user = self._find("user", accepted.site, event.user) if event.user else None
        if device is None and user is None:
            return False
        time = _time_of(accepted, event)
        return any(mark is not None and mark.covers(time) for mark in (device, user))

    def _find(self, kind: str, site: str, text: str) -> Mark | None:
        key = (kind, site, text)
        if key not in self._found:
            if len(self._found) > 100_000:
                self._found.clear()
            self._found[key] = self._marks.get((kind, keyed_hash(self._secret, kind, site, text)))
        return self._found[key]


def redact_segment(path: Path, redact: Redact) -> int:
    """Write a segment anew without what has to go; how many events that were. Frames that nobody can read go too.

    One of which nothing is left is removed. Killed at any moment, the old file or the new one is there.
    """
    data = path.read_bytes()
    frames: list[tuple[int, bytes]] = []
    removed = 0
    is_changed = False
    for part in parts(data, path):
        payload = data[part.start : part.end]
        try:
            accepted = None if part.is_damage else read_batch(payload)
        except (msgspec.MsgspecError, ValueError):
            accepted = None
        kept = None if accepted is None else redact(accepted)
        if kept is None:
            removed += len(accepted.events) if accepted else 0
        elif kept is not accepted:
            assert accepted is not None
            removed += len(accepted.events) - len(kept.events)
            payload = _encode(kept)
        is_changed |= kept is not accepted or accepted is None
        if kept is not None:
            frames.append((part.number, payload))
    if not is_changed:
        return 0
    if frames:
        header = find_header(data)
        _replace(path, header.made_at if header else 0, frames)
    else:
        path.unlink()
        sync(path.parent)
    return removed


def _replace(path: Path, made_at: int, frames: Iterable[tuple[int, bytes]]) -> None:
    pieces = [header_bytes(segment_number(path), made_at)]
    for number, payload in frames:
        checksum = crc32(payload, crc32(FRAME_REST.pack(len(payload), number)))
        pieces += [FRAME.pack(MARKER, len(payload), checksum, number), payload]
    draft, status = draft_of(path), path.stat()
    write_draft(draft, b"".join(pieces))
    # Since when it is in the lake stays known.
    os.utime(draft, (status.st_atime, status.st_mtime))
    draft.replace(path)
    sync(path.parent)


def _time_of(accepted: Accepted, event: Event) -> int:
    """When it happened, as the lake has it."""
    if accepted.page is not None:
        client_time = micros(accepted.page.start + event.t)
    elif event.time is not None:
        client_time = micros(event.time)
    else:
        return accepted.received_at
    offset = None if accepted.sent_at is None else accepted.received_at - micros(accepted.sent_at)
    return event_time(client_time, offset, accepted.received_at, accepted.is_imported)


def _without_the_unused(accepted: Accepted) -> Accepted:
    """The batch with nothing in those places of its tables to which no event leads. The places themselves stay."""
    descriptors, elements = element_tables(accepted)
    used = {event.el for event in accepted.events if event.el >= 0}
    for position in range(len(elements) - 1, -1, -1):
        if position in used and elements[position].parent >= 0:
            used.add(elements[position].parent)
    described: set[int] = set()
    for position in used:
        if position < len(elements):
            placed = elements[position]
            described.update((placed.descriptor, *placed.previous))
    views = {event.view for event in accepted.events}
    sets = {event.set for event in accepted.events}
    return msgspec.structs.replace(
        accepted,
        descriptors=[
            each if place in described else Descriptor("div") for place, each in enumerate(descriptors)
        ],
        views=[each if place in views else View("") for place, each in enumerate(accepted.views)],
        sets=[each if place in sets else {} for place, each in enumerate(accepted.sets)],
    )
