"""`expost sessions`: what devices did without a longer gap, listed and counted, and one of them opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from expost.asking import ask
from expost.command_answer import analysis_of, ask_or_explain, form_of_options, show_answer
from expost.command_list import ListedGroup
from expost.errors import InvalidInput
from expost.options import asking_options, explain_option, keeping_options
from expost.query.form_sessions import SESSION, SESSIONS, session_of, sessions_of


@click.group(cls=ListedGroup, invoke_without_command=True)
@explain_option
@keeping_options
@asking_options(SESSIONS)
@click.pass_context
def sessions(
    context: click.Context, /, data: Path | None, as_json: bool, is_explained: bool, **options: Any
) -> None:
    """The sessions that began in a range: how many, how long, with how many pages, and the latest of them.

    \b
    Example: expost sessions --last 7d --by device_class
    """
    form = form_of_options(options)
    if context.invoked_subcommand is None:
        ask_or_explain("sessions", form, sessions_of, data, as_json, is_explained=is_explained)
    elif form or is_explained or data is not None:
        raise InvalidInput(
            "Options of the list say nothing about one session.",
            hint="Say them behind its id: expost sessions show ID --gap 1h",
        )


@sessions.command()
@click.argument("session", metavar="ID")
@asking_options(SESSION)
def show(session: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """One session with its events in their order. ID is what the list calls it.

    \b
    Example: expost sessions show 3f2a91c04be7d580-64c1346a9f080
    """
    show_answer(ask(analysis_of(data), session_of(session, form_of_options(options))), as_json)
