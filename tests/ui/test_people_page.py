"""The people behind a number: each event stands under its step, and every way to ask for them has a page and twins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from expost.query.funnel import Funnel, FunnelPeople, Stage
from expost.query.person import DecidingEvent, PeopleAnswer, Person
from expost.ui.people import people_view
from expost.ui.samples import basis
from tests.ui.stand_in import client, soup

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
FUNNEL = "/funnel?step=Viewed+a+tea&step=Added+to+basket&within=7d"


def answer(funnel: Funnel, step: int, *names: str) -> PeopleAnswer:
    events = tuple(DecidingEvent(name, name, AT) for name in names)
    ann = Person("1", "ann", True, "total", None, step, events)
    return PeopleAnswer(FunnelPeople(funnel, step), basis(), 1, (ann,))


def test_who_left_an_optional_step_out_has_nothing_under_it() -> None:
    funnel = Funnel(("A", Stage("B", optional=True), "C"), timedelta(days=1))
    view = people_view(answer(funnel, 3, "A", "C"))
    assert view.columns == ("1 A", "2 B", "3 C")
    assert [cell and cell.event.step for cell in view.rows[0].cells] == ["A", None, "C"]


def test_people_have_a_column_of_groups_only_where_the_question_is_split() -> None:
    whole = answer(Funnel(("A", "B"), timedelta(days=1)), 2, "A", "B")
    split = replace(whole, people=(replace(whole.people[0], kind="variation", value="treatment"),))
    assert (people_view(whole).are_grouped, people_view(split).are_grouped) == (False, True)


def test_a_step_with_more_to_say_is_called_by_its_name() -> None:
    funnel = Funnel(("A", Stage("B", within=timedelta(minutes=5))), timedelta(days=1))
    view = people_view(answer(funnel, 2, "A", "B"))
    assert (view.title, view.columns) == ("Reached B", ("1 A", "2 B"))


def test_in_any_order_each_event_says_which_step_it_was() -> None:
    funnel = Funnel(("A", "B", "C"), timedelta(days=1), order="any")
    view = people_view(answer(funnel, 2, "C", "A"))
    assert view.title == "Reached 2 of 3"
    assert [(cell.column, cell.label) for cell in view.rows[0].cells if cell] == [
        ("event 1", "C"),
        ("event 2", "A"),
    ]


@pytest.mark.parametrize("ending", [".json", ".sql", ".csv", ".parquet"])
def test_people_have_all_twins_and_more_of_them_can_be_asked_for(ending: str) -> None:
    address = "/funnel/people?step=a&step=b&at=2"
    page = soup(client().get(address).text)
    links = [str(link["href"]) for link in page.select("a[href]")]
    assert any(link.startswith(f"/funnel/people{ending}?") for link in links)
    assert any("limit=1000" in link for link in links)
    assert client().get(address.replace("people?", f"people{ending}?") + "&limit=5").status_code == 200


def test_the_form_of_a_funnel_has_fields_for_what_narrows_a_step() -> None:
    asked = f"{FUNNEL}&where=2:plan=pro&step_within=2=1h&order=strict&between=Bought"
    page = soup(client().get(asked).text)
    fields = {
        name: [str(field["value"]) for field in page.select(f'form.question input[name="{name}"]')]
        for name in ("where", "step_within")
    }
    assert fields == {"where": ["2:plan=pro", ""], "step_within": ["2=1h", ""]}
    [between] = page.select('form.question select[name="between"] option[selected]')
    assert between["value"] == "Bought"
    assert not page.select('form.question input[type="hidden"][name="where"]')
    assert page.select("details.more[open]")
