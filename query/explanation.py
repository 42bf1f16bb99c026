"""Explanations of funnels and retentions: the question and the answer; `other_rules.py` leads from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .answer import Answer
from .question import Question, ask_as

if TYPE_CHECKING:
    from .funnel import Funnel
    from .retention import Retention


@dataclass(frozen=True, slots=True)
class Explanation(Question):
    """Which rules decided a funnel or a retention, and its counts under the other ones."""

    of: Funnel | Retention

    def __post_init__(self) -> None:
        ask_as(self, self.of)


@dataclass(frozen=True, slots=True)
class CountsOf:
    """The counts of a group under a rule, and by how much they differ from those in force (None: no such group)."""

    kind: str
    value: str | None
    people: tuple[int, ...]
    difference: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class OtherRule:
    """What the counts would be if `rule` were `setting`."""

    rule: str
    setting: str
    says: str
    groups: tuple[CountsOf, ...]


@dataclass(frozen=True, slots=True)
class ExplanationAnswer(Answer):
    """The rules in force, and the counts in `columns` (steps, or the cohort and its periods) under them and others.

    `tied_events` of `tied_people` share their moment with another one of the same unit: page and number order them.
    """

    columns: tuple[str, ...]
    in_force: Mapping[str, str]
    groups: tuple[CountsOf, ...]
    others: tuple[OtherRule, ...]
    tied_events: int
    tied_people: int

    def rows(self) -> list[dict[str, Any]]:
        """One row per rule and group."""
        own = OtherRule("in force", "", "", self.groups)
        return [
            {"rule": other.rule, "setting": other.setting, "kind": group.kind, "value": group.value}
            | dict(zip(self.columns, group.people, strict=True))
            for other in (own, *self.others)
            for group in other.groups
        ]
