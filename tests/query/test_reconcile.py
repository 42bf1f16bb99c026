"""Ids that their owner knows converted: each is counted, or absent with exactly one cause; one story for each cause."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from expost.door import Lake, flag
from expost.errors import InvalidInput
from expost.lake.batch import ROOT, Descriptor, Element
from expost.query.analysis import Analysis
from expost.query.funnel import Funnel, Stage
from expost.query.reconcile import CAUSES, Reconcile, ReconcileAnswer
from expost.query.unit import parse_unit
from expost.state.sites import Site, add_site
from tests.story import Story, click, expose, identify, track, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
BOT: dict[str, Any] = {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
FUNNEL = Funnel(
    ("Looked", "Bought"),
    timedelta(hours=2),
    start=date(2026, 3, 2),
    end=date(2026, 3, 3),
    ends_attempt=("Cancelled",),
    now=NOW,
)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    path = tmp_path_factory.mktemp("reconciled") / "data"
    path.mkdir()
    story = Story(path)

    def does(who: str, *actions: Any, at: str = "10:00", apart: float = 60, **batch: Any) -> None:
        story.capture(f"{who}'s browser", identify(who), *actions, at=at, apart=apart, **batch)

    looked, bought = track("Looked"), track("Bought", order="17")
    does("ann", looked, bought)
    does("early", looked, track("Bought", order="2"), at="2026-03-01 10:00")
    does("slow", looked, bought, apart=3 * 3_600)
    does("quitter", looked, track("Cancelled"), track("Bought", order="3"))
    does("backwards", track("Bought", order="4"), looked)
    does("staged", looked, bought, environment="staging")
    does("colleague", looked, bought, is_internal=True)
    does("crawler", looked, bought, **BOT)
    # Of a plan only the name is kept.
    parts = [Descriptor("html"), Descriptor("body"), Descriptor("button", None, None, {}, ["data-plan"])]
    tables: dict[str, Any] = {
        "descriptors": parts,
        "elements": [Element(0, flags=ROOT), Element(1, 0), Element(2, 1)],
    }
    does("unsure", looked, click("button"), **tables)
    does("guest", track("Bought", order="5"))
    does("window shopper", looked, view("/"))
    # Two of one family on one browser: the one looks, the other one buys.
    story.capture("shared", identify("mum"), looked, at="10:00")
    story.capture("shared", identify("kid"), track("Bought", order="6"), at="10:10")
    # Known to the server alone; what their browser did is a stranger's.
    story.capture("unnamed", looked, at="10:00")
    story.capture("", track("Bought", order="7"), identify("caller"), at="10:30", on_server=True)
    story.capture("", track("Bought", order="19"), at="10:30", on_server=True)
    does("ann", track("Bought", order="18"), at="10:20")
    # Without consent a browser has another id every day, and a window may not reach past it.
    story.capture("daily", looked, track("Bought", order="8"), at="23:00", consent="cookieless")
    story.capture("tester", expose("new", "red"), identify("late"), at="12:00")
    story.capture("tester", looked, track("Bought", order="9"), at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    lake = Lake(opened)
    lake.define("Looked", track="Looked")
    lake.define("Bought", track="Bought")
    lake.define("Cancelled", track="Cancelled")
    yield opened
    opened.close()


def reconciled(analysis: Analysis, *ids: str, property: str | None = None, **changes: Any) -> ReconcileAnswer:  # noqa: A002
    answer = analysis.ask(Reconcile(replace(FUNNEL, **changes), ids, property))
    assert isinstance(answer, ReconcileAnswer)
    return answer


def cause(analysis: Analysis, id_: str, **said: Any) -> tuple[str, str]:
    [found] = reconciled(analysis, id_, **said).ids
    return found.cause, found.detail


WHO = {
    "ann": ("counted", ""),
    "early": ("out_of_range", ""),
    "slow": ("outside_window", ""),
    "quitter": ("excluded", ""),
    "backwards": ("out_of_order", ""),
    "staged": ("other_environment", ""),
    "colleague": ("internal", ""),
    "crawler": ("bot", ""),
    "unsure": ("step_missing", "Bought"),
    "guest": ("entry_missing", "Looked"),
    "window shopper": ("step_missing", "Bought"),
    "mum": ("other_person", ""),
    "kid": ("other_person", ""),
    "caller": ("not_identified", ""),
    "late": ("counted", ""),
    "nobody": ("never_captured", "no event of this range is known to be missing"),
}
ORDERS = {
    "17": "counted", "18": "same_person", "7": "not_identified", "19": "not_identified", "8": "consent",
    "6": "other_person", "5": "entry_missing", "99": "never_captured",
}  # fmt: skip


@pytest.mark.parametrize("who", WHO)
def test_each_user_has_the_cause_of_their_story(analysis, who):
    assert cause(analysis, who) == WHO[who]


def test_all_of_them_together_have_the_same_causes_and_add_up(analysis):
    answer = reconciled(analysis, *WHO)
    assert {each.id: (each.cause, each.detail) for each in answer.ids} == WHO
    assert [each.id for each in answer.ids] == list(WHO)
    assert sum(each.ids for each in answer.causes) == len(WHO)
    assert (answer.counted, answer.people, answer.unlisted) == (2, 2, 0)
    assert {each.cause for each in answer.causes} <= CAUSES.keys()
    assert reconciled(analysis, "ann").unlisted == 1
    by_id = {each.id: each for each in answer.ids}
    assert (by_id["ann"].person, by_id["nobody"].person) == ("ann", None)


def test_ids_may_be_values_of_a_property(analysis):
    answer = reconciled(analysis, *ORDERS, property="order")
    assert {each.id: each.cause for each in answer.ids} == ORDERS
    assert answer.ids[1].detail == "as 17"
    assert {"entry_missing"} == {each.cause for each in reconciled(analysis, "7", property="none of it").ids} ^ {
        "never_captured", "entry_missing"
    }  # fmt: skip


def test_a_property_that_no_event_has_is_told_with_those_that_are_known(analysis):
    none = "No event has the property 'ordr'; known properties: 'order'."
    assert none in reconciled(analysis, "17", "18", property="ordr").notes
    for property_ in ("order", None):
        notes = reconciled(analysis, "99", property=property_).notes
        assert not [note for note in notes if note.startswith("No event has")]


def test_an_event_that_no_selector_can_judge_is_a_cause_of_its_own(analysis):
    judged = analysis_step(analysis)
    assert cause(analysis, "unsure", steps=("Looked", judged)) == ("selector_unknown", "")


def test_who_is_not_in_the_cohort_is_told_so(analysis):
    Lake(analysis).save_cohort("Others", users=["guest", "slow"])
    assert cause(analysis, "ann", cohort=("Others",)) == ("not_in_cohort", "")
    assert cause(analysis, "slow", cohort=("Others",)) == ("outside_window", "")


def test_a_conversion_that_was_complete_before_the_exposure_is_in_no_variation(analysis):
    assert cause(analysis, "late", by=flag("new")) == ("before_exposure", "")
    assert cause(analysis, "ann", by=flag("new")) == ("counted", "")
    # The total counts both.
    answer = reconciled(analysis, "ann", "late", by=flag("new"))
    assert (answer.counted, answer.people, answer.unlisted) == (1, 2, 0)


def test_users_whom_a_merge_joins_are_counted_once(analysis, tmp_path):
    shutil.copytree(analysis.folder.path, tmp_path / "data")
    own = Analysis(tmp_path / "data")
    own.merge("guest", "ann")
    answer = reconciled(own, "guest", "ann")
    assert [(each.id, each.cause, each.detail, each.person) for each in answer.ids] == [
        ("guest", "counted", "", "ann"),
        ("ann", "same_person", "as guest", "ann"),
    ]
    own.close()


def test_strict_order_and_windows_of_steps_are_rules_like_others(analysis):
    strict = {"order": "strict", "between": ("Cancelled",), "ends_attempt": ()}
    assert cause(analysis, "quitter", **strict) == ("out_of_order", "")
    tight = (FUNNEL.steps[0], Stage("Bought", within=timedelta(seconds=30)))
    assert cause(analysis, "ann", steps=tight) == ("outside_window", "")
    optional = ("Looked", Stage("Cancelled", optional=True), "Bought")
    assert cause(analysis, "backwards", steps=optional, ends_attempt=()) == ("out_of_order", "")
    assert cause(analysis, "ann", steps=optional, ends_attempt=()) == ("counted", "")


def test_what_cannot_be_reconciled_is_refused(analysis):
    with pytest.raises(InvalidInput, match="given twice"):
        Reconcile(FUNNEL, ("a", "a"))
    with pytest.raises(InvalidInput, match="0 ids are given"):
        Reconcile(FUNNEL, ())
    with pytest.raises(InvalidInput, match="characters"):
        Reconcile(FUNNEL, ("a", ""))
    with pytest.raises(InvalidInput, match="counts a sample"):
        Reconcile(replace(FUNNEL, sample=0.5), ("a",))
    with pytest.raises(InvalidInput, match="nobody but this lake knows a session"):
        Reconcile(replace(FUNNEL, unit=parse_unit("session")), ("a",))


def analysis_step(analysis: Analysis) -> str:
    """An event of which a click on a button whose plan is not kept may be one."""
    return Lake(analysis).define("Bought by button", click="button[data-plan=pro]").name
