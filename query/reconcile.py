"""Reconcile: ids that their owner knows converted, each counted by a funnel or absent with one cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from expost.errors import InvalidInput

from .answer import Answer, as_row
from .funnel import Funnel
from .question import Question, ask_as

MOST_IDS = 100_000
LONGEST_ID = 1_000

CAUSES = {
    "counted": "counted at the last step",
    "same_person": "the same person as an id before it, who is counted once",
    "before_exposure": "counted, but in no variation: their conversion was complete before their exposure",
    "out_of_range": "they entered outside the range",
    "consent": "without consent to be known from day to day, so the window may not reach past their day",
    "outside_window": "the last step came after the window, or a step after its own",
    "excluded": "an event that ends an attempt, or removes who does it, lay in between",
    "out_of_order": "all steps were done, but not in this order, or with something between them",
    "not_in_cohort": "they are not among the people of whom the funnel is asked",
    "other_environment": "done in an environment that does not count",
    "internal": "done on an internal device",
    "bot": "done by what is taken for a bot",
    "selector_unknown": "what would decide about an event was cut, masked or never kept, so it is no match",
    "other_person": "one browser did all of it, but its events belong to several people",
    "other_group": "somebody in it did all of it, but was in no group, or in another one, for some of that",
    "not_identified": "no browser is known to be theirs, so what it did is a stranger's",
    "entry_missing": "there is no event of the first step",
    "step_missing": "there is no event of a later step",
    "never_captured": "nothing that arrived names it",
}
"""What can be of an id, in the order in which it is tried. Each but the last ones gives up one rule more."""
OF_OTHER_UNITS = {
    "device": {
        "same_person": "the same browser as an id before it, which is counted once",
        "before_exposure": "counted, but in no variation: its conversion was complete before its exposure",
        "not_identified": "what names it was done on no browser",
    },
    "group": {
        "same_person": "the same group as an id before it, which is counted once",
        "before_exposure": "counted, but in no variation: its conversion was complete before its exposure",
        "not_identified": "whoever did what names it was in no group of this type then",
    },
}
"""What some causes say where not people are counted, by the kind of unit."""


def says_of(cause: str, kind: str) -> str:
    """What a cause says of an id that stands for a unit of this kind."""
    return OF_OTHER_UNITS.get(kind, {}).get(cause, CAUSES[cause])


@dataclass(frozen=True, slots=True)
class Reconcile(Question):
    """What of `ids` the last bar of `funnel` counts, and why not the others.

    The ids are what the site calls its users (of a funnel of devices the browsers, of groups these), or values of
    `property` of any event. All else is as in the funnel.
    """

    funnel: Funnel
    ids: tuple[str, ...]
    property: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.ids) <= MOST_IDS:
            raise InvalidInput(
                f"{len(self.ids):,} ids are given; 1 to {MOST_IDS:,} can be reconciled.",
                hint="For example: a file with an id a line.",
            )
        if any(not 1 <= len(each) <= LONGEST_ID for each in self.ids):
            raise InvalidInput(
                f"An id has 1 to {LONGEST_ID:,} characters.", hint="Leave empty lines out of the list."
            )
        if len(set(self.ids)) < len(self.ids):
            raise InvalidInput("An id is given twice.", hint="Give each once, so that all add up.")
        if self.funnel.unit.kind == "session":
            raise InvalidInput(
                "Ids are not reconciled with a funnel of sessions: nobody but this lake knows a session by an id.",
                hint="Ask for the unit person, device or group:TYPE.",
            )
        if self.funnel.sample is not None:
            raise InvalidInput(
                "Ids are reconciled with everybody, and this funnel counts a sample.",
                hint="Leave the sample out.",
            )
        ask_as(self, self.funnel)


@dataclass(frozen=True, slots=True)
class ReconciledId:
    """One id and what is of it: a `cause` of CAUSES. `detail` says which step, which other id, or how much is missing.

    `person_id` is whose it is, and `person` what they are called, where that is known; of a funnel of devices or groups
    the id and the name of these.
    """

    id: str
    cause: str
    detail: str
    person_id: str | None
    person: str | None


@dataclass(frozen=True, slots=True)
class CauseCount:
    """How many ids have a cause, and what it says."""

    cause: str
    ids: int
    says: str


@dataclass(frozen=True, slots=True)
class ReconcileAnswer(Answer):
    """Each id once, with one cause; `causes` add up to all of them.

    `counted` ids are so many people (or devices, or groups) of the `people` at the last step; `unlisted` are those whom
    no id names. `missing` events are known not to have arrived in the range, `is_exact` or at least so many.
    """

    ids: tuple[ReconciledId, ...]
    causes: tuple[CauseCount, ...]
    counted: int
    people: int
    unlisted: int
    missing: int
    is_exact: bool

    def rows(self) -> list[dict[str, Any]]:
        """One row per id, in the order given."""
        return [as_row(each) for each in self.ids]
