"""Reports and dashboards: kept in their whole form, as versions and as files, and asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.door import Lake
from expost.errors import InvalidInput, UnknownCohort, UnknownDefinition, UnknownReport, UnknownVersion
from expost.query.analysis import Analysis
from expost.query.breakdown import ByCohort, ByColumn, ByProperty, ByTrait, Flag
from expost.query.cohort import Cohort, Did
from expost.query.definition import definition
from expost.query.fields import fields_of
from expost.query.funnel import Funnel, Stage
from expost.query.lifecycle import Lifecycle
from expost.query.live import Live
from expost.query.measure import Measure
from expost.query.paths import Paths
from expost.query.property_match import PropertyMatch
from expost.query.question import Question, Saved
from expost.query.report import KINDS, Report, read_question
from expost.query.report_file import parse_report, write_report
from expost.query.retention import Retention
from expost.query.sessions import Sessions
from expost.query.stickiness import Stickiness
from expost.query.trend import Trend
from expost.query.unit import Unit
from expost.state.details import Details
from expost.state.sites import Site, add_site
from tests.story import Story, track

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def lake(empty_folder: Path) -> Iterator[Lake]:
    """Two people who look on Monday; one orders an hour later, the other one on Tuesday."""
    story = Story(empty_folder, "shop")
    story.capture("ann", track("Looked"), track("Ordered"), at="10:00", apart=3_600)
    story.capture("bob", track("Looked"), at="10:00")
    story.capture("bob", track("Ordered"), at="2026-03-03 10:00")
    analysis = Analysis(story.path, clock=lambda: int(NOON.timestamp() * 1_000_000))
    add_site(analysis.state, Site("shop", "Shop"))
    add_site(analysis.state, Site("other", "Other"))
    opened = Lake(analysis)
    for name in ("Looked", "Ordered"):
        for site in ("shop", "other"):
            opened.define(name, track=name, site=site)
    yield opened
    analysis.close()


def keep(lake: Lake, called: str, kind: str, /, site: str = "shop", **form: Any) -> Report:
    lists = {field: [value] if isinstance(value, str) else value for field, value in form.items()}
    pin = bool(lists.pop("pin", False))
    return lake.analysis.keep_report(called, kind, lists, pin=pin, site=site, author="ann")


def reached(lake: Lake, name: str, **over: str) -> list[int]:
    form = {field: [value] for field, value in over.items()}
    answer = lake.analysis.report_answer(name, over=form, site="shop")
    return [step.people for step in answer.steps]  # type: ignore[attr-defined]


def test_a_report_is_kept_in_its_whole_form_and_asked_again(lake):
    saved = keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"], within="2h")
    assert (saved.version, saved.author) == (1, "ann")
    # What was left to a default is written too: another default one day changes no report.
    assert saved.body() == {
        "kind": "funnel",
        "fields": {"step": ["Looked", "Ordered"], "within": ["2h"], "order": ["ordered"], "unit": ["person"]},
    }
    assert reached(lake, "checkout") == [2, 1]
    assert str(saved) == "funnel of Looked, Ordered (within 2h)"


def test_a_report_of_retention_says_once_what_people_began_with_and_came_back_for(lake):
    same = keep(lake, "Back", "retention", start_event="Looked", return_event="Looked", period="week")
    other = keep(lake, "Bought", "retention", start_event="Looked", return_event="Ordered", period="week")
    assert str(same) == "retention of Looked"
    assert str(other) == "retention of Looked, Ordered"


def test_a_report_by_variation_says_of_its_breakdown_what_is_not_as_always():
    asked = Funnel(steps=("Looked", "Ordered"), within=timedelta(days=7), by=Flag("checkout"))
    assert str(Report("By variation", asked)) == "funnel of Looked, Ordered (by flag:checkout)"
    other = Report("By variation", replace(asked, by=Flag("checkout", several="exclude")))
    assert str(other) == "funnel of Looked, Ordered (by flag:checkout; several exclude)"


def test_the_same_again_is_no_version_and_something_else_is_one(lake):
    keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"], within="2h")
    assert (
        keep(lake, "checkout", "funnel", step=["Looked", "Ordered"], within="120min", order="ordered").version
        == 1
    )
    assert keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"], within="2d").version == 2
    assert reached(lake, "Checkout") == [2, 2]
    back = lake.analysis.roll_back_kept("report", "Checkout", 1, site="shop")
    assert back.version == 3
    assert reached(lake, "Checkout") == [2, 1]
    first = lake.analysis.report_answer("Checkout", version=2, site="shop")
    assert [step.people for step in first.steps] == [2, 2]
    assert [each.version for each in lake.analysis.kept_history("report", "Checkout", site="shop")] == [
        1,
        2,
        3,
    ]


def test_a_report_follows_its_definitions_unless_it_is_pinned(lake):
    keep(lake, "Follows", "trend", name="Ordered")
    pinned = keep(lake, "Pinned", "trend", name="Ordered", pin=True)
    assert pinned.definitions == ("Ordered@1",)
    lake.define("Ordered", track="Never", site="shop")
    assert lake.analysis.report_answer("Follows", site="shop").events == 0
    assert lake.analysis.report_answer("Pinned", site="shop").events == 2
    assert lake.analysis.followers("ordered", site="shop") == ["Follows", "Pinned"]
    assert lake.analysis.followers("Looked", site="shop") == []


def test_what_is_said_over_a_report_replaces_its_range_and_nothing_else(lake):
    keep(
        lake,
        "Monday",
        "funnel",
        step=["Looked", "Ordered"],
        within="2d",
        **{"from": "2026-03-02", "to": "2026-03-03"},
    )
    assert reached(lake, "Monday") == [2, 2]
    assert reached(lake, "Monday", **{"from": "2026-03-03"}) == [0, 0]
    assert reached(lake, "Monday", last="1d") == [0, 0]
    assert reached(lake, "Monday", as_of="2026-03-02T12:00:00+00:00") == [2, 1]
    with pytest.raises(InvalidInput, match="'within' cannot be said over a report"):
        reached(lake, "Monday", within="1h")


def test_the_last_days_end_with_today_in_the_time_zone_of_the_report(lake):
    keep(lake, "Lately", "trend", name="Ordered", last="2d")
    answer = lake.analysis.report_answer("Lately", site="shop")
    assert (answer.events, len(answer.points)) == (1, 2)
    assert answer.notes[0] == "The last 2 days: from 2026-03-03 until 2026-03-05, which is not counted."
    far = lake.trend("Ordered", last="1d", time_zone="Pacific/Kiritimati", site="shop")
    assert far.notes[0] == "The last 1 days: from 2026-03-05 until 2026-03-06, which is not counted."
    # A report made of the answer means the last days again, and not those of today.
    assert lake.save_report("Made of it", far).fields["last"] == ["1d"]
    assert lake.trend("Ordered", last=timedelta(days=1), compare="previous", site="shop").compared.events == 1
    assert lake.trend("Ordered", last=timedelta(days=2), site="shop").behind().total == 1
    with pytest.raises(InvalidInput, match="no days of the calendar"):
        lake.trend("Ordered", last=timedelta(hours=5), site="shop")
    with pytest.raises(InvalidInput, match="last is 0 days") as refused:
        lake.trend("Ordered", last="0d", site="shop")
    assert refused.value.hint == "Give 1 or more, for example last=30d"
    with pytest.raises(InvalidInput, match="both said"):
        lake.trend("Ordered", last=timedelta(days=1), start=date(2026, 3, 1), site="shop")


def test_what_no_report_can_be_about_is_refused_by_name(lake):
    with pytest.raises(UnknownDefinition, match="'Orderd'"):
        keep(lake, "X", "trend", name="Orderd")
    with pytest.raises(UnknownVersion, match="no version 7"):
        keep(lake, "X", "trend", name="Ordered@7")
    with pytest.raises(UnknownCohort, match="'Regulars'"):
        keep(lake, "X", "trend", name="Ordered", cohort="Regulars")
    with pytest.raises(InvalidInput, match="'pie' is no kind of report"):
        keep(lake, "X", "pie", name="Ordered")
    with pytest.raises(InvalidInput, match="characters"):
        keep(lake, " ", "trend", name="Ordered")
    with pytest.raises(UnknownReport, match="'X'"):
        lake.analysis.report_answer("X", site="shop")
    with pytest.raises(InvalidInput, match="is not saved"):
        fields_of(Trend(definition("Once", track="a")))
    with pytest.raises(InvalidInput, match="is not saved"):
        fields_of(Trend("Ordered", cohort=(Cohort("Once", did=(Did("Ordered"),)),)))
    with pytest.raises(InvalidInput, match="no words in a form"):
        fields_of(Funnel((Stage("A", where=definition("where", path="/a")),), timedelta(1)))
    with pytest.raises(InvalidInput, match="no question that is kept"):
        fields_of(Live())


def test_a_list_of_sessions_is_kept_with_its_filters_and_about_nobody_by_name(lake):
    form: dict[str, Any] = {
        "did": ["Ordered"],
        "property": ["column:country", "plan=3"],
        "order": ["longest"],
        "last": ["3d"],
    }
    saved = keep(lake, "Visits", "sessions", pin=True, **form)
    assert saved.fields == {
        "did": ["Ordered@1"], "property": ["column:country", "plan=3"], "period": ["day"], "order": ["longest"],
        "limit": ["50"], "gap": ["30min"], "last": ["3d"],
    }  # fmt: skip
    assert str(saved) == "sessions of Ordered@1 (property column:country, plan=3; order longest; last 3d)"
    keep(lake, "All visits", "sessions", last="3d")
    answer = lake.analysis.report_answer("All visits", site="shop")
    assert answer.rows() == lake.sessions(last="3d", site="shop").rows()
    assert answer.total == 4
    assert lake.analysis.report_answer("All visits", over={"last": ["1d"]}, site="shop").total == 0
    assert str(lake.analysis.kept_report("All visits", site="shop")) == "sessions (last 3d)"
    assert lake.analysis.followers("Ordered", site="shop") == ["Visits"]
    for whom in ("person", "device"):
        with pytest.raises(InvalidInput, match="A report is about everybody"):
            keep(lake, "Hers", "sessions", **{whom: "ann"})


def test_an_archived_report_is_not_listed_and_still_answered(lake):
    keep(lake, "Checkout", "funnel", step="Looked")
    told = lake.analysis.describe_kept(
        "report", "CHECKOUT", site="shop", archived=True, note="Old", author="bob"
    )
    assert told == Details(note="Old", archived=True)
    assert lake.analysis.kept("report", site="shop") == []
    assert [each.name for each in lake.analysis.kept("report", site="shop", archived=True)] == ["Checkout"]
    assert reached(lake, "Checkout") == [2]
    assert lake.analysis.followers("Looked", site="shop") == []


def test_a_dashboard_is_a_list_of_reports_with_versions_of_its_own(lake):
    keep(lake, "Checkout", "funnel", step="Looked")
    keep(lake, "Orders", "trend", name="Ordered")
    board = lake.analysis.keep_dashboard("Weekly", ["Checkout", "Orders"], {"last": ["30d"]}, site="shop")
    assert (board.version, board.reports, board.over) == (1, ("Checkout", "Orders"), {"last": ["30d"]})
    assert (
        lake.analysis.keep_dashboard("weekly", ["Checkout", "Orders"], {"last": ["30d"]}, site="shop").version
        == 1
    )
    assert lake.analysis.keep_dashboard("Weekly", ["Orders"], {}, site="shop").version == 2
    with pytest.raises(UnknownReport):
        lake.analysis.keep_dashboard("X", ["Chekout"], {}, site="shop")
    with pytest.raises(InvalidInput, match="1 to 40 reports"):
        lake.analysis.keep_dashboard("X", [], {}, site="shop")
    with pytest.raises(InvalidInput, match="'step' cannot be said"):
        lake.analysis.keep_dashboard("X", ["Orders"], {"step": ["a"]}, site="shop")
    with pytest.raises(InvalidInput, match="no date"):
        lake.analysis.keep_dashboard("X", ["Orders"], {"from": ["soon"]}, site="shop")


def test_files_of_reports_applied_elsewhere_and_exported_again_are_equal(lake, tmp_path):
    keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"], within="2h", optional="2", last="30d")
    keep(
        lake, "Back", "retention", start_event="Looked", periods="3", rolling="yes", **{"from": "2026-03-01"}
    )
    lake.analysis.describe_kept("report", "Back", site="shop", owner="ann", tags=["a"])
    lake.analysis.keep_dashboard(
        "Weekly", ["Back", "Checkout"], {"time_zone": ["Europe/Berlin"]}, site="shop"
    )
    analysis = lake.analysis
    for noun, count in (("report", 2), ("dashboard", 1)):
        one, two = tmp_path / f"{noun}s", tmp_path / f"{noun}s again"
        analysis.export_kept(noun, one, site="shop")
        plan = analysis.plan_kept(noun, one, site="other")
        assert [each.kind for each in plan.planned] == ["new"] * count
        analysis.apply_kept(noun, plan, author="bob")
        analysis.export_kept(noun, two, site="other")
        files = {path.name: path.read_bytes() for path in one.iterdir()}
        assert files == {path.name: path.read_bytes() for path in two.iterdir()}
        assert len(files) == count
        assert analysis.plan_kept(noun, one, site="shop").changes == ()
    assert (tmp_path / "reports" / "back.toml").read_text() == (
        'name = "Back"\nowner = "ann"\ntags = ["a"]\n\n[retention]\nstart_event = "Looked"\nreturn_event = "Looked"\n'
        'period = "week"\nperiods = 3\nentry = "first_in_range"\nmode = "on"\nrolling = true\nunit = "person"\n'
        "from = 2026-03-01\n"
    )


def test_comments_stay_and_a_shorter_file_that_says_the_same_is_left_alone(lake, tmp_path):
    keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"])
    file = tmp_path / "mine.toml"
    file.write_text(
        '# Ours\nname = "Checkout"\n\n[funnel]  # by hand\nstep = ["Looked", "Ordered"]  # both\n'
    )
    [written] = lake.analysis.export_kept("report", tmp_path, site="shop")
    assert (written.file, written.is_written) == ("mine.toml", False)
    keep(lake, "Checkout", "funnel", step=["Looked"], within="2h")
    lake.analysis.describe_kept("report", "Checkout", site="shop", owner="ann")
    lake.analysis.export_kept("report", tmp_path, site="shop")
    assert file.read_text() == (
        '# Ours\nname = "Checkout"\nowner = "ann"\n\n[funnel]  # by hand\nstep = ["Looked"]  # both\n'
        'within = "2h"\norder = "ordered"\nunit = "person"\n'
    )


def test_the_plan_says_what_goes_and_what_comes(lake, tmp_path):
    keep(lake, "Checkout", "funnel", step=["Looked", "Ordered"])
    keep(lake, "Gone", "trend", name="Looked")
    lake.analysis.export_kept("report", tmp_path, site="shop")
    (tmp_path / "gone.toml").unlink()
    text = (tmp_path / "checkout.toml").read_text()
    (tmp_path / "checkout.toml").write_text(text.replace('within = "7d"', 'within = "1h"'))
    plan = lake.analysis.plan_kept("report", tmp_path, site="shop", archives_missing=True)
    assert [(each.name, each.kind, each.lines) for each in plan.planned] == [
        (
            "Checkout",
            "changed",
            ("- funnel of Looked, Ordered", "+ funnel of Looked, Ordered (within 1h)"),
        ),
        ("Gone", "archived", ("+ archived: it has no file",)),
    ]
    lake.analysis.apply_kept("report", plan)
    assert [each.name for each in lake.analysis.kept("report", site="shop")] == ["Checkout"]


WRONG = {
    "": ("line 1", "asks 0"),
    '[funnel]\nstep = "A"\n[trend]\nname = "A"': ("line 4", "asks 2"),
    '[funel]\nstep = "A"': ("line 2", "'funel'"),
    '[trend]\nname = "Looked"\nperiodd = "day"': ("line 2", "'periodd'"),
    '[trend]\nname = "Nobody"': ("line 2", "'Nobody'"),
    "[trend]\nname = 1.5": ("line 3", "name is 1.5"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_refused_with_its_line(lake, tmp_path, wrong):
    (tmp_path / "wrong.toml").write_text(f'name = "Wrong"\n{wrong}\n')
    line, message = WRONG[wrong]
    with pytest.raises(InvalidInput) as refusal:
        lake.analysis.plan_kept("report", tmp_path, site="shop")
    assert refusal.value.message.startswith(f"wrong.toml, {line}: ")
    assert message in refusal.value.message


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
steps = names | st.builds(Saved, names, st.integers(1, 9)).map(lambda each: f"{each.name}@{each.version}")
lengths = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
moments = st.none() | st.dates(date(2000, 1, 1)) | st.datetimes(timezones=st.just(UTC))
units = (
    st.builds(Unit, st.sampled_from(["person", "device"]))
    | st.builds(Unit, st.just("session"), gap=lengths)
    | st.builds(Unit, st.just("group"), names)
)
breakdowns = st.none() | st.one_of(
    st.builds(Flag, names, st.sampled_from(["first", "exclude", "as_treated"])),
    st.builds(ByColumn, st.sampled_from(["path", "release"])),
    st.builds(ByProperty, names),
    st.builds(ByTrait, names, st.booleans()),
    st.builds(ByCohort, names),
)
common: dict[str, Any] = {
    "start": moments,
    "end": moments,
    "last": st.none() | lengths,
    "time_zone": st.none() | names,
    "week_start": st.none() | st.integers(0, 6),
    "bots": st.none() | st.booleans(),
    "internal": st.none() | st.booleans(),
    "environment": st.none() | names | st.lists(names, min_size=2, max_size=3).map(tuple),
    "as_of": moments,
    "sample": st.none() | st.floats(0.0001, 1),
    "cohort": st.lists(names, max_size=2).map(tuple),
    "not_cohort": st.lists(names, max_size=2).map(tuple),
}
whole = {name: each for name, each in common.items() if name != "sample"}
properties = st.builds(
    lambda name, value: PropertyMatch(name, "is", value),
    names.filter(lambda name: "=" not in name),
    names | st.integers(-9, 9) | st.booleans() | st.none(),
)
wheres = properties.map(lambda each: definition("where", properties=[each]))
stages = steps | st.builds(Stage, steps, where=st.none() | wheres).map(
    lambda stage: stage if stage.where else stage.step
)
questions = st.one_of(
    st.builds(
        Funnel, st.lists(stages, min_size=1, max_size=4).map(tuple), lengths, breakdowns, unit=units,
        order=st.sampled_from(["ordered", "strict", "any"]), ends_attempt=st.lists(steps, max_size=2).map(tuple),
        removes_unit=st.lists(steps, max_size=2).map(tuple), over=st.none() | st.just("week"), **common,
    ),
    st.builds(
        Retention, steps, steps, st.sampled_from(["day", "week", "month"]), st.integers(0, 20), breakdowns,
        st.sampled_from(["first_in_range", "first_ever", "recurring"]), rolling=st.booleans(), unit=units, **common,
    ),
    st.builds(Retention, steps, steps, brackets=st.sampled_from([((0, 0), (1, 3)), ((2, 400),)]), **common),
    st.builds(
        Trend, steps, st.sampled_from(["hour", "day"]), breakdowns, units,
        st.sampled_from([Measure(), Measure("per_person"), Measure("p95", "price")]), st.none() | steps, **common,
    ),
    st.builds(Stickiness, steps, st.sampled_from(["day", "week", "month"]), breakdowns, units, **common),
    st.builds(Lifecycle, steps, st.sampled_from(["day", "week", "month"]), units, **whole),
    st.builds(
        Paths, steps, st.sampled_from(["after", "before"]), st.integers(1, 20), st.integers(1, 99),
        st.lists(steps, max_size=2).map(tuple), st.lists(names, max_size=2).map(tuple), lengths, **whole,
    ),
    st.builds(
        Sessions, st.lists(steps, max_size=2).map(tuple), st.lists(properties, max_size=2).map(tuple),
        by=st.none() | st.builds(ByColumn, st.just("path")) | st.builds(ByProperty, names), limit=st.integers(1, 9),
        order=st.sampled_from(["latest", "longest"]), offset=st.integers(0, 9), gap=lengths, **whole,
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(questions)
def test_a_question_read_from_its_form_and_from_its_file_is_the_same_question(question: Question) -> None:
    kind = next(name for name, each in KINDS.items() if each.type is type(question))
    assert read_question(kind, fields_of(question)) == question
    report = Report("Any", question)
    text = write_report(report)
    assert parse_report(text, "any.toml").question == question
    assert write_report(parse_report(text, "any.toml")) == text
