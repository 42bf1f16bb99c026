"""Pages that keep questions: reports, dashboards, cohorts, ids reconciled; all of it without scripts."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pyarrow.parquet
import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from expost.query.cohort_size import CohortSize
from expost.query.explanation import Explanation
from expost.query.sessions import Sessions
from expost.ui import samples_kept
from expost.ui.explanation import explanation_view
from tests.ui.stand_in import StandIn, create_app


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def web(stand_in: StandIn) -> TestClient:
    return TestClient(create_app(stand_in), follow_redirects=False)


def page(web: TestClient, path: str) -> BeautifulSoup:
    return BeautifulSoup(web.get(path).text, "html5lib")


def sent(form: Tag | None) -> dict[str, Any]:
    """What a browser sends of a form whose empty fields are left as they are."""
    assert form
    fields: dict[str, Any] = {}
    for each in form.select("input[name], select[name], textarea[name]"):
        if each.get("type") == "checkbox" and not each.has_attr("checked"):
            continue
        chosen = each.select_one("option[selected]") if each.name == "select" else each
        fields.setdefault(str(each["name"]), []).append(str(chosen.get("value", "")) if chosen else "")
    return fields


def test_a_question_is_kept_from_its_page_and_shown_as_a_report(web: TestClient, stand_in: StandIn) -> None:
    form = page(web, "/funnel?step=a&step=b&within=2h&last=30d").select_one("form[action^='/reports/keep']")
    response = web.post("/reports/keep", data=sent(form) | {"report": "Check out", "pin": "yes"})
    assert response.status_code == 303
    assert response.headers["location"] == "/reports/Check%20out?site=teashop&saved=1"
    name, kind, asked, said = stand_in.kept
    assert (name, kind, said["pin"], said["site"]) == ("Check out", "funnel", True, "teashop")
    assert asked == {"site": ["teashop"], "step": ["a", "b"], "within": ["2h"], "last": ["30d"]}
    assert web.post("/reports/keep", data=sent(form)).status_code == 400


def test_every_kind_of_question_can_be_kept_and_every_kind_of_report_is_shown(web: TestClient) -> None:
    for kind, needed in (("retention", "start_event"), ("trend", "name"), ("stickiness", "name"),
                         ("lifecycle", "name"), ("paths", "name")):  # fmt: skip
        assert page(web, f"/{kind}?{needed}=a").select_one("form[action^='/reports/keep']")
        assert not page(web, f"/{kind}").select_one("form[action^='/reports/keep']")
    # Sessions are asked of the last days where nothing is said; of one person they are in no report.
    assert page(web, "/sessions").select_one("form[action^='/reports/keep'] [name=last][value='7d']")
    assert not page(web, "/sessions?person=ann").select_one("form[action^='/reports/keep']")
    names = []
    for row in page(web, "/reports").select("tbody a"):
        shown = page(web, str(row["href"]))
        assert shown.select_one("#answer :is(.funnel, table, .chart)"), row
        change = next(link for link in shown.select("a.button") if link.get_text() == "Change the question")
        again = page(web, str(change["href"]))
        names.append(again.select("#report")[0]["value"])
    assert names == [each.name for each in samples_kept.reports()]


def test_a_report_is_asked_over_another_range_and_its_twins_are_too(
    web: TestClient, stand_in: StandIn
) -> None:
    shown = page(web, "/reports/Checkout?time_zone=UTC&as_of=2026-11-01")
    assert [each["value"] for each in shown.select("#last, #time_zone, #as_of")] == [
        "30d",
        "UTC",
        "2026-11-01",
    ]
    links = [str(each["href"]) for each in shown.select(".twins a")]
    assert [each.partition("?")[0].rpartition(".")[2] for each in links] == ["json", "sql", "csv", "parquet"]
    assert all("as_of=2026-11-01" in each for each in links)
    json, sql, csv, parquet = (web.get(each) for each in links)
    assert json.json()["steps"][0]["people"] == 1_204
    assert sql.text.startswith("-- $")
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text.splitlines()[1].startswith("total,,1,Viewed a tea,1204")
    assert pyarrow.parquet.read_table(io.BytesIO(parquet.content)).num_rows == 4
    # Days that somebody names count, not the last ones that the form showed beside them.
    web.get("/reports/Checkout?from=2026-11-01&last=30d")
    assert stand_in.asked[-1][0] == "report_answer"
    assert web.get("/reports/Nowhere.csv").status_code == 404


def test_what_is_said_of_a_report_and_its_old_versions_are_forms(web: TestClient, stand_in: StandIn) -> None:
    stand_in.versions = 3
    shown = page(web, "/reports/Checkout")
    assert len(shown.select("form[action^='/reports/rollback']")) == 2
    details, archive = shown.select("form[action^='/reports/details']")
    assert web.post("/reports/details", data=sent(details) | {"tags": "a, b"}).status_code == 303
    noun, name, wanted = stand_in.kept
    assert (noun, name, wanted["owner"], wanted["tags"]) == ("report", "Checkout", "growth", ["a", "b"])
    web.post("/reports/details", data=sent(archive))
    assert stand_in.kept[2]["archived"] is True
    web.post("/reports/rollback", data={"name": "Checkout", "version": "1"})
    assert stand_in.kept[:3] == ("report", "Checkout", 1)
    assert web.post("/reports/rollback", data={"name": "Checkout", "version": "x"}).status_code == 400


def test_on_a_dashboard_the_numbers_are_folded_and_on_the_page_of_a_question_they_are_open(
    web: TestClient,
) -> None:
    folded = page(web, "/dashboards/Weekly").select("details.numbers")
    assert folded
    assert not [each for each in folded if each.has_attr("open")]
    assert page(web, "/funnel?step=a&step=b").select_one("details.numbers[open]")


def test_a_dashboard_shows_its_reports_and_says_which_one_is_gone(web: TestClient, stand_in: StandIn) -> None:
    shown = page(web, "/dashboards/Weekly")
    heads = [each.get_text() for each in shown.select("section.panel > h2 > a")]
    assert heads[0] == "Checkout"
    assert heads[-1] == "Gone"
    assert len(shown.select("section.panel > .notice.bad")) == 1
    assert [each["value"] for each in shown.select("#last")] == ["7d"]
    parts = web.get("/dashboards/Weekly.json").json()["reports"]
    assert ["answer" in each for each in parts] == [True] * 7 + [False]
    form = page(web, "/dashboards").select_one("form[action^='/dashboards/keep']")
    data = sent(form) | {"name": "Mine", "reports": ["Pinned", "Checkout"], "last": "30d"}
    assert web.post("/dashboards/keep", data=data).status_code == 303
    assert stand_in.kept[:3] == ("Mine", ("Pinned", "Checkout"), {"last": ["30d"]})
    assert web.post("/dashboards/keep", data={"name": "Mine"}).status_code == 400


def test_a_cohort_is_made_and_forgotten_by_forms(web: TestClient, stand_in: StandIn) -> None:
    form = page(web, "/cohorts").select_one("form")
    data = sent(form) | {"name": "Often", "did": "Added to basket", "times": "3", "did_within": "30d"}
    assert web.post("/cohorts/keep", data=data).headers["location"] == "/cohort?name=Often&site=teashop"
    cohort, name, _ = stand_in.kept
    assert (str(cohort), name) == ("did 'Added to basket' at least 3 times within 30d", "Often")
    web.post("/cohorts/keep", data=sent(form) | {"name": "Listed", "users": "ann\nbob\n"})
    assert stand_in.kept[0] is None
    assert stand_in.kept[2]["users"] == ("ann", "bob")
    assert web.post("/cohorts/keep", data=sent(form)).status_code == 400
    gone = {"name": "Regulars"}
    assert web.post("/cohorts/remove", data=gone).status_code == 400
    assert web.post("/cohorts/remove", data=gone | {"sure": "yes"}).status_code == 303


def test_ids_are_reconciled_by_a_form_and_stand_in_no_address(web: TestClient, stand_in: StandIn) -> None:
    form = page(web, "/reconcile?report=Checkout").select_one("main form")
    assert form
    assert form["method"] == "post"
    data = sent(form) | {"ids": "order_id,total\n17,3\n18,4", "property": "order_id"}
    answer = BeautifulSoup(web.post("/reconcile", data=data).text, "html5lib")
    ids, said = stand_in.kept
    assert (ids, said["report"], said["property"]) == (("17", "18"), "Checkout", "order_id")
    assert answer.select_one("#answer .figures")
    assert answer.select_one("textarea")
    causes = [row.get_text() for row in answer.select("#answer table.paths tbody th")]
    assert causes[:2] == ["counted", "same person"]
    rules = answer.select_one("#answer .rules li")
    assert rules
    assert rules.get_text().startswith("Read column 'order_id' of what was pasted, 2 ids;")
    pasted = sent(form) | {"ids": "email\nann"}
    web.post("/reconcile", data=pasted)
    assert stand_in.kept[0] == ("email", "ann")
    answer = BeautifulSoup(web.post("/reconcile", data=pasted | {"heading": "yes"}).text, "html5lib")
    assert stand_in.kept[0] == ("ann",)
    assert answer.select_one("#heading[checked]")


def test_a_definition_says_which_reports_are_about_it(web: TestClient) -> None:
    told = page(web, "/definition?name=Viewed+a+tea").select_one("section[aria-labelledby=details-head]")
    assert told
    assert "1 report is about it" in told.get_text()
    assert told.select_one("a[href^='/reports/Checkout']")


def test_explanations_show_what_other_rules_would_count(web: TestClient) -> None:
    shown = page(web, "/funnel/explanation?step=a&step=b")
    assert [each.get_text() for each in shown.select(".change")] == ["\N{MINUS SIGN}12"] * 4
    assert [each.get_text() for each in shown.select(".group")] == ["Everyone", "treatment"] * 3
    assert len(shown.select("tr.same")) == 2
    lede = shown.select_one(".lede")
    assert lede
    assert lede.get_text().startswith("Funnel of Viewed a tea, Added to basket")
    heads = [each.get_text() for each in shown.select("table.rules-table thead th")]
    assert [each for each in heads if each[0].islower()] == []
    back = shown.select_one(".lede a")
    assert back
    assert str(back["href"]).startswith("/funnel?step=a&step=b")


def test_an_explanation_of_somebodys_sessions_names_nobody() -> None:
    asked = Explanation(Sessions(person="5"))
    view = explanation_view(replace(samples_kept.explanation(), question=asked))
    assert view.asked == "The sessions of one person"


def test_a_printed_page_says_what_was_asked(web: TestClient) -> None:
    said = page(web, "/paths?name=a").select_one("#answer .printed")
    assert said
    assert said.get_text() == "Paths of Viewed a tea"


def test_an_explanation_of_a_cohort_says_which_one() -> None:
    asked = Explanation(CohortSize("Regulars"))
    assert (
        explanation_view(replace(samples_kept.explanation(), question=asked)).asked == "The cohort Regulars"
    )


@pytest.mark.parametrize(
    "kind", ["funnel", "retention", "trend", "stickiness", "lifecycle", "paths", "cohort"]
)
def test_an_explanation_of_nothing_leads_to_the_form_that_asks(web: TestClient, kind: str) -> None:
    answer = web.get(f"/{kind}/explanation", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{kind}")


def test_a_cohort_without_its_name_leads_to_the_list_of_them(web: TestClient) -> None:
    answer = web.get("/cohort", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cohorts")


def test_what_an_address_says_several_times_stays_though_a_control_shows_one(web: TestClient) -> None:
    for path in (
        "/paths?name=a&event=b&event=c&group=/x/*&group=/y/*",
        "/funnel?step=a&ends_attempt=b&ends_attempt=c",
    ):
        form = page(web, path).select_one("form.question")
        said = [each.split("=", 1) for each in path.partition("?")[2].split("&")]
        for name, value in said:
            assert value in sent(form)[name], (path, name)
