"""Options and output that the commands have in common. Nothing here is slow to import."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from keyword import iskeyword
from pathlib import Path
from typing import Any, TypeVar

import click

from expost.query.word import Word
from expost.settings import Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def data_option(command: Command) -> Command:
    """`--data`, on every command."""
    return click.option(
        "--data", type=click.Path(path_type=Path), default=None,
        help="The data folder. Default: $EXPOST_DATA, else expost-data.",
    )(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """`--json`, on every command that answers."""
    return click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")(command)


def site_option(command: Command) -> Command:
    """`--site`, on every command that is about one."""
    return click.option("--site", help="Which site, when there are several.")(command)


def word_options(words: Iterable[Word], without: Iterable[str] = ()) -> Callable[[Command], Command]:
    """An option for each word of a question, `without` those that the command says in its own way."""
    left_out = frozenset(without)
    shown = [word for word in words if word.name not in left_out]

    def add(command: Command) -> Command:
        for word in reversed(shown):
            command = _option(word)(command)
        return command

    return add


def _option(word: Word) -> Callable[[Command], Command]:
    # As the name of a parameter, a keyword such as `from` needs another letter.
    python = f"{word.name}_" if iskeyword(word.name) else word.name
    says = word.says.replace("`", "")
    if word.is_switch:
        return click.option(word.option, python, is_flag=True, help=says)
    kind = click.Choice(word.choices) if word.choices else str
    shape = None if word.choices else _shape(word)
    return click.option(word.option, python, type=kind, metavar=shape, multiple=word.is_many, help=says)


def _shape(word: Word) -> str:
    """How a value looks, by the example of one."""
    return "N" if word.is_number else f"'{word.example}'" if " " in word.example else word.example


def asking_options(words: Iterable[Word], without: Iterable[str] = ()) -> Callable[[Command], Command]:
    """The words of a question, the folder that is asked, and `--json`."""

    def add(command: Command) -> Command:
        return word_options(words, without)(data_option(json_option(command)))

    return add


def settings_of(data: Path | None) -> Settings:
    """The settings in force, with the folder that was named."""
    return load_settings({} if data is None else {"data": data})


def wants_json(as_json: bool) -> bool:
    """Whether JSON is printed: it was asked for, or nobody looks at a terminal."""
    return as_json or not sys.stdout.isatty()


def print_json(body: Any) -> None:
    """Print data for a program to read."""
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))
