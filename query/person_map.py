"""Whose devices are: what is worked out of identity edges once for a snapshot, for SQL and for arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from .event_rows import EventRows
from .held_rows import held
from .latest_start import Bits, Marks, Numbers
from .places import Places, places_of
from .reading import Reading
from .row_order import changes
from .statement import render

LEFT_OUT, DAILY, UNCLEAR, NOBODY = 3, 4, 8, 16
"""Bits of the marks of a row: why it is left out, whether its id is daily, whether only time says whose it is, whether
it is nobody's."""
OWNERS = """
select device_id, coalesce(person_id, device_id) as person_id, person_id is null as are_several
from lake.owners"""
DAILY_DEVICES = "select distinct device_id from lake.devices where is_daily"
JOINED = "select user_id, person_id from lake.joined_users"
# Of logins at one moment the last one is in force: the others end where they begin.
LOGINS = """
select device_id, person_id, begins
from lake.login_moments
where device_id in (select device_id from lake.owners where person_id is null)
order by device_id, begins nulls first, ends nulls last"""


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


@dataclass(frozen=True, slots=True)
class Logins:
    """Whose each device of several users was from when on.

    `moments` are those of all logins, each once and in order. A stretch under one user has in `order` the place of its
    device and, below that, how many of them had come when it began; in `begins` its first moment, −1 where it had none.
    """

    devices: Places
    moments: Numbers
    order: Numbers
    person: Numbers
    begins: Numbers

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (self.devices, self.moments, self.order, self.person, self.begins)
        return sum(each.nbytes for each in arrays)

    def persons_at(self, devices: Numbers, moments: Numbers) -> tuple[Numbers, Marks]:
        """Whose these devices were at these moments, by time alone, and whether a login was at that very moment."""
        come = np.searchsorted(self.moments, moments, "right")
        asked = self.devices.of(devices).astype(np.int64) << 32 | come
        stretch = np.searchsorted(self.order, asked, "right") - 1
        return self.person[stretch], self.begins[stretch] == moments


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

    @cached_property
    def logins(self) -> Logins:
        """Whose each device of several users was when."""
        return held(self.reading, ("logins",), lambda: _logins(self.reading))


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


def _logins(reading: Reading) -> Logins:
    found = reading.relation(LOGINS, {}).to_arrow_table()
    device = found["device_id"].to_numpy()
    begins = found["begins"].fill_null(-1).to_numpy()
    has_begun = np.asarray(found["begins"].is_valid())
    is_new = changes(device)
    moments = np.unique(begins[has_begun])
    order = (np.cumsum(is_new) - 1) << 32
    order[has_begun] |= np.searchsorted(moments, begins[has_begun], "right")
    return Logins(places_of(device[is_new]), moments, order, found["person_id"].to_numpy(), begins)


def devices_of(reading: Reading, persons: Numbers) -> Numbers:
    """The devices on which events of these persons may have happened; after `person_map`."""
    reading.connection.register("_persons", pa.table({"person_id": persons}))
    text = "select device_id from lake.login_moments where person_id in (select person_id from _persons)"
    found = reading.relation(text, {}).to_arrow_table()
    reading.connection.unregister("_persons")
    return np.concatenate([persons, found["device_id"].to_numpy()])


def settled(logins: Logins, rows: EventRows) -> EventRows:
    """The rows, those of devices of several users with their persons; the mark UNCLEAR is left at logins alone."""
    place = np.flatnonzero(rows.marks & UNCLEAR)
    if not len(place):
        return rows
    # What came from DuckDB cannot be written.
    person, marks = rows.person.copy(), rows.marks.copy()
    person[place], is_at_login = logins.persons_at(rows.person[place], rows.moment[place])
    marks[place[~is_at_login]] &= 255 - UNCLEAR
    return EventRows(person, rows.moment, rows.roles, marks)
