"""The loss meter against a proxy that says 204 and drops what it is told to: what it says is what was lost."""

from __future__ import annotations

import json
import time
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
        ("/", True, 0), ("/help", True, 0), ("/pricing", False, 0), (None, False, 2), ("/product/sencha", True, 0),
        ("/category/green", True, 0),
    ], json.dumps(rows, default=str)  # fmt: skip
    for row in rows:
        if row["is_exact"]:
            assert row["missing"] == truth[row["page_id"]]
        elif row["page_id"]:
            assert row["missing"] <= truth[row["page_id"]]
    assert [row["missing"] > 0 for row in rows if row["is_exact"]] == [False, True, True, False]
    assert sum(row["missing"] for row in rows) <= sum(truth.values())


def has_left(relay: Relay, path: str) -> bool:
    return any(
        event["type"] == "page_leave" and batch["views"][0]["url"].endswith(path)
        for batch in relay.acknowledged
        for event in batch["events"]
    )
