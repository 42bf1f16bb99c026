"""The loss meter against a proxy that says 204 and drops what it is told to: what it says is what was lost."""

from __future__ import annotations

import json
import time
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request

import expost
from expost.demo.shop_server import ShopServer
from tests.serving import Relay, Serving, events_in_lake, make_site

WAIT_SECONDS = 20
NOTHING, BEGINNING, END, ALL = "nothing", "the beginning", "the end", "all"
LOST = {
    "/": NOTHING, "/help": BEGINNING, "/pricing": END, "/cart": ALL, "/signup": ALL, "/product/sencha": BEGINNING,
    "/category/green": NOTHING,
}  # fmt: skip
Json = dict[str, Any]


def is_lost(batch: Json) -> bool:
    path = "/" + batch["views"][0]["url"].split("://")[1].partition("/")[2].partition("?")[0]
    types = {event["type"] for event in batch["events"]}
    return {BEGINNING: "page_view" in types, END: "page_leave" in types, ALL: True}.get(
        LOST.get(path, ""), False
    )


def is_batch(request: Request) -> bool:
    return request.method == "POST"


def visit(page: Page, address: str) -> None:
    """Two clicks that go in a batch with the view, and one that goes in the batch with the leave."""
    with page.expect_request(is_batch):
        page.goto(address)
        for _ in range(2):
            page.locator("h1").first.click()
    page.locator("h1").first.click()


def numbers(batches: list[Json]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for batch in batches:
        found[batch["page"]["id"]] |= {event["seq"] for event in batch["events"]}
    return found


def test_the_meter_equals_what_a_proxy_dropped(chromium: Browser, tmp_path: Path) -> None:
    make_site(tmp_path / "data")
    with (
        Serving(tmp_path / "data") as server,
        Relay(server.url, is_lost) as relay,
        ShopServer(tag=relay.tag(server.tag)) as shop,
    ):
        context = chromium.new_context()
        page = context.new_page()
        for path in LOST:
            visit(page, shop.url + path)
        page.goto("about:blank")
        until = time.monotonic() + WAIT_SECONDS
        while not has_left(relay, list(LOST)[-1]) and time.monotonic() < until:
            page.wait_for_timeout(100)
        context.close()
        events_in_lake(
            tmp_path / "data", {each["id"] for batch in relay.acknowledged for each in batch["events"]}
        )
        rows = expost.open(tmp_path / "data").sql("select * from losses order by page_ordinal").rows()

    arrived = numbers(relay.acknowledged)
    sent = numbers(relay.acknowledged + relay.lost)
    truth = {page_id: len(seen - arrived[page_id]) for page_id, seen in sent.items()}
    assert sum(truth.values()) >= 12
    told = [(row["path"], row["is_exact"], row["missing_pages"]) for row in rows]
    assert told == [
        ("/", True, 0), ("/help", True, 0), ("/pricing", True, 0), (None, True, 1), (None, True, 1),
        ("/product/sencha", True, 0), ("/category/green", False, 0),
    ], json.dumps(rows, default=str)  # fmt: skip
    ordinals = {batch["page"]["id"]: batch["page"]["ordinal"] for batch in relay.acknowledged + relay.lost}
    by_ordinal = {ordinals[page_id]: missing for page_id, missing in truth.items()}
    assert {row["page_ordinal"]: row["missing"] for row in rows} == by_ordinal


def is_dropped(batch: Json) -> bool:
    """Two pages whole, and of the others two batches of five, the same each time they are sent."""
    ordinal = batch["page"]["ordinal"]
    return ordinal in (4, 9) or zlib.crc32(f"{ordinal} {batch['events'][0]['seq']}".encode()) % 5 < 2


def pass_by(page: Page, address: str) -> None:
    """Two clicks that go, with the view, when the page is left."""
    page.goto(address)
    for _ in range(2):
        page.locator("h1").first.click()


def happened(batch: Json) -> list[float]:
    """When the events of a batch happened, by the browser's clock."""
    return [batch["page"]["start"] + event["t"] for event in batch["events"]]


def left_at(batches: list[Json]) -> dict[int, float]:
    """When each page of the browser was left for the last time, of those that were."""
    found: dict[int, float] = {}
    for batch in batches:
        for event, at in zip(batch["events"], happened(batch), strict=True):
            if event["type"] == "page_leave":
                ordinal = batch["page"]["ordinal"]
                found[ordinal] = max(at, found.get(ordinal, 0))
    return found


def has_left_the_newest(batches: list[Json]) -> bool:
    return max(batch["page"]["ordinal"] for batch in batches) in left_at(batches)


def test_every_page_that_a_received_batch_follows_is_known_exactly(chromium: Browser, tmp_path: Path) -> None:
    make_site(tmp_path / "data")
    with (
        Serving(tmp_path / "data") as server,
        Relay(server.url, is_dropped) as relay,
        ShopServer(tag=relay.tag(server.tag)) as shop,
    ):
        context = chromium.new_context()
        first, open_tab = context.new_page(), context.new_page()
        pass_by(first, shop.url + "/")
        visit(open_tab, shop.url + "/help")
        for number, path in enumerate(LOST):
            (visit if number % 2 else pass_by)(first, shop.url + path)
        first.go_back()
        first.locator("h1").first.click()
        for path in ("/pricing", "/cart"):
            pass_by(first, shop.url + path)
        with open_tab.expect_request(is_batch):
            open_tab.locator("h1").first.click()
        # Tabs are processes: what one writes of their browser is not at once what another reads.
        written = open_tab.evaluate("JSON.parse(localStorage.expost).seen")
        first.wait_for_function("seen => JSON.parse(localStorage.expost).seen >= seen", arg=written)
        visit(first, shop.url + "/")
        first.goto("about:blank")
        until = time.monotonic() + WAIT_SECONDS
        while not has_left_the_newest(relay.acknowledged + relay.lost) and time.monotonic() < until:
            first.wait_for_timeout(100)
        # Before the other tab is closed, which ends its page.
        acknowledged, lost = list(relay.acknowledged), list(relay.lost)
        events_in_lake(tmp_path / "data", {each["id"] for batch in acknowledged for each in batch["events"]})
        lake = expost.open(tmp_path / "data")
        rows = {row["page_ordinal"]: row for row in lake.sql("select * from losses").rows()}
        answer = lake.losses(by="browser", bots=True)
        context.close()

    batches = acknowledged + lost
    sent, arrived = numbers(batches), numbers(acknowledged)
    truth: dict[int, int] = {}
    for batch in batches:
        page = batch["page"]
        truth[page["ordinal"]] = len(sent[page["id"]] - arrived[page["id"]])
    followed = {
        ordinal
        for ordinal, at in left_at(batches).items()
        if any(batch["page"]["ordinal"] != ordinal and min(happened(batch)) > at for batch in acknowledged)
    }
    assert len(followed) >= len(LOST) + 3
    assert any(rows[ordinal]["page_id"] is None for ordinal in followed)
    assert sum(truth[ordinal] for ordinal in followed) >= 12
    for ordinal in followed:
        row = rows[ordinal]
        assert (row["is_exact"], row["missing"]) == (True, truth[ordinal]), json.dumps(row, default=str)
    for ordinal, row in rows.items():
        assert row["missing"] <= truth[ordinal]
    [stays_open] = {batch["page"]["ordinal"] for batch in batches} - left_at(batches).keys()
    assert not rows[stays_open]["is_exact"]
    assert (answer.total.missing, answer.total.is_exact) == (
        sum(row["missing"] for row in rows.values()),
        False,
    )


def has_left(relay: Relay, path: str) -> bool:
    return any(
        event["type"] == "page_leave" and batch["views"][0]["url"].endswith(path)
        for batch in relay.acknowledged
        for event in batch["events"]
    )
