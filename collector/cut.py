"""Values longer than their limit are cut and marked, so that one long text costs no event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from expost.lake.batch import Descriptor, Event, View

from .masks import GAP, Masks

TEXT_LENGTH = 2_000
URL_LENGTH = 8_000
TITLE_LENGTH = 200
ID_LENGTH = 200
CLASS_LENGTH = 4_000
ATTRIBUTE_LENGTH = 1_000
HEAD_LENGTH = 200
HEAD_TEXTS = ("release", "environment", "consent_version")
"""What the tag says for all events of a batch. A device id is not among them: cut, it would be somebody else's."""
NOTHING: tuple[Any, ...] = ("", None, None, {}, [], 0, [])


class Cutter:
    """Cuts the long values of one part of a batch and notes which they were.

    Secrets are masked first: of one that is cut in two, the half that stays would not be recognised any more.
    """

    def __init__(self, marks: list[str]) -> None:
        self._marks = marks

    def cut(self, name: str, value: Any, limit: int, mask: Callable[[str], str]) -> Any:
        """`value` if it is short or no text, else its beginning."""
        if not isinstance(value, str) or len(value) <= limit:
            return value
        self._marks.append(name)
        return mask(value)[: limit - 1].removesuffix(GAP) + GAP

    @property
    def marks(self) -> list[str]:
        """The marks that were there and those of what was cut, each once."""
        return list(dict.fromkeys(self._marks))


_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def cut_head(body: bytes, masks: Masks) -> bytes:
    """The same batch with the texts of its tag cut. Raises DecodeError if it is none."""
    fields = _fields(body)
    cutter = Cutter([])
    texts = {
        name: cutter.cut(name, msgspec.json.decode(fields[name]), HEAD_LENGTH, masks.text)
        for name in HEAD_TEXTS
        if name in fields
    }
    return msgspec.json.encode(fields | texts)


def cut_event(fields: dict[str, Any], masks: Masks) -> Event:
    """The event with its texts cut. Raises ValidationError if something else is wrong with it."""
    cutter = Cutter(list(fields.get("marks", [])))
    texts = {
        name: cutter.cut(name, fields[name], TEXT_LENGTH, masks.text)
        for name in ("text", "label")
        if name in fields
    }
    return msgspec.convert(fields | texts | {"marks": cutter.marks}, Event)


def cut_view(fields: dict[str, Any], masks: Masks) -> View:
    """The view with its addresses and title cut."""
    cutter = Cutter(list(fields.get("marks", [])))
    values = {
        "url": cutter.cut("url", fields.get("url"), URL_LENGTH, masks.url),
        "title": cutter.cut("title", fields.get("title", ""), TITLE_LENGTH, masks.text),
        "referrer": cutter.cut("referrer", fields.get("referrer", ""), URL_LENGTH, masks.url),
    }
    return msgspec.convert(values | {"marks": cutter.marks}, View)


def cut_descriptor(row: list[Any], masks: Masks) -> Descriptor:
    """The descriptor with its values cut. What would be beyond the cut, a selector calls unknown."""
    tag, dom_id, class_name, attributes, names, state, marks = (*row, *NOTHING[len(row) :])[: len(NOTHING)]
    cutter = Cutter(list(marks))
    values = [
        tag,
        cutter.cut("id", dom_id, ID_LENGTH, masks.text),
        cutter.cut("class", class_name, CLASS_LENGTH, masks.text),
        {
            name: cutter.cut(name, value, ATTRIBUTE_LENGTH, masks.url)
            for name, value in dict(attributes).items()
        },
        names,
        state,
    ]
    return msgspec.convert([*values, cutter.marks], Descriptor)
