"""Definitions under their names: versions and when they are valid, what changes between two, what is said of one."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from expost.errors import InvalidInput, SelectorError, UnknownDefinition, UnknownVersion
from expost.query.analysis import Analysis
from expost.query.definition import Definition, definition
from expost.query.difference import Difference, DifferenceAnswer
from expost.query.funnel import Funnel
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Saved, Step
from expost.state.definitions import SHELF
from expost.state.details import Details, detail_history
from expost.state.sites import Site, add_site

NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = date(2026, 3, 2)
WEEK = timedelta(days=7)


def test_the_same_meaning_keeps_its_version_and_another_one_gets_the_next(analysis: Analysis) -> None:
    first = analysis.define(definition("Signed up", click="form button"))
    assert first.version == 1
    assert analysis.define(definition("  signed  UP", click="form button")).version == 1
    assert analysis.define(definition("Signed up", click="form .go")).version == 2
    assert analysis.define(definition("Signed up", click="form button")).version == 3
    assert analysis.definition("SIGNED UP", 1).body() == first.body()
    assert [each["version"] for each in analysis.history("signed up")] == [1, 2, 3]
    assert [each.version for each in analysis.definitions()] == [3]


def test_an_unknown_definition_is_named_with_the_nearest_one(analysis: Analysis) -> None:
    analysis.define(definition("Signed up", click="form button"))
    with pytest.raises(UnknownDefinition, match="Sigend up") as refused:
        analysis.ask(Preview("Sigend up"))
    assert "Signed up" in refused.value.hint


def test_what_cannot_be_read_is_refused_before_it_is_saved(analysis: Analysis) -> None:
    with pytest.raises(SelectorError):
        analysis.define(definition("x", click="a:hover"))
    with pytest.raises(InvalidInput, match="expression"):
        analysis.define(definition("x", click="a", text="matches:("))
    with pytest.raises(InvalidInput, match="every event"):
        definition("x")
    assert analysis.definitions() == []


def test_a_definition_survives_its_json() -> None:
    given = definition(
        "x", click=["a", "b"], view="/**", text="contains/i:buy", query={"q": None}, properties={"n": 1}
    )
    assert Definition.from_json(json.loads(json.dumps(given.to_json()))) == given
    with pytest.raises(InvalidInput, match="selecter"):
        Definition.from_json({"name": "x", "alternatives": [{"selecter": "a"}]})


def test_a_version_from_a_day_on_leaves_the_time_before_it_to_the_version_before(analysis: Analysis) -> None:
    analysis.define(definition("Went on", click="nav a.help"))
    second = analysis.define(definition("Went on", click="button.buy"), valid_from=DAY)
    assert second.version == 2
    assert second.to_json()["valid_from"] == f"{DAY}T00:00:00Z"
    assert _events(analysis, "Went on") == 1
    assert _events(analysis, "Went on@1") == 1
    assert _events(analysis, Saved("Went on", 2)) == 1
    again = analysis.define(definition("Went on", click="button.buy"), valid_from=DAY)
    assert again.version == 2
    funnel = analysis.ask(Funnel((definition("Viewed", view="/**"), "Went on"), WEEK, now=NOW))
    [_, used] = funnel.basis.definitions
    assert [each.version for each in used.versions] == [1, 2]


def test_the_history_of_a_pinned_version_ends_with_it(analysis: Analysis) -> None:
    for selector in ("a", "b", "i"):
        analysis.define(definition("Grew", click=selector))
    assert [each["version"] for each in analysis.history("grew@2")] == [1, 2]
    with pytest.raises(UnknownVersion, match="version 9"):
        analysis.history("Grew@9")


def test_days_of_validity_are_those_of_the_site(analysis: Analysis) -> None:
    add_site(analysis.state, Site("far", "Far", time_zone="America/New_York"))
    saved = analysis.define(definition("Seen", view="/**"), site="far", valid_until=date(2026, 3, 8))
    assert saved.to_json()["valid_until"] == "2026-03-08T05:00:00Z"
    with pytest.raises(InvalidInput, match="no time at all"):
        analysis.define(
            definition("Seen", view="/**"),
            site="far",
            valid_from=date(2026, 3, 8),
            valid_until=date(2026, 3, 8),
        )


@pytest.mark.parametrize("name", ["Seen@2", "Seen＠２", "Seen @2", "ann@example.org@0"])
def test_a_name_that_would_be_read_as_a_pinned_version_is_refused(analysis: Analysis, name: str) -> None:
    with pytest.raises(InvalidInput, match="the end pins a version"):
        analysis.define(definition(name, view="/**"))


def test_a_name_of_before_that_ends_like_a_pin_means_the_version_once_there_is_one(
    analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("expost.state.names.PIN", re.compile(r"(?!)"))
        analysis.define(definition("Seen@2", view="/**"))
    analysis.define(definition("Seen", view="/nowhere"))
    assert _events(analysis, "Seen@2") > 0
    assert _events(analysis, "Seen@1") == 0
    analysis.define(definition("Seen", view="/nowhere/else"))
    assert _events(analysis, "Seen@2") == 0
    with pytest.raises(UnknownVersion, match="version 9"):
        _events(analysis, "Seen@9")


@pytest.mark.parametrize("name", ["events", "Elements", "ＰＥＯＰＬＥ", " losses "])
def test_a_name_that_sql_knows_is_refused(analysis: Analysis, name: str) -> None:
    with pytest.raises(InvalidInput, match="SQL has a view of that name") as refusal:
        analysis.define(definition(name, view="/**"))
    assert "Take another name" in refusal.value.hint


def test_the_difference_of_two_versions_says_which_past_events_change_sides(analysis: Analysis) -> None:
    analysis.define(definition("Went on", click=["nav a.help", "form.cart button.buy"]))
    analysis.define(definition("Went on", click="form.cart button.buy", view="/pricing"))
    answer = analysis.ask(Difference("Went on", 1, 2))
    assert isinstance(answer, DifferenceAnswer)
    assert {each.side: (each.events, each.people) for each in answer.sides} == {
        "only_old": (1, 1),
        "only_new": (1, 1),
        "both": (1, 1),
        "unknown": (0, 0),
    }
    changed = {each.side: (each.type, each.said, each.path) for each in answer.samples}
    assert changed == {"only_old": ("click", "Help", "/"), "only_new": ("page_view", None, "/pricing")}
    [old] = [each for each in answer.samples if each.side == "only_old"]
    assert old.chain.endswith("a.help")
    [back] = [each for each in _difference(analysis, 2, 1).sides if each.side == "only_new"]
    assert back.events == 1


def test_a_difference_is_of_versions_in_effect(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"))
    analysis.define(definition("Went on", click="nav a"), valid_from=DAY + timedelta(days=1))
    answer = _difference(analysis, 1, 2)
    assert [each.events for each in answer.sides] == [0, 0, 1, 0]
    assert answer.samples == ()
    analysis.define(definition("Went on", text="Buy now"), valid_from=DAY)
    assert [each.events for each in _difference(analysis, 2, 3).sides] == [1, 1, 0, 0]


def test_a_rollback_is_a_new_version_with_the_old_meaning_and_validity(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"), valid_until=date(2030, 1, 1))
    analysis.define(definition("Went on", click="nav a"))
    back = analysis.roll_back("Went on", 1, author="ann")
    assert back.version == 3
    assert back.to_json()["valid_until"] == "2030-01-01T00:00:00Z"
    assert analysis.history("Went on")[2]["author"] == "ann"
    with pytest.raises(UnknownVersion, match="version 9"):
        analysis.roll_back("Went on", 9)


def test_what_is_said_of_a_definition_keeps_author_and_time_of_each_change(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"))
    analysis.describe("went ON", owner="ann", tags=["a"], author="ann")
    analysis.describe("Went on", owner="bob", author="bob")
    analysis.describe("Went on", owner="bob", author="cy")
    assert analysis.details("Went on") == Details("bob", ("a",))
    changes = detail_history(analysis.state, SHELF, "shop", "Went on")
    assert [(each.detail, each.value, each.author) for each in changes] == [
        ("owner", "ann", "ann"),
        ("tags", ["a"], "ann"),
        ("owner", "bob", "bob"),
    ]


def test_an_archived_definition_is_not_listed_and_still_answers(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"))
    analysis.describe("Went on", archived=True)
    assert analysis.definitions() == []
    assert [each.name for each in analysis.definitions(archived=True)] == ["Went on"]
    assert _events(analysis, "Went on") == 1
    analysis.describe("Went on", archived=False)
    assert [each.name for each in analysis.definitions()] == ["Went on"]


def _events(analysis: Analysis, step: Step) -> int:
    answer = analysis.ask(Preview(step, now=NOW))
    assert isinstance(answer, PreviewAnswer)
    return answer.events


def _difference(analysis: Analysis, old: int, new: int) -> DifferenceAnswer:
    answer = analysis.ask(Difference("Went on", old, new))
    assert isinstance(answer, DifferenceAnswer)
    return answer
