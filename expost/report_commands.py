"""`expost report`, `expost dashboard`, and what keeps them: `expost reports` and `expost dashboards`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.command_answer import analysis_of, author, form_of_options, show_answer
from expost.errors import ExpostError
from expost.kept_commands import kept_group, print_saved
from expost.options import (
    Command,
    data_option,
    json_option,
    output_options,
    print_json,
    wants_json,
    word_options,
)
from expost.query.form import COMMON

if TYPE_CHECKING:
    from expost.query.answer import Answer


def over_options(command: Command) -> Command:
    """What may be said over a report."""
    return word_options(COMMON)(data_option(command))


@click.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(1), help="Not the latest version of the report, but this one.")
@over_options
@output_options
def report(
    name: str, version: int | None, data: Path | None, as_json: bool, site: str | None, **over: Any
) -> None:
    """Ask the question that is kept as NAME, over another range or in another time zone where these are said.

    \b
    Example: expost report "Checkout" --last 30d
    """
    form = form_of_options(over)
    show_answer(analysis_of(data).report_answer(name, version=version, over=form, site=site), as_json)


@click.command()
@click.argument("name")
@over_options
@json_option
def dashboard(name: str, data: Path | None, as_json: bool, site: str | None, **over: Any) -> None:
    """Ask every report that a dashboard lists, all over one range.

    \b
    Example: expost dashboard "Weekly" --last 7d
    """
    parts = analysis_of(data).dashboard_answers(name, over=form_of_options(over), site=site)
    if wants_json(as_json):
        print_json({"name": name, "reports": [part_json(each, found) for each, found in parts]})
        return
    for each, found in parts:
        click.secho(f"\n{each}", bold=True)
        if isinstance(found, ExpostError):
            click.echo(f"{found.message} {found.hint}")
        else:
            show_answer(found, as_json)


def part_json(name: str, found: Answer | ExpostError) -> dict[str, Any]:
    """One report of a dashboard in words of JSON."""
    return {"name": name} | (
        found.to_json() if isinstance(found, ExpostError) else {"answer": found.to_json()}
    )


reports = kept_group(
    "report",
    "The questions that are kept: `expost report NAME` asks one, and `--save NAME` of any question keeps it.",
    '"Checkout"',
    'No report is kept yet. Ask something and keep it: expost funnel "Viewed page" "Signed up" --save "Signups"',
)
dashboards = kept_group(
    "dashboard",
    "Lists of reports that are asked together: `expost dashboard NAME` asks one.",
    '"Weekly"',
    'No dashboard is kept yet. List reports on one: expost dashboards save "Weekly" "Signups"',
)


@dashboards.command("save")
@click.argument("name")
@click.argument("listed", nargs=-1, required=True, metavar="REPORT...")
@over_options
@json_option
def save_dashboard(
    name: str, listed: tuple[str, ...], data: Path | None, as_json: bool, site: str | None, **over: Any
) -> None:
    """List reports on a dashboard, with a range or a time zone for all of them. The same name again: a new version.

    \b
    Example: expost dashboards save "Weekly" "Checkout" "Signups" --last 7d
    """
    by, form = author(), form_of_options(over)
    saved = analysis_of(data).keep_dashboard(name, listed, form, site=site, author=by.who, place=by.place)
    print_saved(saved, as_json)


COMMANDS = (report, reports, dashboard, dashboards)
