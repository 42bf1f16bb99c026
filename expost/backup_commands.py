"""`expost backup` and `expost restore`: a copy of a folder that is in use, and a folder made from it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from expost.options import data_option, json_option, print_json, settings_of, wants_json


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--verify",
    "is_verifying",
    is_flag=True,
    help="Read what an earlier backup has already, and copy again what is damaged.",
)
@data_option
@json_option
def backup(target: Path, is_verifying: bool, data: Path | None, as_json: bool) -> None:
    """Copy the data folder to TARGET, while the server runs. A backup that is there is brought up to date.

    \b
    Example: expost backup /mnt/backups/expost
    """
    from expost.clock import wall_clock
    from expost.lake.backup import back_up
    from expost.lake.folder import open_folder

    made = back_up(open_folder(settings_of(data).data), target, wall_clock(), is_verifying=is_verifying)
    if wants_json(as_json):
        print_json(asdict(made))
    else:
        click.echo(
            f"{target} holds {made.files:,} files ({made.size_bytes:,} bytes); "
            f"{made.copied_files:,} of them ({made.copied_bytes:,} bytes) were copied now."
        )


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--erased",
    type=click.Path(path_type=Path),
    help="Another data folder, such as the one that is replaced: who was erased in it since is erased here too.",
)
@data_option
@json_option
def restore(source: Path, erased: Path | None, data: Path | None, as_json: bool) -> None:
    """Make a data folder from the backup SOURCE, after every byte of that was verified.

    \b
    Example: expost restore /mnt/backups/expost --data expost-data
    """
    from expost.lake.erasure import carry_out
    from expost.lake.folder import open_folder
    from expost.lake.rebuilding import at_rest
    from expost.lake.restoring import restore

    target = settings_of(data).data
    folder = restore(source, target, None if erased is None else open_folder(erased))
    with at_rest(folder) as writer:
        done = carry_out(folder, writer)
    if wants_json(as_json):
        print_json({"folder": str(folder.path), "erased_again": len(done)})
    else:
        again = f" Who was erased since ({len(done)}) was erased again." if done else ""
        click.echo(f"{folder.path} is made from {source}; every byte was as it was copied.{again}")


COMMANDS = (backup, restore)
