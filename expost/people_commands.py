"""`expost people`: who somebody is and what they did, and the links between ids: merge and undo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.command_answer import analysis_of, form_of_options, still_to_do
from expost.command_list import ListedGroup
from expost.options import asking_options, data_option, json_option, print_json, site_option, wants_json
from expost.query.form_seen import TIMELINE, timeline_of

if TYPE_CHECKING:
    from expost.query.analysis import Analysis
    from expost.query.timeline import TimelineAnswer

SIGNED = {"ignore_unknown_options": True}
"""Ids are signed numbers: `-5190021794832180137` is one, and no option."""


@click.group(cls=ListedGroup)
def people() -> None:
    """Persons: who they are and what says so, merge and undo."""


@people.command(context_settings=SIGNED)
@click.argument("person", metavar="ID")
@asking_options(TIMELINE, without=("id", "latest"))
def show(person: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Users, browsers, traits and links of one person. ID is a user, a device or a person_id.

    \b
    Example: expost people show ann@shop.example
    """
    options |= {} if wants_json(as_json) else {"latest": 1}
    answer = _timeline(person, data, options)
    if wants_json(as_json):
        print_json(answer.to_json())
        return
    from expost.table import terminal_console
    from expost.terminal_people import show_person

    show_person(terminal_console(), answer)


@people.command(context_settings=SIGNED)
@click.argument("person", metavar="ID")
@asking_options(TIMELINE, without=("id",))
def timeline(person: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """What one person did, session by session, the newest first.

    \b
    Example: expost people timeline ann@shop.example --latest 50
    """
    answer = _timeline(person, data, options)
    if wants_json(as_json):
        print_json(answer.to_json())
        return
    from expost.table import terminal_console
    from expost.terminal_people import show_timeline

    show_timeline(terminal_console(), answer)


@people.command()
@click.argument("user")
@click.argument("into")
@click.option("--force", is_flag=True, help="Also where it looks like a mistake.")
@click.option("--yes", is_flag=True, help="Do it. Without this the command only says what would change.")
@data_option
@site_option
@json_option
def merge(
    user: str, into: str, force: bool, yes: bool, data: Path | None, site: str | None, as_json: bool
) -> None:
    """Make two users one person, who is then called INTO. No event is rewritten, and it can be undone.

    \b
    Example: expost people merge anna@home.example ann@shop.example --yes
    """
    analysis = analysis_of(data)
    if not yes:
        _show_plan(analysis.plan_merge(user, into, site=site, force=force), as_json)
        return
    by = _author()
    done = analysis.merge(user, into, site=site, force=force, author=by.who, place=by.place)
    _show_done(analysis, done, as_json)


@people.command(context_settings=SIGNED)
@click.argument("edges", nargs=-1, required=True, metavar="EDGE...")
@click.option("--yes", is_flag=True, help="Do it. Without this the command only says what would change.")
@data_option
@site_option
@json_option
def undo(edges: tuple[str, ...], yes: bool, data: Path | None, site: str | None, as_json: bool) -> None:
    """Withdraw links between ids, or give back what was withdrawn: `expost people show ID` names their edges.

    \b
    Example: expost people undo 5190021794832180137 --yes
    """
    analysis = analysis_of(data)
    if not yes:
        _show_plan(analysis.plan_undo(edges, site=site), as_json)
        return
    by = _author()
    _show_done(analysis, analysis.undo(edges, site=site, author=by.who, place=by.place), as_json)


def _timeline(person: str, data: Path | None, options: dict[str, Any]) -> TimelineAnswer:
    answer = analysis_of(data).ask(timeline_of(form_of_options(options, id=[person])))
    from expost.query.timeline import TimelineAnswer

    assert isinstance(answer, TimelineAnswer)
    return answer


def _show_plan(plan: dict[str, Any], as_json: bool) -> None:
    if wants_json(as_json):
        print_json(plan)
        return
    from expost.table import table, terminal_console

    rows = [
        (each["definition"], each["events"]["then"], each["people"]["now"], each["people"]["then"])
        for each in plan["definitions"]
    ]
    columns = (("definition", "left"), ("events", "right"), ("people now", "right"), ("people then", "right"))
    table(terminal_console(), columns, rows)
    figures = [
        (each["report"], figure["figure"], figure["now"], figure["then"])
        for each in plan["reports"]
        for figure in each["figures"]
        if figure["now"] != figure["then"]
    ]
    if figures:
        heads = (("report", "left"), ("figure", "left"), ("now", "right"), ("then", "right"))
        table(terminal_console(), heads, figures)
    for line in _said_of_reports(plan["reports"]):
        click.echo(line)
    click.echo("No event is rewritten, and it can be undone. To do it, say the same with --yes")


def _said_of_reports(reports: list[dict[str, Any]]) -> list[str]:
    """What no figure shows: reports that change inside, and those that have no answer."""
    unequal = {
        each["report"] for each in reports for figure in each["figures"] if figure["now"] != figure["then"]
    }
    inside = [each["report"] for each in reports if each["is_changed"] and each["report"] not in unequal]
    said = [f"Changed inside, with the same totals: {', '.join(inside)}"] if inside else []
    return said + [f"{each['report']}: {each['error']['message']}" for each in reports if each["error"]]


def _show_done(analysis: Analysis, done: dict[str, Any], as_json: bool) -> None:
    if wants_json(as_json):
        print_json(done)
        return
    edges = ", ".join(done["edges"])
    when = "the next question follows it" if done["is_in_lake"] else still_to_do(analysis.folder)
    click.echo(f"Recorded as {edges}; {when}. To undo it: expost people undo {' '.join(done['edges'])} --yes")


def _author() -> Any:
    from expost.state.audit import command_line

    return command_line()
