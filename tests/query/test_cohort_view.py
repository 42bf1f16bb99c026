"""Cohorts in SQL: a view of each that a query names, with the people who are in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expost.door import Lake
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.cohort import Did
from expost.query.cohort_view import people_in
from expost.query.sandbox import SqlQuery
from expost.state.sites import Site, add_site
from tests.doors import Api, printed
from tests.story import Story, identify, track

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Ann pays twice, bob once, a stranger looks; ann pays on another site as well."""
    story = Story(empty_folder, "shop")
    story.capture("k", identify("ann"), track("Paid"), track("Paid"), at="10:00", apart=60)
    story.capture("l", identify("bob"), track("Paid"), at="2026-03-03 10:00")
    story.capture("m", track("Looked"), at="11:00")
    story.site = "other"
    story.capture("n", identify("ann"), track("Paid"), at="12:00")
    analysis = Analysis(story.path, clock=lambda: int(NOW.timestamp() * 1_000_000))
    for slug in ("shop", "other"):
        add_site(analysis.state, Site(slug, slug.capitalize()))
    opened = Lake(analysis)
    for name, site in (("Paid", "shop"), ("Looked", "shop"), ("Paid", "other")):
        opened.define(name, track=name, site=site)
    opened.save_cohort("Payers", did="Paid", site="shop")
    opened.save_cohort("Paid twice", did=Did("Paid", 2), site="shop")
    opened.save_cohort("Lately", did=Did("Paid", within=timedelta(days=2)), site="shop")
    opened.save_cohort("Only look", did="Looked", did_not="Paid", site="shop")
    opened.save_cohort("In a row", sequence=["Paid", "Paid"], within="2h", site="shop")
    opened.save_cohort("Listed", users=["bob"], site="shop")
    yield opened
    analysis.close()


def users(lake: Lake, view: str, **said: Any) -> list[str | None]:
    query = SqlQuery(f'select "user" from "{view}" order by first_seen_at', **said)
    return [row["user"] for row in lake.analysis.ask(query).rows()]


def test_a_view_has_whom_the_cohort_has_with_the_columns_of_people(lake):
    assert users(lake, "cohort_Payers") == ["ann", "bob"]
    assert users(lake, "cohort_Paid twice") == ["ann"]
    assert users(lake, "cohort_Lately") == ["bob"]
    assert users(lake, "cohort_Only look") == [None]
    assert users(lake, "cohort_In a row") == ["ann"]
    assert users(lake, "COHORT_listed") == ["bob"]
    [columns, people] = [
        [each["column_name"] for each in lake.sql(f'describe select * from "{view}"')]
        for view in ("cohort_Payers", "people")
    ]
    assert columns == people
    for cohort in lake.cohorts(site="shop"):
        assert lake.sql(f'select count(*) as n from "cohort_{cohort.name}"').rows() == [
            {"n": lake.cohort(cohort.name, site="shop").people}
        ]


def test_cohorts_and_definitions_are_joined_and_the_notes_say_what_each_is(lake):
    answer = lake.sql(
        "select count(*) as n from \"Paid\" where site = 'shop' and person_id in (select person_id from cohort_payers)"
    )
    assert answer.rows() == [{"n": 3}]
    assert (
        "'cohort_payers' is version 1 of the cohort 'Payers' of the site 'shop': did 'Paid'" in answer.notes
    )
    assert any("at the moment of asking" in note for note in answer.notes)
    both = 'select count(*) as n from cohort_payers as a join "cohort_Paid twice" as b using (person_id)'
    assert lake.sql(both).rows() == [{"n": 1}]


def test_a_cohort_is_decided_by_what_counts_on_its_site_and_as_it_was_then(lake):
    lake.save_cohort("Payers", did="Paid", site="other")
    assert sorted(row["site"] for row in lake.sql("select site from cohort_payers")) == [
        "other",
        "shop",
        "shop",
    ]
    assert users(lake, "cohort_payers", site="other") == ["ann"]
    assert users(lake, "cohort_payers", site="shop", as_of=datetime(2026, 3, 2, 18, tzinfo=UTC)) == ["ann"]


def test_only_the_cohorts_that_a_query_names_are_decided(lake, monkeypatch):
    asked: list[str] = []
    named = Analysis._cohorts_named

    def seen(self: Analysis, question: Any, connection: Any, as_of: Any, name: str) -> Any:
        asked.append(name)
        return named(self, question, connection, as_of, name)

    monkeypatch.setattr(Analysis, "_cohorts_named", seen)
    lake.sql("select count(*) from events join people using (person_id)")
    assert asked == []
    lake.sql("select 'cohort_payers' as text, count(*) from cohort_listed group by 1")
    assert asked == ["listed"]


def test_of_a_cohort_whose_ids_alone_are_asked_for_nothing_is_read(empty_folder):
    story = Story(empty_folder)
    story.capture("k", identify("ann"), at="10:00")
    with story.connect() as connection:
        connection.execute("create table lake.members as select 1::bigint as person_id")
        plans = [
            connection.execute(f"explain {select} from ({people_in(['lake.members'])})").fetchall()[0][1]
            for select in ("select count(*)", "select max(person_id)", 'select max("user")')
        ]
    assert ["Hash Join" in plan for plan in plans] == [False, False, True]


def test_a_definition_of_that_very_name_keeps_it_and_what_is_none_is_said(lake):
    lake.define("cohort_Payers", track="Looked", site="shop")
    assert lake.sql("select count(*) as n from cohort_payers").rows() == [{"n": 1}]
    for view, told in (
        ("cohort_nobody", "no cohort called 'nobody'"),
        ("cohort_paid thrice", "'paid thrice'"),
    ):
        with pytest.raises(InvalidInput, match=told) as refused:
            lake.sql(f'select * from "{view}"')
        assert "expost cohorts" in refused.value.hint
    with pytest.raises(InvalidInput, match="no view called 'cohorts'") as refused:
        lake.sql("select * from cohorts")
    assert "cohort_" in refused.value.hint


def test_the_view_is_the_same_at_every_door(lake):
    query = 'select person_id, "user" from "cohort_Paid twice"'
    rows = lake.sql(query).to_json()
    assert [row["user"] for row in rows] == ["ann"]
    folder = lake.analysis.folder
    assert printed(folder.path, "sql", query) == rows
    client = Api(folder, "viewer").client
    assert client.post("/api/v1/sql", json={"query": query}).json() == rows
    assert client.get("/sql.json", params={"query": query}).json() == rows
    assert "Paid twice" in lake.sql(query)._repr_html_()


def test_what_decides_is_in_nobodys_way(lake):
    """Relations by which a cohort is decided are gone before a query runs, and a definition may be called like one."""
    lake.define("matched", track="Looked", site="shop")
    both = "select (select count(*) from matched) as one, (select count(*) from cohort_payers) as two"
    assert lake.sql(both).rows() == [{"one": 1, "two": 2}]
    with pytest.raises(InvalidInput, match="results"):
        lake.sql('select * from results, "cohort_In a row"')
