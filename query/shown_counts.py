"""The counts of shown attempts, by group: what `funnel_counts.sql` and `funnel_times.sql` say of `results`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .behind import BehindBar
from .calendar import Calendar
from .entry_values import Entry, EntryValues, entries_of
from .first_exposures import FirstExposures
from .grouping import GroupKey
from .latest_start import NEVER_AT, Marks, Numbers, OrderedRows, Rules, Shown
from .local_period import period_numbers
from .reading import Row

TOTAL: GroupKey = ("total", None)


@dataclass
class _Group:
    """Sums of one group: (units, several variations, incomplete) and (units, complete ones) of each step, and times.

    `periods` has by the number of a period of entry (incomplete units, units of each step).
    """

    about: list[int]
    steps: list[list[int]]
    times: dict[int, list[tuple[Numbers, Numbers]]] = field(default_factory=dict)
    periods: dict[int, Numbers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Over:
    """The periods by which entries are counted as well."""

    calendar: Calendar
    period: str


@dataclass
class ShownCounts:
    """Adds up shown attempts. `several` says which group those are in who saw several variations.

    `by_value`: the groups are told at the end, by the values that the `entries` have.
    `behind` lists those of one bar, from the same attempts. `shares_events` says that steps in any order share some.
    """

    rules: Rules
    exposures: FirstExposures | None
    several: str
    by_value: bool = False
    over: Over | None = None
    behind: BehindBar | None = None
    found: dict[GroupKey, _Group] = field(default_factory=dict)
    shares_events: bool = False
    entries: list[Entry] = field(default_factory=list)
    waiting: list[Shown] = field(default_factory=list)

    def add(
        self, units: Numbers, rows: OrderedRows, of_all: Shown, after: Shown | None, place: Numbers | None
    ) -> None:
        """Count the attempts of these units over these rows: of all events, and of those after the exposure.

        `place` of each unit is that among the first exposures, −1 where it has none.
        """
        if self.by_value:
            self.entries.append(entries_of(units, rows, of_all.start, self.rules))
            self.waiting.append(of_all)
        for key, shown, chosen, variations in self._groups(of_all, after, place):
            if not chosen.any():
                continue
            self._count(key, shown, chosen, variations)
            if self.behind is not None:
                self.behind.add(key, units, shown, chosen)

    def _groups(
        self, of_all: Shown, after: Shown | None, place: Numbers | None
    ) -> Iterator[tuple[GroupKey, Shown, Marks, Numbers | None]]:
        """Each group with those of the shown attempts that are in it, and how many variations the units saw."""
        yield TOTAL, of_all, np.ones(len(of_all.unit), bool), None
        if after is None or self.exposures is None or place is None:
            return
        is_exposed = place >= 0
        nobody = not len(self.exposures.person)
        variation = (
            np.full(len(place), -1) if nobody else np.where(is_exposed, self.exposures.variation[place], -1)
        )
        variations = (
            np.zeros(len(place), np.int64)
            if nobody
            else np.where(is_exposed, self.exposures.variations[place], 0)
        )
        has_after = np.zeros(len(place), bool)
        has_after[after.unit] = True
        is_only_before = ~has_after[of_all.unit]
        yield ("not exposed", None), of_all, is_only_before & ~is_exposed[of_all.unit], variations
        yield ("before exposure", None), of_all, is_only_before & is_exposed[of_all.unit], variations
        is_excluded = (variations[after.unit] > 1) & (self.several == "exclude")
        yield ("several variations", None), after, is_excluded, variations
        seen = variation[after.unit]
        if self.several == "as_treated" and len(seen):
            seen = self.exposures.treated_at(place[after.unit], after.at[1])
        for number, name in enumerate(self.exposures.names):
            of_variation = (seen == number) & ~is_excluded
            yield ("variation", name), after, of_variation, variations

    def count_values(self, values: EntryValues) -> None:
        """Count by the value at the entry the attempts that were counted in the total."""
        for entries, shown in zip(self.entries, self.waiting, strict=True):
            place = values.places_of(entries.unit)
            for number, key in enumerate(values.keys):
                chosen = place == number
                if chosen.any():
                    self._count(key, shown, chosen, None)

    def count_rows(self) -> list[Row]:
        """The rows of funnel_counts.sql."""
        return [
            (*key, *group.about, *(number for step in group.steps for number in step))
            for key, group in self.found.items()
        ]

    def time_rows(self, percentiles: Sequence[int], bounds: Sequence[int]) -> Iterator[Row]:
        """The rows of funnel_times.sql."""
        for key, group in self.found.items():
            for step, parts in sorted(group.times.items()):
                elapsed, from_start = map(_sorted, zip(*parts, strict=True))
                yield (
                    *key,
                    step,
                    *(_nearest(elapsed, percentile) for percentile in percentiles),
                    *(_nearest(from_start, percentile) for percentile in percentiles),
                    *(int(np.searchsorted(from_start, bound, "right")) for bound in bounds),
                    len(elapsed),
                )

    def over_rows(self) -> list[Row]:
        """The rows of funnel_over.sql."""
        return [
            (*key, period, *many.tolist())
            for key, group in self.found.items()
            for period, many in group.periods.items()
        ]

    def _count(self, key: GroupKey, shown: Shown, chosen: Marks, variations: Numbers | None) -> None:
        group = self.found.get(key)
        if group is None:
            group = self.found[key] = _Group([0, 0, 0], [[0, 0] for _ in self.rules.shapes])
        at = {number: moment[chosen] for number, moment in shown.at.items()}
        reached, complete = shown.reached[chosen], shown.reached_complete[chosen]
        is_incomplete = at[1] + self.rules.within >= self.rules.now
        several = 0 if variations is None else (variations[shown.unit[chosen]] > 1).sum()
        about = (len(reached), several, is_incomplete.sum())
        group.about = [old + int(new) for old, new in zip(group.about, about, strict=True)]
        came = [is_incomplete]
        for shape, counts in zip(self.rules.shapes, group.steps, strict=True):
            is_there = at[shape.number] != NEVER_AT
            came.append(is_there if shape.is_optional else reached >= shape.number)
            counts[0] += int(came[-1].sum())
            counts[1] += int(
                (is_there & ~is_incomplete if shape.is_optional else complete >= shape.number).sum()
            )
            if shape.before and is_there.any():
                moment = at[shape.number][is_there]
                elapsed = moment - at[shape.before][is_there], moment - at[1][is_there]
                group.times.setdefault(shape.number, []).append(elapsed)
        if self.over is not None:
            self._count_periods(group, self.over, at[1], came)

    @staticmethod
    def _count_periods(group: _Group, over: Over, entered: Numbers, came: Sequence[Marks]) -> None:
        numbers, place = np.unique(period_numbers(over.calendar, entered, over.period), return_inverse=True)
        many = np.stack([np.bincount(place[each], minlength=len(numbers)) for each in came], axis=1)
        for number, of_period in zip(numbers.tolist(), many, strict=True):
            group.periods[number] = group.periods.get(number, np.int64(0)) + of_period


def _sorted(parts: Sequence[Numbers]) -> Numbers:
    # No copy is made of what is sorted: of millions of entries there is one already.
    whole = np.concatenate(parts)
    whole.sort()
    return whole


def _nearest(ordered: Numbers, percentile: int) -> int:
    """The nearest-rank percentile of numbers in order."""
    return int(ordered[-(-len(ordered) * percentile // 100) - 1])
