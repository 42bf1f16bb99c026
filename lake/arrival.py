"""How a visitor came to a page: by its `utm_…` parameters, else by the page before. Pure, and versioned."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

ARRIVAL_RULES = "arrival 2"
"""Grows when the rules below change, so that the past is looked at again."""

SEARCH = {
    "google": "google", "bing": "bing", "duckduckgo": "duckduckgo", "yahoo": "yahoo", "ecosia": "ecosia",
    "qwant": "qwant", "baidu": "baidu", "yandex": "yandex", "startpage": "startpage", "kagi": "kagi", "naver": "naver",
    "seznam": "seznam",
}  # fmt: skip
"""Search engines by the name in front of their public suffix."""

SOCIAL = {
    "facebook": "facebook", "instagram": "instagram", "twitter": "twitter", "linkedin": "linkedin", "reddit": "reddit",
    "youtube": "youtube", "tiktok": "tiktok", "pinterest": "pinterest", "threads": "threads", "vk": "vk",
    "mastodon": "mastodon", "bsky": "bluesky", "tumblr": "tumblr", "xing": "xing",
}  # fmt: skip
SOCIAL_HOSTS = {"t.co": "twitter", "x.com": "twitter", "lnkd.in": "linkedin", "youtu.be": "youtube",
                "news.ycombinator.com": "hacker news", "out.reddit.com": "reddit"}  # fmt: skip

SECOND_LEVEL = frozenset({"co", "com", "net", "org"})
"""What stands before a country's suffix and is part of it: `co.uk`, `com.au`."""

PAID = frozenset({"cpc", "ppc", "paid", "paidsearch", "paid-search", "paid_search", "sem", "cpv", "cpa"})
DISPLAY = frozenset({"display", "banner", "cpm", "interstitial", "retargeting"})
PAID_SOCIAL = frozenset({"paidsocial", "paid-social", "paid_social", "social-paid"})
OF_MEDIUM = {
    "email": "email", "e-mail": "email", "mail": "email", "newsletter": "email", "social": "social",
    "social-media": "social", "sm": "social", "affiliate": "affiliate", "affiliates": "affiliate",
    "referral": "referral", "organic": "search", "sms": "sms", "push": "push",
}  # fmt: skip


class Arrival(NamedTuple):
    """The columns of `events` that follow from a page's address and the page before it."""

    traffic_source: str | None = None
    traffic_medium: str | None = None
    campaign: str | None = None
    channel: str | None = None


@lru_cache(maxsize=20_000)
def arrival_of(host: str | None, query: str | None, referrer: str | None) -> Arrival:
    """How a visitor came to a page of `host` with this query, from `referrer`; nothing where there is no page.

    >>> arrival_of("shop.example", "utm_source=news&utm_medium=email&utm_campaign=may", "")
    Arrival(traffic_source='news', traffic_medium='email', campaign='may', channel='email')
    >>> arrival_of("shop.example", "", "https://www.google.co.uk/")[:2]
    ('google', 'organic')
    """
    if host is None:
        return Arrival()
    said = {name: value.strip() for name, value in parse_qsl(query or "") if name.startswith("utm_")}
    source, medium, campaign = (said.get(f"utm_{name}") or None for name in ("source", "medium", "campaign"))
    from_source, from_medium, from_channel = _referral(host, referrer or "")
    if source is None and medium is None and campaign is None:
        return Arrival(from_source, from_medium, None, from_channel)
    return Arrival(source or from_source, medium, campaign, _channel(source or "", (medium or "").lower()))


def _channel(source: str, medium: str) -> str:
    network = _known(source.lower())
    if medium in PAID_SOCIAL or (medium in PAID and network[1] == "social"):
        return "paid social"
    if medium in PAID:
        return "paid search"
    if medium in DISPLAY:
        return "display"
    return OF_MEDIUM.get(medium) or network[1] or "campaign"


def _referral(host: str, referrer: str) -> tuple[str | None, str | None, str]:
    """Source, medium and channel by the page before."""
    try:
        before = (urlsplit(referrer).hostname or "").removeprefix("www.")
    except ValueError:
        before = ""
    if not before:
        return None, None, "direct"
    if before == host.split(":", maxsplit=1)[0].removeprefix("www."):
        return None, None, "internal"
    name, channel = _known(before)
    medium = {"search": "organic", "social": "social"}.get(channel, "referral")
    return name or before, medium, channel or "referral"


def _known(host: str) -> tuple[str, str]:
    """The name of a search engine or a network, and which of the two it is; both empty for all others."""
    if host in SOCIAL_HOSTS:
        return SOCIAL_HOSTS[host], "social"
    *above, last = host.split(".")
    if len(above) > 1 and above[-1] in SECOND_LEVEL:
        above.pop()
    # Not any part of it: `threads.shop.example` is the shop's.
    word = above[-1] if above else last
    if word in SEARCH:
        return SEARCH[word], "search"
    if word in SOCIAL:
        return SOCIAL[word], "social"
    return "", ""
