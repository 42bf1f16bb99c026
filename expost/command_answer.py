"""What commands that ask have in common: the folder, options as a form, the question kept or not, its answer printed.

DuckDB, pyarrow, SQLAlchemy and rich take a second to import, most of what a command takes: only what answers, writes or
prints needs them, and imports them here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.asking import ask
from expost.errors import InvalidInput
from expost.options import print_json, say_unread, settings_of, wants_json, write_answer
from expost.query.form import Form, form_of
from expost.query.form_proof import explaining

if TYPE_CHECKING:
    from expost.lake.folder import Folder
    from expost.query.analysis import Analysis
    from expost.query.answer import Answer
    from expost.query.question import Question
    from expost.state.audit import Actor


def still_to_do(folder: Folder) -> str:
    """Who does what the writer of a folder was asked for, and when, where it was not done at once."""
    from expost.lake.lock import held_by

    holder = held_by(folder.lock_path)
    if holder is None:
        return "the next server or import that has the folder does it"
    return "the server is at it" if holder.serves else f"it is for {holder}, or whoever has the folder next"


def analysis_of(data: Path | None) -> Analysis:
    """The data folder that was named, open for questions."""
    from expost.lake.folder import open_folder

    settings = settings_of(data)
    folder = open_folder(settings.data)
    # Only once there is a folder: a refusal of it comes at once.
    from expost.query.analysis import Analysis

    return Analysis(
        folder.path,
        memory_limit=settings.query_memory,
        cache_bytes=settings.cache_bytes,
        max_seconds=settings.query_seconds,
    )


def form_of_options(options: dict[str, Any], **fields: Iterable[str]) -> Any:
    """Options as the form that `query.form` reads: names with `_` stripped, flags as yes, lists repeated."""
    pairs: list[tuple[str, str]] = []
    for name, value in {**options, **fields}.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [
            (name.rstrip("_"), "yes" if each is True else str(each))
            for each in values
            if each is not None and each is not False  # 0 is a number that was given, and equals False
        ]
    return form_of(pairs)


def author() -> Actor:
    """Whom the audit names."""
    from expost.state.audit import command_line

    return command_line()


def ask_question(question: Question, data: Path | None, as_json: bool) -> None:
    """Print the answer to a question."""
    show_answer(ask(analysis_of(data), question), as_json)


def ask_or_explain(
    kind: str,
    form: Form,
    read: Callable[[Form], Question],
    data: Path | None,
    as_json: bool,
    *,
    is_explained: bool,
) -> None:
    """Answer the question of a form, or explain its answer."""
    if is_explained:
        ask_kept(None, form, explaining(read), data, as_json)
    else:
        ask_kept(kind, form, read, data, as_json)


def ask_kept(
    kind: str | None, form: Form, read: Callable[[Form], Question], data: Path | None, as_json: bool
) -> None:
    """Answer the question of a form and, where `--save` names a report of this kind, keep it first."""
    name, pin = form.get("kept_as"), "pin" in form
    asked = {field: values for field, values in form.items() if field not in ("kept_as", "pin")}
    question = read(asked)
    if name is not None:
        if kind is None:
            raise InvalidInput(
                "People and explanations of an answer are not kept.",
                hint="Keep the question itself: --save alone.",
            )
        _keep(name[0], kind, asked, data, pin=pin)
    elif pin:
        raise InvalidInput(
            "--pin says how a question is kept, and it is not.", hint="Say --save NAME as well."
        )
    ask_question(question, data, as_json)


def _keep(name: str, kind: str, form: Form, data: Path | None, *, pin: bool) -> None:
    by, site = author(), next(iter(form.get("site", ())), None)
    saved = analysis_of(data).keep_report(name, kind, form, pin=pin, site=site, author=by.who, place=by.place)
    # On standard error: what follows on the other one is the answer.
    click.echo(f"{saved.name} is version {saved.version}: {saved}", err=True)


def show_answer(answer: Answer, as_json: bool) -> None:
    """Print an answer, as a table on a terminal and as JSON in a pipe, or write it where the command says."""
    if write_answer(answer):
        return
    if wants_json(as_json):
        body = answer.to_json()
        if isinstance(body, list):
            say_unread(answer)
        print_json(body)
        return
    from expost.table import terminal_console
    from expost.terminal import show

    show(terminal_console(), answer)


def print_table(columns: list[tuple[str, str]], rows: list[tuple[Any, ...]]) -> None:
    """Print rows under their columns, each a name and the side on which it stands."""
    from expost.table import table, terminal_console

    table(terminal_console(), columns, rows)


def said_minute(said: str | None) -> str:
    """A moment as JSON says it, to the minute; empty where none is said.

    >>> said_minute("2026-11-02T09:30:12.000250Z"), said_minute(None)
    ('2026-11-02 09:30', '')
    """
    return f"{datetime.fromisoformat(said):%Y-%m-%d %H:%M}" if said else ""
