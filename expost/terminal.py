"""Answers on a terminal: one table each, its notes below. In a pipe the command line prints JSON instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape

from expost.query.answer import Answer
from expost.query.cohort_size import CohortAnswer
from expost.query.difference import DifferenceAnswer
from expost.query.explanation import ExplanationAnswer
from expost.query.flag_list import FlagsAnswer
from expost.query.funnel import FunnelAnswer
from expost.query.health import HealthAnswer
from expost.query.lifecycle import LifecycleAnswer
from expost.query.live import LiveAnswer
from expost.query.losses import LossesAnswer
from expost.query.paths import PathsAnswer
from expost.query.person import PeopleAnswer
from expost.query.preview import PreviewAnswer
from expost.query.reconcile import ReconcileAnswer
from expost.query.rejected import RejectedAnswer
from expost.query.retention import RetentionAnswer
from expost.query.sandbox import RowsAnswer
from expost.query.session_detail import SessionAnswer
from expost.query.sessions import SessionsAnswer
from expost.query.stickiness import StickinessAnswer
from expost.query.suggested import SuggestionsAnswer
from expost.query.trend import TrendAnswer
from expost.query.unnamed import UnnamedAnswer
from expost.table import NUMBER, WORD, cell, counted, percent, table
from expost.terminal_arrival import show_flags, show_live, show_losses, show_rejected
from expost.terminal_definition import show_difference, show_health, show_suggestions, show_unnamed
from expost.terminal_funnel import show_funnel
from expost.terminal_preview import show_count, show_preview, show_rest
from expost.terminal_proof import show_explanation, show_people
from expost.terminal_reconcile import show_reconciled
from expost.terminal_retention import show_retention
from expost.terminal_sessions import show_session, show_sessions
from expost.terminal_trend import show_trend
from expost.terminal_ways import show_lifecycle, show_paths, show_stickiness


def show(console: Console, answer: Answer) -> None:
    """Print an answer and what a reader must know about it."""
    shown = SHOWN.get(type(answer))
    if shown is None:
        console.print_json(data=answer.to_json())
    else:
        shown(console, answer)
    _show_basis(console, answer)


def show_parts(console: Console, parts: Iterable[PreviewAnswer]) -> None:
    """Print a preview as it comes: the count first."""
    for part in parts:
        if not part.is_whole:
            show_count(console, part)
        else:
            show_rest(console, part)
            _show_basis(console, part)


def _show_cohort(console: Console, answer: CohortAnswer) -> None:
    version = "" if answer.version is None else f" (version {answer.version})"
    console.print(f"{escape(cell(answer.name))}{version}: {escape(cell(answer.meaning))}")
    console.print(f"{answer.people:,} of {answer.everyone:,} people.")


def _show_rows(console: Console, answer: RowsAnswer) -> None:
    numeric = [
        all(isinstance(row[place], int | float | None) for row in answer.values)
        for place in range(len(answer.columns))
    ]
    columns = [
        (name, NUMBER if is_number else WORD) for name, is_number in zip(answer.columns, numeric, strict=True)
    ]
    # As they are: some of these numbers are ids, which somebody copies into the next query.
    whole = [[str(value) if type(value) is int else value for value in row] for row in answer.values]
    table(console, columns, whole)
    console.print(f"\n{counted(len(answer.values), 'row')}.")


def _show_basis(console: Console, answer: Answer) -> None:
    for definition in answer.basis.definitions:
        if definition.unknown:
            console.print(
                f"{counted(definition.unknown, 'more event')} might match {escape(cell(definition.name))}: "
                "what would decide was cut, masked or never kept."
            )
    for left_out in answer.basis.left_out:
        if left_out.events:
            because = f", because {left_out.because}" if left_out.because else ""
            console.print(
                f"Left out: {counted(left_out.events, 'event')} ({percent(left_out.share)}) · "
                f"{left_out.reason}{escape(cell(because))}."
            )
    for note in answer.notes:
        console.print(escape(cell(note)), style="dim")


SHOWN: dict[type[Answer], Callable[[Console, Any], None]] = {
    DifferenceAnswer: show_difference,
    PreviewAnswer: show_preview,
    FunnelAnswer: show_funnel,
    RetentionAnswer: show_retention,
    TrendAnswer: show_trend,
    CohortAnswer: _show_cohort,
    PeopleAnswer: show_people,
    ExplanationAnswer: show_explanation,
    PathsAnswer: show_paths,
    SessionsAnswer: show_sessions,
    SessionAnswer: show_session,
    StickinessAnswer: show_stickiness,
    LifecycleAnswer: show_lifecycle,
    LossesAnswer: show_losses,
    ReconcileAnswer: show_reconciled,
    RejectedAnswer: show_rejected,
    SuggestionsAnswer: show_suggestions,
    UnnamedAnswer: show_unnamed,
    HealthAnswer: show_health,
    FlagsAnswer: show_flags,
    LiveAnswer: show_live,
    RowsAnswer: _show_rows,
}
