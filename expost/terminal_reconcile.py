"""Reconciled ids on a terminal: the causes with their counts, then each id that is not counted."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from expost.query.reconcile import Reconcile, ReconcileAnswer
from expost.query.unit import PERSON
from expost.table import NUMBER, WORD, cell, table

SHOWN = 50


def show_reconciled(console: Console, answer: ReconcileAnswer) -> None:
    """Print how many ids have which cause, and the first ones that are absent."""
    asked = answer.question
    unit = asked.funnel.unit if isinstance(asked, Reconcile) else PERSON
    rows = [(each.ids, each.cause.replace("_", " "), each.says) for each in answer.causes]
    table(console, [("ids", NUMBER), ("cause", WORD), ("says", WORD)], rows)
    absent = [each for each in answer.ids if each.cause != "counted"]
    if absent:
        columns = [("id", WORD), ("cause", WORD), ("more", WORD), (unit.singular, WORD)]
        shown = [
            (each.id, each.cause.replace("_", " "), each.detail, each.person or "") for each in absent[:SHOWN]
        ]
        table(console, columns, shown)
    if len(absent) > SHOWN:
        console.print(f"… and {len(absent) - SHOWN:,} more: all of them with --csv or --json.")
    whom = "whom" if unit.kind == "person" else "which"
    of_these = escape(cell(f"{answer.counted:,} of {len(answer.ids):,} ids are counted; "))
    console.print(
        f"{of_these}the last step counts {answer.people:,} {unit.plural}, {answer.unlisted:,} of {whom} no id names."
    )
