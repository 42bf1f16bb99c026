"""Nine in ten of the selectors that are suggested first outlast a redesign of pages that others wrote.

`bench/suggestions.py` is the long form of it, over all pages and beside a peer.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from tests.browser.redesign import FIRST_DAY, Outcome, asked, outlast, with_past
from tests.browser.snippet_site import running_site
from tests.browser.test_selectors_in_chromium import real_pages
from tests.story import Story

PAGES = ("6.html", "8.html")
LEAST = 0.9


@pytest.fixture(scope="module")
def outcomes(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    context = chromium.new_context()
    with running_site() as site:
        for seed, (name, html) in enumerate((name, real_pages()[name]) for name in PAGES):
            story = Story(tmp_path_factory.mktemp("redesigned") / "data")
            page = with_past(context, site, story, name, html, seed=seed + 1, builds=2, days=1)
            places = page.targets(controls=9, others=4)
            with asked(story) as analysis:
                first = [
                    page.suggestion(analysis, place, now=FIRST_DAY + timedelta(days=30)) for place in places
                ]
            outlast(page, places, [{"selector": each.selector, "text": each.text} for each in first], found)
    context.close()
    return found


def test_the_first_suggestion_outlasts_nine_redesigns_in_ten(outcomes: dict[str, Outcome], capsys) -> None:
    with capsys.disabled():
        told = ", ".join(f"{change} {each.share:.0%} of {each.cases}" for change, each in outcomes.items())
        sys.stdout.write(f"\n{told}\n")
    assert len(outcomes) == 5
    for change, each in outcomes.items():
        assert each.cases >= 20, change
        assert each.share >= LEAST, f"{change}: {each.broken}"


def test_many_of_them_find_one_element_alone(outcomes: dict[str, Outcome]) -> None:
    assert all(each.single >= each.cases / 3 for each in outcomes.values())
