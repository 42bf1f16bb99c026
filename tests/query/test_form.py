"""A question in words means the same on the command line, in an address and in a form."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from expost.command_answer import form_of_options
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.breakdown import Flag
from expost.query.definition import Definition, definition
from expost.query.form import form_of
from expost.query.form_cohort import cohort_of
from expost.query.form_definition import definition_of, preview_of
from expost.query.form_funnel import funnel_of
from expost.query.form_retention import retention_of
from expost.query.form_trend import trend_of
from expost.query.funnel import Funnel, Stage
from expost.query.pattern import Pattern
from expost.query.property_match import PropertyMatch
from expost.query.retention import Retention
from expost.query.unit import Unit
from expost.state.sites import Site, add_site
from tests.story import Story, view


def test_any_type_of_event_is_named_with_or_without_a_selector():
    made = definition_of("x", form_of([("on", "copy form .price"), ("on", "web_vital")]))
    assert [(each.types, each.selector) for each in made.alternatives] == [
        (("copy",), "form .price"), (("web_vital",), None),
    ]  # fmt: skip
    for bad in ("7up .price", ".price", " "):
        with pytest.raises(InvalidInput, match="no type of event"):
            definition_of("x", form_of([("on", bad)]))


def test_a_funnel_reads_its_steps_in_order():
    question = funnel_of(form_of([("step", "A"), ("step", "B"), ("within", "36h"), ("by", "flag:new")]))
    assert question.steps == ("A", "B")
    assert question.within == timedelta(hours=36)
    assert question.by == Flag("new")


@pytest.mark.parametrize(
    ("field", "text", "example"),
    [("step_within", "1h", "3=1h"), ("step_within", "x", "3=1h"), ("where", "plan=pro", "2:plan=pro")],
)
def test_what_is_said_of_a_step_without_its_number_is_refused_with_the_form_it_has(
    field: str, text: str, example: str
):
    with pytest.raises(InvalidInput, match=f"{field} is '{text}', which names no step") as refused:
        funnel_of(form_of([("step", "A"), ("step", "B"), ("within", "36h"), (field, text)]))
    assert refused.value.hint.endswith(example)


def test_a_negative_number_is_told_which_numbers_there_are():
    with pytest.raises(InvalidInput, match="periods is '-3'") as refused:
        retention_of(form_of([("start_event", "A"), ("periods", "-3")]))
    assert "no sign" in refused.value.hint


def test_a_zero_on_the_command_line_is_as_much_said_as_any_number():
    form = form_of_options({"start_event": "A", "periods": 0, "rolling": False, "gap": None})
    assert retention_of(form).periods == 0
    with pytest.raises(InvalidInput, match="optional names the step 0"):
        funnel_of(form_of_options({"optional": (0,)}, step=("A", "B")))


def test_a_trend_reads_its_measure_and_what_it_is_divided_by():
    form = form_of(
        [("name", "A"), ("measure", "sum:price"), ("per", "B"), ("per_measure", "people"), ("from", "2026-11-01"),
         ("to", "2026-11-02"), ("compare", "previous")]
    )  # fmt: skip
    question = trend_of(form)
    assert (str(question.measure), question.per, question.compare) == ("sum:price", "B", "previous")
    assert [str(each) for each in question.measures] == ["sum:price", "people"]
    for pairs, said in (
        ([("measure", "sum")], "of what"),
        ([("measure", "events:price")], "not of a property"),
        ([("measure", "p100:price")], "no measure"),
        ([("per_measure", "people")], "needs a definition"),
        ([("compare", "previous")], "needs a range"),
    ):
        with pytest.raises(InvalidInput, match=said):
            trend_of(form_of([("name", "A"), *pairs]))


def test_what_every_question_takes():
    form = form_of(
        [("name", "A"), ("site", "shop"), ("from", "2026-11-01"), ("to", "2026-11-02T08:00:00+01:00"),
         ("time_zone", "Europe/Berlin"), ("environment", "all"), ("bots", "yes"), ("internal", "no")]
    )  # fmt: skip
    question = trend_of(form)
    assert question.site == "shop"
    assert question.start == date(2026, 11, 1)
    assert question.end == datetime.fromisoformat("2026-11-02T08:00:00+01:00")
    assert (question.time_zone, question.environment, question.bots) == ("Europe/Berlin", "all", True)
    assert question.internal is False
    unsaid = trend_of(form_of([("name", "A")]))
    assert (unsaid.bots, unsaid.internal, unsaid.environment) == (None, None, None)
    several = trend_of(form_of([("name", "A"), ("environment", "production"), ("environment", "staging")]))
    assert several.environment == ("production", "staging")


def test_conditions_become_alternatives_and_shared_conditions():
    made = definition_of(
        "x",
        form_of(
            [
                ("click", "a"),
                ("click", "b"),
                ("track", "order"),
                ("property", "seats=3"),
                ("property", "plan"),
            ]
        ),
    )
    assert [each.selector for each in made.alternatives] == ["a", "b", None]
    assert made.alternatives[2].event_name == "order"
    for alternative in made.alternatives:
        assert alternative.properties == (PropertyMatch("seats", "is", 3), PropertyMatch("plan", "exists"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=1", 1), ("a=1.5", 1.5), ("a=true", True), ('a="1"', "1"), ("a=one", "one"), ("a=[1]", "[1]")],
)
def test_a_property_value_is_json_where_it_can_be(text, value):
    [alternative] = definition_of("x", form_of([("track", "t"), ("property", text)])).alternatives
    assert alternative.properties[0].value == value
    assert type(alternative.properties[0].value) is type(value)


def test_query_parameters_are_present_or_equal():
    [alternative] = definition_of(
        "x", form_of([("view", "/**"), ("query", "a"), ("query", "b=2")])
    ).alternatives
    assert [(each.name, each.pattern) for each in alternative.query] == [
        ("a", None),
        ("b", Pattern("is", "2")),
    ]


def test_a_preview_is_of_conditions_or_of_a_name():
    assert preview_of(form_of([("name", "Signed up")])).definition == "Signed up"
    assert isinstance(preview_of(form_of([("click", "a")])).definition, Definition)
    with pytest.raises(InvalidInput, match="Both"):
        preview_of(form_of([("name", "Signed up"), ("click", "a")]))


def test_retention_of_one_event_with_itself():
    question = retention_of(form_of([("start_event", "A"), ("period", "day"), ("periods", "3")]))
    assert (question.begins, question.returns, question.period, question.periods) == ("A", "A", "day", 3)


def test_a_funnel_is_read_with_all_that_may_be_said_of_it():
    question = funnel_of(
        form_of(
            [("step", "A"), ("step", "B"), ("step", "C"), ("optional", "2"), ("step_within", "3=1h"),
             ("where", "3:plan=pro"), ("ends_attempt", "X"), ("removes_unit", "Y"),
             ("unit", "session"), ("gap", "20min"),
             ("by", "flag:f"),
             ("several", "as_treated"), ("exposures_from", "2026-03-03"), ("over", "week"), ("compare", "previous"),
             ("from", "2026-03-02"),
             ("to", "2026-03-09"), ("week_start", "sunday")]
        )
    )  # fmt: skip
    where = definition("where", properties=[PropertyMatch("plan", "is", "pro")])
    assert question == Funnel(
        ("A", Stage("B", optional=True), Stage("C", timedelta(hours=1), where=where)),
        timedelta(days=7),
        by=Flag("f", "as_treated", date(2026, 3, 3)),
        unit=Unit("session", None, timedelta(minutes=20)),
        ends_attempt=("X",),
        removes_unit=("Y",),
        over="week",
        compare="previous",
        start=date(2026, 3, 2),
        end=date(2026, 3, 9),
        week_start=6,
    )


def test_a_retention_is_read_with_all_that_may_be_said_of_it():
    question = retention_of(
        form_of(
            [
                ("start_event", "A"),
                ("mode", "on_or_after"),
                ("rolling", "yes"),
                ("entry", "recurring"),
                ("period", "month"),
            ]
        )
    )
    assert question == Retention("A", "A", "month", mode="on_or_after", rolling=True, entry="recurring")
    assert retention_of(form_of([("start_event", "A"), ("brackets", "0,1-3")])).cells == ((0, 0), (1, 3))


@pytest.mark.parametrize(
    ("read", "pairs", "kind", "says"),
    [
        (funnel_of, [("within", "7d")], InvalidInput, "needs steps"),
        (funnel_of, [("step", "A"), ("within", "7")], InvalidInput, "within is '7'"),
        (
            funnel_of,
            [("step", "A"), ("step", "B"), ("step_within", "2=7")],
            InvalidInput,
            "step_within is '7'",
        ),
        (funnel_of, [("step", "A"), ("last", "-3d")], InvalidInput, "last is '-3d'"),
        (funnel_of, [("step", "A"), ("unit", "session"), ("gap", "x")], InvalidInput, "gap is 'x'"),
        (funnel_of, [("step", "A"), ("unit", "group")], InvalidInput, "unit is 'group'"),
        (funnel_of, [("step", "A"), ("windwo", "7d")], InvalidInput, "'windwo'"),
        (funnel_of, [("step", "A"), ("by", "planet")], InvalidInput, "'planet'"),
        (funnel_of, [("step", "A"), ("by", "planet:mars")], InvalidInput, "'planet:mars'"),
        (funnel_of, [("step", "A"), ("several", "exclude")], InvalidInput, "'exclude'"),
        (funnel_of, [("step", "A"), ("by", "path"), ("several", "exclude")], InvalidInput, "'exclude'"),
        (
            funnel_of,
            [("step", "A"), ("exposures_from", "2026-03-02")],
            InvalidInput,
            "exposures_from is '2026-03-02'",
        ),
        (funnel_of, [("step", "A"), ("by", "flag:f"), ("exposures_from", "then")], InvalidInput, "'then'"),
        (funnel_of, [("step", "A"), ("order", "backwards")], InvalidInput, "'backwards'"),
        (funnel_of, [("step", "A"), ("unit", "planet")], InvalidInput, "planet"),
        (funnel_of, [("step", "A"), ("optional", "3")], InvalidInput, "the step 3 of a funnel with 1"),
        (retention_of, [("start_event", "A"), ("period", "year")], InvalidInput, "'year'"),
        (retention_of, [("start_event", "A"), ("brackets", "1-x")], InvalidInput, "'1-x'"),
        (retention_of, [("start_event", "A"), ("week_start", "someday")], InvalidInput, "'someday'"),
        (retention_of, [("start_event", "A"), ("periods", "-1")], InvalidInput, "'-1'"),
        (trend_of, [("name", "A"), ("from", "yesterday")], InvalidInput, "'yesterday'"),
        (trend_of, [("name", "A"), ("bots", "maybe")], InvalidInput, "'maybe'"),
        (trend_of, [("name", "A"), ("name", "B")], InvalidInput, "2 times"),
        (preview_of, [("site", "shop")], InvalidInput, "No condition"),
        (
            partial(cohort_of, "C"),
            [("sequence", "A")],
            InvalidInput,
            "at least two definitions, and this one only 'A'",
        ),
    ],
)
def test_what_cannot_be_read_is_named(read, pairs, kind, says):
    with pytest.raises(kind, match=says) as refusal:
        read(form_of(pairs))
    assert refusal.value.hint


def test_an_empty_hash_tells_a_page_from_its_parts(tmp_path: Path) -> None:
    story = Story(tmp_path / "data")
    story.capture("ann", view("/docs"), view("/docs#install", spa=True), at="10:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    for hash_, events in ((None, 2), ("is:", 1), ("install", 1)):
        form = form_of([("view", "/docs"), *([("hash", hash_)] if hash_ else [])])
        assert analysis.ask(preview_of(form)).to_json()["events"] == events
    analysis.close()
