"""The words keep up with the code: every command, setting, route and error code stands in the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from expost.api import create_api
from expost.cli import main
from expost.collector import service as collector
from expost.errors import ExpostError
from expost.settings import Settings

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text("utf-8")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(main, "expost"))


# Imported, because its errors belong to the tree.
assert collector.PUBLIC_PATHS


def errors(kind: type[ExpostError] = ExpostError) -> Iterator[type[ExpostError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from errors(child)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference_and_shows_an_example(name):
    assert f"| `{name}` |" in REFERENCE
    assert f"Example: {name}" in (COMMANDS[name].help or "")


@pytest.mark.parametrize("setting", [row[0] for row in Settings().shown()])
def test_every_setting_is_in_the_reference(setting):
    assert f"| `{setting}` |" in REFERENCE


@pytest.mark.parametrize("kind", list(errors()), ids=lambda kind: kind.__name__)
def test_every_error_code_is_in_the_reference(kind):
    assert f"| `{kind.code}` | {kind.status} |" in REFERENCE


def test_every_route_of_the_api_is_in_the_reference():
    async def call(*_: object, **__: object) -> None: ...

    for route in create_api(call).routes:
        path = route.path.replace(":path", "")  # type: ignore[attr-defined]
        assert f"{path}` |" in REFERENCE, path
