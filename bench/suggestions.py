"""How long a suggested selector lasts: the same elements before and after redesigns of pages that others wrote.

    node bench/pages/pages.mjs && npm --prefix bench/peers ci --ignore-scripts
    python -P bench/suggestions.py [--controls 20] [--others 10] [--builds 3]

Each page is captured in Chromium by our snippet for some days: half of its classes are hashed anew at each build,
states come and go, and a third of its elements is clicked a day. Then it is redesigned: hashed classes are rebuilt,
wrappers are added, lists reordered, states toggled, and all of these at once. None of that was seen before. A selector
lasts if it matches the same elements as before. Ours is what is suggested first; `@medv/finder` makes one of the page
as it was on the last day; `first day` is ours without any history. `alone`: the cases in which it matched one element.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from expost.demo.chromium import find_chromium  # noqa: E402
from tests.browser.redesign import FIRST_DAY, Outcome, Redesigned, asked, outlast, with_past  # noqa: E402
from tests.browser.snippet_site import Site, running_site  # noqa: E402
from tests.story import Story  # noqa: E402

PAGES = ROOT / "bench" / "pages" / "pages.mjs"
FINDER = ROOT / "bench" / "peers" / "node_modules" / "@medv" / "finder" / "finder.js"
HEAD = '<!doctype html><html lang="en"><head><link rel="icon" href="data:,"></head>'

Selectors = list[dict[str, Any]]


def real_pages() -> dict[str, str]:
    """Pages that others wrote, by name."""
    code = f"import {{ realPages }} from '{PAGES.as_uri()}'; console.log(JSON.stringify(realPages()))"
    printed = subprocess.run(["node", "--input-type=module", "--eval", code], capture_output=True, check=True)
    return {each["name"]: HEAD + each["body"] for each in json.loads(printed.stdout)}


def ours(redesigned: Redesigned, places: list[int], days_after: int) -> Selectors:
    """What is suggested first; when nothing is known of the past, if that is asked long after."""
    now = FIRST_DAY + timedelta(days=days_after)
    with asked(redesigned.story) as analysis:
        found = [redesigned.suggestion(analysis, place, now=now) for place in places]
    return [{"selector": each.selector, "text": each.text} for each in found]


def finders(redesigned: Redesigned, places: list[int]) -> Selectors | None:
    """What `@medv/finder` makes of the page as it is."""
    if not FINDER.exists():
        return None
    redesigned.open_as_it_was()
    source = json.dumps(FINDER.read_text())
    code = f"""async (places) => {{
        const address = URL.createObjectURL(new Blob([{source}], {{ type: "text/javascript" }}));
        const {{ finder }} = await import(address);
        return places.map((place) => finder(nodes[place]));
    }}"""
    found = redesigned.page.evaluate(code, places)
    return [{"selector": selector, "text": None} for selector in found]


def measure(
    browser: Browser, site: Site, chosen: argparse.Namespace
) -> tuple[dict[str, dict[str, Outcome]], int]:
    """The outcomes of each way to make selectors, and of how many elements."""
    outcomes: dict[str, dict[str, Outcome]] = {}
    count = 0
    for number, (name, html) in enumerate(real_pages().items(), 1):
        with tempfile.TemporaryDirectory() as folder:
            context = browser.new_context()
            story = Story(Path(folder) / "expost-data")
            page = with_past(
                context,
                site,
                story,
                f"{number}.html",
                html,
                seed=chosen.seed + number,
                builds=chosen.builds,
                days=2,
            )
            places = page.targets(chosen.controls, chosen.others)
            count += len(places)
            ways = {"ours": ours(page, places, 40), "first day": ours(page, places, 400)}
            if peers := finders(page, places):
                ways["@medv/finder"] = peers
            for way, selectors in ways.items():
                outlast(page, places, selectors, outcomes.setdefault(way, {}))
            context.close()
        print(f"{name}: {len(page.labels):,} elements, {len(places)} of them asked about", file=sys.stderr)
    return outcomes, count


def show(outcomes: dict[str, dict[str, Outcome]], count: int) -> None:
    """The table, in per cent of the elements."""
    changes = list(next(iter(outcomes.values())))
    print(f"\nselectors of {count} elements that match the same elements after a redesign, %")
    print(f"{'':20}" + "".join(f"{change:>25}" for change in changes) + f"{'alone':>8}")
    for way, by_change in outcomes.items():
        shares = "".join(f"{100 * by_change[change].share:25.1f}" for change in changes)
        single = sum(each.single for each in by_change.values()) / sum(
            each.cases for each in by_change.values()
        )
        print(f"{way:20}{shares}{100 * single:8.1f}")
        # One that matches many elements lasts more easily.
        alone = "".join(
            f"{100 * each.single_same / each.single if each.single else 0:25.1f}"
            for each in by_change.values()
        )
        print(f"{'  where alone':20}{alone}")


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--controls", type=int, default=20, help="links, buttons and fields of each page")
    options.add_argument("--others", type=int, default=10, help="other elements of each page")
    options.add_argument("--builds", type=int, default=3)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--broken", action="store_true", help="list what did not last")
    chosen = options.parse_args()
    path = find_chromium() or shutil.which("chromium")
    with sync_playwright() as playwright, running_site() as site:
        browser = playwright.chromium.launch(executable_path=str(path), args=["--no-sandbox"])
        outcomes, count = measure(browser, site, chosen)
        browser.close()
    show(outcomes, count)
    if chosen.broken:
        for change, outcome in outcomes["ours"].items():
            print(f"\n{change}\n" + "\n".join(outcome.broken))


if __name__ == "__main__":
    main()
