"""Who was first exposed to a flag when, as arrays: by time alone, and by the whole order where that decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.unused_memory import give_back

from .breakdown import Flag
from .event_rows import EventRows
from .fact_rows import events_of, persons_of
from .facts import FACTS, REST, Facts
from .kept_events import LAKE
from .latest_start import Marks, Numbers
from .person_map import UNCLEAR, PersonMap, settled
from .places import Places, places_of
from .reading import Reading
from .row_order import InOrder, changes, in_order
from .seen_variations import SeenVariations
from .statement import render
from .tied import TIED_EVENTS, TiedAsked, hold_moments

BATCH = 1 << 18
MANY = 1_000_000
"""Where there are more exposures, the memory in which they were found is given back."""
NOTHING_SEEN = SeenVariations.of(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))
NO_MOMENT = np.iinfo(np.int64).max
"""The moment of an exposure that never was."""
EXPOSED_AT = """\
create or replace temp table exposed as
select
    firsts.unit_id, make_timestamptz(firsts.moment) as time, tied.page_id, tied.page_seq, tied.event_id
    , cast(null as varchar) as view_event_id
from firsts
left join (
    select *, row_number() over (partition by unit_id, time order by exposure) as place
    from exposures
) as tied on tied.unit_id = firsts.unit_id and epoch_us(tied.time) = firsts.moment and tied.place = 1;"""
WITH_VIEWS = """\
select unit_id, epoch_us(time) as moment, variation, variations, epoch_us(viewed_at) as viewed
from exposed
order by unit_id;"""
SEEN_BY_SEVERAL = """\
select unit_id, epoch_us(time) as moment, variation
from exposures
where unit_id in (select unit_id from exposed where variations > 1)
order by unit_id, exposure;"""
AGAIN = "select unit_id, epoch_us(time) as moment, variation from exposures order by unit_id, exposure;"


@dataclass(frozen=True)
class FirstExposures:
    """Each exposed person once.

    `variation` is a place in `names`; `viewed` the moment of the page view that counts as at the exposure, if any:
    None where views are no steps. `doubled` are those who had another one at the moment of the first. `seen` is what
    those who saw several variations saw when.
    """

    person: Numbers
    moment: Numbers
    variation: NDArray[np.int32]
    variations: NDArray[np.int32]
    names: tuple[str, ...]
    viewed: Numbers | None
    doubled: Numbers
    seen: SeenVariations

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.person, self.moment, self.variation, self.variations, self.viewed, self.doubled)
        own = sum(each.nbytes for each in arrays if each is not None)
        return own + self._places.nbytes + self.seen.nbytes

    @cached_property
    def _places(self) -> Places:
        return places_of(self.person)

    def of(self, persons: Numbers) -> FirstExposures:
        """Those of these persons alone."""
        place = np.unique(self.places_of(persons))
        place = place[place >= 0]
        columns = (self.person[place], self.moment[place], self.variation[place], self.variations[place])
        viewed = None if self.viewed is None else self.viewed[place]
        return FirstExposures(*columns, self.names, viewed, self.doubled, NOTHING_SEEN)

    def places_of(self, persons: Numbers) -> Numbers:
        """Where each of these persons stands here, −1 where nowhere."""
        return self._places.of(persons).astype(np.int64)

    def moment_at(self, place: Numbers) -> Numbers:
        """When those at these places were exposed; NO_MOMENT for −1."""
        return _at(self.moment, place)

    def treated_at(self, place: Numbers, moment: Numbers) -> NDArray[np.int32]:
        """The variation that those at these places had seen last at these moments; at −1 anything.

        Raises TooManyTies where more than the time says what came last.
        """
        found = self.variation[place]
        several = np.flatnonzero((self.variations[place] > 1) & (place >= 0))
        if len(several):
            found[several] = self.seen.at(place[several], moment[several], found[several])
        return found

    def viewed_at(self, place: Numbers) -> Numbers:
        """The moment of the page view that counts as at the exposure; NO_MOMENT for −1, and for all without views."""
        return np.full(len(place), NO_MOMENT) if self.viewed is None else _at(self.viewed, place)


def first_exposures(
    reading: Reading, flag: Flag, persons: PersonMap, facts: Facts | None, *, has_views: bool
) -> FirstExposures:
    """The first exposure of everybody; with `has_views` the relation `exposed` is made, with the views that count."""
    if has_views:
        expose_all(reading, flag)
        return _exposed(reading)
    names: dict[str, int] = {}
    # Found before any rows are read, as the connection gives those of one statement at a time.
    logins = persons.logins
    batches: list[EventRows] = []
    at_login = [np.empty(0, np.int64)]
    for each in _exposures(reading, flag, persons, facts, names):
        rows = settled(logins, each)
        at_login.append(np.unique(rows.moment[(rows.marks & UNCLEAR) != 0]))
        batches.append(replace(rows, marks=np.zeros(len(rows), np.uint8)))
    is_large = sum(map(len, batches)) > MANY
    if is_large:
        give_back()
    parts = list(in_order(batches, _all))
    # Another variation at the moment of the first, or a login there: then the whole order decides.
    unclear = np.unique(np.concatenate([*at_login, *map(_unclear, parts)]))
    if len(unclear):
        parts = [_read_again(reading, flag, unclear, persons, parts, names)]
    found = _firsts(parts, tuple(names))
    del parts
    if is_large:
        give_back()
    return found


def _exposed(reading: Reading) -> FirstExposures:
    """What the relations `exposed` and `exposures` say."""
    found = reading.relation(WITH_VIEWS, {}).to_arrow_table()
    seen = reading.relation(SEEN_BY_SEVERAL, {}).to_arrow_table()
    names: dict[str, int] = {}
    person = found["unit_id"].to_numpy()
    variation = _codes(found["variation"], names)
    of_several = SeenVariations.of(
        np.searchsorted(person, seen["unit_id"].to_numpy()),
        seen["moment"].to_numpy(),
        _codes(seen["variation"], names),
    )
    return FirstExposures(
        person,
        found["moment"].to_numpy(),
        variation,
        found["variations"].to_numpy().astype(np.int32),
        tuple(names),
        found["viewed"].fill_null(NO_MOMENT).to_numpy(),
        np.empty(0, np.int64),
        of_several,
    )


def _at(moments: Numbers, place: Numbers) -> Numbers:
    # The last one stands for −1.
    found: Numbers = np.append(moments, NO_MOMENT)[place]
    return found


def _all(_: EventRows, number: Numbers, __: int) -> Marks:
    return np.ones(len(number), bool)


def _doubled(part: InOrder) -> NDArray[np.int32]:
    """Places of the units who had a second one at the moment of their first."""
    is_first = changes(part.unit)
    is_second = ~is_first[1:] & (part.moment[1:] == part.moment[:-1]) & is_first[:-1]
    found: NDArray[np.int32] = part.unit[1:][is_second]
    return found


def _unclear(part: InOrder) -> Numbers:
    """Moments of first exposures at which there is one to another variation."""
    is_theirs = np.zeros(len(part.units), bool)
    is_theirs[_doubled(part)] = True
    rows = np.flatnonzero(is_theirs[part.unit])
    is_new = changes(part.unit[rows])
    first = rows[is_new][np.cumsum(is_new) - 1]
    differs = (part.moment[rows] == part.moment[first]) & (part.roles[rows] != part.roles[first])
    found: Numbers = part.moment[rows[differs]]
    return found


def _firsts(parts: Sequence[InOrder], names: tuple[str, ...]) -> FirstExposures:
    nothing, none = np.empty(0, np.int64), np.empty(0, np.int32)
    person, moment, variation, variations, doubled = [nothing], [nothing], [none], [none], [nothing]
    seen = [(nothing, nothing, none)]
    many = 0
    for part in parts:
        first = np.flatnonzero(changes(part.unit))
        person.append(part.units)
        moment.append(part.moment[first])
        variation.append(part.roles[first].astype(np.int32))
        doubled.append(part.units[_doubled(part)])
        variations.append(_distinct(part, len(names)))
        row = np.flatnonzero(variations[-1][part.unit] > 1)
        seen.append((
            part.unit[row].astype(np.int64) + many, part.moment[row], part.roles[row].astype(np.int32)
        ))  # fmt: skip
        many += len(part.units)
    return FirstExposures(
        np.concatenate(person),
        np.concatenate(moment),
        np.concatenate(variation),
        np.concatenate(variations),
        names,
        None,
        np.concatenate(doubled),
        SeenVariations.of(*(np.concatenate(each) for each in zip(*seen, strict=True))),
    )


def _exposures(
    reading: Reading, flag: Flag, persons: PersonMap, facts: Facts | None, names: dict[str, int]
) -> Iterator[EventRows]:
    """The exposures of known persons that count, their variation as `roles`: a place in `names`, which grow."""
    values = reading.exposing(flag)
    if facts is not None:
        text = render("exposure_facts.sql", relation=FACTS)
        found = pa.concat_tables(reading.relation(text, values).to_arrow_table() for _ in facts.in_parts())
        codes = _codes(found["variation"], names).astype(np.uint32)
        for events in events_of(facts, found):
            person, is_known, marks = persons_of(events, found, persons.owners)
            marks = np.zeros(len(person), np.uint8) if marks is None else marks
            rows = EventRows(person, events.moment, events.of_fact(codes), marks)
            is_counted = rows.moment >= values["exposed_from"]
            yield rows.where(is_counted if is_known is None else is_counted & is_known)
    if facts is None or facts.has_rest:
        relation = LAKE if facts is None else REST
        text = render("exposure_rows.sql", has_merges=persons.has_merges, relation=relation)
        for batch in reading.relation(text, values).to_arrow_reader(BATCH):
            read = pa.Table.from_batches([batch])
            rows = EventRows(
                read["person_id"].to_numpy(),
                read["moment"].to_numpy(),
                _codes(read["variation"], names).astype(np.uint32),
                np.where(read["is_unclear"].to_numpy(), np.uint8(UNCLEAR), np.uint8(0)),
            )
            yield rows.where(rows.moment >= values["exposed_from"])


def expose_all(reading: Reading, flag: Flag) -> None:
    """Make the relation `exposed`, in the place of what another question on this connection may have left."""
    reading.quietly(render("exposures.sql", unit=None), reading.exposing(flag))
    reading.quietly(render("exposed.sql"), {})


def expose_at(reading: Reading, flag: Flag, firsts: FirstExposures) -> None:
    """Make the relation `exposed`, with the whole order of those at the moments in the relation `tied`."""
    reading.quietly(render("exposures.sql", unit=None, events=TIED_EVENTS), reading.exposing(flag))
    reading.connection.register("firsts", pa.table({"unit_id": firsts.person, "moment": firsts.moment}))
    reading.quietly(EXPOSED_AT, {})
    reading.connection.unregister("firsts")


def _codes(texts: pa.ChunkedArray, names: dict[str, int]) -> NDArray[np.int32]:
    """The place of each text in `names`, in which those that are new come last."""
    if not len(texts):
        return np.empty(0, np.int32)
    encoded = texts.combine_chunks().dictionary_encode()
    found = [names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()]
    places: NDArray[np.int32] = np.array(found, np.int32)[encoded.indices.to_numpy()]
    return places


def _distinct(part: InOrder, many: int) -> NDArray[np.int32]:
    """How many different variations, of so many, each unit has."""
    pairs = part.unit.astype(np.int64)
    pairs *= many
    pairs += part.roles
    pairs.sort()
    unit = pairs[changes(pairs)] // many if many else pairs
    return np.bincount(unit, minlength=len(part.units)).astype(np.int32)


def _read_again(
    reading: Reading,
    flag: Flag,
    moments: Numbers,
    persons: PersonMap,
    parts: Sequence[InOrder],
    names: dict[str, int],
) -> InOrder:
    """The exposures in order, those of these moments by the whole order."""
    text = render("exposures.sql", unit=None, events=TIED_EVENTS)
    hold_moments(reading, moments, TiedAsked(text, persons, frozenset({"exposure"})))
    reading.quietly(text, reading.exposing(flag))
    again = reading.relation(AGAIN, {}).to_arrow_table()
    found = _codes(again["variation"], names)
    person = np.concatenate([part.units[part.unit] for part in parts])
    moment = np.concatenate([part.moment for part in parts])
    codes = np.concatenate([part.roles.astype(np.int64) for part in parts])
    others = ~np.isin(moment, moments)
    person = np.concatenate([person[others], again["unit_id"].to_numpy()])
    moment = np.concatenate([moment[others], again["moment"].to_numpy()])
    codes = np.concatenate([codes[others], found])
    # Stable, so that those of one moment stay as they came.
    order = np.lexsort((moment, person))
    person, moment, codes = person[order], moment[order], codes[order]
    is_new = changes(person)
    unit = np.cumsum(is_new, dtype=np.int32) - 1
    return InOrder(person[is_new], unit, moment, codes.astype(np.uint32), np.zeros(len(unit), np.uint8))
