"""Pages of which our snippet captured every element, and what Chromium says of selectors on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import msgspec
from playwright.sync_api import Page

from expost.lake.batch import Descriptor, Element
from tests.browser.snippet_site import Site
from tests.query.markup import Answers, Captured, ElementLake

# Every element of the page, inside open shadow roots too, in `window.all`: what is above an element stands before it.
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
  const place = new Map(all.map((element, at) => [element, at]));
  const above = (e) => e.parentElement ?? (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  const attributes = all.flatMap((e) => [...e.attributes].map((a) => [a.name, a.value]));
  const never = /^(value|style|srcdoc|nonce|on.*|xmlns.*|xlink:.*|xml:.*)$/i;
  const word = (e) => (e.classList.length ? "." + CSS.escape(e.classList[0]) : CSS.escape(e.localName));
  const beside = all.filter((e) => e.previousElementSibling);
  return {
    above: all.map((e) => place.get(above(e)) ?? -1),
    words: {
      tags: [...new Set(all.map((e) => e.localName))],
      ids: [...new Set(all.map((e) => e.id).filter(Boolean))],
      classes: [...new Set(all.flatMap((e) => [...e.classList]))],
      attributes: attributes.filter(([name]) => !never.test(name)),
      neighbours: beside.map((e) => [word(e.previousElementSibling), word(e)]),
    },
  };
}"""
# Not a click: that checks a box before anybody hears of it, and unchecks it afterwards if it was prevented.
CLICK = """([from, to]) => {
  for (const element of all.slice(from, to)) {
    element.dispatchEvent(new MouseEvent("auxclick", { bubbles: true, composed: true, cancelable: true, button: 1 }));
  }
}"""
AT_ONCE = 250
JUDGE = """(selectors) => selectors.map((selector) => {
  try {
    return all.flatMap((element, at) => (element.matches(selector) ? [at] : []));
  } catch (error) {
    return null;
  }
})"""


@dataclass
class JudgedPage:
    """An open page: what was captured of each of its elements, what stands above each, and its words.

    `places` are those of the elements in `captured`; they and `above` are in the order of `window.all`.
    """

    name: str
    page: Page
    captured: Captured
    places: list[int]
    above: list[int]
    words: dict[str, Any]

    def verdicts(self, selectors: Sequence[str]) -> list[list[int] | None]:
        """The places of the elements that match, for each selector; None for one that Chromium refuses."""
        found: list[list[int] | None] = self.page.evaluate(JUDGE, list(selectors))
        return found

    @cached_property
    def are_near(self) -> list[bool]:
        """Of each element whether all previous siblings of it and of its ancestors were captured."""
        have_all = [len(each.previous) >= each.index - 1 for each in self.captured.elements]
        for place, each in enumerate(self.captured.elements):
            have_all[place] &= each.parent < 0 or have_all[each.parent]
        return [have_all[place] for place in self.places]


def capture(site: Site, page: Page, name: str, html: str) -> JudgedPage:
    """Opens the page with the snippet in it, clicks every element, and reads what was sent."""
    site.pages[f"/{name}"] = html + site.tag()
    site.requests.clear()
    page.goto(f"{site.origin}/{name}")
    site.wait(lambda site: site.batches)  # the page view: the snippet is there
    found = page.evaluate(COLLECT)
    count = len(found["above"])
    for start in range(0, count, AT_ONCE):
        end = min(start + AT_ONCE, count)
        page.evaluate(CLICK, [start, end])
        wait_for_clicks(site, end)
    descriptors: list[Descriptor] = []
    elements: list[Element] = []
    clicks: dict[int, int] = {}
    for batch in site.batches:
        clicks |= {each["seq"]: each["el"] + len(elements) for each in clicks_of(batch)}
        table = msgspec.convert(batch["elements"], list[Element])
        elements += shifted(table, len(descriptors), len(elements))
        descriptors += msgspec.convert(batch["descriptors"], list[Descriptor])
    assert len(clicks) == count
    places = [clicks[seq] for seq in sorted(clicks)]
    return JudgedPage(name, page, Captured(descriptors, elements), places, found["above"], found["words"])


def wait_for_clicks(site: Site, count: int) -> None:
    site.wait(lambda site: sum(len(clicks_of(batch)) for batch in site.batches) >= count)


def clicks_of(batch: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in batch["events"] if event["type"] == "auxclick"]


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


@dataclass
class JudgedPages:
    """Several pages and the dictionary of all their elements; `ids` are those of each page, in its order."""

    pages: list[JudgedPage]
    lake: ElementLake = field(init=False)
    ids: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.lake = ElementLake(*(each.captured for each in self.pages))
        starts = accumulate((len(each.captured.elements) for each in self.pages), initial=0)
        self.ids = [
            [self.lake.ids[start + place] for place in each.places]
            for start, each in zip(starts, self.pages, strict=False)
        ]

    @property
    def words(self) -> dict[str, Any]:
        """The words of all pages."""
        return {key: [word for each in self.pages for word in each.words[key]] for key in self.pages[0].words}

    def comparison(self, selectors: Sequence[str]) -> Comparison:
        """Each answer for each element beside Chromium's."""
        result = Comparison(len(selectors), sum(map(len, self.ids)))
        verdicts = [each.verdicts(selectors) for each in self.pages]
        for number, text in enumerate(selectors):
            ours = self.lake.ask(text)
            for page, ids, verdict in zip(self.pages, self.ids, verdicts, strict=True):
                theirs = verdict[number]
                assert theirs is not None, f"Chromium refuses {text}"
                result.add(f"{page.name}: {text}", page, ids, set(theirs), ours)
        return result


@dataclass
class Comparison:
    """How many answers were compared, which were wrong, and how many said unknown.

    An element has two: whether it matches, and which element of its chain is the first that does. `near` are those of
    elements of which all previous siblings are captured, and of whose ancestors too.
    """

    selectors: int
    elements: int
    judgements: int = 0
    unknown: int = 0
    near_judgements: int = 0
    near_unknown: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.selectors} selectors, {self.elements:,} elements, {self.judgements:,} judgements, "
            f"{len(self.wrong)} wrong, {self.unknown:,} unknown ({self.unknown / self.judgements:.2%}); "
            f"where at most 20 previous siblings stand, {self.near_unknown:,} of {self.near_judgements:,} "
            f"({self.near_unknown / self.near_judgements:.2%})"
        )

    def add(self, what: str, page: JudgedPage, ids: list[int], theirs: set[int], ours: Answers) -> None:
        self.judgements += 2 * len(ids)
        self.near_judgements += 2 * sum(page.are_near)
        if not theirs and ours.possibly.isdisjoint(ids):
            return  # nothing matches, or may, in anybody's view
        subjects: list[int] = []
        for place, (placement_id, above, is_near) in enumerate(
            zip(ids, page.above, page.are_near, strict=True)
        ):
            matches = place in theirs
            subjects.append(place if matches else subjects[above] if above >= 0 else -1)
            answer = ours.matches.get(placement_id, False)
            if answer not in (None, matches):
                self.wrong.append(f"{what}: matches is {matches}")
            is_unknown = placement_id in ours.possibly and placement_id not in ours.surely
            found = ids[subjects[-1]] if subjects[-1] >= 0 else None
            # A nearer element of which we cannot know may be the browser's subject.
            is_nearer = found is not None and ours.matches.get(found, False) is None
            if not (is_unknown or is_nearer or ours.subjects.get(placement_id) == found):
                self.wrong.append(f"{what}: another subject")
            self.unknown += is_unknown + (answer is None)
            self.near_unknown += is_near * (is_unknown + (answer is None))
