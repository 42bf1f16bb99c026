"""Options and output that the commands have in common. Nothing here is slow to import."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from expost.errors import InvalidInput
from expost.query.word import Word
from expost.settings import Settings, load_settings

if TYPE_CHECKING:
    from expost.query.answer import Answer

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


OUT, AS_CSV = "expost.out", "expost.csv"
"""Where a command keeps how its answer is to be written."""
SUFFIXES = (".csv", ".parquet", ".json")


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
        context.meta[name] = value

    return keep


def output_options(command: Command) -> Command:
    """How an answer is printed: `--json`, `--csv`, or into a file by `--out`."""
    for option in (
        json_option,
        click.option(
            "--csv", is_flag=True, expose_value=False, callback=_keep(AS_CSV), help="The rows as CSV."
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=_keep(OUT),
            help="Write the rows to this .csv or .parquet file, or all of it to a .json file.",
        ),
    ):
        command = option(command)
    return command


def keeping_options(command: Command) -> Command:
    """`--save` and `--pin`, on every question that can be kept."""
    for option in (
        click.option("--pin", is_flag=True, help="With --save: about the definitions as they are now."),
        click.option(
            "--save", "kept_as", metavar="NAME", help="Keep the question as a report, then answer it."
        ),
    ):
        command = option(command)
    return command


def explain_option(command: Command) -> Command:
    """`--explain`, on every question that is decided by rules that could be other ones."""
    says = "The rules that decided, and the counts under the other ones."
    return click.option("--explain", "is_explained", is_flag=True, help=says)(command)


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


SHORT = {"time_zone": ("--tz",)}
"""What some options are also called, by whoever types them often."""


def _option(word: Word) -> Callable[[Command], Command]:
    # As the name of a parameter, a keyword such as `from` needs another letter.
    python = f"{word.name}_" if iskeyword(word.name) else word.name
    says = word.says.replace("`", "")
    if word.is_switch:
        return click.option(word.option, python, is_flag=True, help=says)
    kind = click.Choice(word.choices) if word.choices else str
    shape = None if word.choices else _shape(word)
    names = (word.option, *SHORT.get(word.name, ()))
    return click.option(*names, python, type=kind, metavar=shape, multiple=word.is_many, help=says)


def _shape(word: Word) -> str:
    """How a value looks, by the example of one."""
    return "N" if word.is_number else f"'{word.example}'" if " " in word.example else word.example


def asking_options(words: Iterable[Word], without: Iterable[str] = ()) -> Callable[[Command], Command]:
    """The words of a question, the folder that is asked, and how the answer is printed."""

    def add(command: Command) -> Command:
        return word_options(words, without)(data_option(output_options(command)))

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


def say_unread(answer: Answer) -> None:
    """Say on standard error what was left out because it cannot be read: rows alone have no place for it."""
    for note in answer.basis.unread:
        click.echo(note, err=True)


def says_output() -> bool:
    """Whether `--out` or `--csv` is said."""
    meta = click.get_current_context().meta
    return bool(meta.get(OUT) or meta.get(AS_CSV))


def write_answer(answer: Answer) -> bool:
    """Write an answer as `--out` or `--csv` say; whether they said anything."""
    meta = click.get_current_context().meta
    file: Path | None = meta.get(OUT)
    if file is not None or meta.get(AS_CSV):
        say_unread(answer)
    if file is None:
        if meta.get(AS_CSV):
            click.echo(answer.to_csv(), nl=False)
        return bool(meta.get(AS_CSV))
    if file.suffix not in SUFFIXES:
        raise InvalidInput(
            f"{file} has no ending that says how to write it.", hint=f"One of: {', '.join(SUFFIXES)}."
        )
    if file.suffix == ".parquet":
        file.write_bytes(answer.to_parquet())
    elif file.suffix == ".csv":
        file.write_text(answer.to_csv(), encoding="utf-8", newline="")
    else:
        file.write_text(json.dumps(answer.to_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote  {file}", err=True)
    return True
