"""What no definition matches, gathered by the definition that would be suggested for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.form_definition import definition_of
from expost.query.preview import Preview
from expost.query.unnamed import Unnamed, UnnamedAnswer, UnnamedGroup
from expost.state.database import State
from expost.state.sites import Site, add_site
from expost.ui.unnamed import fields_of
from tests.story import Action, Story, change, click, submit, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def analysis(tmp_path: Path) -> Iterator[Analysis]:
    """Ann, Bob and Cyd use a shop; a bot clicks everything."""
    story = Story(tmp_path / "data")
    for number, who in enumerate(("ann", "bob", "cyd")):
        story.capture(
            who, view("/teas"),
            click(f"main ul.teas li.tea:nth({number + 1},30) a.more[href=/tea/{number}]", label=f"Tea {number}"),
            click("nav.site a.entry:nth(1,2)", label="Pricing"),
            click("main button.buy[data-testid=buy] span", label="Buy now"),
            at=f"{10 + number}:00",
        )  # fmt: skip
    story.capture(
        "ann", click("nav.site a.entry:nth(2,2)", label="About us"), change("form.cart input[name=many]"),
        submit("form.cart"), click("main i.icon"), click("main button.buy[data-testid=buy] b", label="Buy now"),
        at="15:00",
    )  # fmt: skip
    story.capture(
        "crawler", click("main button.buy[data-testid=buy]", label="Buy now"), click("main div.trap"),
        at="16:00", user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)",
    )  # fmt: skip
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    opened = Analysis(story.path)
    yield opened
    opened.close()


def ask(analysis: Analysis, limit: int = 50) -> UnnamedAnswer:
    answer = analysis.ask(Unnamed(limit, now=NOW))
    assert isinstance(answer, UnnamedAnswer)
    return answer


def named(analysis: Analysis) -> dict[str, UnnamedGroup]:
    return {each.name: each for each in ask(analysis).groups}


def test_interactions_come_by_people_with_a_name_and_a_selector_each(analysis: Analysis) -> None:
    answer = ask(analysis)
    first = answer.groups[0]
    assert (first.name, first.selector, first.people, first.events) == (
        "Clicked Buy now",
        '[data-testid="buy"]',
        3,
        4,
    )
    assert [each.people for each in answer.groups] == sorted(
        (each.people for each in answer.groups), reverse=True
    )
    assert first.last_seen == datetime(2026, 3, 2, 15, 0, 4, tzinfo=UTC)
    assert (answer.events, answer.people) == (14, 3)


def test_the_words_tell_a_few_things_of_one_selector_apart(analysis: Analysis) -> None:
    found = named(analysis)
    assert (found["Clicked Pricing"].text, found["Clicked Pricing"].people) == ("Pricing", 3)
    assert (found["Clicked About us"].text, found["Clicked About us"].people) == ("About us", 1)
    assert found["Clicked Pricing"].selector == found["Clicked About us"].selector


def test_without_words_a_name_says_what_it_is_and_where(analysis: Analysis) -> None:
    assert "Clicked i icon on /teas" in named(analysis)
    assert "Submitted form cart on /teas" in named(analysis)
    assert named(analysis)["Changed many"].kind == "change"


def test_what_is_suggested_gathers_at_least_what_is_promised(analysis: Analysis) -> None:
    for each in ask(analysis).groups:
        past = analysis.ask(Preview(each.definition, now=NOW))
        assert (past.events, past.people) == (each.events, each.people)  # type: ignore[attr-defined]


def test_what_is_defined_is_gone_and_comes_back_from_the_archive(analysis: Analysis) -> None:
    before = ask(analysis)
    first = before.groups[0]
    analysis.define(definition(first.name, click=first.selector))
    after = ask(analysis)
    assert first.selector not in [each.selector for each in after.groups]
    assert before.events - after.events == first.events
    analysis.describe(first.name, archived=True)
    assert ask(analysis).events == before.events


def test_a_definition_that_only_might_match_leaves_it_here_and_says_so(analysis: Analysis) -> None:
    analysis.define(definition("Many teas", click="li:nth-child(3) ~ li"))
    answer = ask(analysis)
    assert answer.unknown == sum(each.unknown for each in answer.groups)
    assert answer.events == 14


def test_bots_are_left_out_and_it_is_said(analysis: Analysis) -> None:
    answer = ask(analysis)
    assert not [each for each in answer.groups if "trap" in each.selector]
    assert [(each.reason, each.events) for each in answer.basis.left_out] == [("bots", 2)]


def test_a_name_that_is_taken_is_not_offered(analysis: Analysis) -> None:
    analysis.define(definition("clicked buy NOW", view="/nowhere"))
    assert ask(analysis).groups[0].name == "Clicked Buy now on /teas"


def test_more_than_is_listed_is_counted(analysis: Analysis) -> None:
    whole, part = ask(analysis), ask(analysis, 2)
    assert part.groups == whole.groups[:2]
    assert part.more == len(whole.groups) - 2
    with pytest.raises(InvalidInput):
        Unnamed(0)


def test_clicks_on_a_field_are_gathered_with_its_changes(analysis: Analysis, tmp_path: Path) -> None:
    story = Story(tmp_path / "fields")
    for who in ("ann", "bob"):
        story.capture(
            who, view("/"), click("form select[name=size]"), change("form select[name=size]"),
            click("form input[name=note]"), click("form button.go", label="Go"), at="10:00",
        )  # fmt: skip
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    fields = Analysis(story.path)
    found = named(fields)
    # The field that nobody changed keeps its clicks: they are all there is of it.
    assert set(found) == {"Clicked Go", "Clicked note", "Changed size"}
    assert (found["Changed size"].events, found["Changed size"].clicks, found["Clicked note"].clicks) == (
        2,
        2,
        0,
    )
    fields.define(definition("Chose a size", change='select[name="size"]'))
    answer = ask(fields)
    assert {each.name for each in answer.groups} == {"Clicked Go", "Clicked note"}
    assert (answer.events, answer.field_clicks, answer.unexamined_events) == (6, 2, 0)
    fields.close()


def test_clicks_stand_beside_the_changes_of_the_field_that_they_hit(tmp_path: Path) -> None:
    story = Story(tmp_path / "boxes")
    box = "form input[name=terms][type=checkbox]"
    for who in ("ann", "bob", "cyd"):
        story.capture(who, click(box, label="I accept"), change(box, label="I accept"), at="10:00")
    story.capture(
        "dee",
        click(box, label="Send news"),
        click(box, label="Send news"),
        change(box, label="Send news"),
        at="11:00",
    )
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    boxes = Analysis(story.path)
    found = {name: (each.events, each.clicks) for name, each in named(boxes).items()}
    assert found == {"Changed I accept": (3, 3), "Changed Send news": (1, 2)}
    boxes.define(definition("Agreed", change=box, text="is:I accept"))
    [left] = ask(boxes).groups
    assert (left.text, left.events, left.clicks) == ("Send news", 1, 2)
    assert ask(boxes).field_clicks == 5
    boxes.close()


def test_a_line_counts_what_the_definition_that_it_offers_finds(tmp_path: Path) -> None:
    story = Story(tmp_path / "choices")
    for number, who in enumerate(("ann", "bob", "cyd")):
        story.capture(
            who, view("/product/keemun"), click("div#main a.button.primary", label="Choose Regular"),
            submit("div#main form"), click("div#main table td.price", label="9"),
            view(f"/product/{number}"), click("div#main a.button.primary", label="Add to bag"), submit("div#main form"),
            view("/cups"), click("div#main svg path.cup-body"), Action("auxclick", "div#main svg path.cup-body"),
            change("form select[name=size]"), click("form select[name=size]"), at=f"{10 + number}:00",
        )  # fmt: skip
    story.capture("dan", view("/"), click("div#main svg path.cup-body"), at="14:00")
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    choices = Analysis(story.path)
    for saved in (
        definition("Added", click="#main a.button.primary", text="is:Add to bag"),
        definition("Ordered", submit="#main form", path="matches:/[0-9]$"),
        definition("Touched a cup", click="#main path.cup-body", path="is:/"),
    ):
        choices.define(saved)
    groups = ask(choices).groups
    assert [each for each in groups if each.text == "Choose Regular"]
    assert [each.on_path for each in groups if "path.cup-body" in each.selector and each.kind == "click"] == [
        "/cups"
    ]
    for each in groups:
        fields = {name: [value] for name, value in fields_of(each)}
        assert definition_of(each.name, fields) == each.definition
        past = choices.ask(Preview(each.definition, now=NOW))
        assert (past.events, past.people) == (each.events, each.people)  # type: ignore[attr-defined]
    choices.close()


def test_many_definitions_name_what_they_name_together(analysis: Analysis) -> None:
    for number in range(60):
        analysis.define(definition(f"Many {number}", click=f"main .m{number} > button, a.m{number}"))
    wide = [*(f".zz{number} button, .star{number}" for number in range(60)), "nav a"]
    analysis.define(definition("Wide", click=wide))
    assert [each.selector for each in ask(analysis).groups if "nav" in each.selector] == []


def test_definitions_asked_for_in_portions_name_what_they_name_at_once(
    analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, selector in (("Bought", "button.buy"), ("Odd teas", "li:nth-child(2) > a"), ("Site", "nav a")):
        analysis.define(definition(name, click=[selector, "i.icon"]))
    at_once = ask(analysis)
    monkeypatch.setattr("expost.query.unnamed.MOST_ALTERNATIVES_AT_ONCE", 1)
    in_portions = ask(analysis)
    assert (in_portions.groups, in_portions.rows()) == (at_once.groups, at_once.rows())
    assert (in_portions.events, in_portions.people, in_portions.unknown) == (
        at_once.events, at_once.people, at_once.unknown,
    )  # fmt: skip
    assert in_portions.basis.left_out == at_once.basis.left_out
