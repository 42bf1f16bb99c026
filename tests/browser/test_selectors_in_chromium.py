"""Selectors over elements that our snippet captured, against what Chromium itself says of the same elements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from expost.errors import SelectorError
from expost.lake.batch import Descriptor, Element
from expost.query.selector_parser import parse
from expost.query.suggestion import suggestions
from tests.browser.selector_list import by_hand, drawn
from tests.browser.snippet_site import Site, running_site
from tests.query.markup import Captured, ElementLake
from tests.query.test_suggestion import levels

PAGES = Path(__file__).parent / "selector_pages"
DRAWN = 320

# Every element of the page, inside open shadow roots too, in `window.all`.
COLLECT = """() => {
  const all = (window.all = []);
  const walk = (node) => {
    for (const child of node.children) {
      all.push(child);
      if (child.shadowRoot) walk(child.shadowRoot);
      walk(child);
    }
  };
  walk(document);
  const attributes = all.flatMap((e) => [...e.attributes].map((a) => [a.name, a.value]));
  const never = /^(value|style|srcdoc|nonce|on.*|xmlns.*|xlink:.*|xml:.*)$/i;
  const word = (e) => (e.classList.length ? "." + CSS.escape(e.classList[0]) : CSS.escape(e.localName));
  const beside = all.filter((e) => e.previousElementSibling);
  return {
    count: all.length,
    neighbours: beside.map((e) => [word(e.previousElementSibling), word(e)]),
    tags: [...new Set(all.map((e) => e.localName))],
    ids: [...new Set(all.map((e) => e.id).filter(Boolean))],
    classes: [...new Set(all.flatMap((e) => [...e.classList]))],
    attributes: attributes.filter(([name]) => !never.test(name)),
  };
}"""
# Not a click: that checks a box before anybody hears of it, and unchecks it afterwards if it was prevented.
CLICK = """([from, to]) => {
  for (const element of all.slice(from, to)) {
    element.dispatchEvent(new MouseEvent("auxclick", { bubbles: true, composed: true, cancelable: true, button: 1 }));
  }
}"""
AT_ONCE = 250
# For each selector: the places of the elements that match, and for each element the place of the first of its chain.
JUDGE = """(selectors) => {
  const place = new Map(all.map((element, at) => [element, at]));
  const above = (e) => e.parentElement ?? (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  return selectors.map((selector) => {
    try {
      const matches = all.map((element) => element.matches(selector));
      const subjects = all.map((element) => {
        for (let e = element; e; e = above(e)) if (matches[place.get(e)]) return place.get(e);
        return -1;
      });
      return { matches, subjects };
    } catch (error) {
      return null;
    }
  });
}"""


@dataclass
class Judged:
    """One page: what was captured of each of its elements, and its words."""

    name: str
    page: Page
    captured: Captured
    places: list[int]
    words: dict[str, Any]


def capture(site: Site, page: Page, name: str) -> Judged:
    """Opens the page with the snippet in it, clicks every element, and reads what was sent."""
    site.pages[f"/{name}"] = (PAGES / name).read_text() + site.tag()
    before = len(site.events)
    page.goto(f"{site.origin}/{name}")
    site.wait(lambda site: len(site.events) > before)  # the page view: the snippet is there
    words = page.evaluate(COLLECT)
    count = words["count"]
    for start in range(0, count, AT_ONCE):
        page.evaluate(CLICK, [start, min(start + AT_ONCE, count)])
        wait_for_events(site, before + 1 + min(start + AT_ONCE, count))
    clicks = [event for event in site.events[before:] if event["type"] == "auxclick"]
    assert len(clicks) == count
    descriptors: list[Descriptor] = []
    elements: list[Element] = []
    starts: dict[int, int] = {}
    for event in clicks:
        batch = event["batch"]
        if id(batch) not in starts:
            starts[id(batch)] = len(elements)
            elements += shifted(
                msgspec.convert(batch["elements"], list[Element]), len(descriptors), len(elements)
            )
            descriptors += msgspec.convert(batch["descriptors"], list[Descriptor])
    places = [starts[id(event["batch"])] + event["el"] for event in clicks]
    return Judged(name, page, Captured(descriptors, elements), places, words)


def wait_for_events(site: Site, count: int) -> None:
    site.wait(lambda site: len(site.events) >= count)


def shifted(elements: list[Element], descriptors: int, before: int) -> list[Element]:
    """Elements of one batch behind those of others."""
    return [
        msgspec.structs.replace(
            each,
            descriptor=each.descriptor + descriptors,
            parent=each.parent + before if each.parent >= 0 else -1,
            previous=[place + descriptors for place in each.previous],
        )
        for each in elements
    ]


@pytest.fixture(scope="module")
def judged(chromium: Browser) -> Iterator[tuple[list[Judged], ElementLake]]:
    with running_site() as site:
        context = chromium.new_context()
        pages = [capture(site, context.new_page(), path.name) for path in sorted(PAGES.glob("*.html"))]
        yield pages, ElementLake(*(each.captured for each in pages))
        context.close()


def ids_by_page(pages: list[Judged], lake: ElementLake) -> dict[str, list[int]]:
    """The id of every element of each page, in the order of `window.all`."""
    found: dict[str, list[int]] = {}
    start = 0
    for each in pages:
        found[each.name] = [lake.ids[start + place] for place in each.places]
        start += len(each.captured.elements)
    return found


def stands_near(captured: Captured, place: int) -> bool:
    """Whether all previous siblings of the element and of its ancestors were captured."""
    while place >= 0:
        each = captured.elements[place]
        if len(each.previous) < each.index - 1:
            return False
        place = each.parent
    return True


def test_selectors_say_what_chromium_says(judged: tuple[list[Judged], ElementLake], capsys) -> None:
    pages, lake = judged
    words = {
        key: [word for each in pages for word in each.words[key]] for key in pages[0].words if key != "count"
    }
    selectors = list(dict.fromkeys([*by_hand(), *drawn(words, DRAWN, seed=2)]))
    theirs = {each.name: each.page.evaluate(JUDGE, selectors) for each in pages}
    ids = ids_by_page(pages, lake)

    near = {each.name: [stands_near(each.captured, place) for place in each.places] for each in pages}
    judgements = unknown = near_judgements = near_unknown = 0
    wrong: list[str] = []
    refused = [
        text for text, verdict in zip(selectors, theirs[pages[0].name], strict=True) if verdict is None
    ]
    assert not refused, f"Chromium refuses {refused}"
    for number, text in enumerate(selectors):
        ours = lake.ask(text)
        for each in pages:
            verdict = theirs[each.name][number]
            for element_id, matches, subject, is_near in zip(
                ids[each.name], verdict["matches"], verdict["subjects"], near[each.name], strict=True
            ):
                judgements += 2
                near_judgements += 2 * is_near
                answer = ours.matches.get(element_id, False)
                unknown += answer is None
                if answer not in (None, matches):
                    wrong.append(f"{each.name}: {text}: matches is {matches}")
                is_unknown = element_id in ours.possibly - ours.surely
                unknown += is_unknown
                near_unknown += is_near * (is_unknown + (answer is None))
                found = ids[each.name][subject] if subject >= 0 else None
                # A nearer element of which we cannot know may be the browser's subject.
                is_nearer = found is not None and ours.matches.get(found, False) is None
                if not (is_unknown or is_nearer or ours.subjects.get(element_id) == found):
                    wrong.append(f"{each.name}: {text}: another subject")
    elements = sum(each.words["count"] for each in pages)
    figures = (
        f"{len(selectors)} selectors, {elements} elements, {judgements:,} judgements, {len(wrong)} wrong, "
        f"{unknown} unknown ({unknown / judgements:.2%}); where at most 20 previous siblings stand, "
        f"{near_unknown} of {near_judgements:,} ({near_unknown / near_judgements:.2%})"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
    assert not wrong, "\n".join(wrong[:40])
    assert unknown / judgements < 0.02
    assert near_unknown / near_judgements < 0.01


def test_chromium_finds_every_element_by_its_suggestion(judged: tuple[list[Judged], ElementLake]) -> None:
    pages, lake = judged
    for each, ids in zip(pages, ids_by_page(pages, lake).values(), strict=True):
        suggested = [suggestions(levels(lake, element_id))[0] for element_id in ids]
        found = each.page.evaluate("(suggested) => all.map((e, at) => e.matches(suggested[at]))", suggested)
        assert not [text for text, matches in zip(suggested, found, strict=True) if not matches]


def test_what_chromium_refuses_is_refused(judged: tuple[list[Judged], ElementLake]) -> None:
    broken = [
        "", " ", ",", "div,", ",div", "div,,p", ">div", "div>", "div>>p", "div||p", "a:b", "-", ".", "#", "..", ".a.",
        "##", "div*", "#1", ".1", "[", "[]", "[=x]", "[a=]", "[a!=b]", "[a=b c]", "[a=b i i]", "[a=1]", "[a b]",
        ":nth-child()", ":nth-child(x)", ":nth-child(- n+1)", ":nth-child(+ 1)", ":nth-child(2n1)", ":nth-child(n1)",
        ":not()", ":not(,a)", ":not(a,)", ":not(> a)", ":foo", ":foo(a)", "body/**/div", "a)", "a]", "a}", "{", "@a",
        '"a"', "url(a)", "a!b", "1a", "a $b", ":first-child(1)", ":root()", "[a='x\ny']", "a:not", "::", ":",
    ]  # fmt: skip
    page = judged[0][0].page
    for text, verdict in zip(broken, page.evaluate(JUDGE, broken), strict=True):
        assert verdict is None, f"Chromium reads {text!r}"
        with pytest.raises(SelectorError) as refused:
            parse(text)
        assert 0 <= refused.value.offset <= len(text)
        assert refused.value.with_caret().endswith("^")
