"""Selectors over elements that our snippet captured, against what Chromium itself says of the same elements."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from expost.errors import SelectorError
from expost.query.selector_parser import parse
from expost.query.suggestion import suggestions
from tests.browser.judged_page import Comparison, JudgedPages, capture
from tests.browser.selector_list import by_hand, drawn
from tests.browser.snippet_site import running_site
from tests.query.test_suggestion import levels

PAGES = Path(__file__).parent / "selector_pages"
REAL_PAGES = Path(__file__).parents[2] / "bench" / "pages" / "pages.mjs"
HEAD = '<!doctype html><html lang="en"><head><link rel="icon" href="data:,"></head>'
DRAWN = 320


@pytest.fixture(scope="module")
def judged(chromium: Browser) -> Iterator[JudgedPages]:
    with running_site() as site:
        context = chromium.new_context()
        yield JudgedPages([
            capture(site, context.new_page(), path.name, path.read_text()) for path in sorted(PAGES.glob("*.html"))
        ])  # fmt: skip
        context.close()


def test_selectors_say_what_chromium_says(judged: JudgedPages, capsys) -> None:
    selectors = list(dict.fromkeys([*by_hand(), *drawn(judged.words, DRAWN, seed=2)]))
    comparison = judged.comparison(selectors)
    with capsys.disabled():
        sys.stdout.write(f"\n{comparison}\n")
    check(comparison)


def real_pages() -> dict[str, str]:
    """Pages that others wrote, by name, as `bench/pages` has them."""
    code = f"import {{ realPages }} from '{REAL_PAGES.as_uri()}'; console.log(JSON.stringify(realPages()))"
    printed = subprocess.run(["node", "--input-type=module", "--eval", code], capture_output=True, check=True)
    pages = json.loads(printed.stdout)
    # Admin templates, component libraries and documentation builds are among them.
    assert len(pages) >= 12, f"Run: node {REAL_PAGES}"
    return {f"{number}.html": HEAD + each["body"] for number, each in enumerate(pages)}


def test_of_pages_that_others_wrote_as_well(chromium: Browser, capsys) -> None:
    with running_site() as site:
        context = chromium.new_context()
        pages = JudgedPages([
            capture(site, context.new_page(), name, html) for name, html in real_pages().items()
        ])  # fmt: skip
        selectors = list(dict.fromkeys([*by_hand()[::4], *drawn(pages.words, DRAWN, seed=3)]))
        assert len(selectors) >= 400
        comparison = pages.comparison(selectors)
        context.close()
    with capsys.disabled():
        sys.stdout.write(f"\n{comparison}\n")
    check(comparison)


def check(comparison: Comparison) -> None:
    assert not comparison.wrong, "\n".join(comparison.wrong[:40])
    assert comparison.unknown / comparison.judgements < 0.02
    assert comparison.near_unknown / comparison.near_judgements < 0.01


def test_chromium_finds_every_element_by_its_suggestion(judged: JudgedPages) -> None:
    for each, ids in zip(judged.pages, judged.ids, strict=True):
        suggested = [suggestions(levels(judged.lake, each_id))[0] for each_id in ids]
        found = each.page.evaluate("(suggested) => all.map((e, at) => e.matches(suggested[at]))", suggested)
        assert not [text for text, matches in zip(suggested, found, strict=True) if not matches]


def test_what_chromium_refuses_is_refused(judged: JudgedPages) -> None:
    broken = [
        "", " ", ",", "div,", ",div", "div,,p", ">div", "div>", "div>>p", "div||p", "a:b", "-", ".", "#", "..", ".a.",
        "##", "div*", "#1", ".1", "[", "[]", "[=x]", "[a=]", "[a!=b]", "[a=b c]", "[a=b i i]", "[a=1]", "[a b]",
        ":nth-child()", ":nth-child(x)", ":nth-child(- n+1)", ":nth-child(+ 1)", ":nth-child(2n1)", ":nth-child(n1)",
        ":not()", ":not(,a)", ":not(a,)", ":not(> a)", ":foo", ":foo(a)", "body/**/div", "a)", "a]", "a}", "{", "@a",
        '"a"', "url(a)", "a!b", "1a", "a $b", ":first-child(1)", ":root()", "[a='x\ny']", "a:not", "::", ":",
    ]  # fmt: skip
    for text, verdict in zip(broken, judged.pages[0].verdicts(broken), strict=True):
        assert verdict is None, f"Chromium reads {text!r}"
        with pytest.raises(SelectorError) as refused:
            parse(text)
        assert 0 <= refused.value.offset <= len(text)
        assert refused.value.with_caret().endswith("^")
