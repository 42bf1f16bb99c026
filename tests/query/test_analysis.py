"""Questions over a real folder: previews, people behind bars, live events, flags, what is refused and what is noted."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from expost.errors import InvalidInput, NotBuilt, QueryLimit
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.breakdown import Flag
from expost.query.definition import definition
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.event_type import NEVER_HEARD
from expost.query.flag_list import FlagList, FlagsAnswer
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople, Stage
from expost.query.live import Live, LiveAnswer
from expost.query.person import PeopleAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Question
from expost.query.retention import Retention, RetentionAnswer
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import Unit
from expost.state.sites import Site, add_site
from tests.story import Action, Story, click, expose, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
VIEWED, BOUGHT = definition("Viewed", view="/**"), definition("Bought", click="button.buy")
FUNNEL = Funnel((VIEWED, BOUGHT), WEEK, by=Flag("f"), now=NOW)


def test_a_preview_shows_the_past(analysis: Analysis) -> None:
    answer = analysis.ask(Preview(definition("x", click="button"), now=NOW))
    assert isinstance(answer, PreviewAnswer)
    assert (answer.events, answer.people, answer.unknown) == (1, 1, 0)
    assert answer.first_seen == answer.last_seen == datetime(2026, 3, 2, 10, 0, 2, tzinfo=UTC)
    assert [(each.value, each.events) for each in answer.texts] == [("Buy now", 1)]
    assert [(each.value, each.events) for each in answer.pages] == [("/", 1)]
    assert len(answer.days) == 90
    assert sum(day.events for day in answer.days) == 1
    [sample] = answer.samples
    assert [level.descriptor for level in sample.chain if level.is_match] == ["button.buy"]
    assert {"events", "people", "unknown", "sql"} <= answer.to_json().keys()


def test_the_people_behind_a_bar_are_as_many_as_the_bar_says(analysis: Analysis) -> None:
    answer = analysis.ask(FUNNEL)
    assert isinstance(answer, FunnelAnswer)
    assert [step.people for step in answer.steps] == [3, 1]
    groups = {(group.kind, group.value): [step.people for step in group.steps] for group in answer.groups}
    assert groups == {
        ("variation", "red"): [1, 1],
        ("variation", "blue"): [1, 0],
        ("not exposed", None): [1, 0],
    }
    viewers, buyers = (analysis.ask(FunnelPeople(FUNNEL, step)) for step in (1, 2))
    assert isinstance(viewers, PeopleAnswer)
    assert isinstance(buyers, PeopleAnswer)
    assert viewers.total == len(viewers.people) == 3
    [buyer] = buyers.people
    assert (buyer.name, buyer.is_user) == ("ann@shop.example", True)
    assert [each.step for each in buyer.events] == ["Viewed", "Bought"]
    lost = analysis.ask(FunnelPeople(FUNNEL, 1, dropped_off=True, kind="variation", value="blue"))
    assert isinstance(lost, PeopleAnswer)
    [bob] = lost.people
    live = analysis.ask(Live(20))
    assert isinstance(live, LiveAnswer)
    assert bob.name == f"stranger {bob.person_id[-6:]}"
    assert {event.who for event in live.events if event.person_id == bob.person_id} == {bob.name}


def test_the_people_behind_a_bar_are_those_of_its_range_and_environment(analysis: Analysis) -> None:
    noon = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    for funnel, people in (
        (replace(FUNNEL, start=noon), 1),
        (replace(FUNNEL, end=noon), 2),
        (replace(FUNNEL, environment="staging"), 0),
    ):
        answer = analysis.ask(funnel)
        behind = analysis.ask(FunnelPeople(funnel, 1))
        assert isinstance(answer, FunnelAnswer)
        assert isinstance(behind, PeopleAnswer)
        assert answer.steps[0].people == behind.total == people


QUESTIONS: list[tuple[Question, type[Answer]]] = [
    (FUNNEL, FunnelAnswer),
    (FunnelPeople(FUNNEL, 1), PeopleAnswer),
    (Preview(definition("x", view="/**"), now=NOW), PreviewAnswer),
    (Retention(VIEWED, VIEWED, "week", 2, by=Flag("f"), now=NOW), RetentionAnswer),
    (Trend(VIEWED, "day", by=Flag("f"), now=NOW), TrendAnswer),
    (Live(5), LiveAnswer),
    (FlagList(), FlagsAnswer),
    (SqlQuery("select type, time from events order by time"), RowsAnswer),
]


@pytest.mark.parametrize(("question", "kind"), QUESTIONS, ids=lambda each: type(each).__name__)
def test_every_answer_travels_prints_and_carries_its_sql(
    analysis: Analysis, question: Question, kind: type[Answer]
) -> None:
    answer = pickle.loads(pickle.dumps(analysis.ask(pickle.loads(pickle.dumps(question)))))
    assert isinstance(answer, kind)
    assert "select" in answer.sql
    body = json.loads(json.dumps(answer.to_json()))
    if not isinstance(answer, RowsAnswer):
        assert body["sql"] == answer.sql
        assert body["snapshot"]["events"] >= 0
    assert answer.to_polars().height == len(answer.rows())


def test_the_sql_of_an_answer_runs_by_itself(analysis: Analysis) -> None:
    answer = analysis.ask(FUNNEL)
    from expost.lake.reader import connect

    with connect(analysis.folder.path) as connection:
        for statement in connection.extract_statements(answer.sql):
            values = {name: answer.basis.parameters[name] for name in statement.named_parameters}
            connection.execute(statement, values).fetchall()


def test_an_event_opens_as_its_levels_each_with_a_selector_and_its_past(analysis: Analysis) -> None:
    live = analysis.ask(Live(20, types=("click",)))
    assert isinstance(live, LiveAnswer)
    [event] = [each for each in live.events if each.label == "Buy now"]
    assert event.chain is not None
    assert event.chain.endswith("form.cart › button.buy › span")
    assert event.person == "ann@shop.example"
    detail = analysis.ask(EventDetail(event.event_id))
    assert isinstance(detail, EventAnswer)
    assert detail.event["label"] == "Buy now"
    for level in detail.chain:
        assert level.selector is not None
        past = analysis.ask(Preview(definition("x", click=level.selector), now=NOW))
        assert isinstance(past, PreviewAnswer)
        assert past.events == level.events
        assert past.events >= 1


def test_a_question_is_stopped_at_its_limits(analysis: Analysis) -> None:
    analysis.max_seconds = 0.3
    with pytest.raises(QueryLimit, match=r"0\.3 seconds") as stopped:
        analysis.ask(SqlQuery("select sum(a.range * b.range) from range(1000000) as a, range(1000000) as b"))
    assert "query_seconds (EXPOST_QUERY_SECONDS)" in stopped.value.hint


def test_nothing_that_watched_the_time_of_a_question_is_left_when_it_is_answered(
    analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_answered, watching = threading.Event(), []

    class SlowToEnd(threading.Thread):
        def run(self) -> None:
            watching.append(self)
            super().run()
            is_answered.wait(0.3)

    monkeypatch.setattr(threading, "Thread", SlowToEnd)
    analysis.max_seconds = 60
    analysis.ask(SqlQuery("select 1"))
    assert watching
    assert not any(each.is_alive() for each in watching)
    is_answered.set()


def test_what_no_question_can_say_is_refused_with_a_hint() -> None:
    for ask in (
        lambda: Funnel(FUNNEL.steps, WEEK, order="backwards"),
        lambda: Funnel((VIEWED, Stage(BOUGHT, optional=True)), WEEK, order="strict"),
        lambda: Funnel((Stage(VIEWED, optional=True), BOUGHT), WEEK),
        lambda: Funnel((VIEWED, Stage(BOUGHT, timedelta(hours=1))), WEEK, order="any"),
        lambda: Funnel(FUNNEL.steps, WEEK, between=(VIEWED,)),
        lambda: Funnel(FUNNEL.steps, WEEK, over="year"),
        lambda: Funnel(FUNNEL.steps, WEEK, compare="previous"),
        lambda: Retention("A", "A", "year"),
        lambda: Retention("A", "A", mode="before"),
        lambda: Retention("A", "A", brackets=((1, 3), (2, 4))),
        lambda: Retention("A", "A", mode="on_or_after", brackets=((0, 1),)),
        lambda: Unit("group"),
        lambda: Flag("f", "last"),  # type: ignore[arg-type]
        lambda: Trend("A", "quarter"),
    ):
        with pytest.raises((InvalidInput, NotBuilt)) as refused:
            ask()
        assert refused.value.hint


@pytest.mark.parametrize("glob", ["pricing", "[", "https://shop.example/pricing", "/docs/?", "/docs#top"])
def test_a_glob_that_no_path_is_like_is_refused_with_one_that_some_are(analysis: Analysis, glob: str) -> None:
    with pytest.raises(InvalidInput, match="No path is like") as refused:
        analysis.ask(Preview(definition("x", view=glob)))
    assert ("'/pricing'" if "pricing" in glob else "'/") in refused.value.hint
    with pytest.raises(InvalidInput, match="No path is like"):
        analysis.define(definition("x", click="a", path=glob))


def test_a_range_that_ends_before_it_begins_is_refused(analysis: Analysis) -> None:
    for first, last in (("2026-03-03", "2026-03-02"), ("2026-03-02", "2026-03-02")):
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        for question in (replace(FUNNEL, start=start, end=end), Trend(VIEWED, start=start, end=end)):
            with pytest.raises(InvalidInput, match=f"{first} to {last}"):
                analysis.ask(question)


def test_a_flag_or_an_environment_that_nothing_names_is_noted(analysis: Analysis) -> None:
    questions: tuple[Funnel | Retention | Trend, ...] = (
        replace(FUNNEL, by=Flag("nope")),
        Retention(VIEWED, VIEWED, by=Flag("nope")),
        Trend(VIEWED, by=Flag("nope")),
    )
    for question in questions:
        assert analysis.ask(question).notes[0] == "No exposure names the flag 'nope'; known flags: 'f'."
        elsewhere = analysis.ask(replace(question, by=None, environment="nope"))
        assert elsewhere.notes[0] == "No event has the environment 'nope'; known environments: 'production'."
    assert not [note for note in analysis.ask(FUNNEL).notes if "known" in note]


def test_flags_say_what_they_leave_out(tmp_path: Path) -> None:
    story = Story(tmp_path / "bots")
    story.capture("crawler", expose("f", "red"), at="10:00", user_agent="Googlebot/2.1")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    answer = opened.ask(FlagList())
    assert isinstance(answer, FlagsAnswer)
    assert answer.flags == ()
    assert [(each.reason, each.events, each.people, each.share) for each in answer.basis.left_out] == [
        ("bots", 1, 1, 1.0)
    ]
    by_flag = opened.ask(Trend(definition("x", view="/**"), by=Flag("f")))
    assert by_flag.notes[0].startswith("Every exposure to the flag 'f' is left out")
    opened.close()


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    """A click inside a frame of the page's own origin."""
    story = Story(tmp_path_factory.mktemp("framed") / "data")
    story.capture("ann", view("/"), click("main iframe.pay >>> html body form button"), at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("selector", "events"),
    [
        ("button", 1),
        ("form button", 1),
        ("html > body > form > button", 1),
        (":root button", 1),
        (":root > body > form", 1),
        ("iframe.pay", 1),
        ("main iframe", 1),
        (":root main", 1),
        ("iframe button", 0),
        ("main button", 0),
        ("iframe :root", 0),
        ("main > iframe > html", 0),
    ],
)
def test_a_frame_of_the_same_origin_is_a_tree_of_its_own_below_its_element(
    framed: Analysis, selector: str, events: int
) -> None:
    answer = framed.ask(Preview(definition("pay", click=selector)))
    assert isinstance(answer, PreviewAnswer)
    assert (answer.events, answer.unknown) == (events, 0)


def test_events_of_any_type_have_a_past(empty_folder: Path) -> None:
    story = Story(empty_folder)
    copy = replace(click("main p.price", text="12 €"), type="copy")
    story.capture("ann", view("/"), copy, Action("web_vital", fields={"name": "LCP"}), at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    for said, events in (("copy", 1), ("copy .price", 1), ("copy .total", 0), ("web_vital", 1), ("paste", 0)):
        answer = opened.ask(Preview(definition("x", on=said)))
        assert isinstance(answer, PreviewAnswer)
        assert (said, answer.events) == (said, events)
    opened.close()


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("mousemove", "Pages never send events of the type 'mousemove'"),
        ("web_vital a", "Events of the type 'web_vital' have no element"),
        ("copy a", "No event of the type 'copy' has arrived; known types: 'click'"),
        ("web_vital", "No event of the type 'web_vital' has arrived"),
        ("click", None),
    ],
)
def test_a_type_that_can_find_nothing_says_why(analysis: Analysis, said: str, note: str | None) -> None:
    answer = analysis.ask(Preview(definition("x", on=said)))
    assert answer.basis.notes == () if note is None else any(note in each for each in answer.basis.notes)


def test_the_types_that_pages_never_send_are_those_that_the_snippet_refuses() -> None:
    source = Path(__file__).parents[2] / "snippet" / "src" / "more" / "types.ts"
    assert f"/{NEVER_HEARD.pattern}/" in source.read_text()


def test_live_events_say_what_a_web_vital_measured_and_which_types_there_are(empty_folder: Path) -> None:
    story = Story(empty_folder)
    vital = Action("web_vital", fields={"properties": {"metric": "CLS", "value": 0.0312, "rating": "good"}})
    story.capture("ann", view("/"), view("/tea"), vital, at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    answer = opened.ask(Live())
    assert isinstance(answer, LiveAnswer)
    assert (answer.types, answer.total) == (("page_view", "web_vital"), 3)
    assert {(event.type, event.metric, event.value) for event in answer.events} == {
        ("page_view", None, None), ("web_vital", "CLS", 0.0312),
    }  # fmt: skip
    opened.close()
