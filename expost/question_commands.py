"""The commands that ask: the same words as in the API and on the pages, read by `expost.query.form`.

Modules that answer as well load the engine, which takes a second: they are imported by the command that needs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from expost.options import (
    as_of_option,
    asking_options,
    cohort_options,
    condition_options,
    counting_options,
    data_option,
    json_option,
    print_json,
    settings_of,
    site_option,
    unit_options,
    validity_options,
    wants_json,
)
from expost.query.form import form_of, parse_moment
from expost.query.form_funnel import funnel_of, funnel_people_of
from expost.query.form_proof import explanation_of
from expost.query.form_retention import retention_of, retention_people_of
from expost.query.form_trend import trend_of, trend_people_of

if TYPE_CHECKING:
    # DuckDB, pyarrow, SQLAlchemy and rich take a second to import: only what answers or prints needs them.
    from expost.query.analysis import Analysis
    from expost.query.answer import Answer
    from expost.query.question import Question


@click.command()
@click.argument("name", required=False)
@condition_options
@asking_options
def preview(data: Path | None, as_json: bool, **options: Any) -> None:
    """The past of a definition that need not exist, or of the saved NAME: events, people, unknown. Saves nothing.

    \b
    Example: expost preview --click 'form.signup button'
    """
    from expost.query.form_definition import preview_of

    question = preview_of(form_of_options(options))
    if wants_json(as_json):
        _ask(question, data, as_json)
        return
    from expost.table import terminal_console
    from expost.terminal import show_parts

    show_parts(terminal_console(), analysis_of(data).preview_parts(question))


@click.command()
@click.argument("name")
@condition_options
@validity_options
@asking_options
def define(name: str, data: Path | None, as_json: bool, site: str | None, **options: Any) -> None:
    """Name an event. Its whole past is there at once; the same name again makes a new version.

    \b
    Example: expost define "Signed up" --click 'form.signup button'
    """
    from expost.query.form_definition import definition_of, preview_of, validity_of

    analysis = analysis_of(data)
    from expost.state.audit import command_line

    by, form = command_line(), form_of_options(options)
    definition = analysis.define(
        definition_of(name, form), site=site, author=by.who, place=by.place, **validity_of(form)
    )
    past = analysis.ask(preview_of(form_of([("name", definition.name), ("site", site or "")])))
    if wants_json(as_json):
        print_json({"definition": definition.to_json(), "preview": past.to_json()})
    else:
        when = f", valid {definition.interval}" if definition.interval.is_bounded else ""
        click.echo(f"{definition.name} is version {definition.version}{when}: {definition}\n")
        show_answer(past, as_json)


EXPLAIN = click.option(
    "--explain",
    "is_explained",
    is_flag=True,
    help="The rules that decided, and the counts under the other ones.",
)


@click.command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--within", default="7d", show_default=True, help="The conversion window, from the first step.")
@click.option(
    "--order",
    type=click.Choice(["ordered", "strict", "any"]),
    default="ordered",
    show_default=True,
    help="Strict: nothing of the steps (or of --between) lies between two of them.",
)
@click.option("--between", multiple=True, metavar="NAME", help="In strict order: what may not lie between.")
@click.option("--ends", multiple=True, metavar="NAME", help="An event that ends an attempt.")
@click.option("--removes", multiple=True, metavar="NAME", help="Leaves out who does it within the window.")
@click.option("--optional", multiple=True, type=int, metavar="N", help="Step N may be left out.")
@click.option(
    "--step-within", multiple=True, metavar="N=LENGTH", help="Step N at most so long after the step before."
)
@click.option("--where", multiple=True, metavar="N:NAME=VALUE", help="Step N only with this property.")
@click.option("--over", type=click.Choice(["day", "week", "month"]), help="Also by the period of entry.")
@click.option("--compare", type=click.Choice(["previous"]), help="Also the stretch of that length before.")
@click.option("--people", "at", type=click.IntRange(1), metavar="N", help="The people behind step N instead.")
@click.option("--dropped", is_flag=True, help="With --people: those who came no further.")
@EXPLAIN
@unit_options
@asking_options
def funnel(
    steps: tuple[str, ...], data: Path | None, as_json: bool, is_explained: bool, **options: Any
) -> None:
    """How many people went through the steps in order, within the window of their first step.

    \b
    Example: expost funnel "Viewed page" "Signed up" --within 7d --by flag:new-checkout
    """
    form = form_of_options(options, step=steps)
    read = explanation_of if is_explained else funnel_people_of if options["at"] else funnel_of
    _ask(read(form), data, as_json)


@click.command()
@click.option("--start", required=True, metavar="NAME", help="What makes a person enter a cohort.")
@click.option(
    "--return", "return_", metavar="NAME", help="What counts as coming back. Default: the same event."
)
@click.option(
    "--period",
    type=click.Choice(["day", "week", "month"]),
    default="week",
    show_default=True,
    help="Periods of the calendar, or with --rolling from each one's own start.",
)
@click.option("--periods", type=int, help="How many periods after the first are shown.")
@click.option(
    "--entry",
    type=click.Choice(["first_in_range", "first_ever", "recurring"]),
    help="Which start counts; recurring: once per period.",
)
@click.option("--mode", type=click.Choice(["on", "on-or-after"]), help="In period n, or in it or later.")
@click.option("--rolling", is_flag=True, help="Periods are multiples of 24 hours from each one's own start.")
@click.option("--brackets", metavar="0,1-3,4-7", help="Stretches of periods instead of single ones.")
@click.option("--people", "cohort_day", metavar="DATE", help="The people of the cohort of this day instead.")
@click.option("--at", type=click.IntRange(0), metavar="N", help="With --people: who came back in period N.")
@EXPLAIN
@unit_options
@asking_options
def retention(data: Path | None, as_json: bool, is_explained: bool, **options: Any) -> None:
    """Who came back: cohorts by the period in which they began.

    \b
    Example: expost retention --start "Signed up" --return "Signed up" --period week --by flag:new-checkout
    """
    form = form_of_options(options)
    read = explanation_of if is_explained else retention_people_of if options["cohort_day"] else retention_of
    _ask(read(form), data, as_json)


@click.command()
@click.argument("name")
@click.option(
    "--period",
    type=click.Choice(["hour", "day", "week", "month"]),
    default="day",
    show_default=True,
    help="Calendar periods.",
)
@click.option(
    "--measure",
    metavar="WHAT",
    help="events (default), people, per-person, or of a property: sum:price, mean:, min:, max:, median:, p95:.",
)
@click.option("--people", "at", metavar="DATE", help="The people behind the period of this day instead.")
@click.option("--per", metavar="NAME", help="Divide by the measure of this definition.")
@click.option("--per-measure", metavar="WHAT", help="What of it. Default: the same measure.")
@click.option("--compare", type=click.Choice(["previous"]), help="Also the stretch of that length before.")
@unit_options
@asking_options
def trend(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Events and people of a definition, or a measure of them, period by period.

    \b
    Example: expost trend "Signed up" --period day
             expost trend "Ordered" --period week --measure sum:price --per "Viewed page" --per-measure people
    """
    read = trend_people_of if options["at"] else trend_of
    _ask(read(form_of_options(options, name=[name])), data, as_json)


PERIOD = click.option("--period", type=click.Choice(["day", "week", "month"]), help="Calendar periods.")


@click.command()
@click.argument("name")
@PERIOD
@unit_options
@asking_options
def stickiness(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """On how many distinct days (or weeks, or months) of a range people did it.

    \b
    Example: expost stickiness "Searched" --from 2026-11-01 --to 2026-12-01
    """
    from expost.query.form_ways import stickiness_of

    _ask(stickiness_of(form_of_options(options, name=[name])), data, as_json)


@click.command()
@click.argument("name")
@PERIOD
@counting_options
@asking_options
def lifecycle(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Per week (or day, or month) who is new, returning, resurrecting and dormant.

    \b
    Example: expost lifecycle "Searched" --period week
    """
    from expost.query.form_ways import lifecycle_of

    _ask(lifecycle_of(form_of_options(options, name=[name])), data, as_json)


@click.command()
@click.argument("name")
@click.option("--direction", type=click.Choice(["after", "before"]), help="Default: after.")
@click.option("--steps", type=click.IntRange(1, 20), help="How many steps. Default: 4.")
@click.option("--top", type=click.IntRange(1, 1_000), help="How many edges of a step. Default: 10.")
@click.option("--event", multiple=True, metavar="NAME", help="A definition that is a step too, beside pages.")
@click.option("--group", multiple=True, metavar="GLOB", help="Pages that fit it are one: '/products/*'.")
@click.option("--gap", metavar="LENGTH", help="A session ends after this long without any event: 30min.")
@cohort_options
@asking_options
def paths(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """What people did after an event, or before it, in the same session: pages and named events, step by step.

    \b
    Example: expost paths "Searched" --group '/products/*' --event "Added to basket"
    """
    from expost.query.form_ways import paths_of

    _ask(paths_of(form_of_options(options, name=[name])), data, as_json)


@click.command()
@click.option(
    "--by",
    type=click.Choice(["day", "page", "browser"]),
    default="day",
    show_default=True,
    help="What the losses are split by.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="How many pages or browsers, those that miss most first.",
)
@asking_options
def losses(data: Path | None, as_json: bool, **options: Any) -> None:
    """How many events pages numbered that never arrived: exactly, or at least so many.

    \b
    Example: expost losses --by page
    """
    from expost.query.form_seen import losses_of

    _ask(losses_of(form_of_options(options)), data, as_json)


@click.command()
@click.argument("event", required=False)
@click.option("--element", metavar="ID", help="An element by its id, instead of an event.")
@click.option(
    "--level",
    type=click.IntRange(0),
    help="How many ancestors outwards; default the nearest link, button or field.",
)
@click.option("--limit", type=click.IntRange(1, 40), default=8, show_default=True, help="How many selectors.")
@asking_options
def suggest(event: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Selectors for the element of an event, ranked by what each would have gathered in the past.

    \b
    Example: expost suggest 019c9d5e-8a00-7000-8000-000000000001
    """
    from expost.query.form_definition import suggestions_of

    form = form_of_options(options, event=[event] if event else [])
    _ask(suggestions_of(form), data, as_json)


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many, most people first.",
)
@asking_options
def unnamed(data: Path | None, as_json: bool, **options: Any) -> None:
    """Interactions that no definition matches, each with a name and a selector to define it by.

    \b
    Example: expost unnamed --limit 10
    """
    from expost.query.form_definition import unnamed_of

    _ask(unnamed_of(form_of_options(options)), data, as_json)


@click.command()
@data_option
@site_option
@as_of_option
@json_option
def flags(data: Path | None, site: str | None, as_of: str | None, as_json: bool) -> None:
    """The flags and variations that exposures name.

    \b
    Example: expost flags
    """
    from expost.query.flag_list import FlagList

    _ask(FlagList(site=site, as_of=parse_moment("as_of", as_of)), data, as_json)


@click.command()
@data_option
@site_option
@click.option("--latest", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
@as_of_option
@json_option
def live(data: Path | None, site: str | None, latest: int, as_of: str | None, as_json: bool) -> None:
    """The latest events as they arrived, newest first.

    \b
    Example: expost live --latest 5
    """
    from expost.query.live import Live

    _ask(Live(latest, site=site, as_of=parse_moment("as_of", as_of)), data, as_json)


@click.command()
@click.argument("query")
@data_option
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Most rows to return.",
)
@as_of_option
@json_option
def sql(query: str, data: Path | None, limit: int, as_of: str | None, as_json: bool) -> None:
    """One SELECT over the views events, elements, placements, people, losses, rejected and definitions, in a sandbox.

    \b
    Example: expost sql "select type, count(*) from events group by 1"
    """
    from expost.query.sandbox import SqlQuery

    _ask(SqlQuery(query, limit, as_of=parse_moment("as_of", as_of)), data, as_json)


@click.command()
@data_option
@site_option
@click.option("--kind", help="Only this kind of reason, as the list calls it.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many lines.")
@json_option
def rejected(data: Path | None, site: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """What could not be stored in the last seven days, and why.

    \b
    Example: expost rejected --limit 5
    """
    from expost.query.rejected import RejectedList

    _ask(RejectedList(kind, limit, site=site), data, as_json)


COMMANDS = (
    preview, define, suggest, unnamed, funnel, retention, trend, stickiness, lifecycle, paths, losses, rejected, flags,
    live, sql,
)  # fmt: skip


def _ask(question: Question, data: Path | None, as_json: bool) -> None:
    show_answer(analysis_of(data).ask(question), as_json)


def analysis_of(data: Path | None) -> Analysis:
    """The data folder that was named, open for questions."""
    from expost.lake.folder import open_folder

    settings = settings_of(data)
    folder = open_folder(settings.data)
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


def show_answer(answer: Answer, as_json: bool) -> None:
    """Print an answer, as a table on a terminal and as JSON in a pipe."""
    if wants_json(as_json):
        print_json(answer.to_json())
        return
    from expost.table import terminal_console
    from expost.terminal import show

    show(terminal_console(), answer)
