"""What the snippet sends today means what was recorded when its wire version was released."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page

from expost.lake.batch import Descriptor, Element, Event, View
from tests.browser.record_golden import GOLDEN, SCENARIOS
from tests.browser.snippet_site import SNIPPET, Site, spelled_out

VOLATILE = ("id", "t", "x", "y", "el", "view", "set", "descriptor", "parent")


def meaning(batches: list[dict[str, Any]]) -> Any:
    """The events of batches in their order, each once, without ids, times and what depends on how they were cut."""
    once = {event["id"]: spelled_out(event, batch) for batch in batches for event in batch["events"]}
    events = sorted(once.values(), key=lambda event: (event["batch"]["page"]["start"], event["seq"]))
    for event in events:
        batch = event.pop("batch")
        event |= {
            name: batch.get(name) or None
            for name in ("consent", "release", "environment", "session", "resets")
        }
        event["ordinal"] = batch["page"].get("ordinal", 0)
        for thing in (event, *event["chain"]):
            for name in VOLATILE:
                thing.pop(name, None)
        for name in {"dwell_ms", "reaction_ms"} & event.get("properties", {}).keys():
            event["properties"][name] = 0
        event["view_"] = {name: value for name, value in event["view_"].items() if value}
    return json.loads(re.sub(r"localhost:\d+", "localhost", json.dumps(events)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_batches_mean_what_the_golden_ones_mean(site: Site, page: Page, scenario):
    count = scenario(site, page)
    site.wait(lambda site: len(site.events) >= count)
    name = scenario.__name__.replace("_", "-")
    golden = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob(f"v1-{name}-*.json"))]
    assert meaning(site.batches) == meaning(golden)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v1-*.json")), ids=lambda path: path.stem)
def test_golden_batches_keep_to_the_bounds_of_the_lake(path):
    batch = json.loads(path.read_text())
    msgspec.convert(batch["descriptors"], list[Descriptor])
    msgspec.convert(batch["elements"], list[Element])
    msgspec.convert(batch["views"], list[View])
    msgspec.convert(batch["events"], list[Event])


def test_the_read_me_shows_the_stub_as_it_was_built():
    assert (
        f"<script>{(SNIPPET / 'stub.js').read_text()}</script>" in (SNIPPET.parent / "README.md").read_text()
    )
