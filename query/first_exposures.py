"""Who was first exposed to a flag when, as arrays: by time alone, and by the whole order where that decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .event_rows import NO_MOMENT, PersonMap, hold_moments, persons_at
from .latest_start import Numbers
from .reading import Reading
from .row_order import changes, places_in_order
from .statement import render

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
AGAIN = "select unit_id, epoch_us(time) as moment, variation from exposures order by unit_id, exposure;"


@dataclass(frozen=True, slots=True)
class FirstExposures:
    """Each exposed person, in the order of their ids.

    `variation` is a place in `names`; `viewed` the moment of the page view that counts as at the exposure, if any.
    """

    person: Numbers
    moment: Numbers
    variation: Numbers
    variations: Numbers
    names: tuple[str, ...]
    viewed: Numbers

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.person, self.moment, self.variation, self.variations, self.viewed)
        return sum(each.nbytes for each in arrays)

    def moments_of(self, persons: Numbers) -> tuple[Numbers, Numbers]:
        """When each of these persons was exposed, and the view that counts; NO_MOMENT where never."""
        place = self.places_of(persons)
        if not len(self.person):
            never = np.full(len(persons), NO_MOMENT)
            return never, never
        is_there = place >= 0
        return np.where(is_there, self.moment[place], NO_MOMENT), np.where(
            is_there, self.viewed[place], NO_MOMENT
        )

    def places_of(self, persons: Numbers) -> Numbers:
        """Where each of these persons stands here, −1 where nowhere."""
        if not len(self.person):
            return np.full(len(persons), -1)
        place = np.searchsorted(self.person, persons).clip(0, len(self.person) - 1)
        return np.where(self.person[place] == persons, place, -1)


def first_exposures(reading: Reading, flag: str, persons: PersonMap, *, has_views: bool) -> FirstExposures:
    """The first exposure of everybody; with `has_views` the relation `exposed` is made, with the views that count."""
    values = {"flag": flag}
    if has_views:
        expose_all(reading, flag)
        found = reading.relation(WITH_VIEWS, {}).to_arrow_table()
        codes, names = _coded(found["variation"])
        viewed = found["viewed"].fill_null(NO_MOMENT).to_numpy()
        return FirstExposures(
            found["unit_id"].to_numpy(),
            found["moment"].to_numpy(),
            codes,
            found["variations"].to_numpy(),
            names,
            viewed,
        )
    text = render("exposure_rows.sql", has_merges=persons.has_merges)
    rows = reading.relation(text, values).to_arrow_table()
    codes, names = _coded(rows["variation"])
    person, moment = rows["person_id"].to_numpy(), rows["moment"].to_numpy()
    at_login = np.empty(0, np.int64)
    place = np.flatnonzero(rows["is_unclear"].to_numpy())
    if len(place):
        person = person.copy()
        person[place], is_at_login = persons_at(reading, person[place], moment[place])
        at_login = np.unique(moment[place[is_at_login]])
    order = places_in_order(person, moment)
    person, moment, codes = person[order], moment[order], codes[order]
    is_first = changes(person)
    # A second one at the moment of the first, or a login there: then the whole order decides.
    is_second = ~is_first[1:] & (moment[1:] == moment[:-1]) & is_first[:-1]
    unclear = np.union1d(moment[1:][is_second], at_login)
    if len(unclear):
        person, moment, codes, names = _read_again(reading, flag, unclear, person, moment, codes, names)
        is_first = changes(person)
    first = np.flatnonzero(is_first)
    variations = _distinct(np.cumsum(is_first) - 1, codes, len(names))
    return FirstExposures(
        person[first], moment[first], codes[first], variations, names, np.full(len(first), NO_MOMENT)
    )


def expose_all(reading: Reading, flag: str) -> None:
    """Make the relation `exposed`, unless this question has made it."""
    made = "select exists (select 1 from duckdb_tables() where temporary and table_name = 'exposed')"
    [(is_made,)] = reading.relation(made, {}).fetchall()
    if not is_made:
        reading.quietly(render("exposures.sql", unit=None, has_ties=False), {"flag": flag})
        reading.quietly(render("exposed.sql"), {})


def expose_at(reading: Reading, flag: str, firsts: FirstExposures) -> None:
    """Make the relation `exposed`, with the whole order of those at the moments in the relation `tied`."""
    reading.quietly(render("exposures.sql", unit=None, has_ties=True), {"flag": flag})
    reading.connection.register("firsts", pa.table({"unit_id": firsts.person, "moment": firsts.moment}))
    reading.quietly(EXPOSED_AT, {})
    reading.connection.unregister("firsts")


def _coded(texts: pa.ChunkedArray) -> tuple[Numbers, tuple[str, ...]]:
    encoded = pa.array(texts.to_pylist()) if len(texts) == 0 else texts.combine_chunks()
    if len(texts) == 0:
        return np.empty(0, np.int64), ()
    encoded = encoded.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), tuple(encoded.dictionary.to_pylist())


def _distinct(unit: Numbers, codes: Numbers, many: int) -> Numbers:
    """How many different codes each unit has."""
    if not len(unit):
        return unit
    return np.bincount(np.unique(unit * many + codes) // many)


def _read_again(
    reading: Reading,
    flag: str,
    moments: Numbers,
    person: Numbers,
    moment: Numbers,
    codes: Numbers,
    names: tuple[str, ...],
) -> tuple[Numbers, Numbers, Numbers, tuple[str, ...]]:
    """The exposures in order, those of these moments by the whole order."""
    hold_moments(reading, moments)
    reading.quietly(render("exposures.sql", unit=None, has_ties=True), {"flag": flag})
    again = reading.relation(AGAIN, {}).to_arrow_table()
    places = {name: place for place, name in enumerate(names)}
    found = [places.setdefault(name, len(places)) for name in again["variation"].to_pylist()]
    others = ~np.isin(moment, moments)
    person = np.concatenate([person[others], again["unit_id"].to_numpy()])
    moment = np.concatenate([moment[others], again["moment"].to_numpy()])
    codes = np.concatenate([codes[others], np.array(found, np.int64)])
    # Stable, so that those of one moment stay as they came.
    order = np.lexsort((moment, person))
    return person[order], moment[order], codes[order], tuple(places)
