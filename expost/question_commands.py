"""The commands that ask: their options are the words of `expost.query.form`, as are the parameters of the API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from expost.asking import ask
from expost.command_answer import (
    analysis_of,
    ask_kept,
    ask_or_explain,
    ask_question,
    form_of_options,
    show_answer,
)
from expost.errors import InvalidInput
from expost.options import asking_options, explain_option, keeping_options
from expost.query.form import Form
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
    from expost.query.question import Question
    from expost.query.sandbox import RowsAnswer

OF_A_LIST = frozenset({"dropped_off", "kind", "value", "limit", "person"})
"""Words that choose among people, and say nothing of the question itself."""
PEOPLE = (funnel_people_of, retention_people_of, trend_people_of)
"""What reads a question about the people behind a number."""


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
             expost retention "Signed up" --people 2026-11-02 --at 1
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
    ask_question(losses_of(form_of_options(options)), data, as_json)


@click.command()
@asking_options(FLAGS)
def flags(data: Path | None, as_json: bool, **options: Any) -> None:
    """The flags and variations that exposures name.

    \b
    Example: expost flags
    """
    ask_question(flags_of(form_of_options(options)), data, as_json)


@click.command()
@asking_options(LIVE)
def live(data: Path | None, as_json: bool, **options: Any) -> None:
    """The latest events as they arrived, newest first.

    \b
    Example: expost live --latest 5
    """
    ask_question(live_of(form_of_options(options)), data, as_json)


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
    ask_question(rejected_of(form_of_options(options)), data, as_json)


def _refuse_choice_of_nobody(form: Form, read: Callable[[Form], Question]) -> None:
    """Refuse what chooses among people where none are asked for."""
    if read not in PEOPLE and (without := sorted(OF_A_LIST & form.keys())):
        raise InvalidInput(
            f"--{without[0].replace('_', '-')} chooses among the people behind a number, and none are asked for.",
            hint="Say --people as well: the number of a step, or the date of a cohort or a period.",
        )


COMMANDS = (
    funnel, retention, trend, stickiness, lifecycle, paths, losses, rejected, flags, live, sql,
)  # fmt: skip
