"""The commands that ask: their options are the words of `expost.query.form`, as are the parameters of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

import click

from expost.asking import ask, parts
from expost.errors import InvalidInput
from expost.options import (
    asking_options,
    explain_option,
    keeping_options,
    print_json,
    says_output,
    settings_of,
    wants_json,
    write_answer,
)
from expost.query.form import Form, form_of
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
from expost.query.form_funnel import FUNNEL_PEOPLE, funnel_of, funnel_people_of
from expost.query.form_proof import explaining
from expost.query.form_retention import RETENTION_PEOPLE, retention_of, retention_people_of
from expost.query.form_seen import (
    FLAGS,
    LIVE,
    LOSSES,
    REJECTED,
    SQL,
    flags_of,
    live_of,
    losses_of,
    rejected_of,
    sql_of,
)
from expost.query.form_trend import TREND_PEOPLE, trend_of, trend_people_of
from expost.query.form_ways import LIFECYCLE, PATHS, STICKINESS, lifecycle_of, paths_of, stickiness_of

if TYPE_CHECKING:
    # DuckDB, pyarrow, SQLAlchemy and rich take a second to import: only what answers or prints needs them.
    from expost.query.analysis import Analysis
    from expost.query.answer import Answer
    from expost.query.definition import Definition
    from expost.query.question import Question
    from expost.query.sandbox import RowsAnswer


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
        _ask(question, data, as_json)
        return
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
    from expost.state.audit import command_line

    by, form = command_line(), form_of_options(options)
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
    from expost.state.names import name_key

    saved = [*analysis.definitions(site=site), *analysis.definitions(site=site, archived=True)]
    return next((each for each in saved if name_key(each.name) == name_key(name)), None)


def _notes(definition: Definition, before: Definition | None, *, is_archived: bool) -> Iterable[str]:
    """What somebody who took the name for a new one has to know."""
    if before is not None and before.version != definition.version:
        yield f"{before.name!r} was defined already: version {before.version} was {before}"
    if is_archived:
        yield f"{definition.name!r} is archived: expost definitions unarchive {quote(definition.name)}"


OF_A_LIST = frozenset({"dropped_off", "kind", "value", "limit", "person"})
"""Words that choose among people, and say nothing of the question itself."""


@click.command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--people", "at", type=click.IntRange(1), metavar="N", help="The people behind step N instead.")
@explain_option
@keeping_options
@asking_options(FUNNEL_PEOPLE, without=("step", "at"))
def funnel(
    steps: tuple[str, ...], data: Path | None, as_json: bool, is_explained: bool, **options: Any
) -> None:
    """How many people went through the steps in order, within the window of their first step.

    \b
    Example: expost funnel "Viewed page" "Signed up" --within 7d --by flag:new-checkout
    """
    form = form_of_options(options, step=steps)
    read = explaining(funnel_of) if is_explained else funnel_people_of if options["at"] else funnel_of
    _refuse_choice_of_nobody(form, read)
    ask_kept("funnel" if read is funnel_of else None, form, read, data, as_json)


@click.command()
@click.argument("begins", required=False, metavar="[START]")
@click.argument("returns", required=False, metavar="[RETURN]")
@click.option("--people", "cohort_day", metavar="DATE", help="The people of the cohort of this day instead.")
@explain_option
@keeping_options
@asking_options(RETENTION_PEOPLE, without=("cohort_day",))
def retention(
    begins: str | None,
    returns: str | None,
    data: Path | None,
    as_json: bool,
    is_explained: bool,
    **options: Any,
) -> None:
    """Who came back: cohorts by the period in which they began.

    They began with START and came back to RETURN: any activity unless it is said, or to what they began with.

    \b
    Example: expost retention "Signed up" "Searched" --period week --by flag:new-checkout
    """
    for name, said in (("start_event", begins), ("return_event", returns)):
        if said is not None and options[name] is not None:
            option = name.replace("_", "-")
            raise InvalidInput(
                f"The {option.replace('-', ' ')} is said twice: {said!r} and {options[name]!r}.",
                hint=f"Leave --{option} out, or the name before it.",
            )
        options[name] = options[name] or said
    form = form_of_options(options)
    read = (
        explaining(retention_of)
        if is_explained
        else retention_people_of
        if options["cohort_day"]
        else retention_of
    )
    _refuse_choice_of_nobody(form, read)
    ask_kept("retention" if read is retention_of else None, form, read, data, as_json)


@click.command()
@click.argument("name")
@click.option("--people", "at", metavar="DATE", help="The people behind the period of this day instead.")
@explain_option
@keeping_options
@asking_options(TREND_PEOPLE, without=("name", "at"))
def trend(name: str, data: Path | None, as_json: bool, is_explained: bool, **options: Any) -> None:
    """Events and people of a definition, or a measure of them, period by period.

    \b
    Example: expost trend "Signed up" --period day
             expost trend "Ordered" --period week --measure sum:price --per "Viewed page" --per-measure people
    """
    read = explaining(trend_of) if is_explained else trend_people_of if options["at"] else trend_of
    form = form_of_options(options, name=[name])
    _refuse_choice_of_nobody(form, read)
    ask_kept("trend" if read is trend_of else None, form, read, data, as_json)


@click.command()
@click.argument("name")
@explain_option
@keeping_options
@asking_options(STICKINESS, without=("name",))
def stickiness(name: str, data: Path | None, as_json: bool, is_explained: bool, **options: Any) -> None:
    """On how many distinct days (or weeks, or months) of a range people did it.

    \b
    Example: expost stickiness "Searched" --from 2026-11-01 --to 2026-12-01
    """
    ask_or_explain(
        "stickiness",
        form_of_options(options, name=[name]),
        stickiness_of,
        data,
        as_json,
        is_explained=is_explained,
    )


@click.command()
@click.argument("name")
@explain_option
@keeping_options
@asking_options(LIFECYCLE, without=("name",))
def lifecycle(name: str, data: Path | None, as_json: bool, is_explained: bool, **options: Any) -> None:
    """Per week (or day, or month) who is new, returning, resurrecting and dormant.

    \b
    Example: expost lifecycle "Searched" --period week
    """
    ask_or_explain(
        "lifecycle",
        form_of_options(options, name=[name]),
        lifecycle_of,
        data,
        as_json,
        is_explained=is_explained,
    )


@click.command()
@click.argument("name")
@explain_option
@keeping_options
@asking_options(PATHS, without=("name",))
def paths(name: str, data: Path | None, as_json: bool, is_explained: bool, **options: Any) -> None:
    """What people did after an event, or before it, in the same session: pages and named events, step by step.

    \b
    Example: expost paths "Searched" --group '/products/*' --event "Added to basket"
    """
    ask_or_explain(
        "paths", form_of_options(options, name=[name]), paths_of, data, as_json, is_explained=is_explained
    )


@click.command()
@asking_options(LOSSES)
def losses(data: Path | None, as_json: bool, **options: Any) -> None:
    """How many events pages numbered that never arrived: exactly, or at least so many.

    \b
    Example: expost losses --by page
    """
    _ask(losses_of(form_of_options(options)), data, as_json)


@click.command()
@click.argument("event", required=False)
@asking_options(SUGGESTIONS, without=("event",))
def suggest(event: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Selectors for the element of an event, ranked by what each would have gathered in the past.

    \b
    Example: expost suggest 019c9d5e-8a00-7000-8000-000000000001
    """
    form = form_of_options(options, event=[event] if event else [])
    _ask(suggestions_of(form), data, as_json)


@click.command()
@asking_options(UNNAMED)
def unnamed(data: Path | None, as_json: bool, **options: Any) -> None:
    """Interactions that no definition matches, each with a name and a selector to define it by.

    \b
    Example: expost unnamed --limit 10
    """
    _ask(unnamed_of(form_of_options(options)), data, as_json)


@click.command()
@asking_options(FLAGS)
def flags(data: Path | None, as_json: bool, **options: Any) -> None:
    """The flags and variations that exposures name.

    \b
    Example: expost flags
    """
    _ask(flags_of(form_of_options(options)), data, as_json)


@click.command()
@asking_options(LIVE)
def live(data: Path | None, as_json: bool, **options: Any) -> None:
    """The latest events as they arrived, newest first.

    \b
    Example: expost live --latest 5
    """
    _ask(live_of(form_of_options(options)), data, as_json)


@click.command()
@click.argument("query")
@asking_options(SQL, without=("query",))
def sql(query: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """One SELECT over events, elements, placements, people, losses, rejected, definitions and cohorts, in a sandbox.

    \b
    Example: expost sql "select type, count(*) from events group by 1"
             expost sql 'select count(*) from "Signed up" where person_id in (select person_id from cohort_Regulars)'
    """
    answer = ask(analysis_of(data), sql_of(form_of_options(options, query=[query]), is_admin=True))
    show_answer(answer, as_json)
    if cut := cast("RowsAnswer", answer).cut:
        click.echo(cut.replace("the limit", "--limit"), err=True)


@click.command()
@asking_options(REJECTED)
def rejected(data: Path | None, as_json: bool, **options: Any) -> None:
    """What could not be stored in the last seven days, and why.

    \b
    Example: expost rejected --limit 5
    """
    _ask(rejected_of(form_of_options(options)), data, as_json)


PEOPLE = (funnel_people_of, retention_people_of, trend_people_of)
"""What reads a question about the people behind a number."""

COMMANDS = (
    preview, define, suggest, unnamed, funnel, retention, trend, stickiness, lifecycle, paths, losses, rejected, flags,
    live, sql,
)  # fmt: skip


def _refuse_choice_of_nobody(form: Form, read: Callable[[Form], Question]) -> None:
    """Refuse what chooses among people where none are asked for."""
    if read not in PEOPLE and (without := sorted(OF_A_LIST & form.keys())):
        raise InvalidInput(
            f"--{without[0].replace('_', '-')} chooses among the people behind a number, and none are asked for.",
            hint="Say --people as well: the number of a step, or the date of a cohort or a period.",
        )


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
    _ask(question, data, as_json)


def _keep(name: str, kind: str, form: Form, data: Path | None, *, pin: bool) -> None:
    from expost.state.audit import command_line

    by, site = command_line(), next(iter(form.get("site", ())), None)
    saved = analysis_of(data).keep_report(name, kind, form, pin=pin, site=site, author=by.who, place=by.place)
    # On standard error: what follows on the other one is the answer.
    click.echo(f"{saved.name} is version {saved.version}: {saved}", err=True)


def _ask(question: Question, data: Path | None, as_json: bool) -> None:
    show_answer(ask(analysis_of(data), question), as_json)


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
    """Print an answer, as a table on a terminal and as JSON in a pipe, or write it where the command says."""
    if write_answer(answer):
        return
    if wants_json(as_json):
        print_json(answer.to_json())
        return
    from expost.table import terminal_console
    from expost.terminal import show

    show(terminal_console(), answer)
