"""The main job, end to end: real hands in real browsers on the shop, and every number against the page's own log."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import expost
from expost.demo.actions import FORMS, PAGES, Action
from expost.demo.chromium import FLAGS, find_chromium
from expost.demo.shop_server import ShopServer
from expost.query.definition import Definition
from tests.oracle import Happened, funnel, funnel_of_answer, retention, retention_of_answer
from tests.serving import Relay, Serving, events_in_lake, make_site

FLAG = "new-checkout"
DOM_TYPES = ("click", "auxclick", "change", "submit")
# Nobody defined any of these before; the page's log asks the browser itself about each.
SELECTORS = (
    "button.add",
    ".card-link > .card-picture",
    "form.signup button[type=submit]",
    ".star",
    "product-rating",
    'a[href^="/product/"], a[href^="/category/"]',
    ".specs tr:nth-child(2) > td:last-child",
    ".button:not(.primary):not(.quiet)",
    '[data-product="SENCHA" i] *',
    ".chip > input[name^=si]:only-child",
    "svg.icon-plus path, svg.icon-cart path",
    "star-icon[full]",
    "dialog[open] button",
    ".menu li:nth-last-child(-n+2) > a",
    "fieldset label:first-of-type input, .step label:only-of-type input",
    "form:not(.signup) :is(input[type=checkbox], select):where([name])",
)
STEPS = {
    "name": ("change", "form.checkout input[name=name]"),
    "terms": ("click", "form.checkout input[name=terms]"),
    "order": ("submit", "form.checkout"),
    "add": ("click", "button.add"),
    "anything": ("click", "*"),
}
LOGGED = tuple(dict.fromkeys((*SELECTORS, *(selector for _, selector in STEPS.values()))))
PAGE_LOG = (Path(__file__).parent / "page_log.js").read_text("utf-8")

Json = dict[str, Any]
Stays = list[tuple[str, tuple[str, ...]]]


def _inert(page: str) -> tuple[str, ...]:
    return tuple(action.name for action in PAGES[page].actions if not action.leads and action.name != "again")


def _checkout(variation: str, how: str) -> tuple[str, tuple[str, ...]]:
    page = f"checkout-{variation}"
    return page, FORMS.get(f"{page} {how}", (how,))


def _buy(variation: str, how: str = "order") -> Stays:
    return [
        ("home", ("shop-now",)),
        ("category-green", ("sort", "card-sencha")),
        ("product-sencha", (*_inert("product-sencha"), "cart")),
        ("cart", ("quantity", "to-checkout")),
        _checkout(variation, how),
    ]


SIGN_UP: Stays = [
    ("thanks", ("to-signup",)),
    ("signup", FORMS["signup sign-up"]),
    ("account", ("wishlist", "settings")),
]


@dataclass(frozen=True)
class Visit:
    """One visitor's way. `is_killed`: at its end the browser gets SIGKILL, with whatever it still holds."""

    variation: str
    stays: Stays
    is_killed: bool = False


VISITS = (
    Visit("control", [*_buy("control"), *SIGN_UP]),
    Visit("treatment", [*_buy("treatment"), *SIGN_UP, ("account", ("letters", "save", "orders", "menu-green"))]),
    Visit("control", [("home", _inert("home")), ("help", _inert("help")),
                      ("pricing", ("yearly", "compare", "menu-help"))]),
    Visit("treatment", [*_buy("treatment", "one-tap"), ("thanks", ("home",)), ("home", ("blank", "tile-herbal"))]),
    Visit("control", [*_buy("control", "back"), ("cart", ("voucher", "to-checkout")),
                      ("checkout-control", ("express", "town", "name"))], is_killed=True),
    Visit("treatment", [*_buy("treatment", "name"), ("checkout-treatment", ("next-1", "next-2", "express", "terms"))],
          is_killed=True),
    # Has seen a product, then the checkout, then a product again: an entry before and one after the exposure.
    Visit("treatment", [*_buy("treatment"), ("thanks", ("home",)), ("home", ("card-keemun",)),
                        ("product-keemun", ("add", "cart")), ("cart", ("to-checkout",)),
                        _checkout("treatment", "order")]),
    # One person on two devices, who sees the control first.
    Visit("control", [*_buy("control"), ("thanks", ("to-signup",)), ("signup", FORMS["signup sign-in"])]),
    Visit("treatment", [("signup", FORMS["signup sign-in"]), ("account", ("wishlist", "menu-green")),
                        ("category-green", ("add-longjing", "add-sencha", "cart")), ("cart", ("to-checkout",)),
                        _checkout("treatment", "order")]),
    Visit("control", [("home", ("tile-herbal",)), ("category-herbal", ("organic", "add-rooibos", "card-verbena")),
                      ("product-verbena", _inert("product-verbena"))], is_killed=True),
)  # fmt: skip


@dataclass
class Story:
    """What was done, what the pages say happened, and what the server acknowledged."""

    data: Path
    actions: int = 0
    log: dict[float, list[Json]] = field(default_factory=lambda: defaultdict(list))
    killed_pages: set[float] = field(default_factory=set)
    visitor_of_page: dict[float, str] = field(default_factory=dict)
    acknowledged: list[Json] = field(default_factory=list)

    def events(self) -> dict[str, tuple[Json, Json]]:
        """Every acknowledged event by its id, with its batch; sent again it is still one."""
        return {event["id"]: (event, batch) for batch in self.acknowledged for event in batch["events"]}


def _act(page: Page, action: Action) -> None:
    place = page.locator(action.at.replace(" >>> ", " ")).first
    if action.leads:
        with page.expect_event("load"):
            place.click()
    elif action.kind == "choose":
        place.focus()
        page.keyboard.type(action.value)
    else:
        place.click()
    if action.kind == "fill":
        place.fill(action.value)
        place.press("Tab")


def _is_on(page: Page, shop: str, stay: str) -> bool:
    path = page.url.removeprefix(shop).partition("?")[0]
    # The account has several addresses and is one page.
    return path.startswith("/account") if stay == "account" else path == PAGES[stay].path.partition("?")[0]


def _visit(context: BrowserContext, shop: str, visit: Visit, story: Story, name: str) -> None:
    def keep(_source: object, entry: Json) -> None:
        story.log[entry["start"]].append(entry)
        story.visitor_of_page[entry["start"]] = name

    context.expose_binding("__keep", keep)
    context.add_init_script(PAGE_LOG.replace("SELECTORS", json.dumps(LOGGED)))
    page = context.new_page()
    page.goto(f"{shop}/?variation={visit.variation}")
    for stay, names in visit.stays:
        if not _is_on(page, shop, stay):
            page.goto(shop + PAGES[stay].path.partition("?")[0])
        for action in names:
            _act(page, PAGES[stay].action(action))
            story.actions += 1
    if visit.is_killed:
        story.killed_pages.add(page.evaluate("performance.timeOrigin"))
    else:
        page.goto("about:blank")


def _kill(browser: Browser) -> None:
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(process["id"] for process in processes if process["type"] == "browser"), signal.SIGKILL)


@pytest.fixture(scope="module")
def story(chromium: Browser, tmp_path_factory: pytest.TempPathFactory):
    """Everything that happens, once; the tests below ask about it."""
    data = tmp_path_factory.mktemp("main-job") / "data"
    make_site(data, count_bots=True)
    story = Story(data)
    flags = [flag for flag in FLAGS if not flag.startswith("--remote-debugging")]
    with Serving(data) as server, Relay(server.url) as relay, ShopServer(tag=relay.tag(server.tag)) as shop:
        for number, visit in enumerate(VISITS):
            if visit.is_killed:
                browser = chromium.browser_type.launch(executable_path=find_chromium(), args=flags)
                _visit(browser.new_context(), shop.url, visit, story, f"visitor {number}")
                _kill(browser)
            else:
                context = chromium.new_context()
                _visit(context, shop.url, visit, story, f"visitor {number}")
                context.close()
        expected = {event["id"] for batch in relay.acknowledged for event in batch["events"]}
        events_in_lake(data, expected)
        assert relay.refused == []
        story.acknowledged = list(relay.acknowledged)
        yield story


@pytest.fixture(scope="module")
def happened(story: Story) -> list[Json]:
    """The log's entries whose event was acknowledged: all of them, but for the last moments of a killed browser."""
    by_page: dict[float, list[Json]] = defaultdict(list)
    for event, batch in story.events().values():
        by_page[batch["page"]["start"]].append(event)
    entries = []
    for start, log in story.log.items():
        events = sorted(by_page.get(start, []), key=lambda event: event["seq"])
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), (
            "a hole in what was acknowledged"
        )
        arrived = Counter(event["type"] for event in events)
        order = [event["type"] for event in events if event["type"] in (*DOM_TYPES, "page_view")]
        logged = [entry for entry in log if entry["type"] in (*DOM_TYPES, "page_view")]
        assert order == [entry["type"] for entry in logged][: len(order)]
        if start not in story.killed_pages:
            assert len(order) == len(logged)
        others = [
            entry for entry in log if entry["type"] in ("exposure", "identify") and arrived[entry["type"]]
        ]
        entries += [*logged[: len(order)], *others]
    return entries


@pytest.fixture(scope="module")
def facts(story: Story, happened: list[Json]) -> list[Happened]:
    """The log as the oracle takes it."""
    views = {"/checkout": "checkout"}
    found = []
    for seq, entry in enumerate(happened):
        names = {name for name, (kind, selector) in STEPS.items()
                 if kind == entry["type"] and selector in entry.get("matched", ())}  # fmt: skip
        if entry["type"] == "page_view":
            names |= {views.get(entry["path"], "")} | (
                {"product"} if entry["path"].startswith("/product/") else set()
            )
        found.append(
            Happened(
                device=story.visitor_of_page[entry["start"]], time=entry["start"] + entry["at"], page=entry["start"],
                seq=seq, facts=frozenset(names), is_page_view=entry["type"] == "page_view",
                variation=entry.get("variation"), user=entry.get("user"),
            )
        )  # fmt: skip
    return found


def test_there_was_enough_to_tell(story: Story, happened: list[Json]):
    assert story.actions >= 200
    assert len(VISITS) >= 8
    assert {entry.get("variation") for entry in happened if entry["type"] == "exposure"} == {
        "control",
        "treatment",
    }
    assert len(story.killed_pages) == 3


def test_every_acknowledged_event_is_in_the_lake_exactly_once(story: Story):
    stored = events_in_lake(story.data)
    assert stored.keys() == story.events().keys()
    assert set(stored.values()) == {1}


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_selector_nobody_defined_before_counts_what_the_page_itself_counted(story, happened, selector):
    lake = expost.open(story.data)
    for kind in ("click", "change"):
        expected = sum(entry["type"] == kind and selector in entry["matched"] for entry in happened)
        answer = lake.preview(_named(lake, kind, selector))
        assert (answer.events, answer.unknown) == (expected, 0)
    assert any(selector in entry.get("matched", ()) for entry in happened), "the story never does this"


def _named(lake: expost.Lake, kind: str, selector: str) -> Definition:
    conditions: dict[str, Any] = {kind: selector}
    return lake.event(f"{kind} {selector}", **conditions)


def _definitions(lake: expost.Lake) -> dict[str, Definition]:
    named = {name: _named(lake, kind, selector) for name, (kind, selector) in STEPS.items()}
    named["checkout"] = lake.event("checkout", view="/checkout")
    named["product"] = lake.event("product", view="/product/*")
    return named


@pytest.mark.parametrize(
    "steps",
    [("checkout", "name", "terms", "order"), ("product", "add", "checkout", "order")],
    ids=["after", "across"],
)
def test_a_funnel_by_variation_counts_what_brute_force_counts(story, facts, steps):
    lake = expost.open(story.data)
    defined = _definitions(lake)
    answer = lake.funnel(*(defined[step] for step in steps), within="7 days", by=expost.flag(FLAG))
    expected = funnel(facts, list(steps), timedelta(days=7))
    assert funnel_of_answer(answer) == expected
    assert len(expected) >= 3


@pytest.mark.parametrize("start", ["checkout", "product"])
def test_retention_by_variation_counts_what_brute_force_counts(story, facts, start):
    lake = expost.open(story.data)
    defined = _definitions(lake)
    answer = lake.retention(defined[start], defined["anything"], period="day", by=expost.flag(FLAG))
    expected = retention(facts, start, "anything", "day")
    assert retention_of_answer(answer) == expected
    assert len({key[:2] for key in expected}) >= 3


def test_the_log_and_the_lake_agree_on_who_signed_up(story, happened):
    lake = expost.open(story.data)
    users = {entry["user"] for entry in happened if entry["type"] == "identify"}
    rows = lake.sql("select distinct user from events where type = 'identify'").rows()
    assert {next(iter(row.values())) for row in rows} == users
    assert all(re.fullmatch(r"member-[0-9a-f]{8}", user) for user in users)
