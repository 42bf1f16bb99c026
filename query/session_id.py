"""What a session is called: by its device and the moment at which it began, so that it is called so tomorrow too."""

from __future__ import annotations

import re

from expost.errors import UnknownName

_SHAPE = re.compile(r"([0-9a-f]{16})-([0-9a-f]{1,14})")
_WRAP = 1 << 64


def session_id(device_id: int, began: int) -> str:
    """The id of the session of a device that began at a microsecond.

    >>> session_id(-2, 1_795_000_000_000_000)
    'fffffffffffffffe-6608b015f3000'
    """
    return f"{device_id % _WRAP:016x}-{began:x}"


def parse_session_id(text: str) -> tuple[int, int]:
    """The device and the microsecond.

    >>> parse_session_id("fffffffffffffffe-6608b015f3000")
    (-2, 1795000000000000)
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise unknown_session(text)
    device = int(shape[1], 16)
    return device - _WRAP if device >= _WRAP // 2 else device, int(shape[2], 16)


def unknown_session(text: str) -> UnknownName:
    """That there is no session of this id."""
    return UnknownName("session", text, [], list_with="expost sessions")
