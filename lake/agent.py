"""What a user agent says: browser, system, kind of device; and which bots there are, by `ua-parser` and `bot.py`."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import NamedTuple

from .bot import BOTS, bot_class, bot_rule

AGENT_RULES = f"ua-parser {version('ua-parser-builtins')}, {BOTS}"
"""The versions of the rules."""

_TABLETS = ("ipad", "tablet", "kindle", "silk", "playbook")
_TELEVISIONS = ("smarttv", "smart-tv", "appletv", "googletv", "hbbtv", "bravia", "crkey", "roku")
_DESKTOPS = frozenset(
    {"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD", "OpenBSD"}
)


class Agent(NamedTuple):
    """The columns of `events` that follow from the user agent; `None` where it does not say."""

    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    device_class: str | None = None
    bot_class: str | None = None
    is_bot: bool = False
    bot_rule: str | None = None


@lru_cache(maxsize=20_000)
def agent_of(user_agent: str) -> Agent:
    """What `user_agent` says.

    >>> agent_of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")[:5]
    ('Firefox', '140.0', 'Linux', None, 'desktop')
    """
    if not user_agent:
        return Agent()
    # Its rules take a third of a second to load, and the collector never needs them.
    from ua_parser import parse

    rule = bot_rule(user_agent)
    found = parse(user_agent)
    browser, system = found.user_agent, found.os
    family = None if system is None else system.family
    return Agent(
        None if browser is None else browser.family,
        None if browser is None else _version(browser.major, browser.minor),
        family,
        None if system is None else _version(system.major, system.minor),
        "bot" if rule else _device_class(user_agent.lower(), family),
        bot_class(user_agent) if rule else None,
        rule is not None,
        rule,
    )


def _version(major: str | None, minor: str | None) -> str | None:
    return f"{major}.{minor}" if major and minor else major


def _device_class(user_agent: str, system: str | None) -> str:
    if any(word in user_agent for word in _TELEVISIONS):
        return "tv"
    if any(word in user_agent for word in _TABLETS):
        return "tablet"
    if "mobi" in user_agent or "iphone" in user_agent:
        return "mobile"
    # By its makers' word, a browser of Android that is no phone's leaves "Mobile" out.
    if "android" in user_agent:
        return "tablet"
    return "desktop" if system in _DESKTOPS else "other"
