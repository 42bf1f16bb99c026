"""`expost compact` and `expost enrich`: the folder of Parquet, tended by hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from expost.lake.compaction import Compacted, Limits, Progress
from expost.lake.compactor import compact_folder, enrich_folder, give_way, summarize_folder
from expost.lake.enrichment import RULES
from expost.lake.folder import open_folder
from expost.options import print_json, settings_of, wants_json
from expost.table import table, terminal_console

COLUMNS = (("table", "left"), ("files before", "right"), ("files after", "right"), ("MB before", "right"),
           ("MB after", "right"), ("rounds", "right"))  # fmt: skip


def print_compaction(memory: str, threads: int, data: Path | None, as_json: bool) -> None:
    """Compact a folder and print what became of each table."""
    settings = settings_of(data)
    folder = open_folder(settings.data)
    give_way(folder)
    limits = Limits(memory=memory, threads=threads)
    tell = None if wants_json(as_json) else _say
    compacted = compact_folder(folder, everything=True, limits=limits, tell=tell)
    summarize_folder(folder, settings.cache_bytes)
    if tell is None:
        print_json([asdict(each) for each in compacted])
        return
    table(terminal_console(), COLUMNS, [_row(each) for each in compacted])
    click.echo("Files that were replaced are deleted after an hour, because somebody may be reading them.")


def print_enrichment(data: Path | None, as_json: bool) -> None:
    """Judge the events of a folder by this version's rules and print how many that were."""
    folder = open_folder(settings_of(data).data)
    give_way(folder)
    if wants_json(as_json):
        print_json({"events": enrich_folder(folder), "rules": RULES})
        return
    count = enrich_folder(folder, lambda left: click.echo(f"{left:,} files left", err=True))
    click.echo(f"{count:,} events were judged again, by {RULES}.")


def _say(progress: Progress) -> None:
    done, total = progress.done_bytes / 1e6, progress.total_bytes / 1e6
    click.echo(f"{progress.table}: {done:,.1f} of {total:,.1f} MB sorted", err=True)


def _row(compacted: Compacted) -> tuple[object, ...]:
    return (
        compacted.table,
        compacted.files_before,
        compacted.files_after,
        f"{compacted.bytes_before / 1e6:,.1f}",
        f"{compacted.bytes_after / 1e6:,.1f}",
        compacted.rounds,
    )
