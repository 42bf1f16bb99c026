"""Explanations: the question and the answer; `other_rules.py` leads from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .answer import Answer, ask_again
from .question import Question, ask_as


@dataclass(frozen=True, slots=True)
class Explanation(Question):
    """Which rules decided the answer to the question `of`, and its counts under the other ones.

    Funnels, retention, trends, stickiness, lifecycles, paths, sessions and the size of a cohort are explained.
    """

    of: Question

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
    """The rules in force, and the counts in `columns` (steps, or a cohort and its periods) under them and others.

    `tied_events` of `tied_people` share their moment with another one of the same unit: page and number order them.
    Both are None where the order of events decides nothing that is counted here.
    """

    columns: tuple[str, ...]
    in_force: Mapping[str, str]
    groups: tuple[CountsOf, ...]
    others: tuple[OtherRule, ...]
    tied_events: int | None = None
    tied_people: int | None = None

    def rows(self) -> list[dict[str, Any]]:
        """One row per rule and group."""
        own = OtherRule("in force", "", "", self.groups)
        return [
            {"rule": other.rule, "setting": other.setting, "kind": group.kind, "value": group.value}
            | dict(zip(self.columns, group.people, strict=True))
            for other in (own, *self.others)
            for group in other.groups
        ]


@dataclass(frozen=True, slots=True)
class ExplainedAnswer(Answer):
    """An answer that can say which rules decided. `ask` is what answers a question about it."""

    ask: Callable[[Question], Answer] | None = field(default=None, repr=False, compare=False, kw_only=True)

    def explain(self) -> ExplanationAnswer:
        """The rules that decided, and the counts under the other ones, by asking again at the same moment."""
        return cast(ExplanationAnswer, ask_again(self, lambda then: Explanation(then, site=self.basis.site)))
