"""`expost reconcile`: ids that their owner knows converted, each counted or absent with one cause."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from expost.command_answer import analysis_of, form_of_options, show_answer
from expost.errors import InvalidInput
from expost.options import asking_options
from expost.query.form_reconcile import RECONCILE, check_column, ids_of_table


@click.command()
@click.argument("report", required=False)
@click.option(
    "--ids",
    "file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A .csv, whose first line names its columns (commas, semicolons or tabs between); or any other file, or - for "
    "standard input, with an id a line.",
)
@click.option(
    "--column", metavar="NAME", help="The column of the ids. Default: as --property, else the first."
)
@asking_options(RECONCILE, without=("report", "ids"))
def reconcile(
    report: str | None, file: Path, column: str | None, data: Path | None, as_json: bool, **options: Any
) -> None:
    """Which of the ids that you know converted a funnel counts, and why not the others: the funnel saved as REPORT.

    Ids are what the site calls its users (with --unit device its browsers, with --unit group:TYPE its groups), or with
    --property values of a property, such as those of orders. Without REPORT the steps of the funnel are said: --step
    "Viewed page" --step "Ordered" --within 7d.

    \b
    Example: expost reconcile "Checkout" --ids orders.csv --property order_id
    """
    form = dict(form_of_options(options))
    name = next(iter(form.pop("property", ())), None)
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{file} is no text.", hint="Write one id a line, in UTF-8.") from problem
    if column is not None:
        check_column(text, column)
    read = ids_of_table(text, column or name, has_heading=file.suffix.lower() == ".csv")
    site = next(iter(form.get("site", ())), None)
    answer = analysis_of(data).reconcile(read.ids, report=report, form=form, property=name, site=site)
    show_answer(read.told(answer, "standard input" if str(file) == "-" else file.name), as_json)
