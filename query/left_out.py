"""Who is left out of numbers (bots, internal devices, other environments), and whether question or site says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from expost.state.schema import DEFAULT_ENVIRONMENTS
from expost.state.sites import Site, environments_of

from .answer import LeftOut
from .question import Question

LEFT_OUT = {"bots": "bots", "internal": "internal devices"}


@dataclass(frozen=True, slots=True)
class Counting:
    """What counts, of events that match. Every environment does when `environments` names none.

    `said` are the reasons (`bots`, `internal`, `environment`) that the question decided itself.
    """

    bots: bool
    internal: bool
    environments: tuple[str, ...]
    said: frozenset[str]

    def values(self) -> dict[str, Any]:
        """What `left_out.sql` binds."""
        return {
            "count_bots": self.bots,
            "count_internal": self.internal,
            "environments": list(self.environments) or None,
        }

    def left_out(self, counts: Iterable[tuple[str, int, int]], total: int) -> tuple[LeftOut, ...]:
        """(reason, events, people) as what an answer left out of `total` events."""
        return tuple(
            LeftOut(reason, events, people, events / total, self._because(reason))
            for reason, events, people in sorted(counts)
        )

    def notes(self) -> list[str]:
        """What counts because the site says so, though it is left out by default."""
        counted = {
            "bots": "Bots" if self.bots else None,
            "internal": "Internal devices" if self.internal else None,
            "environment": self._other_than_default(),
        }
        return [
            f"{what} count, because the site says so."
            for reason, what in counted.items()
            if what is not None and reason not in self.said
        ]

    def _other_than_default(self) -> str | None:
        if self.environments == DEFAULT_ENVIRONMENTS:
            return None
        return f"Events of {_names(self.environments)} alone" if self.environments else "All environments"

    def _because(self, reason: str) -> str:
        who = "the question" if reason in self.said else "the site"
        elsewhere = reason == "environment"
        what = f"environments other than {_names(self.environments)}" if elsewhere else LEFT_OUT[reason]
        return f"{who} leaves out {what}"


def counting_of(question: Question, site: Site) -> Counting:
    """What the question counts: as it says itself, else as its site does."""
    given = {"bots": question.bots, "internal": question.internal, "environment": question.environment}
    return Counting(
        bots=site.count_bots if question.bots is None else question.bots,
        internal=site.count_internal if question.internal is None else question.internal,
        environments=site.environments if question.environment is None else _asked(question.environment),
        said=frozenset(reason for reason, value in given.items() if value is not None),
    )


def _asked(environment: str | tuple[str, ...]) -> tuple[str, ...]:
    return environments_of([environment] if isinstance(environment, str) else environment)


def _names(environments: tuple[str, ...]) -> str:
    """The names of environments in a sentence.

    >>> _names(("production", "staging", "test"))
    "'production', 'staging' and 'test'"
    """
    *first, last = map(repr, environments)
    return f"{', '.join(first)} and {last}" if first else last
