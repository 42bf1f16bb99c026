"""What is derived from user agent, address and referrer, when it comes in and for the past."""

from __future__ import annotations

from typing import Any

import pytest

from expost.lake.agent import agent_of
from expost.lake.arrival import Arrival, arrival_of
from expost.lake.compactor import compact_folder, enrich_folder
from expost.lake.enrichment import RULES
from tests.story import Story, track, view

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36"
IPHONE = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) {SAFARI} Version/18.2 Mobile/15E148 Safari/604.1"
)
PIXEL = f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36"
PAD = f"Mozilla/5.0 (Linux; Android 14; SM-X910) {WEBKIT} Chrome/140.0.0.0 Safari/537.36"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {SAFARI} Version/16.6 Mobile/15E148 Safari/604.1"
TV = f"Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) {WEBKIT} SamsungBrowser/4.0 Chrome/94.0 TV Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/140.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "found"),
    [
        (CHROME, ("Chrome", "140.0", "Windows", "10", "desktop", None)),
        (IPHONE, ("Mobile Safari", "18.2", "iOS", "18.2", "mobile", None)),
        (PIXEL, ("Chrome Mobile", "140.0", "Android", "15", "mobile", None)),
        (PAD, ("Chrome", "140.0", "Android", "14", "tablet", None)),
        (IPAD, ("Mobile Safari", "16.6", "iOS", "16.6", "tablet", None)),
        (TV, ("Samsung Internet", "4.0", "Tizen", "7.0", "tv", None)),
        (GOOGLEBOT, ("Googlebot", "2.1", None, None, "bot", "search-engine")),
        (HEADLESS, ("HeadlessChrome", "140.0", "Linux", None, "bot", "browser-automation")),
        ("something else", (None, None, None, None, "other", None)),
        ("", (None, None, None, None, None, None)),
    ],
)
def test_a_user_agent_says_browser_system_and_kind_of_device(user_agent: str, found: tuple[Any, ...]) -> None:
    agent = agent_of(user_agent)
    assert agent[:6] == found
    assert agent.is_bot == (found[5] is not None) == (agent.bot_rule is not None)


@pytest.mark.parametrize(
    ("query", "referrer", "found"),
    [
        ("", "", (None, None, None, "direct")),
        ("", "https://www.shop.example/cart", (None, None, None, "internal")),
        ("", "https://www.google.co.uk/", ("google", "organic", None, "search")),
        ("", "https://search.yahoo.com/", ("yahoo", "organic", None, "search")),
        ("", "https://l.facebook.com/l.php?u=…", ("facebook", "social", None, "social")),
        ("", "https://t.co/x", ("twitter", "social", None, "social")),
        ("", "https://www.blog.example/post", ("blog.example", "referral", None, "referral")),
        ("", "https://www.google.com.au/", ("google", "organic", None, "search")),
        ("", "https://threads.tea.example/", ("threads.tea.example", "referral", None, "referral")),
        ("", "https://notgoogle.example/", ("notgoogle.example", "referral", None, "referral")),
        ("", "http://[", (None, None, None, "direct")),
        ("utm_source=google&utm_medium=cpc&utm_campaign=tea", "https://www.google.com/",
         ("google", "cpc", "tea", "paid search")),
        ("utm_source=Facebook&utm_medium=cpc", "", ("Facebook", "cpc", None, "paid social")),
        ("a=…&utm_source=may%20news&utm_medium=Email", "", ("may news", "Email", None, "email")),
        ("utm_medium=banner", "https://blog.example/", ("blog.example", "banner", None, "display")),
        ("utm_campaign=poster", "", (None, None, "poster", "campaign")),
        ("utm_source=&utm_medium=", "", (None, None, None, "direct")),
    ],
)  # fmt: skip
def test_how_a_page_was_come_to(query: str, referrer: str, found: tuple[Any, ...]) -> None:
    assert arrival_of("shop.example", query, referrer) == found


def test_without_a_page_there_is_no_channel() -> None:
    assert arrival_of(None, "utm_source=x", "https://www.google.com/") == Arrival()


ROWS = (
    "select device, browser, device_class, is_bot, bot_class, channel, enriched_by from events order by time"
)
TOLD = [
    ("ann", "Mobile Safari", "mobile", False, None, "direct", RULES),
    ("crawler", "Googlebot", "bot", True, "search-engine", "direct", RULES),
    (None, None, None, False, None, None, RULES),
]


def told(lake: Story) -> Story:
    lake.capture("ann", view("/"), at="10:00", user_agent=IPHONE)
    lake.capture("crawler", view("/"), at="10:01", user_agent=GOOGLEBOT)
    lake.capture("", track("Refunded"), at="10:02", on_server=True)
    return lake


def test_it_stands_beside_every_event(lake: Story) -> None:
    assert told(lake).sql(ROWS) == TOLD


def test_the_past_is_judged_again_when_the_rules_have_changed(
    lake: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        for module in ("enrichment", "event_table"):
            old.setattr(f"expost.lake.{module}.RULES", "older")
            old.setattr(f"expost.lake.{module}.agent_of", lambda _: agent_of(""))
        told(lake).store()
        assert {row[-1] for row in lake.sql(ROWS)} == {"older"}
        assert not any(row[3] for row in lake.sql(ROWS))
    compact_folder(lake.folder, everything=True)
    lake.capture("bob", view("/"), at="10:03", user_agent=CHROME)
    lake.store()
    left: list[int] = []
    assert enrich_folder(lake.folder, left.append) == 3
    assert left == [2, 1, 0]
    assert lake.sql(ROWS)[:3] == TOLD
    [kinds] = lake.sql("select list(distinct regexp_extract(file, '(sorted|part)-')) from "
                       "(select unnest(files) as file from lake.snapshot where table_name = 'events')")  # fmt: skip
    assert sorted(kinds[0]) == ["part-", "sorted-"]
    assert enrich_folder(lake.folder) == 0
