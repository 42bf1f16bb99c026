"""Weeks of history through the public route of a real server, and its funnel and retention against brute force."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

import expost
from expost.demo.behaviour import FLAG
from expost.demo.history import batches_of_month, events_of, send_history
from tests.oracle import Happened, funnel, funnel_of_answer, retention, retention_of_answer
from tests.serving import Serving, events_in_lake, make_key, make_site

DAYS = 24


@pytest.fixture(scope="module")
def month():
    return batches_of_month(
        shop_url="http://127.0.0.1:8001", until=time.time() * 1_000, days=DAYS, visitors_per_day=20
    )


@pytest.fixture(scope="module")
def lake(month, tmp_path_factory):
    data = tmp_path_factory.mktemp("history") / "data"
    make_site(data, count_bots=True)
    key = make_key(data, "import")
    with Serving(data) as server:
        send_history(month, server.url, key, lambda _: None)
        stored = events_in_lake(data, {event["id"] for event, _ in events_of(month)}, seconds=60)
        assert set(stored.values()) == {1}
        yield expost.open(data)


@pytest.fixture(scope="module")
def happened(month):
    """What the generator made, as the oracle takes it. Names of facts are those of `_defined`."""
    found = []
    for event, batch in events_of(month):
        path = batch["views"][event["view"]]["url"].removeprefix("http://127.0.0.1:8001")
        facts = set()
        if event["type"] == "page_view":
            facts = {"view", path.split("/")[1]}
        elif event["type"] in ("click", "submit"):
            place, chain = event["el"], []
            while place >= 0:
                chain.append(batch["descriptors"][batch["elements"][place][0]])
                place = batch["elements"][place][1]
            classes = {
                (row[0], name) for row in chain for name in ((row[2] if len(row) > 2 else None) or "").split()
            }
            facts |= {"add"} if event["type"] == "click" and ("button", "add") in classes else set()
            facts |= {"order"} if event["type"] == "submit" and ("form", "checkout") in classes else set()
        found.append(
            Happened(
                device=batch["device"], time=batch["page"]["start"] + event["t"], page=batch["page"]["id"],
                seq=event["seq"], facts=frozenset(facts), is_page_view=event["type"] == "page_view",
                variation=event.get("variation"), user=event.get("user"), view=event["view"],
            )
        )  # fmt: skip
    return found


def _defined(lake):
    return {
        "view": lake.event("view", view="/**"),
        "product": lake.event("product", view="/product/*"),
        "checkout": lake.event("checkout", view="/checkout"),
        "add": lake.event("add", click="button.add"),
        "order": lake.event("order", submit="form.checkout"),
    }


@pytest.mark.parametrize(
    "steps",
    [("product", "add", "checkout", "order"), ("checkout", "order", "product", "checkout")],
    ids=["once", "again"],
)
def test_a_four_step_funnel_by_variation_counts_what_brute_force_counts(lake, happened, steps):
    defined = _defined(lake)
    answer = lake.funnel(*(defined[step] for step in steps), within="7 days", by=expost.flag(FLAG))
    expected = funnel(happened, list(steps), timedelta(days=7))
    assert funnel_of_answer(answer) == expected
    assert {kind for kind, _ in expected} >= {"total", "variation"}


@pytest.mark.parametrize("period", ["day", "week"])
@pytest.mark.parametrize("start", ["checkout", "product"])
def test_retention_by_variation_counts_what_brute_force_counts(lake, happened, start, period):
    defined = _defined(lake)
    periods = 8 if period == "week" else DAYS + 2
    answer = lake.retention(
        defined[start], defined["view"], period=period, periods=periods, by=expost.flag(FLAG)
    )
    expected = retention(happened, start, "view", period)
    assert retention_of_answer(answer) == expected
    assert any(max(back, default=0) >= 2 for _, back in expected.values())
