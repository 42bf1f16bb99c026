"""`expost journal`: what stands in the journal, whether it is sound, and the lake filled up from it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from expost.clock import from_micros
from expost.command_list import ListedGroup
from expost.errors import FolderError, UnknownName
from expost.finding import rows_in_words
from expost.lake.folder import Folder, open_folder
from expost.lake.inspection import Inspected, batches, inspect_all, segments
from expost.lake.quarantine import replay_stored
from expost.lake.rebuilding import at_rest
from expost.lake.segment import segment_number
from expost.options import data_option, json_option, print_json, settings_of, wants_json
from expost.table import table, terminal_console

COLUMNS = (("segment", "left"), ("state", "left"), ("format", "right"), ("made", "left"), ("bytes", "right"),
           ("frames", "right"), ("events", "right"), ("unreadable", "right"), ("damaged bytes", "right"))  # fmt: skip


@click.group(cls=ListedGroup)
def journal() -> None:
    """What was acknowledged: segments that wait for the lake, and those of the last day that are in it."""


@journal.command("inspect")
@click.argument("segment", type=int, required=False)
@data_option
@json_option
def inspect(segment: int | None, data: Path | None, as_json: bool) -> None:
    """Every segment with its state and what it holds; of one SEGMENT, by its number, the batches. Changes nothing.

    \b
    Example: expost journal inspect
    """
    folder = _folder(data)
    if segment is not None:
        print_json(msgspec.to_builtins(list(batches(_find(folder, segment)))))
        return
    found = list(inspect_all(folder.journal))
    if wants_json(as_json):
        print_json([_segment_json(each) for each in found])
    else:
        table(terminal_console(), COLUMNS, _rows(found))


@journal.command("verify")
@data_option
@json_option
def verify(data: Path | None, as_json: bool) -> None:
    """Read every segment to its last byte and say what is damaged. Status 1 when something is.

    \b
    Example: expost journal verify
    """
    found = list(inspect_all(_folder(data).journal))
    damaged = [each for each in found if not each.is_sound]
    if wants_json(as_json):
        print_json({"segments": len(found), "damaged": [_segment_json(each) for each in damaged]})
    else:
        frames, events = sum(each.frames for each in found), sum(each.events for each in found)
        click.echo(f"{len(found)} segments with {frames:,} frames and {events:,} events were read.")
        if damaged:
            table(terminal_console(), COLUMNS, _rows(damaged))
            click.echo("What is whole in them is stored all the same; the rest is set aside in rejected/.")
    sys.exit(1 if damaged else 0)


@journal.command("replay")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Make a new data folder from the journal, and leave this one as it is.",
)
@data_option
@json_option
def replay(into: Path | None, data: Path | None, as_json: bool) -> None:
    """Store again what the journal still holds and the lake has lost. What the lake has is not doubled.

    The journal keeps a day of what it gave to the lake. No server may run on the folder, unless --into names another.

    \b
    Example: expost journal replay
    """
    folder = _folder(data)
    if into is not None:
        folder = _copy(folder, into)
    with at_rest(folder) as writer:
        appended = replay_stored(folder, writer)
    if wants_json(as_json):
        print_json(dict(appended))
    else:
        click.echo(f"There again: {rows_in_words(appended) or 'nothing was missing'}.")


def _copy(folder: Folder, into: Path) -> Folder:
    """A new folder with the journal and the secret of `folder`, and an empty lake."""
    if into.exists():
        raise FolderError(f"{into} exists already.", hint="Name a folder that does not: it is made.")
    into.mkdir(mode=0o700, parents=True)
    shutil.copy2(folder.secret_path, into / folder.secret_path.name)
    copied = open_folder(into, create=True)
    for path in segments(folder.journal):
        shutil.copy2(path, copied.journal)
    return copied


def _find(folder: Folder, number: int) -> Path:
    found = {segment_number(path): path for path in segments(folder.journal)}
    if number not in found:
        known = [str(each) for each in found]
        raise UnknownName("segment", str(number), known, list_with="expost journal inspect")
    return found[number]


def _rows(found: Sequence[Inspected]) -> list[tuple[Any, ...]]:
    """For a terminal: of the moment no more than fits."""
    said = [_segment_json(each) for each in found]
    return [
        tuple((row | {"made_at": (row["made_at"] or "")[:19].replace("T", " ")}).values()) for row in said
    ]


def _segment_json(found: Inspected) -> dict[str, Any]:
    made = None if found.made_at is None else from_micros(found.made_at).isoformat(timespec="seconds")
    said = asdict(found) | {"made_at": made}
    order = (
        "number",
        "state",
        "version",
        "made_at",
        "size_bytes",
        "frames",
        "events",
        "unreadable",
        "damaged_bytes",
    )
    return {name: said[name] for name in order}


def _folder(data: Path | None) -> Folder:
    return open_folder(settings_of(data).data)
