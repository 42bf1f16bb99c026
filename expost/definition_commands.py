"""`expost definitions`: the named events, their versions, and definitions as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.command_answer import analysis_of, author, form_of_options, print_table, said_minute, show_answer
from expost.command_list import ListedGroup
from expost.errors import InvalidInput
from expost.file_commands import FOLDER, apply_agreed, missing_option, print_plan, print_written
from expost.kept_commands import print_archived, print_described
from expost.options import asking_options, data_option, json_option, print_json, site_option, wants_json
from expost.query.activity import ACTIVITY, RULE
from expost.query.form_definition import DIFFERENCE, HEALTH, difference_of, health_of

if TYPE_CHECKING:
    from expost.query.file_folder import Plan
    from expost.state.details import Details

MISSING = missing_option("definitions")


@click.group(cls=ListedGroup, invoke_without_command=True)
@click.option("--archived", is_flag=True, help="Those in the archive instead.")
@data_option
@site_option
@json_option
@click.pass_context
def definitions(
    context: click.Context, archived: bool, data: Path | None, site: str | None, as_json: bool
) -> None:
    """The named events; with a command below, what was said of one, or definitions as files.

    \b
    Example: expost definitions
    """
    if context.invoked_subcommand is not None:
        return
    saved = analysis_of(data).definitions(site=site, archived=archived)
    if wants_json(as_json):
        print_json([definition.to_json() for definition in saved])
    elif saved:
        columns = [("name", "left"), ("version", "right"), ("meaning", "left")]
        print_table(columns, [(each.name, each.version, str(each)) for each in saved])
    elif archived:
        click.echo("No definition is archived.")
    else:
        click.echo("No event is named yet. Name one with: expost define NAME --click SELECTOR")


@definitions.command()
@click.argument("name")
@data_option
@site_option
@json_option
def show(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
    """Every version of a definition with its author and time, and what was said of it; of NAME@2 those up to version 2.

    \b
    Example: expost definitions show "Signed up"
    """
    analysis = analysis_of(data)
    history = analysis.history(name, site=site)
    told = analysis.details(name, site=site)
    if wants_json(as_json):
        print_json(told.to_json() | {"name": history[-1]["name"], "versions": history})
        return
    if history[-1]["version"] == ACTIVITY.version:
        click.echo(RULE)
    for word, value in told.to_json().items():
        if value:
            click.echo(f"{word}: {', '.join(value) if isinstance(value, list) else value}")
    words = ("version", "valid from", "until", "saved", "by", "meaning")
    fields = ("version", "valid_from", "valid_until", "created_at", "author", "meaning")
    columns = [(word, "right" if word == "version" else "left") for word in words]
    times = fields[1:4]
    rows = [
        tuple(said_minute(each.get(field)) if field in times else each.get(field, "") for field in fields)
        for each in history
    ]
    print_table(columns, rows)


@definitions.command()
@asking_options(HEALTH)
def health(data: Path | None, as_json: bool, **options: Any) -> None:
    """Which definitions have fallen silent, by a test of their rate, and what seems to have taken their place.

    \b
    Example: expost definitions health
    """
    show_answer(analysis_of(data).ask(health_of(form_of_options(options))), as_json)


@definitions.command()
@click.argument("name")
@click.argument("version", type=int)
@data_option
@site_option
@json_option
def rollback(name: str, version: int, data: Path | None, site: str | None, as_json: bool) -> None:
    """A new version that says what an old one said, and is valid when that one was.

    \b
    Example: expost definitions rollback "Signed up" 1
    """
    by = author()
    saved = analysis_of(data).roll_back(name, version, site=site, author=by.who, place=by.place)
    if wants_json(as_json):
        print_json(saved.to_json())
    else:
        click.echo(f"{saved.name} is version {saved.version}: {saved}")
        if saved.interval.is_bounded:
            click.echo(f"It counts {saved.interval}; outside, what counted before goes on.")


@definitions.command()
@click.argument("name")
@click.option("--owner", metavar="WHO", help="Who answers for it. Empty: nobody.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="All its tags; repeat. One empty: none.")
@click.option("--note", metavar="TEXT", help="What a reader should know. Empty: nothing.")
@data_option
@site_option
@json_option
def describe(name: str, data: Path | None, site: str | None, as_json: bool, **given: Any) -> None:
    """Set owner, tags or note of a definition; what is not given stays.

    \b
    Example: expost definitions describe "Signed up" --owner growth --tag activation
    """
    tags = [tag for tag in given["tags"] if tag] if given["tags"] else None
    told, before, followers = _describe(name, data, site, **given | {"tags": tags})
    print_described(name, told, before, as_json, reports=followers)


@definitions.command()
@click.argument("name")
@data_option
@site_option
@json_option
def archive(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
    """List a definition no longer. Questions that name it are still answered; says which reports are about it.

    \b
    Example: expost definitions archive "Signed up"
    """
    told, before, followers = _describe(name, data, site, archived=True)
    print_archived(name, told, before, as_json, reports=followers)
    if followers and not wants_json(as_json):
        click.echo(
            f"{len(followers)} of the reports are about it, and still answered: {', '.join(followers)}"
        )


@definitions.command()
@click.argument("name")
@data_option
@site_option
@json_option
def unarchive(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
    """Take a definition back from the archive.

    \b
    Example: expost definitions unarchive "Signed up"
    """
    told, before, followers = _describe(name, data, site, archived=False)
    print_archived(name, told, before, as_json, reports=followers)


@definitions.command()
@FOLDER
@data_option
@site_option
@json_option
def export(folder: Path, data: Path | None, site: str | None, as_json: bool) -> None:
    """Write each definition to a TOML file in DIR; comments in files that are there stay.

    \b
    Example: expost definitions export definitions/
    """
    written = analysis_of(data).export_definitions(folder, site=site)
    print_written(written, folder, as_json, "No event is named yet, so there is nothing to export.")


@definitions.command()
@click.argument("what", metavar="DIR|NAME")
@click.argument("versions", metavar="[OLD NEW]", type=int, nargs=-1)
@MISSING
@asking_options(DIFFERENCE, without=("name", "old", "new"))
def diff(
    what: str,
    versions: tuple[int, ...],
    archives_missing: bool,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """What applying the files in DIR would change; or which past events change sides between two versions of NAME.

    \b
    Example: expost definitions diff definitions/
    Example: expost definitions diff "Signed up" 1 2
    """
    if versions:
        if len(versions) != 2:
            raise InvalidInput("Two versions are compared.", hint='For example: "Signed up" 1 2')
        old, new = map(str, versions)
        form = form_of_options(options, name=[what], old=[old], new=[new])
        show_answer(analysis_of(data).ask(difference_of(form)), as_json)
        return
    said = [name for name, value in options.items() if value and name != "site"]
    if said:
        option = f"--{said[0].rstrip('_').replace('_', '-')}"
        raise InvalidInput(
            f"{option} says how versions are compared, and no versions are named.",
            hint='For example: "Signed up" 1 2; of a folder of files, leave the option out.',
        )
    plan = analysis_of(data).plan_definitions(
        Path(what), site=options["site"], archives_missing=archives_missing
    )
    print_plan(plan, as_json)


@definitions.command()
@FOLDER
@MISSING
@click.option("--yes", is_flag=True, help="Do it without asking.")
@data_option
@site_option
@json_option
def apply(
    folder: Path, archives_missing: bool, yes: bool, data: Path | None, site: str | None, as_json: bool
) -> None:
    """Make the definitions say what the files in DIR say: prints the plan, then asks. All of it is done, or nothing.

    \b
    Example: expost definitions apply definitions/ --yes
    """
    analysis, by = analysis_of(data), author()
    plan = analysis.plan_definitions(folder, site=site, archives_missing=archives_missing)

    def apply_it(agreed: Plan) -> None:
        analysis.apply_definitions(agreed, author=by.who, place=by.place)

    apply_agreed(plan, apply_it, yes=yes, as_json=as_json)


def _describe(
    name: str, data: Path | None, site: str | None, **wanted: Any
) -> tuple[Details, Details, list[str]]:
    """What is said of a definition after this change, and before it; and the reports that are about it."""
    by, analysis = author(), analysis_of(data)
    before = analysis.details(name, site=site)
    told = analysis.describe(name, site=site, author=by.who, place=by.place, **wanted)
    return told, before, analysis.followers(name, site=site)
