"""Words that tell elements apart (ids, classes, values of attributes), and which of them outlast the next build.

What a word looks like decides as long as history says nothing; `TokenLife` is what history says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from .attribute_sql import UNKNOWN
from .css import ascii_lower

MAX_VALUE = 60

LEAST = 0.1
USUALLY_DIES = 0.15
"""How many words of a page end with a build, before anything is known of them."""
ESTABLISHED_DAYS = 14
"""A word that was there over so many days outlived builds, where a site does not name its releases."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Written by a script while people use the page: a click may have happened in any of these states.
_STATE = re.compile(
    r"(is|has|was|not|ng|js)-.*|(.*-)?(active|selected|opened|closed|disabled|expanded|collapsed|checked|pressed)"
    r"|current|open|close|hover(ed)?|focus(ed|-visible)?|enabled|visible|hidden|shown?|collapse|collapsing|loading"
    r"|loaded|dirty|touched|valid|invalid|on|off"
)
# What frameworks of utilities call a look: nobody means the element by it, and a new look takes it away.
_LOOK = re.compile(
    r"-?(([mpwh]|min|max|gap|top|left|right|bottom|order|offset|col|row|g|gx|gy|z|fs|fw|lh|cols?-(xs|sm|md|lg|xl|xxl))"
    r"[trblxyse]?(-(xs|sm|md|lg|xl|xxl))?-(\d+|auto|full|screen)|(m|p)[trblxyse]?\d*|[mp][XYTRBLtrblxyse]+-\d+"
    r"|(text|bg|border|rounded|shadow|font|leading|tracking|d|flex|grid|items|justify|align|float|position|overflow"
    r"|display|bd|bdrs|c|fsz|fw|lh|ta|td|pos|ov|bgc|cur|ml|mr)(-[\w-]+)?|row|clearfix|pull-(left|right)"
    r"|container(-fluid)?|col|small|large|lead)"
)


@dataclass(frozen=True, slots=True)
class TokenLife:
    """Where a word was seen: at how many events, on how many days, in how many releases of how many of its pages.

    `span_days` lie between the first and the last of them, both counted.
    """

    events: int
    days: int
    releases: int
    page_releases: int
    span_days: int

    @property
    def is_established(self) -> bool:
        """Whether it outlived a build."""
        return self.releases > 1 or (self.page_releases <= 1 and self.span_days >= ESTABLISHED_DAYS)

    @property
    def is_of_one_build(self) -> bool:
        """Whether its pages were built several times, and it was there in one of them only."""
        return self.releases <= 1 < self.page_releases

    @property
    def chance_alive(self) -> float:
        """How likely it is that chance alone kept it out of the other builds of its pages, as often as it is seen.

        What is seen once in one of two releases may be there in both; what is seen a hundred times is not.
        """
        if not self.is_of_one_build:
            return 1.0
        unseen = (1 - USUALLY_DIES) * exp(-min(self.events * (self.page_releases - 1), 50))
        return unseen / (unseen + USUALLY_DIES)


Lives = Mapping[str, TokenLife]
"""What history says of tokens, by their selector: `#buy`, `.btn`."""


def is_plain(name: str) -> bool:
    """Whether every document compares the name as it stands."""
    return ascii_lower(name) == name


def is_whole(value: str) -> bool:
    """Whether the value can be asked for: all of it known, and short enough to be read."""
    return 0 < len(value) <= MAX_VALUE and UNKNOWN not in value and value.isprintable()


def stays(token: str, life: TokenLife | None = None) -> float:
    """How likely it is that an id or class is there after the next build, by its looks and by what history says."""
    if _LOOK.fullmatch(token):
        return 0.55
    looks_written = bool(_WORD.fullmatch(token)) and not is_generated(token)
    expected = 0.2 if not looks_written else 0.3 if is_state(token) else 0.8 if _is_counted(token) else 0.95
    if life is None or is_state(token):
        return expected
    if life.is_established:
        return max(expected, 0.9)
    return expected * max(LEAST, life.chance_alive)


def is_state(token: str) -> bool:
    """Whether a class says what state something is in, and so comes and goes.

    >>> [is_state(each) for each in ("active", "is-open", "tab--active", "activity", "cut-off")]
    [True, True, True, False, False]
    """
    return bool(_STATE.fullmatch(token))


def is_generated(text: str) -> bool:
    """Whether a part of it looks drawn by lot or counted.

    >>> [is_generated(each) for each in ("btn-primary", "h2", "css-1q2w3e", "sc-bdVaJa", "row-10482", "siteHeader")]
    [False, False, True, True, True, False]
    """
    return any(_is_drawn(part) for part in re.split(r"[^A-Za-z0-9]+", text))


def _is_drawn(part: str) -> bool:
    digits = sum(each.isdigit() for each in part)
    if digits:
        return digits > 2 or (len(part) >= 5 and not re.fullmatch(r"[A-Za-z]+\d{1,2}", part))
    # "bdVaJa", "FZOlX": capitals in the midst of letters that no word has. "siteHeader", "jQuery" are words.
    turns = len(re.findall(r"[a-z](?=[A-Z])|[A-Z](?=[a-z])", part))
    has_odd_capitals = turns >= 2 and not re.search(r"[a-z]{3}", part)
    return len(part) >= 5 and (has_odd_capitals or not re.search(r"[aeiouyAEIOUY]", part))


def _is_counted(token: str) -> bool:
    """Whether it ends in a number, as what is counted while a page is made does: `tab-3`, `field12`."""
    return (bool(re.search(r"\d$", token)) and not re.fullmatch(r"h[1-6]|.*\bv?\d", token)) or bool(
        re.search(r"[-_]\d+$", token)
    )
