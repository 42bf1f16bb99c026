"""The people behind a number, picked from what it is counted from: those that a list names, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .attempt import StepShape
from .grouping import GroupKey
from .latest_start import NEVER_AT, Marks, Numbers, Shown


@dataclass(kw_only=True)
class Behind:
    """Those of the group `kind`, `value` (None: of any value): `persons` are the first `limit` of `total`.

    They come in the order in which they entered, and where that is one moment, of their ids. `person`: only this one.
    """

    kind: str
    value: str | None
    limit: int
    person: int | None = None
    total: int = 0
    persons: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    entered: Numbers = field(default_factory=lambda: np.empty(0, np.int64))

    def is_asked_for(self, key: GroupKey) -> bool:
        """Whether people of this group are listed."""
        kind, value = key
        is_named = kind in ("variation", "value") and self.value is not None
        return kind == self.kind and (not is_named or value == self.value)

    def take(self, persons: Numbers, entered: Numbers) -> None:
        """Put these people, of whom none has come before, among the others."""
        if self.person is not None:
            is_asked = persons == self.person
            persons, entered = persons[is_asked], entered[is_asked]
        self.total += len(persons)
        persons = np.concatenate([self.persons, persons])
        entered = np.concatenate([self.entered, entered])
        first = np.lexsort((persons, entered))[: self.limit]
        self.persons, self.entered = persons[first], entered[first]


@dataclass(kw_only=True)
class BehindBar(Behind):
    """Who came at least to the step `at` of a funnel and at most to `deepest`; of an optional step who has it."""

    at: StepShape
    deepest: int

    def add(self, key: GroupKey, units: Numbers, shown: Shown, chosen: Marks) -> None:
        """Take those of the chosen ones of a group whose shown attempts say so."""
        if not self.is_asked_for(key):
            return
        if self.at.is_optional:
            is_behind = shown.at[self.at.number] != NEVER_AT
        else:
            is_behind = (shown.reached >= self.at.number) & (shown.reached <= self.deepest)
        is_behind &= chosen
        self.take(units[shown.unit[is_behind]], shown.at[1][is_behind])


@dataclass(kw_only=True)
class BehindCell(Behind):
    """Who began in a `cohort` of a retention, or of them those who came back in `period`; `or_after`: or later."""

    cohort: int
    period: int | None
    or_after: bool

    def add(
        self,
        key: GroupKey,
        persons: Numbers,
        entered: Numbers,
        cohort: Numbers,
        returned: tuple[Numbers, Numbers],
    ) -> None:
        """Take those of a group's entries; `returned` are places among them with the periods of their returns."""
        if not self.is_asked_for(key):
            return
        is_behind = cohort == self.cohort
        if self.period is not None:
            entry, period = returned
            is_back = np.zeros(len(persons), bool)
            is_back[entry[period >= self.period if self.or_after else period == self.period]] = True
            is_behind &= is_back
        self.take(persons[is_behind], entered[is_behind])
