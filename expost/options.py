"""Options and output that the commands have in common. Nothing here is slow to import."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from expost.settings import Settings, load_settings

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


def site_option(command: Command) -> Command:
    """`--site`, on every command that is about one."""
    return click.option("--site", help="Which site, when there are several.")(command)


def as_of_option(command: Command) -> Command:
    """`--as-of`, on every command that asks about events or people."""
    return click.option(
        "--as-of", metavar="DATE", help="Only what was known at this date (or ISO time). Default: all."
    )(command)


def asking_options(command: Command) -> Command:
    """What every question takes."""
    for option in reversed(
        (
            data_option,
            site_option,
            click.option(
                "--from",
                "from_",
                metavar="DATE",
                help="From this date (or ISO time) on. Default: all kept time.",
            ),
            click.option("--to", metavar="DATE", help="Before this date (or ISO time)."),
            click.option("--tz", metavar="ZONE", help="Time zone of days and weeks. Default: the site's."),
            click.option(
                "--week-start",
                metavar="DAY",
                help="The first day of weeks, such as sunday. Default: the site's.",
            ),
            click.option(
                "--environment",
                metavar="NAME",
                multiple=True,
                help="Which environment; repeat, or 'all'. Default: as the site says.",
            ),
            click.option(
                "--bots", type=click.Choice(["yes", "no"]), help="Count bots. Default: as the site says."
            ),
            click.option(
                "--internal",
                type=click.Choice(["yes", "no"]),
                help="Count internal devices. Default: as the site says.",
            ),
            as_of_option,
            json_option,
        )
    ):
        command = option(command)
    return command


def cohort_options(command: Command) -> Command:
    """Whose events count."""
    for option in reversed(
        (
            click.option(
                "--cohort", metavar="NAME", multiple=True, help="Only people in this cohort; repeat for all."
            ),
            click.option("--not-cohort", metavar="NAME", multiple=True, help="Only people not in it."),
        )
    ):
        command = option(command)
    return command


def counting_options(command: Command) -> Command:
    """What is counted, and whose events count."""
    for option in reversed(
        (
            click.option("--unit", metavar="UNIT", help="person (default), session, device or group:TYPE."),
            click.option(
                "--gap", metavar="LENGTH", help="A session ends after this long without any event: 30min."
            ),
            cohort_options,
        )
    ):
        command = option(command)
    return command


def unit_options(command: Command) -> Command:
    """What is counted, and what a result is split by."""
    for option in reversed(
        (
            counting_options,
            click.option(
                "--by",
                metavar="WHAT",
                help="Split: flag:KEY, property:NAME, trait:NAME, latest-trait:NAME, cohort:NAME, or a column: path.",
            ),
            click.option(
                "--several",
                type=click.Choice(["first", "exclude", "as-treated"]),
                help="People who saw several variations of the flag. Default: first.",
            ),
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
                "--on",
                multiple=True,
                metavar="'TYPE [SELECTOR]'",
                help="Events of any type, such as copy or web_vital.",
            ),
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


def validity_options(command: Command) -> Command:
    """When the version that is saved counts."""
    for option in (
        click.option(
            "--valid-until",
            metavar="DATE",
            help="It counts before this date (or ISO time). Default: for ever.",
        ),
        click.option(
            "--valid-from",
            metavar="DATE",
            help="It counts from this date (or ISO time) on, the version before it until then. Default: all time.",
        ),
    ):
        command = option(command)
    return command


def settings_of(data: Path | None) -> Settings:
    """The settings in force, with the folder that was named."""
    return load_settings({} if data is None else {"data": data})


def wants_json(as_json: bool) -> bool:
    """Whether JSON is printed: it was asked for, or nobody looks at a terminal."""
    return as_json or not sys.stdout.isatty()


def print_json(body: Any) -> None:
    """Print data for a program to read."""
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))
