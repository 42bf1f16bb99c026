"""Explanations: the rules that decided a number, and what it would be under the other ones."""

from __future__ import annotations

from dataclasses import dataclass

from expost.query.explanation import CountsOf, ExplanationAnswer

from . import group


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
    in_force: tuple[tuple[str, str], ...]
    own: tuple[CountsRow, ...]
    others: tuple[RuleView, ...]
    path: str = "/funnel"

    @property
    def heads(self) -> tuple[str, ...]:
        """What stands over the columns. A step has its number before its name, which stays as it was given."""
        return tuple(name[:1].upper() + name[1:] for name in self.answer.columns)


def explanation_view(answer: ExplanationAnswer) -> ExplanationView:
    """An explanation in words."""
    return ExplanationView(
        answer,
        tuple((rule.replace("_", " "), setting) for rule, setting in answer.in_force.items()),
        tuple(map(_row, answer.groups)),
        tuple(
            RuleView(
                each.rule.replace("_", " "),
                each.setting.replace("_", " "),
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
        group.label(label, counts.value) or "everyone",
        tuple(Figure(people, f"{change:+,}" if change else "") for people, change in figures),
    )
