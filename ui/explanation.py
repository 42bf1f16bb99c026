"""Explanations: the rules that decided a number, and what it would be under the other ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from expost.query.explanation import CountsOf, Explanation, ExplanationAnswer

from . import group
from .asked import in_words
from .format import begun, difference


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, and by how much it differs from the one in force, in words (empty for nothing)."""

    people: int
    change: str


@dataclass(frozen=True, slots=True)
class CountsRow:
    """The counts of one group under a rule."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as it could be, and the counts that would result; `is_same` if they are those in force."""

    rule: str
    setting: str
    says: str
    rows: tuple[CountsRow, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """What `explanation.html` shows."""

    answer: ExplanationAnswer
    asked: str
    in_force: tuple[tuple[str, str], ...]
    own: tuple[CountsRow, ...]
    others: tuple[RuleView, ...]
    path: str = "/funnel"

    @property
    def heads(self) -> tuple[str, ...]:
        """What stands over the columns. A step has its number before its name, which stays as it was given."""
        return tuple(map(begun, self.answer.columns))

    @property
    def has_groups(self) -> bool:
        """Whether anything but the whole is counted; a column for the whole alone would say nothing."""
        return len(self.own) > 1


def explanation_view(answer: ExplanationAnswer) -> ExplanationView:
    """An explanation in words."""
    return ExplanationView(
        answer,
        begun(in_words(cast(Explanation, answer.question).of)),
        tuple((rule.replace("_", " "), setting) for rule, setting in answer.in_force.items()),
        tuple(map(_row, answer.groups)),
        tuple(
            RuleView(
                each.rule.replace("_", " "),
                each.setting.capitalize() if each.rule == "week_start" else each.setting.replace("_", " "),
                each.says,
                tuple(map(_row, each.groups)),
                not any(any(counts.difference or (1,)) for counts in each.groups),
            )
            for each in answer.others
        ),
    )


def _row(counts: CountsOf) -> CountsRow:
    differences = counts.difference or (0,) * len(counts.people)
    figures = zip(counts.people, differences, strict=True)
    label = "" if counts.kind == "total" else counts.kind
    return CountsRow(
        group.label(label, counts.value) or "Everyone",
        tuple(Figure(people, difference(change) if change else "") for people, change in figures),
    )
