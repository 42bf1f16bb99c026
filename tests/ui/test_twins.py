"""The page, its JSON and its SQL are one answer."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from expost.ui import samples_people
from expost.ui.format import number, share
from expost.ui.funnel import funnel_view
from expost.ui.retention import retention_view
from tests.ui.stand_in import StandIn, create_app

FUNNEL = "?step=Viewed+a+tea&step=Added+to+basket&within=7d&by=flag:new-checkout"


@pytest.fixture
def web() -> TestClient:
    return TestClient(create_app(StandIn()))


def numbers(text: str, selector: str) -> list[str]:
    return [cell.get_text(strip=True) for cell in BeautifulSoup(text, "html5lib").select(selector)]


def test_a_funnel_shows_the_numbers_of_its_twin(web: TestClient) -> None:
    body = web.get(f"/funnel.json{FUNNEL}").json()
    shown = numbers(web.get(f"/funnel{FUNNEL}").text, ".numbers tbody tr td:nth-last-child(8)")
    groups = [body, *body["groups"]]
    assert shown == [number(step["people"]) for group in groups for step in group["steps"]]
    bars = numbers(web.get(f"/funnel{FUNNEL}").text, ".bar-row a.n")
    wide = [[number(step["people"]) for step in group["steps"]] for group in body["groups"]]
    assert bars == [group[place] for place in range(4) for group in wide]


def test_retention_shows_the_numbers_of_its_twin(web: TestClient) -> None:
    body = web.get("/retention.json?start_event=a").json()
    page = web.get("/retention?start_event=a").text
    rows = BeautifulSoup(page, "html5lib").select(".retention tbody tr")
    for row, cohort in zip(rows, body["cohorts"], strict=False):
        cells = row.select("td:not(.future)")[1:]
        for cell, period in zip(cells, cohort["periods"], strict=False):
            people, part = cell.select_one(".cell-people"), cell.select_one(".cell-share")
            assert people
            assert part
            assert people.get_text() == number(period["people"])
            assert part.get_text().startswith(share(period["people"], cohort["size"]))
            assert ("incomplete" in cell["class"]) == (not period["complete"])
            assert ("so far" in part.get_text()) == (not period["complete"])
    assert rows[len(body["cohorts"])]["class"] == ["pooled"]


def test_a_trend_shows_the_numbers_of_its_twin(web: TestClient) -> None:
    body = web.get("/trend.json?name=a&by=flag:new-checkout").json()
    page = web.get("/trend?name=a&by=flag:new-checkout").text
    assert numbers(page, ".numbers tbody td:nth-of-type(1)") == [number(p["events"]) for p in body["points"]]
    for place, group in enumerate(body["groups"]):
        column = numbers(page, f".numbers tbody td:nth-of-type({place + 3})")
        assert column == [number(point["events"]) for point in group["points"]]


def test_losses_show_the_numbers_of_their_twin(web: TestClient) -> None:
    body = web.get("/losses.json").json()
    page = web.get("/losses").text
    assert numbers(page, ".numbers tbody td:nth-of-type(1)") == [
        number(day["missing"]) for day in body["groups"]
    ]
    assert numbers(page, ".numbers tbody td:nth-of-type(3)") == [
        "exact" if day["is_exact"] else "at least" for day in body["groups"]
    ]
    assert f"at least{share(body['missing'], body['expected'])}" in numbers(page, ".figures dd")
    by_page = web.get("/losses.json?by=page&limit=10").json()
    shown = numbers(page, "h2 + .scroll:first-of-type tbody td:nth-of-type(1)")
    assert shown[:3] == [number(each["missing"]) for each in by_page["groups"][:3]]


def test_a_definition_shows_the_numbers_of_its_twin(web: TestClient) -> None:
    body = web.get("/definition.json?name=Viewed+a+tea").json()
    figures = numbers(web.get("/definition?name=Viewed+a+tea").text, ".figures dd:not(.text)")
    events, people, unknown = (body[name] for name in ("events", "people", "unknown"))
    assert figures == [number(events), number(people), number(unknown) + share(unknown, events + unknown)]


@pytest.mark.parametrize(
    "path",
    [
        f"/funnel{FUNNEL}",
        "/retention?start_event=a",
        "/trend?name=a",
        "/losses?from=2026-11-01",
        "/define?click=b",
        "/definition?name=Viewed+a+tea",
    ],
)
def test_the_sql_that_ran_is_on_the_page_and_is_its_twin(web: TestClient, path: str) -> None:
    twin = web.get(path.replace("?", ".sql?"))
    assert twin.headers["content-type"].startswith("text/plain")
    assert twin.text.startswith("-- $site = 'teashop'\n")
    code = BeautifulSoup(web.get(path).text, "html5lib").select_one(".sql code")
    assert code
    assert code.get_text() == twin.text


def test_the_links_to_the_twins_ask_the_same_question(web: TestClient) -> None:
    page = BeautifulSoup(web.get(f"/funnel{FUNNEL}").text, "html5lib")
    for link in page.select(".twins a"):
        assert web.get(str(link["href"])).status_code == 200
        assert "by=flag%3Anew-checkout" in str(link["href"])


def test_a_twin_that_is_refused_says_so_in_its_own_form(web: TestClient) -> None:
    refused = web.get("/define.json?click=a:hover")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "selector_refused"
    assert refused.json()["error"]["caret"] == "a:hover\n ^"
    assert web.get("/define.sql?click=a:hover").text.splitlines()[1:3] == ["a:hover", " ^"]


def test_bars_are_scaled_to_their_own_group() -> None:
    view = funnel_view(samples_people.funnel(by=True))
    assert {bar.width for bar in view.steps[0].bars} == {100.0}
    control, treatment = view.steps[3].bars[:2]
    assert control.width == pytest.approx(100 * 88 / 498, abs=0.01)
    assert treatment.width == pytest.approx(100 * 149 / 503, abs=0.01)


def test_a_period_that_has_not_begun_is_no_zero() -> None:
    view = retention_view(samples_people.retention())
    assert [cell is None for cell in view.total.rows[-2].cells] == [False] + [True] * 8


def test_every_bar_opens_to_its_people_and_each_step_to_its_event() -> None:
    stand_in = StandIn()
    web = TestClient(create_app(stand_in))
    four = FUNNEL.replace("&within", "&step=Went+to+checkout&step=Placed+the+order&within")
    page = BeautifulSoup(web.get(f"/funnel{four}").text, "html5lib")
    treatment = page.select(".bar-row a.n")[4 * 2 + 1]
    people = web.get(str(treatment["href"]))
    asked = stand_in.asked[-1][1]
    assert (asked.step, asked.kind, asked.value) == (3, "variation", "treatment")
    assert asked.funnel.steps == ("Viewed a tea", "Added to basket", "Went to checkout", "Placed the order")
    assert asked.funnel.by.key == "new-checkout"
    row = BeautifulSoup(people.text, "html5lib").select("tbody tr")[0]
    person, *events = [str(link["href"]) for link in row.select("a")]
    assert person.startswith("/person?id=")
    assert events == ["/events/019a0"] * 3
    dropped = page.select_one(".drop a")
    assert dropped
    web.get(str(dropped["href"]))
    assert stand_in.asked[-1][1].dropped_off
    twin = web.get(str(dropped["href"]).replace("/people?", "/people.json?")).json()
    assert twin["total"] == 802


def test_people_of_a_step_that_does_not_exist_are_refused(web: TestClient) -> None:
    for at in ("0", "3", "x", "²"):
        assert web.get(f"/funnel/people{FUNNEL}&at={at}").status_code == 400


def test_sessions_show_the_numbers_of_their_twin_and_each_opens(web: TestClient) -> None:
    body = web.get("/sessions.json?by=device_class").json()
    page = web.get("/sessions?by=device_class").text
    assert numbers(page, ".figures dd")[:2] == [
        number(body["figures"][name]) for name in ("sessions", "people")
    ]
    assert numbers(page, ".numbers tbody td:nth-of-type(1)") == [
        number(p["sessions"]) for p in body["periods"]
    ]
    assert numbers(page, ".paths tbody td:nth-of-type(2)") == [
        number(each["figures"]["sessions"]) for each in body["groups"]
    ]
    assert numbers(page, ".sessions td:nth-of-type(3)") == [
        number(each["events"]) for each in body["sessions"]
    ]
    links = [each["href"] for each in BeautifulSoup(page, "html5lib").select(".sessions th a")]
    assert links == [f"/sessions/{each['session_id']}" for each in body["sessions"]]
    opened = web.get(f"{links[0]}.json").json()
    assert numbers(web.get(links[0]).text, ".live .time") != []
    assert len(numbers(web.get(links[0]).text, ".live tbody tr")) == len(opened["events"])


def test_sessions_without_a_range_are_those_of_the_last_week(web: TestClient) -> None:
    page = BeautifulSoup(web.get("/sessions").text, "html5lib")
    [last] = page.select("form.question input[name=last]")
    assert last["value"] == "7d"
    [further] = page.select(".pager a")
    assert further["href"] == "/sessions?site=teashop&last=7d&offset=30" or "offset=30" in str(
        further["href"]
    )
