"""The demo's live visitors: every way through the shop can be gone to its end, in both variations."""

from itertools import islice

import pytest

from expost.demo.actions import PAGES
from expost.demo.chromium import Chromium
from expost.demo.record import BatchRecorder
from expost.demo.shop_server import ShopServer
from expost.demo.visitors import go_through, walks


def test_walks_take_both_variations_and_only_do_what_pages_offer():
    first = list(islice(walks(), 6))
    assert {walk.variation for walk in first} == {"control", "treatment"}
    for walk in first:
        for page, names in walk.stays:
            assert {action.name for action in PAGES[page].actions} >= set(names)


@pytest.mark.browser
def test_every_walk_can_be_gone_to_its_end_and_says_what_it_was_shown(chromium_path):
    with (
        BatchRecorder() as recorder,
        ShopServer(tag=recorder.tag) as shop,
        Chromium(chromium_path) as chromium,
    ):
        for walk in islice(walks(), 6):
            tab = chromium.open_tab(*walk.window)
            assert go_through(walk, tab, shop.url, pace=0) == sum(len(names) for _, names in walk.stays)
            tab.go("about:blank")
        recorder.wait_until_quiet()
    # The last batch of a page comes again from the next page, until an answer is seen: an id counts once.
    events = list({event["id"]: event for batch in recorder.batches for event in batch["events"]}.values())
    assert {event["variation"] for event in events if event["type"] == "exposure"} == {"control", "treatment"}
    assert sum(event["type"] == "identify" for event in events) == 2
    assert all(event.get("trusted", True) for event in events)
