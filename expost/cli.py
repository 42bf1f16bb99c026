"""The command line: `expost COMMAND --help` says what each takes, with an example.

Here and where questions and definitions have theirs, the slow imports stand inside the commands that need them, so that
help and refusals come at once.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from expost.asking import CANCELLED
from expost.backup_commands import COMMANDS as BACKUP
from expost.cohort_commands import cohorts
from expost.command_list import HEADINGS, ListedGroup
from expost.defining_commands import COMMANDS as DEFINING
from expost.definition_commands import definitions
from expost.errors import ExpostError, FolderError, InvalidInput, SelectorError
from expost.options import data_option, json_option, print_json, settings_of, wants_json
from expost.question_commands import COMMANDS
from expost.reconcile_commands import reconcile
from expost.report_commands import COMMANDS as REPORTS
from expost.right_commands import COMMANDS as RIGHTS
from expost.session_commands import sessions
from expost.settings import load_settings

WORDS = "expost.words"

DISK_HINTS = {
    errno.ENOSPC: "Make room, and say it again.",
    errno.EDQUOT: "Make room, or have your quota raised, and say it again.",
    errno.EROFS: "Mount it for writing, or copy the folder elsewhere (cp -a) and say it of the copy.",
    errno.EIO: "That disk fails. Copy what can still be read, and look at the log of the system.",
}


class Commands(ListedGroup):
    """Turns an ExpostError into its sentence and its hint on standard error, and exit status 2.

    With `--json` the error is on standard output too, and so are those of click about options and arguments.
    Ctrl-C is exit status 130 at any moment, as shells have it.
    """

    headings = HEADINGS

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the words before any command reads them: a refusal must know whether JSON was asked for."""
        ctx.meta[WORDS] = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _print_misuse(error, ctx)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a refusal is printed, not traced."""
        try:
            return super().invoke(ctx)
        except ExpostError as error:
            _refuse(error, wants_json="--json" in ctx.meta[WORDS])
            sys.exit(2)
        except click.ClickException as error:
            _print_misuse(error, ctx)
            raise
        except KeyboardInterrupt:
            # Questions say themselves that nothing was changed; what else was begun here cannot promise it.
            click.echo("\nCancelled.", err=True)
            sys.exit(CANCELLED)
        except BrokenPipeError:
            # The reader of our output (`| head`) has seen enough; say nothing more, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as problem:
            # Whichever command meets such a disk, it is no fault of ours to be traced.
            if problem.errno not in DISK_HINTS:
                raise
            _refuse(_of_disk(problem), wants_json="--json" in ctx.meta[WORDS])
            sys.exit(2)


def _of_disk(problem: OSError) -> FolderError:
    assert problem.errno is not None
    where = f" ({problem.filename})" if problem.filename else ""
    says = f"The disk does not do what this command needs: {os.strerror(problem.errno)}{where}."
    return FolderError(says, hint=DISK_HINTS[problem.errno])


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


def _print_misuse(error: click.ClickException, ctx: click.Context) -> None:
    """Print what click refuses as JSON, if that was asked for; click itself prints the rest on standard error."""
    if "--json" in ctx.meta[WORDS] and not isinstance(error, click.exceptions.NoArgsIsHelpError):
        command = (getattr(error, "ctx", None) or ctx).command_path
        refusal = InvalidInput(error.format_message(), hint=f"What it takes: {command} --help")
        click.echo(json.dumps(refusal.to_json(), ensure_ascii=False))


class LaterGroup(ListedGroup):
    """A group whose commands are imported when one of them is asked for."""

    def __init__(self, name: str, load: Callable[[], click.Group], **options: Any) -> None:
        super().__init__(name, **options)
        self._load = load

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of its commands."""
        return self._load().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of its commands."""
        return self._load().get_command(ctx, cmd_name)


def _sites() -> click.Group:
    from expost.site_commands import sites

    return sites


def _accounts() -> click.Group:
    from expost.account_commands import accounts

    return accounts


def _people() -> click.Group:
    from expost.people_commands import people

    return people


def _journal() -> click.Group:
    from expost.journal_commands import journal

    return journal


def _imports() -> click.Group:
    from expost.import_commands import imports

    return imports


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="expost")
def main() -> None:
    """Product analytics asked afterwards: keep every interaction, name events later by CSS selector."""


main.add_command(LaterGroup("sites", _sites, help="The sites of a folder, their keys and the line to paste."))
main.add_command(
    LaterGroup("accounts", _accounts, help="Who may log in, and which programs may ask the API.")
)
main.add_command(
    LaterGroup("people", _people, help="Who somebody is and what they did; merge two users, undo any link.")
)
main.add_command(
    LaterGroup(
        "journal", _journal, help="What was acknowledged, segment by segment; and the lake filled up from it."
    )
)
main.add_command(
    LaterGroup("import", _imports, help="History that another product exported, or a table holds.")
)
for each in (*DEFINING, *COMMANDS, reconcile, *REPORTS, definitions, cohorts, sessions, *RIGHTS, *BACKUP):
    main.add_command(each)


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
    from expost.collector.garbage import loading

    with loading():
        from expost.serve import run

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
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many.")
@data_option
@json_option
def audit(**options: Any) -> None:
    """Who logged in, and who changed accounts, keys, sites and definitions; the latest first.

    \b
    Example: expost audit --limit 20
    """
    from expost.account_commands import print_audit

    print_audit(**options)


@main.command()
@click.option(
    "--memory", default="600MB", show_default=True, help="What sorting takes; the rest goes to the disk."
)
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="How many sort.")
@data_option
@json_option
def compact(**options: Any) -> None:
    """Sort all that is in the lake into few files, as questions read them. No answer changes.

    A server may run meanwhile, and does the same by itself with what is new. Ended at any moment, nothing is lost, and
    what was done stays done.

    \b
    Example: expost compact
    """
    from expost.lake_commands import print_compaction

    print_compaction(**options)


@main.command()
@data_option
@json_option
def enrich(**options: Any) -> None:
    """Judge past events by the rules of this version: browser, system, kind of device, bots, campaign and channel.

    A server does it by itself after an upgrade. What was captured is not changed.

    \b
    Example: expost enrich
    """
    from expost.lake_commands import print_enrichment

    print_enrichment(**options)


@main.command()
@click.option(
    "--mend",
    is_flag=True,
    help="Set aside what is damaged, and store again what the journal holds of it. A running server is asked to do "
    "that for files.",
)
@data_option
@json_option
def doctor(mend: bool, data: Path | None, as_json: bool) -> None:
    """Every setting and where it comes from, and what is wrong with the folder. Status 1 when something is.

    \b
    Example: expost doctor --data expost-data
    """
    from expost.doctor import examine, findings_json, show_findings
    from expost.doctor import mend as mend_folder
    from expost.table import terminal_console

    settings = settings_of(data)
    findings = (mend_folder(settings) if mend else []) + examine(settings)
    if wants_json(as_json):
        print_json(findings_json(settings, findings))
    else:
        show_findings(terminal_console(), settings, findings)
    sys.exit(1 if any(finding.is_wrong for finding in findings) else 0)
