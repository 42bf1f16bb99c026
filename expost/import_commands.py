"""`expost import`: history that another product exported, with a report of what became of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from expost.command_list import ListedGroup
from expost.options import data_option, json_option, print_json, settings_of, site_option, wants_json

if TYPE_CHECKING:
    # pyarrow and SQLAlchemy take a second to import: `expost --help` does without.
    from expost.history.importing import Source
    from expost.history.report import Report

Command = TypeVar("Command", bound=Callable[..., Any])
SHOWN_ROWS = 20
SHOWN_EXAMPLES = 8


def import_options(command: Command) -> Command:
    """What every import takes."""
    for option in reversed(
        (
            click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path)),
            site_option,
            click.option("--dry-run", is_flag=True, help="Say what would become of it, and change nothing."),
            click.option(
                "--rejects",
                type=click.Path(path_type=Path, dir_okay=False),
                default=Path("expost-import-rejects.ndjson"),
                show_default=True,
                help="Where rows go that cannot be used, with the reason. Made if there is one.",
            ),
            click.option(
                "--tz", metavar="ZONE", help="The time zone of times that do not say theirs. Default: UTC."
            ),
            data_option,
            json_option,
        )
    ):
        command = option(command)
    return command


@click.group("import", cls=ListedGroup)
def imports() -> None:
    """History that another product exported becomes events of a site, once, however often it is imported.

    A server may run on the folder meanwhile, or not. Ended at any moment, the same command goes on where it was.
    """


def _add(name: str, words: str, example: str) -> None:
    @import_options
    def command(files: tuple[Path, ...], tz: str | None, **options: Any) -> None:
        from expost.history.sources import source_of

        _run(source_of(name, files, tz), **options)

    command.__doc__ = f"{words}\n\n\b\nExample: {example}"
    imports.command(name)(command)


_add(
    "posthog",
    "PostHog: a batch export or what its API gives, as JSON lines, Parquet or CSV; plain, gzip or zip.",
    "expost import posthog export/ --site shop",
)
_add("amplitude", "Amplitude: the zip of its export API.", "expost import amplitude export.zip --site shop")
_add(
    "mixpanel",
    "Mixpanel: the JSON lines of its raw export. Old projects export in their own time zone: say it with --tz.",
    "expost import mixpanel export.ndjson.gz --site shop",
)
_add(
    "snowplow",
    "Snowplow: enriched events, tab-separated; plain, gzip or zip.",
    "expost import snowplow enriched/ --site shop",
)


def mapping_options(command: Command) -> Command:
    """Which columns are what."""
    several: dict[str, Any] = {"multiple": True, "metavar": "COLUMN"}
    for option in reversed(
        (
            click.option(
                "--mapping",
                type=click.Path(path_type=Path, dir_okay=False),
                help="A TOML file that says which column is what; `expost import inspect` proposes one.",
            ),
            click.option(
                "--time",
                **several,
                help="When it happened; repeat for a day and a time of day of two columns.",
            ),
            click.option(
                "--time-format", metavar="FORMAT", help="iso, seconds, milliseconds, microseconds or %Y…"
            ),
            click.option("--event", metavar="COLUMN", help="What it is called."),
            click.option(
                "--name", metavar="NAME", help="What all of them are called, where no column says it."
            ),
            click.option("--device", metavar="COLUMN", help="On which browser or device."),
            click.option("--user", metavar="COLUMN", help="Who did it."),
            click.option(
                "--id", **several, help="What tells it from all others; repeat. Default: the whole row."
            ),
            click.option(
                "--repeats", type=click.Choice(["once", "each"]), help="Rows that are the same: one or each."
            ),
            click.option(
                "--columns", **several, help="Names of the columns, where no first row has them; repeat."
            ),
            click.option(
                "--delimiter",
                metavar="TEXT",
                help="What stands between cells. Default: what the first line has.",
            ),
        )
    ):
        command = option(command)
    return command


def _add_table(name: str, words: str, example: str) -> None:
    @mapping_options
    @import_options
    def command(mapping: Path | None, files: tuple[Path, ...], tz: str | None, **options: Any) -> None:
        from expost.history.sources import mapped_source, mapping_for

        said = {field: options.pop(field) for field in MAPPED if options[field]}
        for field in MAPPED:
            options.pop(field, None)
        if tz:
            said["time_zone"] = tz
        meant = mapping_for(files, mapping, said)
        _run(mapped_source(name, files, meant), **options)

    command.__doc__ = f"{words}\n\n\b\nExample: {example}"
    imports.command(name)(command)


MAPPED = ("time", "time_format", "event", "name", "device", "user", "id", "repeats", "columns", "delimiter")
_add_table(
    "csv",
    "A table of text, with a mapping of its columns: a file, or these options.",
    "expost import csv log.csv --mapping log.toml --site shop",
)
_add_table(
    "parquet",
    "Parquet files, with a mapping of their columns: a file, or these options.",
    "expost import parquet events/ --time ts --event name --user user_id --site shop",
)


@imports.command("inspect")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
def inspect_file(file: Path, as_json: bool) -> None:
    """What a table seems to hold, and a mapping that seems to fit it. Changes nothing; the mapping is yours to mend.

    \b
    Example: expost import inspect log.csv > log.toml
    """
    from expost.history.proposal import proposal

    found = proposal(file)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(found.to_toml(), nl=False)


def _run(
    source: Source,
    *,
    site: str | None,
    dry_run: bool,
    rejects: Path,
    data: Path | None,
    as_json: bool,
) -> None:
    from expost.clock import wall_clock
    from expost.history.importing import import_history
    from expost.lake.folder import open_folder
    from expost.state.audit import command_line
    from expost.state.database import State
    from expost.state.sites import find_site

    folder = open_folder(settings_of(data).data)
    state = State(folder.state_path)
    report = import_history(
        folder,
        state,
        find_site(state, site),
        source,
        rejects,
        is_dry_run=dry_run,
        clock=wall_clock,
        by=command_line(),
        progress=_say_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    if wants_json(as_json):
        print_json(report.to_json())
    else:
        _show(report)


def _say_progress(report: Report) -> None:
    waits = f"; the server takes nothing at the moment: {report.waits_for[:60]}" if report.waits_for else ""
    click.echo(f"\r\033[K{report.rows:,} rows read, {report.stored:,} stored{waits}", nl=False, err=True)


def _show(report: Report) -> None:
    from expost.table import table, terminal_console

    said = report.to_json()
    would = "would be " if report.is_dry_run else ""
    rows = [
        ("rows read", f"{report.rows:,} in {report.files:,} files"),
        (f"{would}stored", f"{report.stored:,}"),
        ("logins that they imply", f"{report.logins_made:,}"),
        ("memberships of groups that they imply", f"{report.memberships_made:,}"),
        ("the same row again", f"{report.repeats:,}"),
        ("stored before", f"{report.stored_before:,}"),
        (
            "rejected",
            f"{report.rejected_rows:,}" + (f", in {report.rejects_file}" if report.rejects_file else ""),
        ),
        ("from", said["time_range"][0] or "–"),
        ("to", said["time_range"][1] or "–"),
        ("users, devices", f"{said['users']:,}, {said['devices']:,}"),
    ]
    if report.missing:
        rows.append(("not stored: people who were erased", f"{report.missing:,}"))
    console = terminal_console()
    table(console, ((f"{report.source} → {report.site}", "left"), ("", "right")), rows)
    for title, counts in (
        ("events", said["names"]),
        ("rejected because", said["rejected"]["reasons"]),
        ("stored, and worth a look", said["doubts"]["reasons"]),
        ("left behind", said["left_behind"]),
    ):
        if counts:
            shown = list(counts.items())[:SHOWN_ROWS]
            table(
                console, ((title, "left"), ("rows", "right")), [(name, f"{count:,}") for name, count in shown]
            )
            if len(counts) > SHOWN_ROWS:
                click.echo(f"and {len(counts) - SHOWN_ROWS:,} more: --json has them")
    for example in [*said["rejected"]["examples"], *said["doubts"]["examples"]][:SHOWN_EXAMPLES]:
        hint = f" {example['hint']}" if example["hint"] else ""
        click.echo(f"{example['file']}, row {example['row']:,}: {example['reason']}.{hint}")
    if report.stored and not report.is_dry_run:
        click.echo(
            "Name these events with expost define NAME --track EVENT. Sorted, questions read less: expost compact"
        )
