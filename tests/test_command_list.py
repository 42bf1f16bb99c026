"""What `expost --help` lists."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.command_list import HEADINGS


def bare(text: str) -> str:
    """Without white space: a terminal's lines end at hyphens as well."""
    return "".join(text.split())


def test_each_command_stands_under_one_heading():
    listed = [name for names in HEADINGS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)


@pytest.mark.parametrize(
    "name", ["", *(name for name, each in main.commands.items() if isinstance(each, click.Group))]
)
def test_no_sentence_about_a_command_is_cut_short(name: str):
    group = main.commands[name] if name else main
    assert isinstance(group, click.Group)
    result = CliRunner().invoke(main, [name, "--help"] if name else ["--help"])
    assert result.exit_code == 0
    context = click.Context(group)
    commands = [group.get_command(context, each) for each in group.list_commands(context)]
    sentences = [(each.help or "").split("\n\n")[0].split(". ")[0] for each in commands if each]
    assert sentences
    assert [each for each in sentences if bare(each).rstrip(".") not in bare(result.output)] == []
