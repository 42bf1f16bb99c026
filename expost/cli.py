"""The command line: `expost COMMAND --help` says what each takes, with an example."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from expost.doctor import examine, show_findings
from expost.errors import ExpostError, SelectorError
from expost.lake.folder import open_folder
from expost.query.analysis import Analysis
from expost.query.answer import Answer, plain
from expost.query.form import definition_of, form_of, funnel_of, preview_of, retention_of, trend_of
from expost.query.question import FlagList, Live, SqlQuery
from expost.settings import load_settings
from expost.site_commands import sites
from expost.terminal import show, table, terminal_console

Command = TypeVar("Command", bound=Callable[..., Any])


WORDS = "expost.words"


class Door(click.Group):
    """Turns an ExpostError into its sentence and its hint on standard error, and exit status 2."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the words before any command reads them: a refusal must know whether JSON was asked for."""
        ctx.meta[WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a refusal is printed, not traced."""
        try:
            return super().invoke(ctx)
        except ExpostError as error:
            _refuse(error, wants_json="--json" in ctx.meta[WORDS])
            sys.exit(2)
        except BrokenPipeError:
            # The reader of our output (`| head`) has seen enough; say nothing more, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


def _refuse(error: ExpostError, *, wants_json: bool) -> None:
    click.echo(f"expost: {error.message}", err=True)
    if isinstance(error, SelectorError):
        click.echo(
            "\n" + "\n".join(f"    {line}" for line in error.with_caret().splitlines()) + "\n", err=True
        )
    if error.hint:
        click.echo(error.hint, err=True)
    if wants_json:
        click.echo(json.dumps(error.to_json(), ensure_ascii=False))


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="expost")
def main() -> None:
    """Product analytics asked afterwards: keep every interaction, name events later by CSS selector."""


main.add_command(sites)


def data_option(command: Command) -> Command:
    """`--data`, on every command."""
    return click.option(
        "--data", type=click.Path(path_type=Path), default=None,
        help="The data folder. Default: $EXPOST_DATA, else expost-data.",
    )(command)  # fmt: skip


def asking_options(command: Command) -> Command:
    """What every question takes."""
    for option in reversed(
        (
            data_option,
            click.option("--site", help="Which site, when there are several."),
            click.option(
                "--from",
                "from_",
                metavar="DATE",
                help="From this date (or ISO time) on. Default: all kept time.",
            ),
            click.option("--to", metavar="DATE", help="Before this date (or ISO time)."),
            click.option("--tz", metavar="ZONE", help="Time zone of days and weeks. Default: the site's."),
            click.option("--environment", help="Which environment, or 'all'. Default: production."),
            click.option(
                "--bots", type=click.Choice(["yes", "no"]), help="Count bots. Default: as the site says."
            ),
            click.option(
                "--internal", type=click.Choice(["yes", "no"]), help="Count internal devices. Default: no."
            ),
            click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe."),
        )
    ):
        command = option(command)
    return command


def condition_options(command: Command) -> Command:
    """What a definition is made of."""
    several: dict[str, Any] = {"multiple": True, "metavar": "SELECTOR"}
    for option in reversed(
        (
            click.option(
                "--click", **several, help="Clicks on what this CSS selector matches, or inside it."
            ),
            click.option("--change", **several, help="Changes of a field."),
            click.option("--submit", **several, help="Submits of a form."),
            click.option(
                "--view",
                multiple=True,
                metavar="GLOB",
                help="Views of pages: * in a segment, ** across them.",
            ),
            click.option("--track", multiple=True, metavar="NAME", help="Events that the site itself names."),
            click.option(
                "--text",
                metavar="TEXT",
                help="The label is this; or contains:…, prefix:…, matches:…; /i for any case.",
            ),
            click.option("--host", metavar="HOST", help="On this host."),
            click.option("--path", metavar="GLOB", help="On pages of this path."),
            click.option("--hash", metavar="HASH", help="With this fragment of the address."),
            click.option("--query", multiple=True, metavar="NAME[=VALUE]", help="With this query parameter."),
            click.option("--property", multiple=True, metavar="NAME[=VALUE]", help="With this property."),
            click.option(
                "--target-only", is_flag=True, help="Only the clicked element itself, none around it."
            ),
            click.option("--pierce", is_flag=True, help="Let the selector look through shadow roots."),
        )
    ):
        command = option(command)
    return command


@main.command()
@data_option
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on. Default: 8000.")
@click.option("--public-url", help="The address that pages use, if another one: https://expost.example")
def serve(**options: Any) -> None:
    """Collect and answer: one process tree, one folder, one port.

    \b
    Example: expost serve --data expost-data --port 8000
    """
    from expost.serve import (
        run,
    )  # The server's imports cost half a second, which no other command should pay.

    settings = load_settings({name: value for name, value in options.items() if value is not None})
    sys.exit(run(settings))


@main.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("expost-demo"),
    show_default=True,
    help="The demo's folder.",
)
@click.option("--port", type=int, default=8000, show_default=True, help="Port of Expost.")
@click.option("--shop-port", type=int, default=8001, show_default=True, help="Port of the shop.")
@click.option("--visitors", type=int, default=6, show_default=True, help="Chromium visitors.")
@click.option("--days", type=int, default=30, show_default=True, help="Days of history.")
@click.option("--no-browser", is_flag=True, help="Send no Chromium visitors.")
@click.option("--exit-when-ready", is_flag=True, help="Fill, print the addresses, and end.")
def demo(**options: Any) -> None:
    """A small shop with a month of visitors, and Expost open on them.

    \b
    Example: expost demo
    """
    from expost.demo.run import run_demo

    sys.exit(run_demo(**options))


@main.command()
@condition_options
@asking_options
def preview(data: Path | None, as_json: bool, **options: Any) -> None:
    """The past of a definition that need not exist: events, people, unknown. Saves nothing.

    \b
    Example: expost preview --click 'form.signup button'
    """
    _show(_analysis(data).ask(preview_of(_form(options))), as_json)


@main.command()
@click.argument("name")
@condition_options
@asking_options
def define(name: str, data: Path | None, as_json: bool, site: str | None, **options: Any) -> None:
    """Name an event. Its whole past is there at once; the same name again makes a new version.

    \b
    Example: expost define "Signed up" --click 'form.signup button'
    """
    analysis = _analysis(data)
    definition = analysis.define(definition_of(name, _form(options)), site=site, author=_author())
    past = analysis.ask(preview_of(form_of([("name", definition.name), ("site", site or "")])))
    if _wants_json(as_json):
        _print_json({"definition": definition.to_json(), "preview": past.to_json()})
    else:
        click.echo(f"{definition.name} is version {definition.version}: {definition}\n")
        show(terminal_console(), past)


@main.command()
@data_option
@click.option("--site", help="Which site, when there are several.")
@click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")
def definitions(data: Path | None, site: str | None, as_json: bool) -> None:
    """The named events.

    \b
    Example: expost definitions
    """
    saved = _analysis(data).definitions(site=site)
    if _wants_json(as_json):
        _print_json([definition.to_json() for definition in saved])
    elif saved:
        columns = [("name", "left"), ("version", "right"), ("meaning", "left")]
        table(terminal_console(), columns, [(each.name, each.version, str(each)) for each in saved])
    else:
        click.echo("No event is named yet. Name one with: expost define NAME --click SELECTOR")


@main.command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--within", default="7d", show_default=True, help="The conversion window, from the first step.")
@click.option("--by", metavar="flag:KEY", help="Split by the variation of the first exposure.")
@asking_options
def funnel(steps: tuple[str, ...], data: Path | None, as_json: bool, **options: Any) -> None:
    """How many people went through the steps in order, within the window of their first step.

    \b
    Example: expost funnel "Viewed page" "Signed up" --within 7d --by flag:new-checkout
    """
    _show(_analysis(data).ask(funnel_of(_form(options, step=steps))), as_json)


@main.command()
@click.option("--start", required=True, metavar="NAME", help="What makes a person enter a cohort.")
@click.option(
    "--return", "return_", metavar="NAME", help="What counts as coming back. Default: the same event."
)
@click.option(
    "--period",
    type=click.Choice(["day", "week"]),
    default="week",
    show_default=True,
    help="Calendar periods.",
)
@click.option("--periods", type=int, help="How many periods after the first are shown.")
@click.option("--entry", type=click.Choice(["first_in_range", "first_ever"]), help="Which start counts.")
@click.option("--by", metavar="flag:KEY", help="Split by the variation of the first exposure.")
@asking_options
def retention(data: Path | None, as_json: bool, **options: Any) -> None:
    """Who came back: cohorts by the period in which they began.

    \b
    Example: expost retention --start "Signed up" --return "Signed up" --period week --by flag:new-checkout
    """
    _show(_analysis(data).ask(retention_of(_form(options))), as_json)


@main.command()
@click.argument("name")
@click.option(
    "--period",
    type=click.Choice(["hour", "day", "week", "month"]),
    default="day",
    show_default=True,
    help="Calendar periods.",
)
@click.option("--by", metavar="flag:KEY", help="Split by the variation of the first exposure.")
@asking_options
def trend(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Events and people of a definition, period by period.

    \b
    Example: expost trend "Signed up" --period day
    """
    _show(_analysis(data).ask(trend_of(_form(options, name=[name]))), as_json)


@main.command()
@data_option
@click.option("--site", help="Which site, when there are several.")
@click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")
def flags(data: Path | None, site: str | None, as_json: bool) -> None:
    """The flags and variations that exposures name.

    \b
    Example: expost flags
    """
    _show(_analysis(data).ask(FlagList(site=site)), as_json)


@main.command()
@data_option
@click.option("--site", help="Which site, when there are several.")
@click.option("--latest", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")
def live(data: Path | None, site: str | None, latest: int, as_json: bool) -> None:
    """The latest events as they arrived, newest first.

    \b
    Example: expost live --latest 5
    """
    _show(_analysis(data).ask(Live(latest, site=site)), as_json)


@main.command()
@click.argument("query")
@data_option
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Most rows to return.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")
def sql(query: str, data: Path | None, limit: int, as_json: bool) -> None:
    """One SELECT over the views events, elements and people, in a sandbox.

    \b
    Example: expost sql "select type, count(*) from events group by 1"
    """
    _show(_analysis(data).ask(SqlQuery(query, limit)), as_json)


@main.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="JSON; also the default in a pipe.")
def doctor(data: Path | None, as_json: bool) -> None:
    """Every setting and where it comes from, and what is wrong with the folder. Status 1 when something is.

    \b
    Example: expost doctor --data expost-data
    """
    settings = load_settings({} if data is None else {"data": data})
    findings = examine(settings)
    if _wants_json(as_json):
        _print_json(plain(findings))
    else:
        show_findings(terminal_console(), settings, findings)
    sys.exit(1 if any(finding.is_wrong for finding in findings) else 0)


def _analysis(data: Path | None) -> Analysis:
    settings = load_settings({} if data is None else {"data": data})
    return Analysis(
        open_folder(settings.data).path,
        memory_limit=settings.query_memory,
        max_seconds=settings.query_seconds,
    )


def _form(options: dict[str, Any], **fields: Iterable[str]) -> Any:
    """Options as the form that `query.form` reads: names with `_` stripped, flags as yes, lists repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in {**options, **fields}.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [
            (name.rstrip("_"), "yes" if each is True else str(each))
            for each in values
            if each not in (None, False)
        ]
    return form_of(pairs)


def _author() -> str:
    return os.environ.get("USER") or os.environ.get("LOGNAME") or ""


def _wants_json(as_json: bool) -> bool:
    return as_json or not sys.stdout.isatty()


def _show(answer: Answer, as_json: bool) -> None:
    if _wants_json(as_json):
        _print_json(answer.to_json())
    else:
        show(terminal_console(), answer)


def _print_json(body: Any) -> None:
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))
