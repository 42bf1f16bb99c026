"""The part of a `Lake` that keeps cohorts."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from expost.door_asking import Asking
from expost.door_words import acts_of, duration_of, fields_said
from expost.query.cohort import Cohort, Did, Sequel
from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.property_match import PropertyMatch, Scalar


def did(step: str, times: int = 1, *, within: timedelta | str | None = None) -> Did:
    """A condition of a cohort: did this at least so many times, not longer ago than `within`."""
    return Did(step, times, None if within is None else duration_of(within, "within"))


class Cohorts(Asking):
    """Cohorts as methods."""

    def save_cohort(
        self,
        name: str,
        *,
        did: Did | str | Sequence[Did | str] = (),
        did_not: Did | str | Sequence[Did | str] = (),
        sequence: Sequence[str] = (),
        within: timedelta | str = "7 days",
        traits: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
        users: Sequence[str] = (),
        devices: Sequence[str] = (),
        start: date | datetime | None = None,
        end: date | datetime | None = None,
        site: str | None = None,
    ) -> Cohort:
        """Save a cohort: who fulfils all that is said, and is listed where ids are. `within` is of the sequence.

        Questions then take `cohort="Regulars"`, `not_cohort=` and `by="cohort:Regulars"`. `expost.did("Ordered", 3,
        within="90 days")` says how often and how lately.
        """
        acts, not_done = acts_of(did), acts_of(did_not)
        listed: Sequence[PropertyMatch] = (
            [PropertyMatch(key, "is", value) for key, value in traits.items()]
            if isinstance(traits, Mapping)
            else traits
        )
        has = tuple(listed)
        meant = None
        if acts or not_done or sequence or has:
            sequel = Sequel.of(sequence, duration_of(within, "within")) if sequence else None
            meant = Cohort(name, acts, not_done, sequel, has, start=start, end=end)
        return self.analysis.save_cohort(
            meant, name, users=users, devices=devices, site=site, author=getpass.getuser(), place="Python"
        )

    def cohorts(self, *, site: str | None = None) -> list[Cohort]:
        """The latest version of every saved cohort, by name."""
        return self.analysis.cohorts(site=site)

    def cohort(self, of: str | Cohort, **common: Any) -> CohortAnswer:
        """A cohort, and how many people are in it now."""
        return self._ask(CohortSize(of, **fields_said(common, CohortSize)), CohortAnswer)
