"""Descriptors are the bulk of a batch, and those of a site are nearly always the same: each is read once.

They are found again by their bytes, which costs less than decoding, masking and writing them. Only those without
secrets are remembered, so that none stays in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from expost.lake.batch import Descriptor

from .cut import cut_descriptor
from .masks import Masks

MAX_REMEMBERED = 10_000
MAX_REMEMBERED_BYTES = 1_000


class Known(Descriptor, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """A descriptor that says nothing but what the format has."""


_decode = msgspec.json.Decoder(Known).decode
_decode_loosely = msgspec.json.Decoder(Descriptor).decode
_encode = msgspec.msgpack.Encoder().encode


class Descriptors:
    """Reads descriptors: decoded, cut to their limits, masked by `masks`."""

    def __init__(self, masks: Masks) -> None:
        self.masks = masks
        self._known: dict[bytes, Raw] = {}

    def forget(self) -> None:
        """Remember none: some may name somebody who was erased."""
        self._known.clear()

    def read(self, raws: Sequence[Raw]) -> list[Raw | None]:
        """Each as the journal keeps it, `None` for what is no descriptor."""
        return [self._known.get(data) or self._read(data) for data in map(bytes, raws)]

    def find(self, raws: Sequence[Raw]) -> list[Raw] | None:
        """The same where all of them were read before, else `None`."""
        try:
            return list(map(self._known.__getitem__, map(bytes, raws)))
        except KeyError:
            return None

    def _read(self, data: bytes) -> Raw | None:
        try:
            descriptor = self._decode(data)
        except (ValueError, RecursionError, TypeError, AttributeError):
            return None
        masked = self.masks.descriptor(descriptor)
        written = Raw(_encode(masked))
        # A batch of which all are known may be kept as it is: what says more than was looked at is none of them.
        is_clean = masked is descriptor and type(descriptor) is Known
        if is_clean and len(data) <= MAX_REMEMBERED_BYTES:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[data] = written
        return written

    def _decode(self, data: bytes) -> Descriptor:
        try:
            return _decode(data)
        except msgspec.ValidationError:
            pass
        try:
            return _decode_loosely(data)
        except msgspec.ValidationError:
            return cut_descriptor(msgspec.json.decode(data), self.masks)
