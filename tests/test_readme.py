"""What the README tells a newcomer to type works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.clock import wall_clock
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.story import Story, click, expose, small_rich_lake, view

ROOT = Path(__file__).parents[1]


def blocks(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def in_a_folder_with_data(tmp_path, monkeypatch):
    story = small_rich_lake(Story(tmp_path / "expost-data"))
    story.capture(
        "dee", view("/"), expose("new-checkout", "control"), click("form.signup button"), at="14:00"
    )
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    state.close()
    assert story.path.is_dir()
    monkeypatch.chdir(tmp_path)


def test_the_commands_answer(in_a_folder_with_data):
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("expost ")]
    assert len(lines) >= 5
    for line in lines:
        result = CliRunner().invoke(main, shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output)


def test_the_python_answers(in_a_folder_with_data):
    CliRunner().invoke(main, ["define", "Viewed page", "--view", "/**"])
    [program] = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)
    assert [step.people for step in names["answer"].steps] == [4, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["README.md", "ARCHITECTURE.md", "docs/getting-started.md", "docs/reference.md"]
)
def test_links_lead_somewhere(path):
    text = (ROOT / path).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / path).parent / target).exists(), target
