"""Suggestions ranked by replaying history: a button whose page was built four times while people clicked it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from expost.errors import InvalidInput, UnknownName
from expost.query.analysis import Analysis
from expost.query.suggested import Suggestions, SuggestionsAnswer
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.story import Story, click, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = range(2, 14)


def build_of(day: int) -> int:
    return day // 4


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Three buttons of a cart; classes of builds and of states come and go, and rows without words of their own."""
    story = Story(tmp_path_factory.mktemp("suggested") / "data")
    for day in DAYS:
        # It looks like a word, so that only history knows better.
        built = ("panel", "sheet", "frame", "board")[build_of(day)]
        opened = ".unfolded" if day % 2 else ""
        story.capture(
            "ann", view("/cart"),
            click(f"main div.{built} form.cart button.buy.{built}{opened}[data-testid=buy]:nth(1,3)", label="Buy"),
            click(f"main div.{built} form.cart button.more.{built}:nth(2,3)", label="Keep shopping"),
            click(f"main div.{built} form.cart button.more.{built}:nth(3,3)", label="Empty"),
            click("main ul.teas li.tea:nth(2,9) b"),
            click("main ul.teas li.tea:nth(7,9) b"),
            at=f"2026-03-{day:02} 10:00", release=f"1.{build_of(day)}",
        )  # fmt: skip
        story.capture(
            "crawler", view("/cart"), click(f"main div.{built} form.cart button.buy.bot"),
            at=f"2026-03-{day:02} 11:00", user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)",
        )  # fmt: skip
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    return story


@pytest.fixture(scope="module")
def analysis(story: Story) -> Iterator[Analysis]:
    opened = Analysis(story.path)
    yield opened
    opened.close()


def last(story: Story, where: str) -> str:
    [(event_id,)] = story.sql(f"select event_id from lake.events where {where} order by time desc limit 1")
    return str(event_id)


def ask(analysis: Analysis, story: Story, where: str, **options: object) -> SuggestionsAnswer:
    question = Suggestions(event_id=last(story, where), now=NOW, **options)  # type: ignore[arg-type]
    answer = analysis.ask(question)
    assert isinstance(answer, SuggestionsAnswer)
    return answer


def test_the_first_one_says_in_words_why_it_is(analysis: Analysis, story: Story) -> None:
    first = ask(analysis, story, "label = 'Buy'").suggestions[0]
    assert first.selector == '[data-testid="buy"]'
    assert first.reason == (
        "data-testid, there on all 12 days and in all 4 releases; finds 1 of the 3 buttons used on its page"
    )
    assert (first.events, first.days, first.releases, first.other_events) == (12, 12, 4, 0)


def test_the_same_thing_is_known_again_in_every_build(analysis: Analysis, story: Story) -> None:
    answer = ask(analysis, story, "label = 'Empty'")
    assert (answer.events, answer.days, answer.releases, answer.page_things) == (12, 12, 4, 3)
    first = answer.suggestions[0]
    assert (first.text, first.events, first.other_events) == ("Empty", 12, 0)


def test_words_of_one_build_and_of_a_state_are_avoided_and_it_is_said_why(
    analysis: Analysis, story: Story
) -> None:
    answer = ask(analysis, story, "label = 'Buy'", limit=40)
    avoided = {each.token: each.why for each in answer.avoided}
    assert avoided[".board"] == "there in one of the 4 releases of its pages"
    assert avoided[".unfolded"] == "comes and goes: there at 6 of 12 events"
    assert set(avoided) == {".board", ".unfolded"}
    ranks = [each.selector for each in answer.suggestions]
    assert ranks.index("button.buy") < ranks.index("button.unfolded")
    assert ranks.index("button.buy") < ranks.index("button.board")


def test_what_gathers_a_neighbour_as_well_says_so_and_comes_later(analysis: Analysis, story: Story) -> None:
    answer = ask(analysis, story, "label = 'Empty'", limit=40)
    [both] = [each for each in answer.suggestions if each.selector == "button.more" and not each.text]
    assert (both.other_events, both.other_things) == (12, 1)
    assert "also gathers 12 events of 1 other thing" in both.reason
    assert both.score < answer.suggestions[0].score


def test_rows_that_only_their_places_tell_apart_are_one_thing(analysis: Analysis, story: Story) -> None:
    answer = ask(analysis, story, "label is null and not is_bot", level=1)
    assert answer.element == "li.tea"
    assert answer.events == 24
    first = answer.suggestions[0]
    assert "nth" not in first.selector
    assert first.events == 24
    assert [each for each in answer.suggestions if each.kind == "place"]


def test_bots_have_no_say(analysis: Analysis, story: Story) -> None:
    answer = ask(analysis, story, "label = 'Buy'", limit=40)
    [buy] = [each for each in answer.suggestions if each.selector == "button.buy" and not each.text]
    assert (buy.events, buy.other_events) == (12, 0)


def test_an_element_may_be_named_by_its_id(analysis: Analysis, story: Story) -> None:
    [(element_id,)] = story.sql(
        "select element_id from lake.events where label = 'Buy' order by time desc limit 1"
    )
    answer = analysis.ask(Suggestions(element=str(element_id), now=NOW))
    assert isinstance(answer, SuggestionsAnswer)
    assert answer.suggestions[0].selector == '[data-testid="buy"]'


def test_what_never_happened_is_told_by_looks(analysis: Analysis, story: Story) -> None:
    answer = ask(analysis, story, "label = 'Buy'")
    asked = analysis.ask(
        Suggestions(event_id=last(story, "label = 'Buy'"), now=datetime(2027, 1, 1, tzinfo=UTC))
    )
    assert isinstance(asked, SuggestionsAnswer)
    assert asked.events == 0
    assert "nothing of it has happened" in asked.suggestions[0].reason
    assert asked.suggestions[0].selector == answer.suggestions[0].selector


@pytest.mark.parametrize("level", [-1, 40])
def test_a_level_that_is_not_there_is_refused(analysis: Analysis, story: Story, level: int) -> None:
    with pytest.raises(InvalidInput, match="no ancestor"):
        ask(analysis, story, "label = 'Buy'", level=level)


def test_an_event_without_an_element_and_an_unknown_one_are_refused(analysis: Analysis, story: Story) -> None:
    with pytest.raises(InvalidInput, match="no element"):
        ask(analysis, story, "type = 'page_view'")
    with pytest.raises(UnknownName):
        analysis.ask(Suggestions(event_id="nothing"))
    with pytest.raises(InvalidInput):
        Suggestions()
