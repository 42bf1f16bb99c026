"""Merges and undos on a real folder: what they would change, the guard, the audit, and the timeline of one person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expost.errors import InvalidInput, MergeRefused, UnknownName
from expost.lake.edits import say, take_edits
from expost.lake.writer import Writer
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.figures import figures_of
from expost.query.people import MOST_DEVICES, MOST_USERS
from expost.query.preview import Preview, PreviewAnswer
from expost.query.timeline import Timeline, TimelineAnswer
from expost.state.audit import audit_lines
from expost.state.sites import Site, add_site
from tests.story import Story, identify, track, view

ANN, ANNA = "ann@shop.example", "anna@home.example"


@pytest.fixture
def story(empty_folder: Path) -> Story:
    """Ann uses two ids on two browsers; a stranger passes by."""
    story = Story(empty_folder)
    story.capture("phone", view("/"), identify(ANN, plan="free"), track("Paid"), at="10:00")
    story.capture("desk", identify(ANNA, plan="pro"), track("Paid"), at="2026-03-03 11:00")
    story.capture("desk", track("Paid"), at="2026-03-03 12:00")
    story.capture("other", track("Paid"), at="13:00")
    return story


@pytest.fixture
def analysis(story: Story) -> Iterator[Analysis]:
    opened = Analysis(story.path, memory_limit="500MB", threads=1)
    add_site(opened.state, Site("shop", "Shop"))
    opened.define(definition("Paid", track="Paid"))
    yield opened
    opened.close()


def people(analysis: Analysis, as_of: datetime | None = None) -> int:
    answer = analysis.ask(Preview("Paid", as_of=as_of))
    assert isinstance(answer, PreviewAnswer)
    return answer.people


def of(analysis: Analysis, id_: str, **asked: Any) -> TimelineAnswer:
    answer = analysis.ask(Timeline(id_, **asked))
    assert isinstance(answer, TimelineAnswer)
    return answer


def test_a_merge_says_what_it_would_change_and_then_changes_exactly_that(analysis: Analysis) -> None:
    plan = analysis.plan_merge(ANNA, ANN)
    assert plan["definitions"] == [
        {"definition": "Paid", "events": {"now": 4, "then": 4}, "people": {"now": 3, "then": 2}}
    ]
    assert people(analysis) == 3
    made = analysis.merge(ANNA, ANN)
    assert made["is_in_lake"]
    assert people(analysis) == 2
    assert (
        people(analysis, as_of=datetime.fromisoformat(made["recorded_at"]) - timedelta(microseconds=1)) == 3
    )


def test_what_a_merge_changes_in_every_report_is_said_before_and_is_so_after(analysis: Analysis) -> None:
    analysis.define(definition("Gone", track="Gone"))
    forms: dict[str, tuple[str, dict[str, list[str]]]] = {
        "Twice": ("funnel", {"step": ["Paid", "Paid"], "within": ["7d"]}),
        "Back": ("retention", {"start_event": ["Paid"], "period": ["day"]}),
        "Payments": ("trend", {"name": ["Paid"]}),
        "Days": ("stickiness", {"name": ["Paid"]}),
        "Lives": ("lifecycle", {"name": ["Paid"], "period": ["day"]}),
        "Before it": ("trend", {"name": ["Paid"], "as_of": ["2026-03-04"]}),
        "Never": ("trend", {"name": ["Gone"]}),
    }
    for name, (kind, form) in forms.items():
        analysis.keep_report(name, kind, form)
    analysis.describe_kept("report", "Days", archived=True)
    reports = {each["report"]: each for each in analysis.plan_merge(ANNA, ANN)["reports"]}
    assert list(reports) == ["Back", "Before it", "Lives", "Never", "Payments", "Twice"]
    assert {name: each["is_changed"] for name, each in reports.items()} == {
        "Back": True, "Before it": False, "Lives": True, "Never": False, "Payments": True, "Twice": True,
    }  # fmt: skip
    assert reports["Back"]["figures"][:3] == [
        {"figure": "began", "now": 3, "then": 2},
        {"figure": "back in day 0", "now": 1, "then": 0},
        {"figure": "back in day 1", "now": 0, "then": 1},
    ]
    assert {"figure": "people", "now": 3, "then": 2} in reports["Payments"]["figures"]
    analysis.merge(ANNA, ANN)
    for name, each in reports.items():
        figures = figures_of(analysis.report_answer(name))
        assert {figure["figure"]: figure["then"] for figure in each["figures"]} == figures, name


def test_an_undo_gives_back_what_was_and_another_undo_the_merge(analysis: Analysis) -> None:
    [edge] = analysis.merge(ANNA, ANN)["edges"]
    [plan] = analysis.plan_undo([edge])["definitions"]
    assert plan["people"] == {"now": 2, "then": 3}
    [undone] = analysis.undo([edge])["edges"]
    assert people(analysis) == 3
    with pytest.raises(InvalidInput, match="withdrawn already"):
        analysis.undo([edge])
    analysis.undo([undone])
    assert people(analysis) == 2


def test_the_timeline_of_a_person_has_users_devices_sessions_and_edges_to_undo(analysis: Analysis) -> None:
    [edge] = analysis.merge(ANNA, ANN, author="eve", place="page")["edges"]
    found = of(analysis, ANNA)
    assert found.person_id == of(analysis, "phone").person_id
    assert (found.name, found.users, found.total) == (ANN, (ANN, ANNA), 6)
    assert [device.device for device in found.devices] == ["desk", "phone"]
    assert [(trait.name, trait.value) for trait in found.traits] == [("plan", '"pro"')]
    assert [(each.device, each.total, len(each.events)) for each in found.sessions] == [
        ("desk", 1, 1),
        ("desk", 2, 2),
        ("phone", 3, 3),
    ]
    merge, *identifies = found.edges
    assert (merge.kind, merge.source, merge.target, merge.is_in_force) == ("merge", ANNA, ANN, True)
    assert (merge.ids, merge.undo, merge.authors) == ((edge,), (edge,), ("eve",))
    assert {(each.source, each.target) for each in identifies} == {("phone", ANN), ("desk", ANNA)}
    newest = of(analysis, found.person_id, latest=2)
    assert (newest.total, newest.shown) == (6, 2)
    early = of(analysis, ANN, end=datetime(2026, 3, 3, tzinfo=UTC))
    assert [each.device for each in early.sessions] == ["phone"]


def test_a_device_whose_identify_was_undone_is_a_stranger_whose_edge_can_be_given_back(
    analysis: Analysis,
) -> None:
    [edge] = of(analysis, "phone").edges
    analysis.undo(edge.undo)
    stranger = of(analysis, "phone")
    assert (stranger.is_user, stranger.total) == (False, 3)
    [withdrawn] = stranger.edges
    assert (withdrawn.is_in_force, withdrawn.ids == edge.ids, withdrawn.undo == edge.undo) == (
        False,
        True,
        False,
    )
    analysis.undo(withdrawn.undo)
    assert of(analysis, "phone").name == ANN


def test_a_merge_that_looks_like_a_mistake_is_refused_unless_it_is_forced(
    story: Story, analysis: Analysis
) -> None:
    for number in range(MOST_DEVICES + 1):
        story.capture(f"kiosk-{number}", identify("reception"), at="15:00")
    story.store()
    with pytest.raises(MergeRefused, match="51 browsers"):
        analysis.merge(ANN, "reception")
    with pytest.raises(MergeRefused, match="51 browsers"):
        analysis.plan_merge("reception", ANN)
    analysis.merge(ANN, "reception", force=True)
    assert people(analysis) == 3


def test_a_person_of_many_user_ids_is_refused_unless_it_is_forced(story: Story, analysis: Analysis) -> None:
    names = [f"u{number}" for number in range(MOST_USERS + 1)]
    for name in names:
        story.capture(f"of-{name}", identify(name), track("Paid"), at="15:00")
    story.store()
    for name in names[1:-1]:
        analysis.merge(name, names[0])
    with pytest.raises(MergeRefused, match="11 user ids"):
        analysis.merge(names[-1], names[3])
    analysis.merge(names[-1], names[3], force=True)
    assert of(analysis, names[-1]).name == names[0]


def test_ids_that_mean_nobody_unknown_ones_and_one_person_are_refused(analysis: Analysis) -> None:
    with pytest.raises(InvalidInput, match="a mistake gives to everyone"):
        analysis.merge(ANN, "undefined", force=True)
    with pytest.raises(UnknownName, match="nobody@home"):
        analysis.merge(ANN, "nobody@home")
    with pytest.raises(InvalidInput, match="one person already"):
        analysis.merge(ANN, ANN)
    with pytest.raises(UnknownName, match="edge"):
        analysis.undo(["17"])
    with pytest.raises(InvalidInput, match="no edge"):
        analysis.undo(["seventeen"])
    assert people(analysis) == 3


def test_the_audit_has_a_line_with_author_and_edge_and_no_id_of_a_person(analysis: Analysis) -> None:
    [edge] = analysis.merge(ANNA, ANN, author="eve", place="page")["edges"]
    [undone] = analysis.undo([edge], author="bob", place="api")["edges"]
    lines = [line for line in audit_lines(analysis.state) if line.action in ("merge people", "undo edges")]
    assert [(line.who, line.action, line.subject) for line in lines] == [
        ("bob", "undo edges", undone),
        ("eve", "merge people", edge),
    ]
    assert not any(name in f"{line.subject} {line.detail}" for line in lines for name in (ANN, ANNA))


def test_an_edit_that_was_half_taken_stands_in_the_lake_once(analysis: Analysis) -> None:
    made = analysis._merge(ANNA, ANN, None, False, "eve")
    with Writer(analysis.folder) as writer:
        path = say(analysis.folder, made)
        assert take_edits(analysis.folder, writer) == 1
        assert not path.exists()
        # As after a crash between the commit and the removal of the file.
        say(analysis.folder, made)
        assert take_edits(analysis.folder, writer) == 1
        kept = list(writer.tables["identities"].read(("edge_id", "kind")))
    merges = [kind for rows in kept for kind in rows["kind"].to_pylist() if kind == "merge"]
    assert merges == ["merge"]
