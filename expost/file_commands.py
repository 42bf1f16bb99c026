"""What commands have in common that write things to files and read them: the plan, the question, what was done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from expost.errors import InvalidInput
from expost.options import print_json, wants_json

if TYPE_CHECKING:
    from expost.query.file_folder import Plan, Written

Command = TypeVar("Command", bound=Callable[..., Any])

SIGNS = {"new": "+", "changed": "~", "archived": "-", "same": "="}
FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))


def missing_option(nouns: str) -> Callable[[Command], Command]:
    """`--archive-missing`."""
    help_ = f"Archive {nouns} that have no file in DIR."
    return click.option("--archive-missing", "archives_missing", is_flag=True, help=help_)


def print_written(written: Sequence[Written], folder: Path, as_json: bool, nothing: str) -> None:
    """What an export wrote."""
    if wants_json(as_json):
        print_json(
            [{"name": each.name, "file": each.file, "is_written": each.is_written} for each in written]
        )
        return
    for each in written:
        click.echo(f"{'wrote' if each.is_written else 'as it was'}  {folder / each.file}")
    if not written:
        click.echo(nothing)


def print_plan(plan: Plan, as_json: bool) -> None:
    """What applying a folder would do."""
    if wants_json(as_json):
        print_json(plan.to_json())
        return
    for each in plan.planned:
        click.echo(f"{SIGNS[each.kind]} {each.name} ({each.kind}{f', {each.file}' if each.file else ''})")
        for line in each.lines:
            click.echo(f"    {line}")
    if plan.planned:
        click.echo(
            f"In all: {', '.join(f'{count:,} {kind}' for kind, count in plan.summary.items() if count)}."
        )
    else:
        click.echo(f"There is no {plan.noun} file.")
    if plan.without_file:
        click.echo(f"Left as they are, without a file: {', '.join(plan.without_file)}")


def apply_agreed(plan: Plan, apply: Callable[[Plan], None], *, yes: bool, as_json: bool) -> None:
    """Print the plan and, once somebody agrees, do it."""
    if not wants_json(as_json):
        print_plan(plan, as_json)
    is_agreed = yes or not plan.changes
    if not is_agreed:
        if not sys.stdin.isatty():
            raise InvalidInput(
                "Nothing was changed: nobody is here to be asked.", hint="Do it without asking with --yes."
            )
        is_agreed = click.confirm("Do it?", err=True)
    if is_agreed and plan.changes:
        apply(plan)
    if wants_json(as_json):
        print_json(plan.to_json() | {"is_applied": is_agreed})
    else:
        click.echo("Done." if is_agreed and plan.changes else "Nothing was changed.")
