"""Questions over a real folder: definitions and versions, previews, people behind bars, live events, the sandbox."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expost.errors import InvalidInput, NotBuilt, QueryLimit, SelectorError, UnknownDefinition, UnknownVersion
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.breakdown import Flag
from expost.query.definition import NEVER_HEARD, Definition, definition
from expost.query.difference import Difference, DifferenceAnswer
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.flag_list import FlagList, FlagsAnswer
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople, Stage
from expost.query.live import Live, LiveAnswer, LiveEvent
from expost.query.person import PeopleAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Question, Saved, Step
from expost.query.retention import Retention, RetentionAnswer
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import Unit
from expost.state.definitions import SHELF
from expost.state.details import Details, detail_history
from expost.state.sites import Site, add_site
from tests.story import Action, Story, click, expose, identify, track, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def analysis(empty_folder: Path) -> Iterator[Analysis]:
    """A shop with three visitors: ann and bob saw a flag, and only ann bought."""
    story = Story(empty_folder)
    story.capture(
        "ann", view("/"), expose("f", "red"), click("form.cart button.buy span", label="Buy now"), at="10:00"
    )
    story.capture("ann", identify("ann@shop.example"), track("Paid", amount=12), at="10:10")
    story.capture("bob", view("/"), expose("f", "blue"), click("nav a.help", label="Help"), at="11:00")
    story.capture("cy", view("/pricing"), at="12:00")
    opened = Analysis(story.path, memory_limit="500MB", threads=1, max_seconds=60)
    add_site(opened.state, Site("shop", "Shop"))
    yield opened
    opened.close()


VIEWED, BOUGHT = definition("Viewed", view="/**"), definition("Bought", click="button.buy")
FUNNEL = Funnel((VIEWED, BOUGHT), WEEK, by=Flag("f"), now=NOW)


def test_the_same_meaning_keeps_its_version_and_another_one_gets_the_next(analysis: Analysis) -> None:
    first = analysis.define(definition("Signed up", click="form button"))
    assert first.version == 1
    assert analysis.define(definition("  signed  UP", click="form button")).version == 1
    assert analysis.define(definition("Signed up", click="form .go")).version == 2
    assert analysis.define(definition("Signed up", click="form button")).version == 3
    assert analysis.definition("SIGNED UP", 1).body() == first.body()
    assert [each["version"] for each in analysis.history("signed up")] == [1, 2, 3]
    assert [each.version for each in analysis.definitions()] == [3]


def test_an_unknown_definition_is_named_with_the_nearest_one(analysis: Analysis) -> None:
    analysis.define(definition("Signed up", click="form button"))
    with pytest.raises(UnknownDefinition, match="Sigend up") as refused:
        analysis.ask(Preview("Sigend up"))
    assert "Signed up" in refused.value.hint


def test_what_cannot_be_read_is_refused_before_it_is_saved(analysis: Analysis) -> None:
    with pytest.raises(SelectorError):
        analysis.define(definition("x", click="a:hover"))
    with pytest.raises(InvalidInput, match="expression"):
        analysis.define(definition("x", click="a", text="matches:("))
    with pytest.raises(InvalidInput, match="every event"):
        definition("x")
    assert analysis.definitions() == []


def test_a_definition_survives_its_json() -> None:
    given = definition(
        "x", click=["a", "b"], view="/**", text="contains/i:buy", query={"q": None}, properties={"n": 1}
    )
    assert Definition.from_json(json.loads(json.dumps(given.to_json()))) == given
    with pytest.raises(InvalidInput, match="selecter"):
        Definition.from_json({"name": "x", "alternatives": [{"selecter": "a"}]})


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


REFUSED = [
    "select 1; select 2",
    "",
    "create table x (i int)",
    "insert into lake.events select * from lake.events",
    "with x as (delete from lake.snapshot returning *) select * from x",
    "copy (select 1) to '/tmp/expost-must-not-be-written.csv'",
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_csv('/proc/self/environ')",
    "select * from glob('/*')",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "attach '/tmp/expost-must-not-be-written.db'",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "select $name",
    "selec 1",
    "select * from nowhere",
]


@pytest.mark.parametrize("text", REFUSED)
def test_sql_that_does_more_than_read_the_lake_is_refused(analysis: Analysis, text: str) -> None:
    with pytest.raises(InvalidInput):
        analysis.ask(SqlQuery(text))
    assert not list(Path("/tmp").glob("expost-must-not-be-written*"))


def test_sql_is_cut_at_its_limit_and_says_so(analysis: Analysis) -> None:
    answer = analysis.ask(SqlQuery("select * from range(10)", limit=3))
    assert isinstance(answer, RowsAnswer)
    assert answer.is_cut
    assert answer.to_json() == [{"range": 0}, {"range": 1}, {"range": 2}]


def test_columns_of_the_same_name_are_all_there(analysis: Analysis) -> None:
    answer = analysis.ask(SqlQuery("select 0 as b, 1 as a, 2 as a, 3 as a_1"))
    assert isinstance(answer, RowsAnswer)
    assert answer.to_json() == list(answer) == [{"b": 0, "a": 1, "a_2": 2, "a_1": 3}]
    assert answer.to_polars().columns == ["b", "a", "a_2", "a_1"]


def test_whole_numbers_that_javascript_would_round_are_text_in_json(analysis: Analysis) -> None:
    large = "1::ubigint, 1, true, [7, 1::bigint << 60]), (1::ubigint << 63, 2, null, null"
    answer = analysis.ask(SqlQuery(f"select * from (values ({large}))"))
    assert isinstance(answer, RowsAnswer)
    assert answer.to_json() == [
        {"col0": "1", "col1": 1, "col2": True, "col3": ["7", str(2**60)]},
        {"col0": str(2**63), "col1": 2, "col2": None, "col3": None},
    ]
    assert answer.rows()[1]["col0"] == 2**63
    assert analysis.ask(SqlQuery("select 1 where false")).to_json() == []


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


@pytest.mark.parametrize(
    ("name", "view"), [("users", "people"), ("event", "events"), ("Descriptors", "elements")]
)
def test_a_table_that_is_none_leads_to_the_documented_view(analysis: Analysis, name: str, view: str) -> None:
    with pytest.raises(InvalidInput, match=name) as refused:
        analysis.ask(SqlQuery(f"select * from {name}"))
    assert refused.value.hint.startswith(f"What you ask for is in {view}.")
    assert "lake." not in str(refused.value) + refused.value.hint


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
    empty_folder: Path, selector: str, events: int
) -> None:
    story = Story(empty_folder)
    story.capture("ann", view("/"), click("main iframe.pay >>> html body form button"), at="10:00")
    opened = Analysis(story.path)
    add_site(opened.state, Site("shop", "Shop"))
    answer = opened.ask(Preview(definition("pay", click=selector)))
    assert isinstance(answer, PreviewAnswer)
    assert (answer.events, answer.unknown) == (events, 0)
    opened.close()


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


def test_a_version_from_a_day_on_leaves_the_time_before_it_to_the_version_before(analysis: Analysis) -> None:
    [day] = {event.time.date() for event in _live(analysis)}
    analysis.define(definition("Went on", click="nav a.help"))
    second = analysis.define(definition("Went on", click="button.buy"), valid_from=day)
    assert second.version == 2
    assert second.to_json()["valid_from"] == f"{day}T00:00:00Z"
    assert _events(analysis, "Went on") == 1
    assert _events(analysis, "Went on@1") == 1
    assert _events(analysis, Saved("Went on", 2)) == 1
    again = analysis.define(definition("Went on", click="button.buy"), valid_from=day)
    assert again.version == 2
    funnel = analysis.ask(Funnel((definition("Viewed", view="/**"), "Went on"), WEEK, now=NOW))
    [_, used] = funnel.basis.definitions
    assert [each.version for each in used.versions] == [1, 2]


def test_days_of_validity_are_those_of_the_site(analysis: Analysis) -> None:
    add_site(analysis.state, Site("far", "Far", time_zone="America/New_York"))
    saved = analysis.define(definition("Seen", view="/**"), site="far", valid_until=date(2026, 3, 8))
    assert saved.to_json()["valid_until"] == "2026-03-08T05:00:00Z"
    with pytest.raises(InvalidInput, match="no time at all"):
        analysis.define(
            definition("Seen", view="/**"),
            site="far",
            valid_from=date(2026, 3, 8),
            valid_until=date(2026, 3, 8),
        )


def test_a_name_that_ends_like_a_pin_is_found_as_it_is(analysis: Analysis) -> None:
    analysis.define(definition("Seen@2", view="/**"))
    analysis.define(definition("Seen", view="/nowhere"))
    assert _events(analysis, "Seen@2") > 0
    assert _events(analysis, "Seen@1") == 0
    with pytest.raises(UnknownVersion, match="version 9"):
        _events(analysis, "Seen@9")


@pytest.mark.parametrize("name", ["events", "Elements", "ＰＥＯＰＬＥ", " losses "])
def test_a_name_that_sql_knows_is_refused(analysis: Analysis, name: str) -> None:
    with pytest.raises(InvalidInput, match="SQL has a view of that name") as refusal:
        analysis.define(definition(name, view="/**"))
    assert "Take another name" in refusal.value.hint


def _live(analysis: Analysis) -> Sequence[LiveEvent]:
    answer = analysis.ask(Live())
    assert isinstance(answer, LiveAnswer)
    return answer.events


def _events(analysis: Analysis, step: Step) -> int:
    answer = analysis.ask(Preview(step, now=NOW))
    assert isinstance(answer, PreviewAnswer)
    return answer.events


def test_each_definition_is_a_view_of_its_name(analysis: Analysis) -> None:
    analysis.define(definition("Bought it!", click="form.cart button.buy", text="contains:Buy"))
    analysis.define(definition("Seen", view=["/", "/pricing"]))
    count = 'select count(*) as n, min(type) as t from "Bought it!"'
    [row] = _rows(analysis, count)
    assert (row["n"], row["t"]) == (1, "click")
    assert (
        _rows(analysis, 'select * from "ＢＯＵＧＨＴ  it!"')[0].keys()
        == _rows(analysis, "from events")[0].keys()
    )
    [both] = _rows(
        analysis, 'select (select count(*) from Seen) as s, (select count(*) from "Seen@1" as x) as t'
    )
    assert (both["s"], both["t"]) == (3, 3)
    joined = 'select count(distinct a.person_id) as n from Seen as a join "Bought it!" as b using (person_id)'
    assert _rows(analysis, joined) == [{"n": 1}]


def test_a_view_of_a_definition_takes_the_version_in_force_and_says_which(analysis: Analysis) -> None:
    [day] = {event.time.date() for event in _live(analysis)}
    analysis.define(definition("Went on", click="nav a.help"))
    analysis.define(definition("Went on", click="button.buy"), valid_from=day)
    answer = analysis.ask(SqlQuery('select label from "Went on"'))
    assert isinstance(answer, RowsAnswer)
    assert answer.rows() == [{"label": "Buy now"}]
    [note] = answer.notes
    assert note.startswith("'Went on' is version 2 of the site 'shop'")


def test_a_view_of_a_definition_that_several_sites_have_holds_the_events_of_each(analysis: Analysis) -> None:
    add_site(analysis.state, Site("other", "Other"))
    analysis.define(definition("Seen", view="/pricing"), site="shop")
    analysis.define(definition("Seen", view="/**"), site="other")
    assert len(_rows(analysis, "select site from Seen")) == 1
    answer = analysis.ask(SqlQuery("select site from Seen", site="other"))
    assert isinstance(answer, RowsAnswer)
    assert answer.rows() == []


def test_names_of_definitions_are_no_way_out_of_the_sandbox(analysis: Analysis) -> None:
    name = '"; drop view events; --'
    analysis.define(definition(name, view="/**", text="contains:'); select 1; -- $site"))
    assert _rows(analysis, f'select * from "{name.replace(chr(34), chr(34) * 2)}"') == []
    assert len(_rows(analysis, "from events")) > 1


def _rows(analysis: Analysis, text: str) -> list[dict[str, Any]]:
    answer = analysis.ask(SqlQuery(text))
    assert isinstance(answer, RowsAnswer)
    return answer.rows()


def test_a_query_nested_without_end_is_refused_in_words(analysis: Analysis) -> None:
    deep = "select * from (" * 3_000 + "events" + ")" * 3_000
    with pytest.raises(InvalidInput):
        analysis.ask(SqlQuery(deep))


def test_the_difference_of_two_versions_says_which_past_events_change_sides(analysis: Analysis) -> None:
    analysis.define(definition("Went on", click=["nav a.help", "form.cart button.buy"]))
    analysis.define(definition("Went on", click="form.cart button.buy", view="/pricing"))
    answer = analysis.ask(Difference("Went on", 1, 2))
    assert isinstance(answer, DifferenceAnswer)
    assert {each.side: (each.events, each.people) for each in answer.sides} == {
        "only_old": (1, 1),
        "only_new": (1, 1),
        "both": (1, 1),
        "unknown": (0, 0),
    }
    changed = {each.side: (each.type, each.said, each.path) for each in answer.samples}
    assert changed == {"only_old": ("click", "Help", "/"), "only_new": ("page_view", None, "/pricing")}
    [old] = [each for each in answer.samples if each.side == "only_old"]
    assert old.chain.endswith("a.help")
    [back] = [each for each in _difference(analysis, 2, 1).sides if each.side == "only_new"]
    assert back.events == 1


def test_a_difference_is_of_versions_in_effect(analysis: Analysis) -> None:
    [day] = {event.time.date() for event in _live(analysis)}
    analysis.define(definition("Went on", view="/pricing"))
    analysis.define(definition("Went on", click="nav a"), valid_from=day + timedelta(days=1))
    answer = _difference(analysis, 1, 2)
    assert [each.events for each in answer.sides] == [0, 0, 1, 0]
    assert answer.samples == ()
    analysis.define(definition("Went on", text="Buy now"), valid_from=day)
    assert [each.events for each in _difference(analysis, 2, 3).sides] == [1, 1, 0, 0]


def test_a_rollback_is_a_new_version_with_the_old_meaning_and_validity(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"), valid_until=date(2030, 1, 1))
    analysis.define(definition("Went on", click="nav a"))
    back = analysis.roll_back("Went on", 1, author="ann")
    assert back.version == 3
    assert back.to_json()["valid_until"] == "2030-01-01T00:00:00Z"
    assert analysis.history("Went on")[2]["author"] == "ann"
    with pytest.raises(UnknownVersion, match="version 9"):
        analysis.roll_back("Went on", 9)


def test_what_is_said_of_a_definition_keeps_author_and_time_of_each_change(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"))
    analysis.describe("went ON", owner="ann", tags=["a"], author="ann")
    analysis.describe("Went on", owner="bob", author="bob")
    analysis.describe("Went on", owner="bob", author="cy")
    assert analysis.details("Went on") == Details("bob", ("a",))
    changes = detail_history(analysis.state, SHELF, "shop", "Went on")
    assert [(each.detail, each.value, each.author) for each in changes] == [
        ("owner", "ann", "ann"),
        ("tags", ["a"], "ann"),
        ("owner", "bob", "bob"),
    ]


def test_an_archived_definition_is_not_listed_and_still_answers(analysis: Analysis) -> None:
    analysis.define(definition("Went on", view="/pricing"))
    analysis.describe("Went on", archived=True)
    assert analysis.definitions() == []
    assert [each.name for each in analysis.definitions(archived=True)] == ["Went on"]
    assert _events(analysis, "Went on") == 1
    analysis.describe("Went on", archived=False)
    assert [each.name for each in analysis.definitions()] == ["Went on"]


def _difference(analysis: Analysis, old: int, new: int) -> DifferenceAnswer:
    answer = analysis.ask(Difference("Went on", old, new))
    assert isinstance(answer, DifferenceAnswer)
    return answer
