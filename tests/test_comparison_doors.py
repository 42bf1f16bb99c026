"""Beside a cohort, or the period before, by every door: command line, Python, API, pages and twins, files."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from rich.console import Console

import expost
from expost.query.analysis import Analysis
from expost.terminal import show
from tests.doors import app_over, printed, run

WORDS = ("funnel", "Viewed page", "Bought", "--within", "7d", "--compare", "cohort:Buyers")
ASKED = "step=Viewed+page&step=Bought&within=7d&compare=cohort:Buyers"


@pytest.fixture(scope="module")
def data(rich_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small rich shop: ann, bob and cyd look, and ann and bob, who buy, are a cohort."""
    folder = shutil.copytree(rich_shop, tmp_path_factory.mktemp("comparison") / "expost-data")
    printed(folder, "cohorts", "save", "Buyers", "--did", "Bought")
    return folder


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[TestClient]:
    with TestClient(app_over(Analysis(data))) as opened:
        yield opened


def said(answer: dict[str, Any]) -> tuple[list[int], list[int], int]:
    """People per step, and of those of the cohort; and how many entered in both groups."""
    here, beside = ([step["people"] for step in each["steps"]] for each in (answer, answer["compared"]))
    return here, beside, answer["shared_people"]


def page(client: TestClient, path: str) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return BeautifulSoup(response.text, "html5lib")


def test_every_door_says_the_same_of_both_sides(data: Path, client: TestClient) -> None:
    in_python = expost.open(data).funnel("Viewed page", "Bought", within="7d", compare="cohort:Buyers")
    answers = [
        printed(data, *WORDS),
        in_python.to_json(),
        client.get(f"/api/v1/funnel?{ASKED}").json(),
        client.get(f"/funnel.json?{ASKED}").json(),
    ]
    assert [said(each) for each in answers] == [([3, 2], [2, 2], 2)] * 4
    for answer in answers:
        assert answer["notes"][-2:] == [
            "Beside it the people who are in the cohort 'Buyers' (version 1): did 'Bought'.",
            "The two groups compared are not apart: 2 people entered in both.",
        ]


def test_the_rules_of_either_side_are_explained_apart(data: Path) -> None:
    answer = expost.open(data).funnel("Viewed page", "Bought", compare="cohort:Buyers")
    assert answer.compared is not None
    counts = [list(each.explain().groups[0].people) for each in (answer, answer.compared)]
    assert counts == [[3, 2], [2, 2]]


def test_the_sql_twin_is_the_text_that_gave_the_answer(client: TestClient) -> None:
    text = client.get(f"/funnel.sql?{ASKED}").text
    assert client.get(f"/funnel.json?{ASKED}").json()["sql"] in text
    shown = page(client, f"/funnel?{ASKED}").select_one(".sql code")
    assert shown
    # The moment of asking alone is another one.
    assert shown.get_text().partition("\n\n")[2] == text.partition("\n\n")[2] != ""


def test_rows_have_both_sides_and_say_which_they_are(data: Path, client: TestClient) -> None:
    both = [("", "3"), ("", "2"), ("cohort:Buyers", "2"), ("cohort:Buyers", "2")]
    for text in (run(data, *WORDS, "--csv").stdout, client.get(f"/funnel.csv?{ASKED}").text):
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["beside"], row["people"]) for row in rows] == both
    lake = expost.open(data)
    frame = lake.funnel("Viewed page", "Bought", compare="cohort:Buyers").to_polars()
    assert frame["beside"].to_list() == [None, None, "cohort:Buyers", "cohort:Buyers"]
    retention = lake.retention("Viewed page", compare="cohort:Buyers")
    assert {row["beside"] for row in retention.rows()} == {None, "cohort:Buyers"}
    trend = lake.trend("Viewed page", start="2026-03-03", end="2026-03-04", compare="previous")
    assert [row["beside"] for row in trend.rows()] == [None, "previous"]
    assert "beside" not in lake.funnel("Viewed page", "Bought").rows()[0]


def test_a_terminal_shows_both_and_how_many_are_in_both(data: Path) -> None:
    out = io.StringIO()
    answer = expost.open(data).funnel("Viewed page", "Bought", compare="cohort:Buyers")
    show(Console(file=out, width=80, highlight=False, soft_wrap=True), answer)
    text = " ".join(out.getvalue().split())
    assert "The cohort Buyers (2 entered in both groups):" in text
    assert text.index("Viewed page 3") < text.index("The cohort Buyers") < text.rindex("Viewed page 2")


def test_the_page_offers_the_cohort_shows_it_and_opens_its_bars(client: TestClient) -> None:
    shown = page(client, f"/funnel?{ASKED}")
    chosen = shown.select_one("select[name=compare] option[selected]")
    assert chosen
    assert (chosen["value"], chosen.get_text()) == ("cohort:Buyers", "the cohort Buyers")
    panel = shown.select_one("#answer")
    assert panel
    assert "The cohort Buyers" in [each.get_text() for each in panel.select("h2")]
    assert "2 people entered in both groups." in panel.get_text()
    bars = [(each.get_text(), str(each["href"])) for each in panel.select(".funnel a.n")]
    assert [number for number, _ in bars] == ["3", "2", "2", "2"]
    for number, address in bars:
        assert client.get(address.replace("/funnel/people", "/funnel/people.json")).json()["total"] == int(
            number
        )
    assert ["cohort=Buyers" in address for _, address in bars] == [False, False, True, True]


def test_the_cohort_is_shown_where_nobody_is_whom_it_stands_beside(data: Path, client: TestClient) -> None:
    printed(data, "cohorts", "save", "Nobody", "--did", "Bought", "--times", "99")
    shown = page(client, f"/funnel?{ASKED}&cohort=Nobody").select_one("#answer")
    assert shown
    assert "Nobody entered this funnel" in shown.get_text()
    assert [each.get_text() for each in shown.select(".funnel a.n")] == ["2", "2"]
    assert "Nobody entered in both groups." in shown.get_text()
    turned = page(client, "/funnel?step=Viewed+page&step=Bought&compare=cohort:Nobody")
    assert "Nobody of them entered the funnel." in turned.get_text()


def test_a_cohort_that_is_not_there_is_refused_by_the_nearest_name(data: Path, client: TestClient) -> None:
    refused = client.get(f"/api/v1/funnel?{ASKED}".replace("Buyers", "Buyrs"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_cohort")
    assert "Buyers" in refused.json()["error"]["hint"]
    assert "Buyers" in run(data, *WORDS[:-1], "cohort:Buyrs").stderr
    for wrong in ("cohort:", "next"):
        refused = client.get(f"/api/v1/funnel?{ASKED}".replace("cohort:Buyers", wrong))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_input")
        assert "cohort:NAME" in refused.json()["error"]["hint"]


def test_a_report_travels_with_the_cohort_that_it_stands_beside(
    data: Path, client: TestClient, tmp_path: Path
) -> None:
    printed(data, *WORDS, "--save", "Beside")
    assert said(printed(data, "report", "Beside")) == ([3, 2], [2, 2], 2)
    assert "The cohort Buyers" in page(client, "/reports/Beside").get_text()
    [written] = printed(data, "reports", "export", str(tmp_path / "files"))
    file = tmp_path / "files" / written["file"]
    assert 'compare = "cohort:Buyers"' in file.read_text()
    file.write_text(file.read_text().replace("cohort:Buyers", "cohort:Buyrs"))
    refused = run(data, "reports", "apply", str(file.parent), "--yes")
    assert refused.exit_code == 2
    assert "Buyrs" in refused.stderr
    file.write_text(file.read_text().replace('"cohort:Buyrs"', '"previous"\nlast = "30d"'))
    assert printed(data, "reports", "apply", str(file.parent), "--yes")["is_applied"]
    assert json.dumps(printed(data, "reports", "show", "Beside")["fields"]["compare"]) == '["previous"]'


RETENTION = ("retention", "--start-event", "Viewed page", "--period", "day", "--periods", "1")


def begun(answer: dict[str, Any]) -> list[int]:
    """How many began on each day."""
    return [cohort["size"] for cohort in answer["cohorts"]]


def test_every_door_says_the_same_of_both_sides_of_retention(data: Path, client: TestClient) -> None:
    asked = "start_event=Viewed+page&period=day&periods=1"
    in_python = expost.open(data).retention("Viewed page", period="day", periods=1, compare="cohort:Buyers")
    answers = [
        printed(data, *RETENTION, "--compare", "cohort:Buyers"),
        in_python.to_json(),
        client.get(f"/api/v1/retention?{asked}&compare=cohort:Buyers").json(),
        client.get(f"/retention.json?{asked}&compare=cohort:Buyers").json(),
    ]
    alone = client.get(f"/api/v1/retention?{asked}").json()
    apart = client.get(f"/api/v1/retention?{asked}&cohort=Buyers").json()
    assert sum(begun(alone)) == 3 > sum(begun(apart)) == 2
    for answer in answers:
        assert answer["cohorts"] == alone["cohorts"]
        assert answer["compared"]["cohorts"] == apart["cohorts"]
        assert answer["shared_people"] == 2
        assert answer["notes"][-1] == "The two groups compared are not apart: 2 people entered in both."
    assert in_python.compared is not None
    assert in_python.explain().groups
    [first, *_] = in_python.compared.cohorts
    assert in_python.compared.people(first.start).total == first.size > 0


def test_retention_stands_beside_the_period_before(data: Path, client: TestClient) -> None:
    asked = "start_event=Viewed+page&period=day&from=2026-03-03&to=2026-03-04"
    beside = client.get(f"/api/v1/retention?{asked}&compare=previous").json()
    before = asked.replace("03-03", "03-02").replace("03-04", "03-03")
    assert begun(beside["compared"]) == begun(client.get(f"/api/v1/retention?{before}").json()) != []
    assert beside["shared_people"] is None
    shown = page(client, f"/retention?{asked}&compare=previous").select_one("#answer")
    assert shown
    assert "From 2 Mar 2026 until 3 Mar 2026." in shown.get_text()
    refused = client.get("/api/v1/retention?start_event=Viewed+page&compare=previous").json()["error"]
    assert "needs a range" in refused["message"]


def test_the_page_of_retention_shows_the_cohort_and_opens_its_cells(client: TestClient) -> None:
    shown = page(client, "/retention?start_event=Viewed+page&period=day&compare=cohort:Buyers")
    tables = shown.select("#answer table.retention")
    assert len(tables) == 2
    assert tables[1].find_parent(attrs={"aria-label": "Retention of Buyers"})
    assert "2 people entered in both groups." in str(shown.select_one("#answer"))
    links = [(link.get_text(), str(link["href"])) for link in tables[1].select("tbody td:first-of-type a")]
    assert links
    for number, address in links:
        assert "cohort=Buyers" in address
        opened = client.get(address.replace("/retention/people", "/retention/people.json")).json()
        assert opened["total"] == int(number)


def test_a_terminal_shows_both_sides_of_retention(data: Path) -> None:
    out = io.StringIO()
    answer = expost.open(data).retention("Viewed page", compare="cohort:Buyers")
    show(Console(file=out, width=100, highlight=False, soft_wrap=True), answer)
    assert "The cohort Buyers (2 entered in both groups):" in out.getvalue()


def test_a_report_of_retention_keeps_what_it_stands_beside(data: Path) -> None:
    printed(data, *RETENTION, "--compare", "cohort:Buyers", "--save", "Back beside")
    assert printed(data, "reports", "show", "Back beside")["fields"]["compare"] == ["cohort:Buyers"]
    assert printed(data, "report", "Back beside")["shared_people"] == 2


def test_a_notebook_shows_both_sides(data: Path) -> None:
    lake = expost.open(data)
    for answer in (
        lake.funnel("Viewed page", "Bought", compare="cohort:Buyers"),
        lake.retention("Viewed page", compare="cohort:Buyers"),
    ):
        html = BeautifulSoup(answer._repr_html_(), "html5lib")
        assert len(html.select("table")) == 2
        assert "beside cohort:Buyers" in html.get_text()


def test_every_door_says_that_a_trend_stands_beside_no_cohort(data: Path, client: TestClient) -> None:
    refusal = "A trend is not compared with a cohort, as funnels and retention are."
    assert refusal in run(data, "trend", "Bought", "--compare", "cohort:Buyers").stderr
    response = client.get("/api/v1/trend?name=Bought&compare=cohort:Buyers")
    assert (response.status_code, response.json()["error"]["message"]) == (400, refusal)
