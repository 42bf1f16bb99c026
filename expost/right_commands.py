"""`expost erase`, `erasures` and `export-person`: what a visitor has a right to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from expost.clock import from_micros
from expost.command_answer import still_to_do
from expost.options import data_option, json_option, print_json, settings_of, site_option, wants_json

if TYPE_CHECKING:
    # DuckDB, pyarrow and SQLAlchemy take a second to import: `expost --help` does without.
    from expost.query.analysis import Analysis
    from expost.state.audit import Actor

Command = TypeVar("Command", bound=Callable[..., Any])
WAIT_SECONDS = 60.0


def person_options(command: Command) -> Command:
    """Who it is about."""
    for option in (
        click.option("--user", metavar="ID", help="What the site calls someone in identify."),
        click.option(
            "--device", metavar="ID", help="A browser: JSON.parse(localStorage.expost).device in it."
        ),
        site_option,
    ):
        command = option(command)
    return command


@click.command()
@person_options
@click.option(
    "--may-return", is_flag=True, help="Store again what they do from now on. Default: nothing ever."
)
@click.option("--yes", is_flag=True, help="Do it. Without this the command only says what would go.")
@data_option
@json_option
def erase(
    site: str | None,
    device: str | None,
    user: str | None,
    may_return: bool,
    yes: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Erase one person: from the lake, the journal, what was rejected, and every file that held something of them.

    Works while a server runs and without one. What arrives of them later is not stored.

    \b
    Example: expost erase --user user-17 --yes
    """
    analysis = _analysis(data)
    named = {"site": site, "device": device, "user": user}
    plan = analysis.plan_erasure(**named)
    if not yes:
        if wants_json(as_json):
            print_json(plan)
            return
        click.echo(
            f"This would erase {_rows(plan['rows'])}, and whatever waits in the journal or was rejected."
        )
        if plan["browsers"]:
            click.echo(f"{plan['browsers']} browsers are theirs alone: they are not stored any more either.")
        click.echo("It cannot be undone. To do it, say the same with --yes")
        return
    by = _author()
    receipt = analysis.erase(
        **named, is_lasting=not may_return, author=by.who, place=by.place, wait_seconds=WAIT_SECONDS
    )
    if wants_json(as_json):
        print_json(receipt)
        return
    if receipt["status"] == "done":
        click.echo(f"Erased: {_rows(receipt['counts'])}. Receipt {receipt['id']}, digest {receipt['digest']}")
    else:
        when = still_to_do(analysis.folder)
        click.echo(f"Asked for; {when}. How it stands: expost erasures {receipt['id']}")


@click.command("erasures")
@click.argument("receipt", required=False)
@data_option
@json_option
def erasures(receipt: str | None, data: Path | None, as_json: bool) -> None:
    """The receipts of what was erased, the latest first; or one RECEIPT. No id stands in one.

    \b
    Example: expost erasures
    """
    analysis = _analysis(data)
    if receipt is not None:
        print_json(analysis.erasure(receipt))
        return
    found = analysis.erasures()
    if wants_json(as_json):
        print_json(found)
        return
    from expost.table import table, terminal_console

    columns = (("receipt", "left"), ("site", "left"), ("of", "left"), ("asked", "left"), ("status", "left"),
               ("what went", "left"))  # fmt: skip
    rows = [
        (
            each["id"],
            each["site"],
            each["kind"],
            _moment(each["requested_at"]),
            each["status"],
            f"not yet: {each['problem']}" if each["problem"] else _rows(each["counts"]),
        )
        for each in found
    ]
    table(terminal_console(), columns, rows)


@click.command("export-person")
@person_options
@click.option("--out", type=click.Path(path_type=Path), help="Write a file that only you may read.")
@data_option
def export_person(
    site: str | None, device: str | None, user: str | None, out: Path | None, data: Path | None
) -> None:
    """Everything that is kept of one person, as JSON: lake, journal and what was rejected.

    \b
    Example: expost export-person --user user-17 --out user-17.json
    """
    analysis = _analysis(data)
    by = _author()
    found = analysis.export_person(site=site, device=device, user=user, author=by.who, place=by.place)
    text = json.dumps(found, default=str, ensure_ascii=False, indent=2)
    if out is None:
        click.echo(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    click.echo(f"{len(found['events']):,} events and what belongs to them are in {out}.")


COMMANDS = (erase, erasures, export_person)


def _analysis(data: Path | None) -> Analysis:
    from expost.query.analysis import Analysis

    return Analysis(settings_of(data).data)


def _author() -> Actor:
    from expost.state.audit import command_line

    return command_line()


def _rows(counts: Any) -> str:
    said = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing"


def _moment(micros: Any) -> str:
    return from_micros(micros).isoformat(timespec="seconds")
