"""Whose devices are: what is worked out of identity edges once for a snapshot, for SQL and for arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from .event_rows import EventRows
from .held_rows import held
from .latest_start import Bits, Marks, Numbers
from .places import Places, places_of
from .reading import Reading
from .statement import render

LEFT_OUT, DAILY, UNCLEAR = 3, 4, 8
"""Bits of the marks of a row: why it is left out, whether its id is daily, whether only time says whose it is."""
OWNERS = """
select device_id, coalesce(person_id, device_id) as person_id, person_id is null as are_several
from lake.owners"""
DAILY_DEVICES = "select distinct device_id from lake.devices where is_daily"
JOINED = "select user_id, person_id from lake.joined_users"


@dataclass(frozen=True, slots=True)
class Owners:
    """The person of each device that a user had, or the device itself where several had it; and what else decides."""

    devices: Places
    person: Numbers
    are_several: Marks
    users: Places
    joined: Numbers
    daily: Places

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.devices, self.person, self.are_several, self.users, self.joined, self.daily)
        return sum(each.nbytes for each in arrays)

    def of_devices(self, devices: Numbers) -> tuple[Numbers, Bits | None]:
        """Whose events on these devices are, and the marks DAILY and UNCLEAR of each; None where none has any."""
        place = self.devices.of(devices)
        owned = np.flatnonzero(place >= 0)
        place = place[owned]
        person = devices.copy()
        person[owned] = self.person[place]
        unclear = owned[self.are_several[place]]
        if not len(unclear) and not len(self.daily.known):
            return person, None
        marks = np.zeros(len(devices), np.uint8)
        if len(self.daily.known):
            marks[self.daily.of(devices) >= 0] = DAILY
            marks[owned] = 0  # a user is no daily id
        marks[unclear] = UNCLEAR
        return person, marks

    def users_of(self, persons: Numbers) -> Numbers:
        """The users who are these persons."""
        return np.concatenate([persons, self.users.known[np.isin(self.joined, persons)]])

    def of_users(self, users: Numbers) -> Numbers:
        """The person of each user."""
        place = self.users.of(users)
        return np.where(place >= 0, self.joined[place], users) if len(self.joined) else users


@dataclass
class PersonMap:
    """What is known of persons in this lake: whether users are joined with others, and whether ids are daily."""

    reading: Reading
    has_merges: bool
    has_daily: bool

    @cached_property
    def owners(self) -> Owners:
        """Whose each device is."""
        return held(self.reading, ("owners",), lambda: _owners(self.reading))


def person_map(reading: Reading) -> PersonMap:
    """Make the relations that say whose a device is, once for a connection."""
    reading.quietly(render("login_moments.sql"), {})
    facts = """
        select exists (select 1 from lake.joined_users), exists (select 1 from lake.devices where is_daily)"""
    [(has_merges, has_daily)] = reading.relation(facts, {}).fetchall()
    return PersonMap(reading, has_merges, has_daily)


def _owners(reading: Reading) -> Owners:
    of_devices = reading.relation(OWNERS, {}).to_arrow_table()
    of_users = reading.relation(JOINED, {}).to_arrow_table()
    daily = reading.relation(DAILY_DEVICES, {}).to_arrow_table()
    return Owners(
        places_of(of_devices["device_id"].to_numpy()),
        of_devices["person_id"].to_numpy(),
        of_devices["are_several"].to_numpy(),
        places_of(of_users["user_id"].to_numpy()),
        of_users["person_id"].to_numpy(),
        places_of(daily["device_id"].to_numpy()),
    )


def devices_of(reading: Reading, persons: Numbers) -> Numbers:
    """The devices on which events of these persons may have happened; after `person_map`."""
    reading.connection.register("_persons", pa.table({"person_id": persons}))
    text = "select device_id from lake.login_moments where person_id in (select person_id from _persons)"
    found = reading.relation(text, {}).to_arrow_table()
    reading.connection.unregister("_persons")
    return np.concatenate([persons, found["device_id"].to_numpy()])


def persons_at(reading: Reading, devices: Numbers, moments: Numbers) -> tuple[Numbers, Marks]:
    """Whose devices of several users were at these moments, and whether a login was at that very moment."""
    rows = pa.table({"place": np.arange(len(devices)), "device_id": devices, "moment": moments})
    reading.connection.register("unclear", rows)
    found = reading.relation(render("row_persons.sql"), {}).to_arrow_table()
    reading.connection.unregister("unclear")
    by_place = np.argsort(found["place"].to_numpy())
    return found["person_id"].to_numpy()[by_place], found["is_at_login"].to_numpy()[by_place]


def settle(reading: Reading, batches: Sequence[EventRows]) -> None:
    """Say whose the rows are that are of devices of several users, and leave the mark UNCLEAR at logins alone."""
    places = [np.flatnonzero(rows.marks & UNCLEAR) for rows in batches]
    if not any(len(place) for place in places):
        return
    devices, moments = (
        np.concatenate([getattr(rows, name)[place] for rows, place in zip(batches, places, strict=True)])
        for name in ("person", "moment")
    )
    persons, is_at_login = persons_at(reading, devices, moments)
    ends = np.cumsum([len(place) for place in places])[:-1]
    for rows, place, person, at_login in zip(
        batches, places, np.split(persons, ends), np.split(is_at_login, ends), strict=True
    ):
        if len(place):
            # What came from DuckDB cannot be written.
            rows.person, rows.marks = rows.person.copy(), rows.marks.copy()
            rows.person[place] = person
            rows.marks[place[~at_login]] &= 255 - UNCLEAR
