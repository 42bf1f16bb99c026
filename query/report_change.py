"""What edges would change in a report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from expost.errors import ExpostError

from .answer import Answer
from .figures import figures_of
from .question import Question
from .report import Report

Ask = Callable[[Question], Answer]


def report_change(report: Report, question: Question, ask: Ask, suppose: Ask) -> dict[str, Any]:
    """The figures of a report as they are and as they would be, and whether anything at all in it would change.

    A report that has no answer says why, and hides no other one.
    """
    said: dict[str, Any] = {"report": report.name, "kind": report.kind}
    try:
        before, after = ask(question), suppose(question)
    except ExpostError as problem:
        return said | {"is_changed": None, "figures": [], "error": problem.to_json()["error"]}
    now, then = figures_of(before), figures_of(after)
    figures = [
        {"figure": name, "now": now.get(name), "then": then.get(name)}
        for name in dict.fromkeys([*now, *then])
    ]
    return said | {
        "is_changed": now != then or before.rows() != after.rows(),
        "figures": figures,
        "error": None,
    }
