"""Pages that were captured for some days and then redesigned: does a selector chosen before find the same elements?

The past is captured by our snippet in Chromium: builds with other hashed classes each, days with other states. The
redesign comes after it and was never seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from expost.clock import to_micros
from expost.ids import uuid7
from expost.lake.batch import Accepted, Event, View
from expost.lake.batch import Page as WirePage
from expost.query.analysis import Analysis
from expost.query.suggested import Suggestion, Suggestions, SuggestionsAnswer
from expost.state.database import State
from expost.state.sites import Site as KnownSite
from expost.state.sites import add_site, sites
from tests.browser.judged_page import JudgedPage, capture, clicks_of
from tests.browser.snippet_site import Site
from tests.story import BROWSER, Story

SCRIPT = Path(__file__).with_suffix(".js").read_text()
FIRST_DAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
CLICKED = 0.35
"""The share of a page's elements that are clicked on one day."""
PLACES = "(s) => [...document.querySelectorAll(s)].map((element) => nodes.indexOf(element))"
CONTROLS = "a,button,input,select,textarea,label,summary,[role=button],[role=tab],[role=menuitem]"
OTHERS = "body :not(script,style,br,hr,html,head,path,g,option)"


@dataclass
class Redesigned:
    """A page with its past in a lake, and open as it was on its last day."""

    name: str
    page: Page
    html: str
    story: Story
    seed: int
    labels: list[str | None]
    last: dict[int, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/{self.name}"

    def targets(self, controls: int, others: int) -> list[int]:
        """Places of elements that were clicked on the last day: controls, and any other elements."""
        chance = random.Random(self.seed)
        found = []
        for selector, count in ((CONTROLS, controls), (f":is({OTHERS}):not({CONTROLS})", others)):
            places = self.page.evaluate(PLACES, selector)
            clicked = [place for place in places if place in self.last]
            found += chance.sample(clicked, min(count, len(clicked)))
        return found

    def suggestion(self, analysis: Analysis, place: int, *, now: datetime) -> Suggestion:
        """What is suggested first for the element at a place."""
        answer = analysis.ask(Suggestions(event_id=self.last[place], level=0, now=now))
        assert isinstance(answer, SuggestionsAnswer)
        return answer.suggestions[0]

    def matching(self, asked: Sequence[dict[str, Any]]) -> list[list[int]]:
        """The places that each selector matches on the page as it is."""
        given = [list(asked), self.labels]
        found: list[list[int]] = self.page.evaluate(
            "([asked, labels]) => asked.map((each) => redesign.matching(each, labels))", given
        )
        return found

    def open_as_it_was(self) -> None:
        """The page of the last day once more."""
        self.page.set_content(self.html)
        self.page.evaluate(SCRIPT)
        self.page.evaluate("redesign.begin()")
        # Classes as they are written now are those of the last build; a later one starts from the page as published.
        self.page.evaluate("(published) => (window.written = published)", self.published)

    published: list[list[str]] = field(default_factory=list)


def with_past(
    context: BrowserContext,
    site: Site,
    story: Story,
    name: str,
    html: str,
    *,
    seed: int,
    builds: int,
    days: int,
) -> Redesigned:
    """The page after `builds` builds of `days` days each, of which our snippet captured some clicks."""
    page = context.new_page()
    page.set_content(html)
    page.evaluate(SCRIPT)
    page.evaluate("redesign.begin()")
    published = page.evaluate("written")
    chance = random.Random(seed)
    found = Redesigned(name, page, html, story, seed, [], {}, published)
    for number in range(builds):
        page.evaluate("([seed, number]) => redesign.build(seed, number)", [seed, number])
        for day in range(days):
            page.evaluate("(seed) => redesign.toggle(seed)", seed * 1_000 + number * 10 + day)
            found.html = "<!doctype html>" + page.evaluate("document.documentElement.outerHTML")
            captured = context.new_page()
            seen = capture(site, captured, name, found.html)
            captured.close()
            # A batch that was answered too late comes twice.
            by_seq = {each["seq"]: each for batch in site.batches for each in clicks_of(batch)}
            clicks = [by_seq[seq] for seq in sorted(by_seq)]
            found.labels = [each.get("label") for each in clicks]
            clicked = [place for place in range(len(clicks)) if chance.random() < CLICKED]
            at = FIRST_DAY + timedelta(days=number * days * 3 + day)
            found.last = keep(story, found.path, seen, clicks, clicked, at=at, release=f"build-{number}")
    found.open_as_it_was()
    return found


def keep(
    story: Story,
    path: str,
    seen: JudgedPage,
    clicks: Sequence[dict[str, Any]],
    clicked: Sequence[int],
    *,
    at: datetime,
    release: str,
) -> dict[int, str]:
    """Put these clicks into the lake as of that day; the id of each by its place."""
    start = to_micros(at)
    page = WirePage(uuid7(start, story.draw()), start / 1_000, 1)
    ids = {}
    events = []
    for seq, place in enumerate(clicked, 1):
        moment = start + seq * 1_000
        ids[place] = uuid7(moment, story.draw())
        said = {name: clicks[place][name] for name in ("label", "text") if clicks[place].get(name)}
        events.append(
            Event(id=ids[place], type="click", t=seq, seq=seq, view=0, el=seen.places[place], **said)
        )
    story.waiting.append(
        Accepted(
            site=story.site, received_at=start + len(events) * 1_000 + 1, consent="full", is_imported=False,
            is_internal=False, device=f"ann-{start % 7}", user_agent=BROWSER, sent_at=start / 1_000 + len(events) + 1,
            session=1, release=release, environment="production", viewport=[1280, 720], page=page,
            views=[View(f"https://{story.host}{path}", title=path)], sets=[],
            descriptors=seen.captured.descriptors, elements=seen.captured.elements, events=events,
        )
    )  # fmt: skip
    return ids


@contextmanager
def asked(story: Story) -> Iterator[Analysis]:
    """The lake of the story, open for questions."""
    state = State(story.folder.state_path)
    if not sites(state):
        add_site(state, KnownSite(story.site, "Shop", created_at=1))
    state.close()
    analysis = Analysis(story.path)
    try:
        yield analysis
    finally:
        analysis.close()


@dataclass
class Outcome:
    """How selectors fared over one kind of redesign: of `cases`, how many match the `same` elements as before.

    `single` matched one element alone before, `single_same` of those the same one after; `broken` did not last.
    """

    cases: int = 0
    same: int = 0
    single: int = 0
    single_same: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.same / self.cases if self.cases else 0.0


def outlast(
    redesigned: Redesigned,
    places: Sequence[int],
    selectors: Sequence[dict[str, Any]],
    outcomes: dict[str, Outcome],
) -> None:
    """Redesign the page in every way, each from the page as it was, and count the selectors that outlast it."""
    redesigned.open_as_it_was()
    before = redesigned.matching(selectors)
    for change in redesigned.page.evaluate("redesign.changes"):
        redesigned.open_as_it_was()
        redesigned.page.evaluate(
            "([change, seed]) => redesign.change(change, seed)", [change, redesigned.seed]
        )
        after = redesigned.matching(selectors)
        outcome = outcomes.setdefault(change, Outcome())
        for place, asked_, old, new in zip(places, selectors, before, after, strict=True):
            outcome.cases += 1
            outcome.single += old == [place]
            if place in old and sorted(old) == sorted(new):
                outcome.same += 1
                outcome.single_same += old == [place]
            else:
                outcome.broken.append(f"{redesigned.name}: {asked_} ({len(old)} before, {len(new)} after)")
