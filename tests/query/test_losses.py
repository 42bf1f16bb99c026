"""The question of the loss meter: sums of the view by day, page and browser, bounded as every other question is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.losses import Losses, LossesAnswer
from expost.state.sites import Site, add_site
from tests.story import Story, click, leave, view


def ask(analysis: Analysis, question: Losses) -> LossesAnswer:
    answer = analysis.ask(question)
    assert isinstance(answer, LossesAnswer)
    return answer


@pytest.fixture
def analysis(empty_folder: Path) -> Iterator[Analysis]:
    """Ann loses the end of one page, the whole of another, and has one open two days later; Bob loses nothing."""
    story = Story(empty_folder)
    story.capture("ann", view("/"), click("a"), leave(), at="10:00")
    story.capture("ann", view("/tea"), click("a"), at="10:01")
    story.capture("ann", view("/lost"), leave(), at="10:02")
    story.waiting.pop()
    story.capture("ann", view("/cart"), click("a"), at="2026-03-04 23:30", counts={1: 3, 2: 6, 3: 2})
    story.capture("bob", view("/tea"), leave(), at="2026-03-04 09:00")
    story.capture(
        "crawler", view("/"), at="11:00", user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)"
    )
    story.capture("colleague", view("/"), leave(), at="11:00", is_internal=True)
    story.capture("tester", view("/"), at="11:00", environment="staging")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    yield opened
    opened.close()


def told(answer: LossesAnswer) -> list[tuple[str | None, int, int, int, int, bool]]:
    return [
        (each.value, each.expected, each.missing, each.pages, each.missing_pages, each.is_exact)
        for each in answer.groups
    ]


def test_by_day_every_day_is_there_and_the_sums_are_the_total(analysis: Analysis) -> None:
    answer = ask(analysis, Losses())
    assert told(answer) == [
        ("2026-03-02", 9, 4, 2, 0, True), ("2026-03-03", 0, 0, 0, 0, True), ("2026-03-04", 6, 2, 3, 1, False),
    ]  # fmt: skip
    total = answer.total
    assert (total.expected, total.received, total.missing, total.missing_pages) == (15, 9, 6, 1)
    assert (total.pages, total.exact_pages, total.is_exact, total.share) == (5, 3, False, 0.4)
    assert sum(each.missing for each in answer.groups) == total.missing


def test_by_page_what_misses_most_comes_first_and_unknown_pages_have_no_name(analysis: Analysis) -> None:
    answer = ask(analysis, Losses("page"))
    assert told(answer) == [
        ("shop.example/tea", 8, 4, 2, 0, False), (None, 2, 2, 1, 1, True), ("shop.example/", 3, 0, 1, 0, True),
        ("shop.example/cart", 2, 0, 1, 0, False),
    ]  # fmt: skip
    few = ask(analysis, Losses("page", limit=1))
    assert (told(few), few.distinct, few.total) == (told(answer)[:1], 4, answer.total)


def test_by_browser(analysis: Analysis) -> None:
    assert told(ask(analysis, Losses("browser"))) == [("ann", 13, 6, 4, 1, False), ("bob", 2, 0, 1, 0, False)]


def test_bots_colleagues_and_other_environments_are_left_out_as_elsewhere(analysis: Analysis) -> None:
    answer = ask(analysis, Losses())
    left = {each.reason: (each.events, each.people) for each in answer.basis.left_out}
    assert left == {"bots": (1, 1), "internal": (2, 1), "environment": (1, 1)}
    everything = ask(analysis, Losses("browser", bots=True, internal=True, environment="all"))
    assert {each.value for each in everything.groups} == {"ann", "bob", "crawler", "colleague", "tester"}


def test_the_range_is_that_of_the_pages_in_the_zone_of_the_question(analysis: Analysis) -> None:
    first = ask(analysis, Losses(end=date(2026, 3, 3)))
    assert (first.total.missing, first.total.is_exact, first.distinct) == (4, True, 1)
    tokyo = ask(analysis, Losses(time_zone="Asia/Tokyo"))
    assert [each.value for each in tokyo.groups][-1] == "2026-03-05"
    nothing = ask(analysis, Losses(start=date(2027, 1, 1)))
    assert (nothing.total.pages, nothing.total.share, nothing.groups) == (0, None, ())


def test_the_answer_travels_as_json_and_as_rows(analysis: Analysis) -> None:
    answer = ask(analysis, Losses("browser"))
    body = answer.to_json()
    assert (body["missing"], body["is_exact"], body["share"], body["groups"][1]["share"]) == (
        6,
        False,
        0.4,
        0.0,
    )
    assert answer.rows()[0]["browser"] == "ann"
    assert answer.to_polars()["missing"].to_list() == [6, 0]
    assert "from losses" in answer.sql


def test_what_is_no_split_is_refused(analysis: Analysis) -> None:
    with pytest.raises(InvalidInput, match="hour"):
        Losses("hour")
    with pytest.raises(InvalidInput, match="not 0"):
        Losses("page", limit=0)
