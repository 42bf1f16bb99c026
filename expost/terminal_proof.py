"""What a number opens to, on a terminal: the people behind it, and the rules that decided."""

from __future__ import annotations

from rich.console import Console

from expost.query.explanation import CountsOf, ExplanationAnswer
from expost.query.person import DecidingEvent, PeopleAnswer
from expost.table import NUMBER, WORD, cell, group_name, table


def show_people(console: Console, answer: PeopleAnswer) -> None:
    """Print the people behind a number."""
    are_sessions = any(each.session_id is not None for each in answer.people)
    columns = [
        ("who", WORD), ("session_id" if are_sessions else "person_id", WORD), ("events that decided", WORD)
    ]  # fmt: skip
    rows = [
        (each.name, each.session_id or each.person_id, ", ".join(map(_decided, each.events)))
        for each in answer.people
    ]
    table(console, columns, rows)
    console.print(f"\n{answer.total:,} in all; {len(answer.people):,} are shown.")


def _decided(event: DecidingEvent) -> str:
    return f"{event.step} {cell(event.time)}"


def show_explanation(console: Console, answer: ExplanationAnswer) -> None:
    """Print the rules in force, and the counts under others."""
    columns = [
        ("rule", WORD),
        ("if it were", WORD),
        ("group", WORD),
        *((name, NUMBER) for name in answer.columns),
    ]
    rows = [
        (rule, setting, group_name(group.kind, group.value), *_with_difference(group))
        for rule, setting, groups in (
            ("in force", "", answer.groups),
            *((each.rule, each.setting, each.groups) for each in answer.others),
        )
        for group in groups
    ]
    table(console, columns, rows)
    console.print()
    for rule, says in answer.in_force.items():
        console.print(f"{rule}: {says}")
    if answer.tied_events:
        console.print(
            f"{answer.tied_events:,} events of {answer.tied_people:,} share their moment with another one of theirs."
        )


def _with_difference(group: CountsOf) -> list[str]:
    differences = group.difference or (0,) * len(group.people)
    return [f"{n:,} ({by:+,})" if by else f"{n:,}" for n, by in zip(group.people, differences, strict=True)]
