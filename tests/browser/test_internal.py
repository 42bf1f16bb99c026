"""A site's own people are kept and marked, and left out of numbers unless the question or the site counts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser

import expost
from expost.demo.shop_server import ShopServer
from expost.state.database import State
from expost.state.sites import change_site
from tests.serving import Relay, Serving, events_in_lake, make_site

REASON = "the site leaves out internal devices"


def test_a_browser_that_says_internal_is_kept_and_marked_and_left_out_by_default(chromium: Browser, tmp_path):
    data = tmp_path / "data"
    make_site(data, count_bots=True)  # headless Chromium says what it is
    with Serving(data) as server, Relay(server.url) as relay, ShopServer(tag=relay.tag(server.tag)) as shop:

        def acknowledged() -> list[dict[str, Any]]:
            events = [event for batch in relay.acknowledged for event in batch["events"]]
            return [event for event in events if event["type"] != "page_leave"]

        def see(*doings: str | Callable[[Any], object]) -> None:
            """A visitor who does these things, each once the server knows of the one before."""
            with chromium.new_context() as context:
                page = context.new_page()
                for doing in doings:
                    before = len(acknowledged())
                    if callable(doing):
                        doing(page)
                    else:
                        page.evaluate(doing)
                    until = time.monotonic() + 30
                    while len(acknowledged()) == before:
                        assert time.monotonic() < until, doing
                        page.wait_for_timeout(20)

        def home(page: Any) -> None:
            page.goto(shop.url)

        def pricing(page: Any) -> None:
            page.goto(f"{shop.url}/pricing")
            page.wait_for_function("!expost.q")

        see(home, pricing)
        see(
            home,
            "expost('internal'), expost('track', 'inside')",
            pricing,
            "expost('internal', false), expost('track', 'outside')",
        )
        ids = {event["id"] for event in acknowledged()}
        assert ids <= events_in_lake(data, ids).keys()

        lake = expost.open(data)
        marked = "select distinct name, is_internal from events where type = 'custom' order by 1"
        assert lake.sql(marked).values == (("inside", True), ("outside", False))
        viewed_home = lake.define("Viewed home", view="/")
        viewed_pricing = lake.define("Viewed pricing", view="/pricing")

        answer = lake.preview(viewed_pricing)
        [internal] = answer.basis.left_out
        assert (answer.events, internal.events, internal.people, internal.share) == (1, 1, 1, 0.5)
        assert (internal.reason, internal.because) == ("internal", REASON)
        assert lake.preview(viewed_pricing, internal=True).events == 2

        def steps(**asked: Any) -> list[int]:
            return [step.people for step in lake.funnel(viewed_home, viewed_pricing, **asked).steps]

        assert (steps(), steps(internal=True)) == ([2, 1], [2, 2])
        with urlopen(f"{server.url}/funnel?step=Viewed+home&step=Viewed+pricing&within=7d") as page:
            assert REASON in page.read().decode()

        state = State(data / "state.sqlite")
        change_site(state, "shop", count_internal=True)
        state.close()
        assert (steps(), steps(internal=False)) == ([2, 2], [2, 1])
        assert lake.preview(viewed_pricing).basis.left_out == ()
