"""Cohorts over a real folder: saved under a name, by lists and by what was done, and usable in every question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expost.door import Lake, did
from expost.errors import InvalidInput, NotBuilt, UnknownCohort, UnknownDefinition
from expost.query.analysis import Analysis
from expost.query.cohort import Cohort
from expost.state.sites import Site, add_site
from tests.story import Story, identify, track

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Ann ordered twice, bob once, eve never; ann and eve are known by name."""
    story = Story(empty_folder, "shop")
    story.capture("k", identify("ann", plan="pro"), track("Ordered"), track("Ordered"), at="10:00")
    story.capture("l", track("Ordered"), at="10:00")
    story.capture("m", identify("eve"), track("Looked"), at="10:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    opened = Lake(analysis)
    opened.define("Ordered", track="Ordered")
    opened.define("Anything", track=["Ordered", "Looked"])
    yield opened
    analysis.close()


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
