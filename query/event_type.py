"""Types of events: which there can be, and which happen on no element."""

from __future__ import annotations

import re

from expost.errors import InvalidInput

EVENT_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,59}")
"""Pages can be told to listen to anything, so a type is any name that the wire allows."""
NEVER_HEARD = re.compile(
    r"^((mouse|pointer|touch)(move|over|out|enter|leave|rawupdate)|drag(over|enter|leave)?|"
    r"scroll|wheel|mousewheel|resize|timeupdate|progress|(animation|transition).*|device.*|"
    r"select(start|ionchange)|key(down|up|press)|(before)?input|composition.*|(before)?unload)$"
)
"""Types that the snippet listens to for nobody: they come without end, or key by key. It has the same expression."""
WITHOUT_ELEMENT = frozenset(
    {
        "page_view",
        "page_leave",
        "snippet_error",
        "identify",
        "group",
        "custom",
        "exposure",
        "reset",
        "web_vital",
    }
)
"""Types of events that happen on no element."""


def check_type(kind: str) -> None:
    """Raise InvalidInput if no event can have this type."""
    if not EVENT_TYPE.fullmatch(kind):
        raise InvalidInput(
            f"{kind!r} is no type of event.",
            hint="For example: click, submit, page_view, custom, or what pages were told to listen to: copy, toggle.",
        )
