"""Headless Chromium says what it is, so a site leaves it out unless told otherwise, and the share is printed."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import expost
from expost.demo.shop_server import ShopServer
from tests.serving import Relay, Serving, events_in_lake, make_site


def test_a_headless_browser_is_left_out_by_default_and_its_share_is_printed(page, tmp_path):
    data = tmp_path / "data"
    make_site(data)
    with Serving(data) as server, Relay(server.url) as relay, ShopServer(tag=relay.tag(server.tag)) as shop:
        page.goto(shop.url)
        page.click(".shop-now")
        page.wait_for_load_state()
        page.goto("about:blank")

        def acknowledged() -> list[dict[str, Any]]:
            return [event for batch in relay.acknowledged for event in batch["events"]]

        until = time.monotonic() + 30
        while not Counter(event["type"] for event in acknowledged()) >= Counter(click=1, page_view=2):
            assert time.monotonic() < until, acknowledged()
            page.wait_for_timeout(50)
        ids = {event["id"] for event in acknowledged()}
        assert ids <= events_in_lake(data, ids).keys()
        lake = expost.open(data)
        viewed = lake.event("viewed", view="/**")
        answer = lake.preview(viewed)
        assert (answer.events, answer.people) == (0, 0)
        bots = next(left for left in answer.basis.left_out if "bot" in left.reason)
        assert (bots.events, bots.people, bots.share) == (2, 1, 1.0)
        assert lake.preview(viewed, bots=True).events == 2
        rules = lake.sql("select distinct is_bot, user_agent like '%HeadlessChrome%' as says_so from events")
        assert rules.rows() == [{"is_bot": True, "says_so": True}]
