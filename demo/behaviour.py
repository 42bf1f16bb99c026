"""How visitors of the shop behave in a month of history: who comes when, what they look at, what they do there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID

from expost.ids import uuid7

from .actions import CATEGORIES, FORMS, PAGES, PRODUCTS

FLAG = "new-checkout"
HOUR, DAY = 3_600_000, 86_400_000
SESSION_LIMIT = 14
WINDOWS = ((1280, 720), (1440, 900), (1920, 1080), (390, 844), (412, 915), (820, 1180))

# Monday to Sunday, and midnight to 23 h: weekends are quiet, evenings are not.
BUSY_DAYS = (1.1, 1.15, 1.1, 1.0, 0.9, 0.55, 0.65)
BUSY_HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 12, 11, 10, 10, 10, 11, 13, 16, 18, 16, 9, 4)

# Where people go from a page, and how likely; "" leaves the shop.
ONWARD: dict[str, dict[str, float]] = {
    "home": {
        "shop-now": 22, "card-keemun": 12, "menu-green": 10, "menu-black": 12, "tile-herbal": 8, "club": 7,
        "menu-pricing": 4, "menu-help": 2, "account": 2, "cart": 2, "": 19,
    },
    "category": {"card": 62, "menu-pricing": 5, "cart": 6, "": 27},
    "product": {"menu-green": 16, "menu-pricing": 7, "cart": 30, "": 47},
    "cart": {"to-checkout": 66, "menu-help": 6, "": 28},
    "checkout-control": {"order": 42, "back": 10, "": 48},
    "checkout-treatment": {"order": 38, "one-tap": 25, "": 37},
    "thanks": {"to-signup": 52, "home": 16, "": 32},
    "pricing": {"choose-small": 10, "choose-regular": 14, "menu-green": 20, "menu-help": 8, "": 48},
    "signup": {"sign-up": 68, "": 32},
    "help": {"menu-green": 22, "menu-pricing": 10, "": 68},
    "account": {"menu-green": 24, "": 76},
}  # fmt: skip
# What can only be done after something else.
AFTER = {
    "measured": "measure",
    "letters": "settings",
    "language": "settings",
    "save": "settings",
    "orders": "settings",
}
# What people do on a page before they go on, and how likely.
BESIDES: dict[str, dict[str, float]] = {
    "home": {"blank": 0.1, "follow": 0.08, "add-sencha": 0.07, "letter": 0.02},
    "category": {"sort": 0.2, "organic": 0.15, "add": 0.12},
    "product": {
        "size-250": 0.22, "more": 0.15, "rate": 0.06, "rate-label": 0.03, "wish": 0.1, "measure": 0.08,
        "measured": 0.7, "origin": 0.2, "specs": 0.08, "add": 0.5,
    },
    "cart": {"quantity": 0.16, "voucher": 0.08},
    "pricing": {"yearly": 0.4, "compare": 0.2},
    "help": {"returns": 0.5, "useful": 0.2, "topic": 0.2, "message": 0.15, "by-phone": 0.1, "send": 0.15},
    "account": {"wishlist": 0.35, "settings": 0.3, "letters": 0.4, "language": 0.3, "save": 0.4, "orders": 0.3},
}  # fmt: skip


@dataclass(slots=True)
class Visitor:
    """A person with one browser. `member` is what the shop calls them once they have signed up or in."""

    key: str
    device: str
    window: tuple[int, int]
    variation: str
    member: str
    has_cart: bool = False
    is_member: bool = False
    has_ordered: bool = False
    sessions: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Stay:
    """One page load of a visitor: what was done, each so many milliseconds after the page's start."""

    visitor: Visitor
    page: str
    start: float
    done: tuple[tuple[str, float], ...]
    end: float
    session: int
    ordinal: int
    is_first_exposure: bool
    referrer: str


def variation_of(key: str) -> str:
    """The variation that the shop's page gives to a visitor key: the same FNV-1a as in `shop.js`.

    >>> variation_of("a"), variation_of("b")
    ('control', 'treatment')
    """
    value = 0x811C9DC5
    for byte in f"{FLAG}:{key}".encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return "treatment" if value >> 8 & 1 else "control"


def new_visitor(rng: Random, at: float, member: str = "") -> Visitor:
    """Somebody who comes for the first time at `at`, in milliseconds since 1970."""
    key = str(UUID(int=rng.getrandbits(128), version=4))
    device = uuid7(int(at) * 1_000, rng.randbytes(10))
    return Visitor(key, device, rng.choice(WINDOWS), variation_of(key), member or f"member-{key[:8]}")


def stays_of_month(rng: Random, *, until: float, days: int, visitors_per_day: float) -> Iterator[Stay]:
    """Every page load of the `days` before `until`, visitor by visitor. The same `rng` gives the same month."""
    first_day = math.floor(until / DAY) - days + 1
    for day in range(first_day, first_day + days):
        expected = visitors_per_day * BUSY_DAYS[(day + 3) % 7]
        for _ in range(round(rng.gauss(expected, math.sqrt(expected)))):
            at = _moment(rng, day)
            visitor = new_visitor(rng, at)
            yield from _life(rng, visitor, at, until)
            if visitor.is_member and rng.random() < 0.15:
                # The same person on another device: two browsers, one user id.
                later = _moment(rng, math.floor(at / DAY) + 1 + int(rng.expovariate(1 / 3)))
                yield from _life(
                    rng, new_visitor(rng, later, visitor.member), later, until, first=["signup sign-in"]
                )


def _moment(rng: Random, day: int) -> float:
    hour = rng.choices(range(24), BUSY_HOURS)[0]
    return day * DAY + hour * HOUR + rng.randrange(HOUR)


def _life(
    rng: Random, visitor: Visitor, at: float, until: float, first: list[str] | None = None
) -> Iterator[Stay]:
    """All sessions of a visitor, until they stay away or time is up."""
    while True:
        for stay in _session(rng, visitor, at, first or []):
            if stay.end >= until:
                return
            yield stay
        first = None
        returns = 0.34 + 0.18 * visitor.has_ordered + 0.16 * visitor.is_member
        if visitor.has_ordered and visitor.variation == "treatment":
            returns += 0.08
        if rng.random() >= returns:
            return
        at = _moment(rng, math.floor(at / DAY) + 1 + int(rng.expovariate(1 / 4)))


def _session(rng: Random, visitor: Visitor, at: float, planned: list[str]) -> Iterator[Stay]:
    visitor.sessions += 1
    referrer = rng.choice(("", "", "https://search.example/", "https://letters.example/tea"))
    page, is_exposed = _entry(rng, visitor) if not planned else "signup", False
    for _ in range(SESSION_LIMIT):
        visitor.pages += 1
        onward = planned.pop().split()[1] if planned else _onward(rng, visitor, page)
        names = list(FORMS.get(f"{page} {onward}", ()))
        if not names:
            names = _besides(rng, page) + ([onward] if onward else [])
        done, moment = [], 900.0
        for name in names:
            moment += round(min(rng.lognormvariate(8.1, 0.8), 60_000), 1)
            done.append((name, round(moment, 1)))
        end = at + moment + (40 if onward else round(min(rng.lognormvariate(9, 1), 400_000)))
        is_first = page.startswith("checkout") and not is_exposed
        is_exposed = is_exposed or is_first
        yield Stay(visitor, page, at, tuple(done), end, visitor.sessions, visitor.pages, is_first, referrer)
        _remember(visitor, page, names)
        if not onward:
            return
        referrer = PAGES[page].path.partition("?")[0]
        page = _page_behind(visitor, page, onward)
        at = end + rng.randrange(120, 900)


def _entry(rng: Random, visitor: Visitor) -> str:
    if visitor.has_cart and rng.random() < 0.35:
        return "cart"
    if visitor.is_member and rng.random() < 0.3:
        return "account"
    weights = (55, 12, 22, 8, 3)
    places = (
        "home",
        f"category-{rng.choice(list(CATEGORIES))}",
        f"product-{rng.choice(PRODUCTS)}",
        "pricing",
        "help",
    )
    return rng.choices(places, weights)[0]


def _kind(page: str) -> str:
    return page if page.startswith("checkout") else page.partition("-")[0]


def _onward(rng: Random, visitor: Visitor, page: str) -> str:
    weights = dict(ONWARD[_kind(page)])
    if "cart" in weights:
        weights["cart"] *= 3.5 if visitor.has_cart else 0.1
    if page == "cart" and not visitor.has_cart:
        weights["to-checkout"] = 0
    if page == "signup" and visitor.is_member:
        weights["sign-up"] = 0
    onward = rng.choices(list(weights), list(weights.values()))[0]
    if onward == "card":
        return f"card-{rng.choice(CATEGORIES[page.removeprefix('category-')])}"
    return onward


def _besides(rng: Random, page: str) -> list[str]:
    names: list[str] = []
    for name, chance in BESIDES.get(_kind(page), {}).items():
        if rng.random() < chance and (name not in AFTER or AFTER[name] in names):
            is_any = page.startswith("category") and name == "add"
            names.append(f"add-{rng.choice(CATEGORIES[page.removeprefix('category-')])}" if is_any else name)
    return names


def _remember(visitor: Visitor, page: str, names: list[str]) -> None:
    if any(name.startswith("add") for name in names):
        visitor.has_cart = True
    if page.startswith("checkout") and ("order" in names or "one-tap" in names):
        visitor.has_ordered, visitor.has_cart = True, False
    if "sign-up" in names or "sign-in" in names:
        visitor.is_member = True


def _page_behind(visitor: Visitor, page: str, onward: str) -> str:
    leads = PAGES[page].action(onward).leads
    return f"checkout-{visitor.variation}" if leads == "checkout" else leads
