"""Cohorts over a real folder: saved under a name, by lists and by what was done, and usable in every question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expost.door import Lake, did
from expost.errors import InvalidInput, NotBuilt, UnknownCohort, UnknownDefinition
from expost.query.analysis import Analysis
from expost.query.cohort import Cohort, Did
from expost.state.sites import Site, add_site
from tests.story import Story, group, identify, track

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Ann ordered twice, bob once, eve never; ann and eve are known by name."""
    story = Story(empty_folder, "shop")
    story.capture("k", identify("ann", plan="pro"), track("Ordered"), track("Ordered"), at="10:00")
    story.capture("l", track("Ordered"), at="10:00")
    story.capture("m", identify("eve"), track("Looked"), at="10:00")
    yield from opened(story)


def opened(story: Story) -> Iterator[Lake]:
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    lake = Lake(analysis)
    lake.define("Ordered", track="Ordered")
    lake.define("Anything", track=["Ordered", "Looked"])
    yield lake
    analysis.close()


@pytest.fixture
def accounts(empty_folder: Path) -> Iterator[Lake]:
    """One of acme ordered, and another one looked."""
    story = Story(empty_folder, "shop")
    for device, event in (("p", "Ordered"), ("q", "Looked")):
        story.capture(device, group("company", "acme"), track(event), at="11:00")
    yield from opened(story)


def test_a_cohort_is_saved_in_versions_and_narrows_and_splits_every_question(lake):
    saved = lake.save_cohort("Regulars", did=did("Ordered", 2))
    assert (saved.version, str(saved)) == (1, "did 'Ordered' at least 2 times")
    assert lake.save_cohort("regulars ", did=did("Ordered", 2)).version == 1
    assert lake.save_cohort("Regulars", did=did("Ordered", 2, within="90 days")).version == 2
    size = lake.cohort("Regulars", now=NOW)
    assert (size.people, size.everyone) == (1, 3)
    asked = {"now": NOW, "unit": "person"}
    assert lake.trend("Anything", cohort="Regulars", **asked).people == 1
    assert lake.trend("Anything", not_cohort="Regulars", **asked).people == 2
    assert lake.funnel("Anything", cohort=["Regulars"], now=NOW).steps[0].people == 1
    split = lake.retention("Anything", by="cohort:Regulars", now=NOW)
    assert {group.value: sum(cohort.size for cohort in group.cohorts) for group in split.groups} == {
        "in": 1, "not in": 2,
    }  # fmt: skip
    assert any("the cohort 'Regulars' (version 2)" in note for note in split.notes)
    people = lake.funnel("Anything", not_cohort="Regulars", now=NOW).people(1)
    assert people.total == 2


def test_a_list_names_users_and_devices_and_keeps_no_id_in_clear(lake, empty_folder):
    saved = lake.save_cohort("Testers", users=["eve", "nobody knows"], devices=["l"])
    assert lake.cohort("Testers", now=NOW).people == 2
    assert (len(saved.users), len(saved.devices)) == (2, 1)
    kept = b"".join(each.read_bytes() for each in empty_folder.glob("state.sqlite*"))
    assert b"Testers" in kept
    assert b"nobody knows" not in kept
    assert b"eve" not in saved.to_json().__repr__().encode()


def test_what_cannot_be_is_refused_by_name(lake):
    with pytest.raises(UnknownDefinition):
        lake.save_cohort("X", did="Orderd")
    with pytest.raises(InvalidInput, match="says nothing"):
        Cohort("X")
    with pytest.raises(UnknownCohort, match="No cohort is called 'Regular'"):
        lake.trend("Ordered", cohort="Regular", now=NOW)
    with pytest.raises(NotBuilt, match="not asked of a cohort"):
        lake.losses(cohort="Regulars")
    lake.save_cohort("Pro", traits={"plan": "pro"})
    assert lake.cohort("Pro", now=NOW).people == 1
    lake.analysis.remove_cohort("Pro")
    with pytest.raises(UnknownCohort):
        lake.cohort("Pro")


def test_a_cohort_travels_as_json(lake):
    saved = lake.save_cohort(
        "Whole", did=did("Ordered", within="36 hours"), did_not="Anything", sequence=["Ordered", "Anything"],
        traits={"plan": "pro"}, users=["ann"], start=NOW.date(), end=NOW,
    )  # fmt: skip
    assert Cohort.from_json(saved.name, saved.body(), saved.version) == saved
    assert lake.cohorts() == [saved]


@pytest.mark.parametrize("cohort", [(), ("Buyers",)])
@pytest.mark.parametrize("unit", ["person", "device", "session"])
def test_a_funnel_beside_a_cohort_is_the_two_asked_apart(lake, cohort, unit):
    lake.save_cohort("Regulars", did=did("Ordered", 2))
    lake.save_cohort("Buyers", did="Ordered")
    lake.save_cohort("Pro", traits={"plan": "pro"})
    asked = {"now": NOW, "within": "7d", "unit": unit}
    for other in ("Regulars", "Buyers", "Pro"):
        beside = lake.funnel("Anything", "Ordered", cohort=cohort, compare=f"cohort:{other}", **asked)
        assert beside.steps == lake.funnel("Anything", "Ordered", cohort=cohort, **asked).steps
        apart = lake.funnel("Anything", "Ordered", cohort=other, **asked)
        assert beside.compared is not None
        assert beside.compared.steps == apart.steps
        both = lake.funnel("Anything", "Ordered", cohort=(*cohort, other), **asked).steps[0].people
        assert beside.shared_people == both > 0


def test_a_funnel_beside_a_cohort_says_whether_the_two_are_apart(lake):
    lake.save_cohort("Regulars", did=did("Ordered", 2))
    lake.save_cohort("Others", did_not="Ordered")
    apart = lake.funnel("Anything", cohort="Others", compare="cohort:Regulars", now=NOW)
    assert apart.shared_people == 0
    assert apart.notes[-1] == "The two groups compared are apart: nobody entered in both."
    alike = lake.funnel("Anything", compare="cohort:Regulars", now=NOW)
    assert alike.notes[-1] == "The two groups compared are not apart: 1 person entered in both."
    with pytest.raises(UnknownCohort, match="Regulers") as problem:
        lake.funnel("Anything", compare="cohort:Regulers", now=NOW)
    assert "Regulars" in problem.value.hint


def test_a_report_names_the_cohort_that_it_is_compared_with(lake):
    lake.save_cohort("Regulars", did=did("Ordered", 2))
    lake.save_report("Beside", lake.funnel("Anything", compare="cohort:Regulars", now=NOW))
    assert lake.report("Beside", now=NOW).compared.steps[0].people == 1
    with pytest.raises(UnknownCohort):
        lake.analysis.keep_report("No", "funnel", {"step": ["Anything"], "compare": ["cohort:Gone"]})


def test_the_people_of_a_cohort_that_a_funnel_stands_beside_open(lake):
    regulars = lake.save_cohort("Regulars", did=did("Ordered", 2))
    for compare in ("cohort:Regulars", regulars):
        beside = lake.funnel("Anything", "Ordered", compare=compare, now=NOW).compared
        people = beside.people(step=1)
        assert [each.name for each in people.people] == ["ann"]
        assert beside.events(people.people[0].person_id) == people.people[0].events != ()
        assert beside.people(step=2).total == beside.steps[1].people == 1


def test_a_cohort_that_is_not_saved_is_compared_and_not_kept(lake):
    twice = Cohort("Twice", did=(Did("Ordered", 2),))
    beside = lake.funnel("Anything", compare=twice, now=NOW)
    assert (beside.compared.steps[0].people, beside.shared_people) == (1, 1)
    assert (
        "Beside it the people who are in the cohort 'Twice': did 'Ordered' at least 2 times." in beside.notes
    )
    with pytest.raises(InvalidInput, match="'Twice' is not saved"):
        lake.save_report("Beside", beside)


def test_whoever_is_not_asked_about_is_not_asked_about_beside_either(lake):
    lake.save_cohort("Orderers", did="Ordered")
    lake.save_cohort("Regulars", did=did("Ordered", 2))
    beside = lake.funnel("Anything", not_cohort="Regulars", compare="cohort:Orderers", now=NOW)
    assert (beside.steps[0].people, beside.compared.steps[0].people, beside.shared_people) == (2, 1, 1)


def test_a_group_with_people_of_both_cohorts_entered_in_both(accounts):
    accounts.save_cohort("Orderers", did="Ordered")
    accounts.save_cohort("Others", did_not="Ordered")
    beside = accounts.funnel(
        "Anything", unit="group:company", cohort="Orderers", compare="cohort:Others", now=NOW
    )
    assert (beside.steps[0].people, beside.compared.steps[0].people, beside.shared_people) == (1, 1, 1)
    assert "1 group entered in both" in beside.notes[-1]


@pytest.mark.parametrize("entry", ["first_in_range", "first_ever", "recurring"])
@pytest.mark.parametrize("cohort", [(), ("Buyers",)])
def test_retention_beside_a_cohort_is_the_two_asked_apart(lake, cohort, entry):
    lake.save_cohort("Regulars", did=did("Ordered", 2))
    lake.save_cohort("Buyers", did="Ordered")
    asked = {"now": NOW, "period": "day", "periods": 2, "entry": entry}
    beside = lake.retention("Anything", cohort=cohort, compare="cohort:Regulars", **asked)
    assert beside.cohorts == lake.retention("Anything", cohort=cohort, **asked).cohorts
    assert beside.compared.cohorts == lake.retention("Anything", cohort="Regulars", **asked).cohorts != ()
    assert beside.shared_people == 1


def test_accounts_that_began_in_both_are_counted_though_nobody_is_in_both(accounts):
    accounts.save_cohort("Orderers", did="Ordered")
    accounts.save_cohort("Others", did_not="Ordered")
    asked = {"unit": "group:company", "cohort": "Orderers", "compare": "cohort:Others", "now": NOW}
    assert accounts.retention("Anything", **asked).shared_people == 1


@pytest.mark.parametrize("entry", ["first_in_range", "recurring"])
def test_retention_stands_beside_a_cohort_that_is_a_sequence(lake, entry):
    lake.save_cohort("Twice", sequence=["Ordered", "Anything"], within="1 day")
    # What a group counts is found by relations alone.
    asked = {"now": NOW, "period": "day", "entry": entry, "by": "trait:plan"}
    beside = lake.retention("Anything", cohort="Twice", compare="cohort:Twice", **asked)
    apart = lake.retention("Anything", cohort="Twice", **asked)
    assert (beside.cohorts, beside.groups) == (apart.cohorts, apart.groups)
    assert (beside.compared.cohorts, beside.shared_people) == (apart.cohorts, 1)
