"""Visitors of the demo in a real headless Chromium: `python -m expost.demo.visitors SHOP_URL --visitors 6`.

They say what they are (HeadlessChrome stands in their user agent), so the demo's site counts bots.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .actions import FORMS, PAGES, perform
from .chromium import Chromium, ChromiumFailed, Tab, find_chromium

# Long enough for the snippet to send what it holds while the page is open.
SETTLE_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Walk:
    """One way through the shop: pages, each with what is done there; the last action of a page leads to the next."""

    variation: str
    stays: tuple[tuple[str, tuple[str, ...]], ...]
    window: tuple[int, int] = (1280, 800)


def walks() -> Iterator[Walk]:
    """Ways through the shop, one after another, both variations of the checkout in turn."""
    while True:
        for variation in ("control", "treatment"):
            yield _buyer(variation)
            yield _looker(variation)
            yield _doubter(variation)


def _checkout(variation: str, onward: str) -> tuple[str, tuple[str, ...]]:
    page = f"checkout-{variation}"
    return page, FORMS.get(f"{page} {onward}", (onward,))


def _buyer(variation: str) -> Walk:
    return Walk(
        variation,
        (
            ("home", ("blank", "shop-now")),
            ("category-green", ("sort", "card-sencha")),
            ("product-sencha", ("size-250", "rate", "origin", "add", "cart")),
            ("cart", ("to-checkout",)),
            _checkout(variation, "order"),
            ("thanks", ("to-signup",)),
            ("signup", FORMS["signup sign-up"]),
            ("account", ("wishlist", "settings", "letters", "save")),
        ),
    )


def _looker(variation: str) -> Walk:
    return Walk(
        variation,
        (
            ("home", ("follow", "tile-herbal")),
            ("category-herbal", ("add-rooibos", "card-verbena")),
            ("product-verbena", ("measure", "measured", "wish", "specs", "menu-pricing")),
            ("pricing", ("yearly", "compare", "menu-help")),
            ("help", ("returns", "useful", "by-phone")),
        ),
        window=(390, 844),
    )


def _doubter(variation: str) -> Walk:
    return Walk(
        variation,
        (
            ("home", ("add-sencha", "card-keemun")),
            ("product-keemun", ("more", "rate-label", "add", "cart")),
            ("cart", ("quantity", "to-checkout")),
            # Sees the checkout, gives a name, and goes.
            (f"checkout-{variation}", ("name", "street")),
        ),
    )


def go_through(walk: Walk, tab: Tab, shop_url: str, pace: float) -> int:
    """How many things the visitor did. `pace` is the seconds between two of them."""
    done = 0
    tab.go(f"{shop_url}/?variation={walk.variation}")
    for page, names in walk.stays:
        for name in names:
            time.sleep(pace)
            perform(PAGES[page].action(name), tab)
            done += 1
    return done


def main() -> None:
    """Send visitors through the shop, one after another."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("shop")
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--pace", type=float, default=0.3, help="seconds between two actions")
    options = parser.parse_args()
    # Leaving by an exception takes the browser along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    path = find_chromium()
    if path is None:
        sys.exit("No Chromium here. Install it (Debian: apt-get install chromium) or set CHROMIUM.")
    with Chromium(path) as chromium:
        for number, walk in enumerate(islice(walks(), options.visitors), start=1):
            tab = chromium.open_tab(*walk.window)
            try:
                done = go_through(walk, tab, options.shop, options.pace)
            except ChromiumFailed as problem:
                sys.stdout.write(f"Visitor {number} was lost: {problem}\n")
                continue
            sys.stdout.write(f"Visitor {number}, {walk.variation}, did {done} things.\n")
            sys.stdout.flush()
            tab.close()
        time.sleep(SETTLE_SECONDS)


if __name__ == "__main__":
    main()
