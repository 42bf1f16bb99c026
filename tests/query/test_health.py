"""Definitions that tell that they broke, and what may have taken their place."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import expost
from expost.cli import main
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.health import DefinitionHealth, Health, HealthAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.story import Story, click, view

FIRST = datetime(2026, 3, 1, 10, tzinfo=UTC)
NOW = datetime(2026, 4, 5, tzinfo=UTC)
REDESIGN = 30
"""The day on which the button was made anew: five days before now."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people a day: all buy, a third read the news, one in the month asks for help."""
    story = Story(tmp_path_factory.mktemp("health") / "data")
    for day in range(35):
        buy = "main button.buy" if day < REDESIGN else "main div.box button.purchase"
        for number in range(12):
            acts = [view("/pricing"), click(buy, label="Buy now")]
            if number % 3 == 0:
                acts.append(click("nav a.news", label="News"))
            if day == 3 and number == 0:
                acts.append(click("a.help", label="Help"))
            if day >= REDESIGN:
                acts.append(click("footer a.new-thing", label="Something else"))
            month, of_month = (3, day + 1) if day < 31 else (4, day - 30)
            story.capture(f"p{number}", *acts, at=f"2026-{month:02}-{of_month:02} {8 + number:02}:00")
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    return story.path


@pytest.fixture
def analysis(folder: Path) -> Iterator[Analysis]:
    opened = Analysis(folder)
    for name, selector in (("Bought", "button.buy"), ("Read the news", "a.news"), ("Asked for help", "a.help"),
                           ("Never", "a.never")):  # fmt: skip
        opened.define(definition(name, click=selector))
    yield opened
    opened.close()


def ask(analysis: Analysis, days: int | None = None) -> dict[str, DefinitionHealth]:
    answer = analysis.ask(Health(days, now=NOW))
    assert isinstance(answer, HealthAnswer)
    assert [each.state for each in answer.states] == sorted(
        (each.state for each in answer.states),
        key=("broken", "fallen", "too little", "never", "as usual").index,
    )
    return {each.name: each for each in answer.states}


def test_a_definition_whose_element_went_is_broken_and_others_are_not(analysis: Analysis) -> None:
    found = ask(analysis)
    assert {name: each.state for name, each in found.items()} == {
        "Bought": "broken", "Read the news": "as usual", "Asked for help": "too little", "Never": "never",
    }  # fmt: skip
    broken = found["Bought"]
    assert broken.recent == 0
    assert 0.8 * 12 * broken.days < broken.expected <= 12 * broken.days
    assert broken.chance < 1e-6
    assert broken.last_seen is not None
    assert f"{broken.last_seen:%Y-%m-%d}" == "2026-03-30"


def test_a_repair_is_what_was_born_with_the_same_words_on_the_same_page(analysis: Analysis) -> None:
    (repair,) = ask(analysis)["Bought"].repairs
    assert (repair.kind, repair.path, repair.events) == ("click", "/pricing", 5 * 12)
    assert "says “Buy now” as before, on /pricing" in repair.why
    text = f"is:{repair.text}" if repair.text else None
    analysis.define(definition("Bought, repaired", click=repair.selector, text=text))
    past = analysis.ask(Preview("Bought, repaired", now=NOW))
    assert isinstance(past, PreviewAnswer)
    assert past.events == 60


def test_the_command_that_repairs_makes_a_version_from_the_redesign_on(
    analysis: Analysis, folder: Path
) -> None:
    found = ask(analysis)["Bought"]
    words = shlex.split(found.command(found.repairs[0]))
    done = CliRunner().invoke(main, [*words[1:], "--data", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    assert ask(analysis)["Bought"].state == "as usual"
    lake = expost.open(folder)
    assert lake.preview("Bought").events == 35 * 12


def test_a_site_that_nobody_visits_breaks_no_definition(tmp_path: Path) -> None:
    story = Story(tmp_path / "data")
    for day in range(28):
        for number in range(12):
            story.capture(
                f"p{number}", view("/"), click("a.go"), at=f"2026-03-{day + 1:02} {8 + number:02}:00"
            )
    story.capture("p1", view("/"), at="2026-04-03 10:00")
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=1))
    state.close()
    quiet = Analysis(story.path)
    quiet.define(definition("Went", click="a.go"))
    # Twelve people a day less, and so many fewer are to be expected.
    assert ask(quiet)["Went"].state != "broken"
    quiet.close()


def test_one_stretch_may_be_asked_for_and_has_bounds(analysis: Analysis) -> None:
    assert ask(analysis, 2)["Read the news"].days == 2
    with pytest.raises(InvalidInput, match="1 to 90 days, not 0"):
        Health(0)


def test_every_door_tells_it(folder: Path, analysis: Analysis) -> None:
    told = expost.open(folder).health(now=NOW)
    assert {each.name for each in told.states} >= {"Bought", "Never"}
    said = CliRunner().invoke(main, ["definitions", "health", "--data", str(folder), "--json"])
    states = json.loads(said.stdout)["states"]
    assert {each["name"] for each in states} >= {"Bought", "Never"}


def test_definitions_asked_for_in_portions_are_tested_as_all_at_once(
    analysis: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = ask(analysis)
    monkeypatch.setattr("expost.query.health.MOST_ALTERNATIVES_AT_ONCE", 1)
    assert ask(analysis) == at_once
