"""Which user agents are bots, by the list of `crawler-user-agents` and by saying so themselves."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import version

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

RULES = f"crawler-user-agents {version('crawler-user-agents')}"
"""The version of the rules: kept with every verdict, so that the past can be judged again by newer ones."""

_PATTERNS = ["HeadlessChrome", *(str(crawler["pattern"]) for crawler in CRAWLER_USER_AGENTS_DATA)]
# Groups of alternatives: one of all patterns is slow to compile and no faster to search.
_GROUPS = [
    (
        re.compile("|".join(_PATTERNS[start : start + 25])),
        [re.compile(one) for one in _PATTERNS[start : start + 25]],
    )
    for start in range(0, len(_PATTERNS), 25)
]


@lru_cache(maxsize=20_000)
def bot_rule(user_agent: str) -> str | None:
    """The rule that says a bot sent this, or `None`: `crawler-user-agents 1.67.0: Googlebot`."""
    for together, patterns in _GROUPS:
        if together.search(user_agent):
            return f"{RULES}: {next(pattern.pattern for pattern in patterns if pattern.search(user_agent))}"
    return None
