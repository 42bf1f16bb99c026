"""The commands that keep things under names: listed, shown, described, archived, and as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.command_answer import analysis_of, author, print_table, said_minute
from expost.command_list import ListedGroup
from expost.file_commands import FOLDER, apply_agreed, missing_option, print_plan, print_written
from expost.options import data_option, json_option, print_json, site_option, wants_json

if TYPE_CHECKING:
    from expost.state.details import Details


@dataclass(frozen=True, slots=True)
class KeptCommands:
    """The group of commands about things of one kind; `nothing` is said where there are none."""

    noun: str
    about: str
    example: str
    nothing: str
    group: click.Group

    def command(self, does: str, arguments: str) -> Callable[[Callable[..., None]], click.Command]:
        """A command of the group, called as its function is; it does this, for example of these arguments."""

        def made(function: Callable[..., None]) -> click.Command:
            told = f"{does}\n\n\b\nExample: expost {self.noun}s {function.__name__} {arguments}"
            return self.group.command(help=told)(site_option(data_option(json_option(function))))

        return made

    def do(self, analysis: Any, method: str, *given: Any, **said: Any) -> Any:
        """Change something, in the name of whoever runs the command."""
        by = author()
        return getattr(analysis, method)(self.noun, *given, author=by.who, place=by.place, **said)

    def describe(self, analysis: Any, name: str, site: str | None, **wanted: Any) -> tuple[Details, Details]:
        """What is said of one of them after this change, and what was before it."""
        before = analysis.kept_history(self.noun, name, site=site)[-1].details
        return self.do(analysis, "describe_kept", name, site=site, **wanted), before


def kept_group(noun: str, about: str, example: str, nothing: str) -> click.Group:
    """All of them, for one kind."""

    @click.group(
        f"{noun}s",
        cls=ListedGroup,
        invoke_without_command=True,
        help=f"{about}\n\n\b\nExample: expost {noun}s",
    )
    @click.option("--archived", is_flag=True, help="Those in the archive instead.")
    @data_option
    @site_option
    @json_option
    @click.pass_context
    def group(
        context: click.Context, archived: bool, data: Path | None, site: str | None, as_json: bool
    ) -> None:
        if context.invoked_subcommand is None:
            found = analysis_of(data).kept(noun, site=site, archived=archived)
            _print_list(found, as_json, f"No {noun} is archived." if archived else nothing)

    kept = KeptCommands(noun, about, example, nothing, group)
    _add_versions(kept)
    _add_details(kept)
    _add_files(kept)
    return group


def _add_versions(kept: KeptCommands) -> None:
    @kept.command(
        f"Every version of a {kept.noun} with its author and time, and what was said of it.", kept.example
    )
    @click.argument("name")
    def show(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
        versions = [each.to_json() for each in analysis_of(data).kept_history(kept.noun, name, site=site)]
        if wants_json(as_json):
            print_json(versions[-1] | {"versions": versions})
            return
        for word in ("owner", "tags", "note", "archived"):
            if value := versions[-1][word]:
                click.echo(f"{word}: {', '.join(value) if isinstance(value, list) else value}")
        rows = [
            (each["version"], said_minute(each["created_at"]), each["author"], each["meaning"])
            for each in versions
        ]
        print_table([("version", "right"), ("saved", "left"), ("by", "left"), ("meaning", "left")], rows)

    @kept.command("A new version that says what an old one said.", f"{kept.example} 1")
    @click.argument("name")
    @click.argument("version", type=int)
    def rollback(name: str, version: int, data: Path | None, site: str | None, as_json: bool) -> None:
        print_saved(kept.do(analysis_of(data), "roll_back_kept", name, version, site=site), as_json)


def _add_details(kept: KeptCommands) -> None:
    @kept.command(
        f"Set owner, tags or note of a {kept.noun}; what is not given stays.",
        f"{kept.example} --owner growth",
    )
    @click.argument("name")
    @click.option("--owner", metavar="WHO", help="Who answers for it. Empty: nobody.")
    @click.option(
        "--tag", "tags", metavar="TAG", multiple=True, help="All its tags; repeat. One empty: none."
    )
    @click.option("--note", metavar="TEXT", help="What a reader should know. Empty: nothing.")
    def describe(name: str, data: Path | None, site: str | None, as_json: bool, **given: Any) -> None:
        tags = [tag for tag in given["tags"] if tag] if given["tags"] else None
        told, before = kept.describe(analysis_of(data), name, site, **given | {"tags": tags})
        print_described(name, told, before, as_json)

    @kept.command(f"List a {kept.noun} no longer. Whoever names it is still answered.", kept.example)
    @click.argument("name")
    def archive(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
        told, before = kept.describe(analysis_of(data), name, site, archived=True)
        print_archived(name, told, before, as_json)

    @kept.command(f"Take a {kept.noun} back from the archive.", kept.example)
    @click.argument("name")
    def unarchive(name: str, data: Path | None, site: str | None, as_json: bool) -> None:
        told, before = kept.describe(analysis_of(data), name, site, archived=False)
        print_archived(name, told, before, as_json)


def _add_files(kept: KeptCommands) -> None:
    @kept.command(
        f"Write each {kept.noun} to a TOML file in DIR; comments in files that are there stay.",
        f"{kept.noun}s/",
    )
    @FOLDER
    def export(folder: Path, data: Path | None, site: str | None, as_json: bool) -> None:
        written = analysis_of(data).export_kept(kept.noun, folder, site=site)
        print_written(written, folder, as_json, kept.nothing)

    @kept.command("What applying the files in DIR would change.", f"{kept.noun}s/")
    @FOLDER
    @missing_option(f"{kept.noun}s")
    def diff(
        folder: Path, archives_missing: bool, data: Path | None, site: str | None, as_json: bool
    ) -> None:
        plan = analysis_of(data).plan_kept(kept.noun, folder, site=site, archives_missing=archives_missing)
        print_plan(plan, as_json)

    @kept.command(
        f"Make {kept.noun}s say what the files in DIR say: prints the plan, then asks. All of it is done, or nothing.",
        f"{kept.noun}s/ --yes",
    )
    @FOLDER
    @missing_option(f"{kept.noun}s")
    @click.option("--yes", is_flag=True, help="Do it without asking.")
    def apply(
        folder: Path, archives_missing: bool, yes: bool, data: Path | None, site: str | None, as_json: bool
    ) -> None:
        analysis = analysis_of(data)
        plan = analysis.plan_kept(kept.noun, folder, site=site, archives_missing=archives_missing)
        apply_agreed(plan, partial(kept.do, analysis, "apply_kept"), yes=yes, as_json=as_json)


def _print_list(found: Any, as_json: bool, nothing: str) -> None:
    if wants_json(as_json):
        print_json([each.to_json() for each in found])
    elif found:
        columns = [("name", "left"), ("version", "right"), ("meaning", "left"), ("owner", "left")]
        print_table(columns, [(each.name, each.version, str(each), each.details.owner) for each in found])
    else:
        click.echo(nothing)


def print_saved(saved: Any, as_json: bool) -> None:
    """What is kept now."""
    if wants_json(as_json):
        print_json(saved.to_json())
    else:
        click.echo(f"{saved.name} is version {saved.version}: {saved}")


def print_described(name: str, told: Details, before: Details, as_json: bool, **more: Any) -> None:
    """What is said of a thing now, and whether that was so already."""
    if wants_json(as_json):
        print_json({"name": name} | told.to_json() | {"is_changed": told != before} | more)
        return
    said = [f"{word}: {', '.join(value) if isinstance(value, list) else value}"
            for word, value in told.to_json().items() if value and word != "archived"]  # fmt: skip
    click.echo(f"{name}: " + ("; ".join(said) or "nothing is said of it"))
    if told == before:
        click.echo("It was so already; nothing was changed.")


def print_archived(name: str, told: Details, before: Details, as_json: bool, **more: Any) -> None:
    """Whether a thing is archived now, and whether it was already."""
    if wants_json(as_json):
        print_described(name, told, before, as_json, **more)
        return
    was = " already; nothing was changed" if told == before else ""
    click.echo(f"{name} is {'' if told.archived else 'not '}archived{was}.")
