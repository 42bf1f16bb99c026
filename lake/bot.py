"""Which user agents are bots, by the list of `crawler-user-agents` and by saying so themselves."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.metadata import version

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

BOTS = f"crawler-user-agents {version('crawler-user-agents')}"
"""The version of the rules: kept with every verdict, so that the past can be judged again by newer ones."""

_PATTERNS = ["HeadlessChrome", *(str(crawler["pattern"]) for crawler in CRAWLER_USER_AGENTS_DATA)]
GROUP = 25


@cache
def _groups() -> list[tuple[re.Pattern[str], list[str]]]:
    # Groups of alternatives: one of all patterns is slow to compile and no faster to search. Compiled for the first
    # user agent, because most processes that load this never see one.
    groups = [_PATTERNS[start : start + GROUP] for start in range(0, len(_PATTERNS), GROUP)]
    return [(re.compile("|".join(patterns)), patterns) for patterns in groups]


@lru_cache(maxsize=20_000)
def bot_rule(user_agent: str) -> str | None:
    """The rule that says a bot sent this, or `None`: `crawler-user-agents 1.67.0: Googlebot`."""
    for together, patterns in _groups():
        if together.search(user_agent):
            return f"{BOTS}: {next(pattern for pattern in patterns if re.search(pattern, user_agent))}"
    return None


@lru_cache(maxsize=20_000)
def bot_class(user_agent: str) -> str:
    """What kind of bot it is by the same list: `search-engine`, `monitoring`, `browser-automation`, …, else `other`."""
    if "HeadlessChrome" in user_agent:
        return "browser-automation"
    for crawler in CRAWLER_USER_AGENTS_DATA:
        if re.search(str(crawler["pattern"]), user_agent):
            return str(next(iter(crawler.get("tags", ())), "other"))
    return "other"
