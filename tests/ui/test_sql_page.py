"""The page of SQL: what it lists is what there is to ask."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from expost.lake.rejected import create_rejected_view
from expost.query.saved import VIEWS
from expost.ui.sql import SCHEMA
from tests.story import Story
from tests.ui.stand_in import StandIn, create_app


def test_every_column_of_every_view_is_listed(empty_folder: Path) -> None:
    assert sorted(view for view, _, _ in SCHEMA) == sorted(VIEWS)
    with Story(empty_folder).connect() as connection:
        create_rejected_view(connection, [])
        for view, _, columns in SCHEMA:
            there = [row[0] for row in connection.execute(f"describe {view}").fetchall()]
            assert sorted(columns) == sorted(there), view


def test_cohorts_are_listed_by_the_names_that_their_views_have() -> None:
    web = TestClient(create_app(StandIn()))
    shown = BeautifulSoup(web.get("/sql").text, "html5lib")
    assert [each.get_text() for each in shown.select("summary code")][-1] == '"cohort_Regulars"'
    cohort = BeautifulSoup(web.get("/cohort?name=Regulars").text, "html5lib")
    [link] = [
        each for each in cohort.select("a[href^='/sql']") if "SQL" in each.get_text() and "query" in str(each)
    ]
    assert link["href"] == "/sql?query=select+%2A+from+%22cohort_Regulars%22"
