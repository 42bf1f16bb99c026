"""Rows in the whole order of events, with the few read again for which more than the time decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from expost.lake.unused_memory import give_back

from .breakdown import Flag
from .event_rows import EventRows, joined, replaced
from .first_exposures import FirstExposures, expose_all, expose_at, first_exposures
from .gathering import FindFacts, Gathered, Room
from .held_rows import held
from .latest_start import Marks, Numbers
from .matched import Searched, may_be, types_of
from .person_map import LEFT_OUT, PersonMap
from .portion import Portion
from .reading import Reading
from .row_order import InOrder, Keep, changes, in_order
from .statement import render
from .tied import TIED_EVENTS, TiedAsked, TiedRows, TooManyTies, hold_moments, matched_text, reread
from .told_ties import Exposed, told_ties

MOST_WAITING = 2_000_000
"""So many rows at most wait in memory until the order of those people's events is known."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows in their whole order.

    Where a flag is asked for, `place` says where each unit is among the first exposures, −1 where nowhere, and
    `is_after` of each row whether it is after its unit's exposure.
    """

    rows: InOrder
    place: Numbers | None = None
    is_after: Marks | None = None


@dataclass
class Ordering:
    """What the rows come from: asked again where the order of events at one moment decides."""

    reading: Reading
    searched: Searched
    flag: Flag | None
    persons: PersonMap
    find_facts: FindFacts
    exposures: FirstExposures | None = None
    has_views: bool = False
    _is_exposed_made: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.flag is not None:
            # The view of a page counts as at an exposure on it, so where views are steps it has to be known.
            self.has_views = any(may_be("page_view", each) for each in self.searched.searched)
            flag, counted = self.flag, repr(self.reading.counting.values())
            exposing = tuple(self.reading.exposing(flag).values())
            key = "exposures", exposing, self.reading.site, counted, self.has_views
            self.exposures = held(self.reading, key, lambda: self._first_exposures(flag))

    def _first_exposures(self, flag: Flag) -> FirstExposures:
        self._is_exposed_made = self.has_views
        facts = None if self.has_views else self.find_facts()
        return first_exposures(self.reading, flag, self.persons, facts, has_views=self.has_views)

    def portions(self, found: Gathered, room: Room) -> Iterator[Portion]:
        """What was found of all people, or of some after the others, as more than the time says whose it is."""
        moments = found.at_logins
        again = self.read_again(moments, by_flag=False).rows if len(moments) else None
        for stretch, portion in found.portions(room):
            self.reading.go_on()
            if again is not None:
                _settle(portion, moments, stretch.of(again))
            yield portion

    def read_again(self, moments: Numbers, of: Numbers | None = None, *, by_flag: bool) -> TiedRows:
        """All events of these moments, or all `of` some persons, in their whole order; and whether after exposure."""
        text = matched_text(self.searched, by_flag=by_flag)
        types = [types_of(each) for each in self.searched.searched]
        if by_flag:
            text += render("exposures.sql", unit=None, events=TIED_EVENTS)
            types.append(frozenset({"exposure"}))
        known = [each for each in types if each is not None]
        every = frozenset().union(*known) if len(known) == len(types) else None
        hold_moments(self.reading, moments, TiedAsked(text, self.persons, every, of))
        if by_flag and self.flag is not None and self.exposures is not None:
            if self.has_views and not self._is_exposed_made:
                expose_all(self.reading, self.flag)
                self._is_exposed_made = True
            elif not self.has_views:
                firsts = self.exposures if of is None else self.exposures.of(of)
                expose_at(self.reading, self.flag, firsts)
        return reread(self.reading, self.searched, by_flag=by_flag)

    def in_order(self, portions: Iterable[Portion], keep: Keep) -> Iterator[Ordered]:
        """The rows that count and are kept in their whole order, of some people after the others.

        Portions hold none of them then. Raises TooManyTies.
        """
        waiting: list[tuple[Ordered, Marks]] = []
        by_flag, many, many_portions = False, 0, 0
        for portion in portions:
            many_portions += 1
            for part in in_order(portion.rows, keep):
                ordered, is_tied, is_at_exposure = self._by_time(part)
                is_unclear = is_tied | is_at_exposure
                if is_unclear.any():
                    waiting.append(_taken_out(ordered, is_unclear))
                    by_flag |= bool(is_at_exposure.any())
                    many += len(waiting[-1][0].rows)
                    if many > MOST_WAITING:
                        raise TooManyTies
                yield ordered
        if waiting:
            is_large = many_portions > 1
            if is_large:
                give_back()
            runs = [(part, _with_others(part.rows, is_unclear)) for part, is_unclear in waiting]
            unclear = joined([_rows(*run) for run in runs])
            again = self._whole_order(unclear, by_flag=by_flag, is_large=is_large)
            for run in runs:
                yield _with(*run, again, by_flag=by_flag)

    def _whole_order(self, unclear: EventRows, *, by_flag: bool, is_large: bool) -> TiedRows:
        """The events of these people at these moments, in their order and whether after exposure; maybe also others.

        With `is_large` memory is given back in between.
        """
        facts = None if by_flag and self.has_views else self.find_facts()
        if facts is None:
            return self._all_again(unclear, by_flag=by_flag)
        exposed = None
        if self.flag is not None and self.exposures is not None:
            exposed = Exposed(self.flag.key, self.exposures)
        told = told_ties(self.reading, self.searched, facts, self.persons.owners, unclear, exposed)
        if told.is_told.all():
            return told.rows
        rest = unclear.where(~told.is_told)
        if is_large:
            # What follows is the most that the engine takes for such a question.
            give_back()
        again = self._all_again(rest, by_flag=by_flag)
        # At their moments there are also events of those of whom all is told.
        again = again.where(np.isin(again.rows.person, rest.person))
        return TiedRows(
            joined([told.rows.rows, again.rows]), np.concatenate([told.rows.is_after, again.is_after])
        )

    def _all_again(self, unclear: EventRows, *, by_flag: bool) -> TiedRows:
        moments, persons = np.unique(unclear.moment), np.unique(unclear.person)
        return self.read_again(moments, persons, by_flag=by_flag).counted

    def _by_time(self, rows: InOrder) -> tuple[Ordered, Marks, Marks]:
        """The rows as time alone orders them; which of them share a moment with another one, or with an exposure."""
        is_tied = np.zeros(len(rows), bool)
        is_tied[1:] = (
            (rows.moment[1:] == rows.moment[:-1])
            & (rows.roles[1:] != rows.roles[:-1])
            & (rows.unit[1:] == rows.unit[:-1])
        )
        if self.exposures is None:
            return Ordered(rows), is_tied, np.zeros(len(rows), bool)
        place = self.exposures.places_of(rows.units)
        exposed = self.exposures.moment_at(place)[rows.unit]
        is_at_exposure = rows.moment == exposed
        if self.has_views:
            is_at_exposure |= rows.moment == self.exposures.viewed_at(place)[rows.unit]
        return Ordered(rows, place, rows.moment > exposed), is_tied, is_at_exposure


def _rows(part: Ordered, chosen: Marks) -> EventRows:
    """Some of the rows, with their persons."""
    rows = part.rows
    return EventRows(
        rows.units[rows.unit[chosen]], rows.moment[chosen], rows.roles[chosen], rows.marks[chosen]
    )


def _settle(portion: Portion, moments: Numbers, again: EventRows) -> None:
    """Put what was read again of these moments in the place of all that is at them."""
    is_left = (again.marks & LEFT_OUT) != 0
    portion.rows[:] = [rows.where(~np.isin(rows.moment, moments)) for rows in portion.rows]
    portion.rows.append(again.where(~is_left))
    portion.left_out = replaced(portion.left_out, moments, again.where(is_left))


def _taken_out(part: Ordered, is_unclear: Marks) -> tuple[Ordered, Marks]:
    """The rows of those people of whom some are unclear, and which; in `part` none of theirs means anything then."""
    rows = part.rows
    is_theirs = np.zeros(len(rows.units), bool)
    is_theirs[rows.unit[is_unclear]] = True
    place = np.flatnonzero(is_theirs[rows.unit])
    number = np.cumsum(is_theirs, dtype=np.int32) - 1
    taken = InOrder(
        rows.units[is_theirs],
        number[rows.unit[place]],
        rows.moment[place],
        rows.roles[place],
        rows.marks[place],
    )
    rows.roles[place] = 0
    of_units = None if part.place is None else part.place[is_theirs]
    return Ordered(taken, of_units, None if part.is_after is None else part.is_after[place]), is_unclear[
        place
    ]


def _with_others(rows: InOrder, is_unclear: Marks) -> Marks:
    """These rows and all others of the same persons and moments."""
    is_new = changes(rows.moment) | changes(rows.unit)
    run = np.cumsum(is_new) - 1
    is_unclear_run = np.zeros(len(rows), bool)
    is_unclear_run[run[is_unclear]] = True
    found: Marks = is_unclear_run[run]
    return found


def _with(part: Ordered, is_unclear: Marks, again: TiedRows, *, by_flag: bool) -> Ordered:
    """The rows of `part` with those of `again` in the place of what is unclear; `by_flag` these know the exposure."""
    rows = part.rows
    unclear = np.flatnonzero(is_unclear)
    is_new = changes(rows.unit[unclear]) | changes(rows.moment[unclear])
    begins = unclear[is_new]
    # Where the rows of each person and moment stood, counted in rows that are clear.
    at = begins - np.searchsorted(unclear, begins)
    persons = rows.units[rows.unit[begins]].tolist()
    places = dict(
        zip(zip(persons, rows.moment[begins].tolist(), strict=True), range(len(begins)), strict=True)
    )
    pairs = zip(again.rows.person.tolist(), again.rows.moment.tolist(), strict=True)
    place = np.array([places.get(pair, -1) for pair in pairs], np.int64)
    # Stable: those of one person and moment come in their order.
    chosen = np.argsort(place, kind="stable")
    chosen = chosen[np.searchsorted(place[chosen], 0) :]
    place = place[chosen]
    # Where no exposure shares the moment, the time alone says what is after it.
    is_after = part.is_after
    known = again.is_after[chosen] if by_flag or is_after is None else is_after[begins[place]]
    if np.array_equal(place, np.cumsum(is_new) - 1):
        # As many rows of each person and moment as stood there.
        rows.roles[unclear], rows.marks[unclear] = again.rows.roles[chosen], again.rows.marks[chosen]
        if is_after is not None:
            is_after[unclear] = known
        return part
    clear, where = ~is_unclear, at[place]
    found = InOrder(
        rows.units,
        np.insert(rows.unit[clear], where, rows.unit[begins[place]]),
        np.insert(rows.moment[clear], where, again.rows.moment[chosen]),
        np.insert(rows.roles[clear], where, again.rows.roles[chosen]),
        np.insert(rows.marks[clear], where, again.rows.marks[chosen]),
    )
    if is_after is None:
        return Ordered(found)
    return replace(part, rows=found, is_after=np.insert(is_after[clear], where, known))
