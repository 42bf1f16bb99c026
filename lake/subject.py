"""Whom a right is about: a browser or a user of one site, by the text of its id or, where that is gone, by its hash."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from expost.errors import InvalidInput
from expost.ids import keyed_hash

from .batch import is_nobody

Kind = Literal["device", "user"]


class Subject(Struct, frozen=True):
    """One device or user: `id` is the keyed hash that stands in the lake, `text` what it is called outside."""

    site: str
    kind: Kind
    id: int
    text: str = ""

    @classmethod
    def named(
        cls, secret: bytes, site: str, *, device: str | None = None, user: str | None = None
    ) -> Subject:
        """The subject with this id; exactly one of the two is given."""
        if (device is None) == (user is None):
            raise InvalidInput(
                "One person is named by a device id or by a user id.",
                hint="Give exactly one of them, such as: --user user-17",
            )
        kind: Kind = "user" if device is None else "device"
        text = user if device is None else device
        assert text is not None
        if is_nobody(text):
            raise InvalidInput(
                f"{text!r} is an id that a mistake gives to everyone: nobody is known by it.",
                hint="Rows that carry it belong to no user. Name the device instead.",
            )
        return cls(site, kind, keyed_hash(secret, kind, site, text), text)
