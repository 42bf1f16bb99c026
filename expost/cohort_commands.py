"""`expost cohorts`: people chosen by what they did or are, or by a list of ids, under a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from expost.command_answer import analysis_of, form_of_options, show_answer
from expost.command_list import ListedGroup
from expost.errors import InvalidInput
from expost.options import (
    data_option,
    explain_option,
    json_option,
    print_json,
    site_option,
    wants_json,
    word_options,
)
from expost.query.cohort import MAX_IDS, read_ids
from expost.query.form import form_of
from expost.query.form_cohort import COHORT, cohort_of

LIST = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(cls=ListedGroup, invoke_without_command=True)
@data_option
@site_option
@json_option
@click.pass_context
def cohorts(context: click.Context, data: Path | None, site: str | None, as_json: bool) -> None:
    """The saved cohorts: every question takes --cohort NAME, --not-cohort NAME and --by cohort:NAME.

    \b
    Example: expost cohorts
    """
    if context.invoked_subcommand is not None:
        return
    saved = analysis_of(data).cohorts(site=site)
    if wants_json(as_json):
        print_json([each.to_json() for each in saved])
        return
    from expost.table import NUMBER, WORD, table, terminal_console

    columns = [("name", WORD), ("version", NUMBER), ("who", WORD)]
    table(terminal_console(), columns, [(each.name, each.version, str(each)) for each in saved])


@cohorts.command("save")
@click.argument("name")
@word_options(COHORT)
@click.option("--users", type=LIST, help="Is one of these: a file with a user id a line.")
@click.option("--devices", type=LIST, help="Has an event of one of these: a file with a device id a line.")
@data_option
@site_option
@json_option
def save(
    name: str,
    data: Path | None,
    site: str | None,
    as_json: bool,
    users: Path | None,
    devices: Path | None,
    **options: Any,
) -> None:
    """Save a cohort: who fulfils all that is said. The same name again makes a new version.

    \b
    Example: expost cohorts save "Regulars" --did "Ordered" --times 1=3 --did-within 1=90d --did-not "Complained"
             expost cohorts save "Beta testers" --users testers.txt
    """
    from expost.state.audit import command_line

    analysis, by, form = analysis_of(data), command_line(), form_of_options(options)
    lists = {"users": _listed(users), "devices": _listed(devices)}
    meant = cohort_of(name, form) if form else None
    if meant is None and not any(lists.values()):
        meant = cohort_of(name, form_of([]))
    saved = analysis.save_cohort(meant, name, site=site, author=by.who, place=by.place, **lists)
    if wants_json(as_json):
        print_json(saved.to_json())
    else:
        click.echo(f"{saved.name} is version {saved.version}: {saved}")


@cohorts.command("show")
@click.argument("name")
@explain_option
@data_option
@site_option
@json_option
def show(name: str, data: Path | None, site: str | None, as_json: bool, is_explained: bool) -> None:
    """Who is in a cohort, in words, and how many people that is now.

    \b
    Example: expost cohorts show "Regulars"
    """
    from expost.query.cohort_size import CohortSize
    from expost.query.explanation import Explanation

    asked = CohortSize(name, site=site)
    question = Explanation(asked, site=site) if is_explained else asked
    show_answer(analysis_of(data).ask(question), as_json)


@cohorts.command("remove")
@click.argument("name")
@click.option("--yes", "is_sure", is_flag=True, help="Do it.")
@data_option
@site_option
def remove(name: str, is_sure: bool, data: Path | None, site: str | None) -> None:
    """Forget a cohort with all its versions. Says what would go, does it with --yes.

    \b
    Example: expost cohorts remove "Regulars" --yes
    """
    from expost.state.audit import command_line

    analysis, by = analysis_of(data), command_line()
    found = analysis.cohort(name, site=site)
    if not is_sure:
        click.echo(f"{found.name} (version {found.version}: {found}) would go. Do it with --yes.")
        return
    analysis.remove_cohort(name, site=site, author=by.who, place=by.place)
    click.echo(f"{found.name} is gone.")


def _listed(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        ids = read_ids(file.read_text(encoding="utf-8-sig").splitlines())
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{file} is no text.", hint="Write one id a line, in UTF-8.") from problem
    if not 1 <= len(ids) <= MAX_IDS:
        raise InvalidInput(
            f"{file} lists {len(ids):,} ids.", hint=f"A cohort lists 1 to {MAX_IDS:,} of them."
        )
    return ids
