"""Events that no row stands for, because the source says of every event whose it is: logins and memberships."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TypeVar

from expost.lake.batch import is_nobody

from .foreign import Foreign

Key = TypeVar("Key")

KNOWN = 200_000
"""So many devices, and so many memberships, are remembered: of one that comes again later it is said again."""


class Implied:
    """What the events of an import imply, in their order."""

    def __init__(self) -> None:
        self._logins: OrderedDict[str, str] = OrderedDict()
        self._groups: OrderedDict[tuple[str, str], str] = OrderedDict()

    def login(self, foreign: Foreign) -> Foreign | None:
        """The login that an event implies: its device had another user before, or none that is known."""
        device, user = foreign.device, foreign.user
        if not device or is_nobody(user) or is_nobody(device):
            return None
        if not _is_new(self._logins, device, user) or foreign.type == "identify":
            return None
        return _beside(foreign, f"login\0{device}\0{user}\0{foreign.time}", "identify", user=user)

    def memberships(self, foreign: Foreign) -> Iterator[Foreign]:
        """The groups that an event is the first of its user, or of its device, to name."""
        who = foreign.user or foreign.device
        for type_, group in foreign.groups.items():
            if _is_new(self._groups, (who, type_), group):
                key = f"member\0{foreign.device}\0{foreign.user}\0{foreign.time}\0{type_}\0{group}"
                yield _beside(foreign, key, "group", user=foreign.user, group_type=type_, group=group)


def _is_new(known: OrderedDict[Key, str], key: Key, value: str) -> bool:
    """Whether it had another value before, or none that is known; from now on it has this one."""
    before = known.pop(key, None)
    known[key] = value
    if len(known) > KNOWN:
        known.popitem(last=False)
    return before != value


def _beside(
    foreign: Foreign,
    key: str,
    type_: str,
    *,
    user: str,
    group_type: str | None = None,
    group: str | None = None,
) -> Foreign:
    """An event of the same moment, device and page."""
    return Foreign(
        key, foreign.time, type_, None, foreign.device, user, url=foreign.url, group_type=group_type, group=group,
        user_agent=foreign.user_agent, viewport=foreign.viewport, release=foreign.release,
        environment=foreign.environment,
    )  # fmt: skip
