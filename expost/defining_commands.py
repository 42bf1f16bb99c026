"""The commands by which events get names: what a definition would find, defining it, and what to define."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from expost.asking import parts
from expost.command_answer import analysis_of, ask_question, author, form_of_options, show_answer
from expost.options import asking_options, print_json, says_output, wants_json
from expost.query.form import form_of
from expost.query.form_definition import (
    DEFINED,
    PREVIEW,
    SUGGESTIONS,
    UNNAMED,
    definition_of,
    preview_of,
    suggestions_of,
    unnamed_of,
    validity_of,
)
from expost.state.names import name_key

if TYPE_CHECKING:
    from expost.query.analysis import Analysis
    from expost.query.definition import Definition


@click.command()
@click.argument("name", required=False)
@asking_options(PREVIEW, without=("name", "only"))
def preview(name: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """The past of a definition that need not exist, or of the saved NAME: events, people, unknown. Saves nothing.

    \b
    Example: expost preview --click 'form.signup button'
    """
    question = preview_of(form_of_options(options, name=[name] if name is not None else []))
    if wants_json(as_json) or says_output():
        ask_question(question, data, as_json)
        return
    # rich and what draws answers: only a terminal needs them.
    from expost.table import terminal_console
    from expost.terminal import show_parts

    analysis = analysis_of(data)
    show_parts(terminal_console(), parts(analysis, analysis.preview_parts(question)))


@click.command()
@click.argument("name")
@asking_options(DEFINED)
def define(name: str, data: Path | None, as_json: bool, site: str | None, **options: Any) -> None:
    """Name an event. Its whole past is there at once; the same name again makes a new version.

    \b
    Example: expost define "Signed up" --click 'form.signup button'
    """
    analysis = analysis_of(data)
    by, form = author(), form_of_options(options)
    before = _latest(analysis, name, site)
    definition = analysis.define(
        definition_of(name, form), site=site, author=by.who, place=by.place, **validity_of(form)
    )
    is_archived = analysis.details(definition.name, site=site).archived
    notes = list(_notes(definition, before, is_archived=is_archived))
    past = analysis.ask(preview_of(form_of([("name", definition.name), ("site", site or "")])))
    if wants_json(as_json):
        said = {"notes": notes} if notes else {}
        print_json({"definition": definition.to_json(), **said, "preview": past.to_json()})
    else:
        when = f", valid {definition.interval}" if definition.interval.is_bounded else ""
        click.echo(f"{definition.name} is version {definition.version}{when}: {definition}\n")
        if definition.renamed_from is not None:
            click.echo(f"Until now it was shown as {definition.renamed_from!r}, which is the same name.\n")
        for note in notes:
            click.echo(f"{note}\n")
        show_answer(past, as_json)


def _latest(analysis: Analysis, name: str, site: str | None) -> Definition | None:
    """What a name means until now, if anything, archived or not."""
    saved = [*analysis.definitions(site=site), *analysis.definitions(site=site, archived=True)]
    return next((each for each in saved if name_key(each.name) == name_key(name)), None)


def _notes(definition: Definition, before: Definition | None, *, is_archived: bool) -> Iterable[str]:
    """What somebody who took the name for a new one has to know."""
    if before is not None and before.version != definition.version:
        yield f"{before.name!r} was defined already: version {before.version} was {before}"
    if is_archived:
        yield f"{definition.name!r} is archived: expost definitions unarchive {quote(definition.name)}"


@click.command()
@click.argument("event", required=False)
@asking_options(SUGGESTIONS, without=("event",))
def suggest(event: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Selectors for the element of an event, ranked by what each would have gathered in the past.

    \b
    Example: expost suggest 019c9d5e-8a00-7000-8000-000000000001
    """
    form = form_of_options(options, event=[event] if event else [])
    ask_question(suggestions_of(form), data, as_json)


@click.command()
@asking_options(UNNAMED)
def unnamed(data: Path | None, as_json: bool, **options: Any) -> None:
    """Interactions that no definition matches, each with a name and a selector to define it by.

    \b
    Example: expost unnamed --limit 10
    """
    ask_question(unnamed_of(form_of_options(options)), data, as_json)


COMMANDS = (preview, define, suggest, unnamed)
