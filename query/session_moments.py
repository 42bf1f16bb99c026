"""The sessions of the events that a question asks for, by sorting the moments of devices: what `sessions.sql` says.

Joined by stretches of time, a device of many events and many sessions costs the product of both. Here each event is
told its session, so a join by device and moment is enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from expost.lake.unused_memory import give_back

from .condition import CompiledDefinition
from .device_parts import Devices, Part, Rows, moments_in
from .duration import micros
from .kept_events import Source
from .latest_start import Marks, Numbers
from .person_map import UNCLEAR, PersonMap, person_map
from .reading import Reading
from .row_order import changes
from .statement import Fragment, render

TURN_MOMENTS = 300_000
"""Devices take turns, each time those with about so many events that a question asks for."""
MOST_HELD = 3_000_000
"""Where more events are asked for, those of each part are looked for on their own."""
MANY = 1_000_000
"""Where more are asked for, the memory in which they were found is given back."""
FEW_MOMENTS = 500
BATCH = 1 << 18
CLEAR, TIED, AT_LOGIN = 0, 1, 2
"""What time leaves unclear of an event: nothing, its place among others of its moment, or also whose it is."""
MADE = """\
create or replace temp table session_moments (
    device_id bigint, moment bigint, session_id bigint, place bigint, person_id bigint, is_daily boolean,
    unclear utinyint
)"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Of which events the relation `session_moments` tells the session, and what `matched.sql` asks of them now.

    `is_some`: only those of devices between two, which `values` bind. `has_nobody`: and those of no device. `moments`
    are those at which the unclear ones are, if they are few. `goes_on`: the next turn is of the same devices, of what
    this one leaves unclear. `leaves_some`: a later turn is of what is unclear of sessions of this one.
    """

    values: Mapping[str, int]
    is_some: bool
    has_nobody: bool
    unclear: int
    moments: Sequence[int] = ()
    goes_on: bool = False
    leaves_some: bool = False

    @property
    def is_at_login(self) -> bool:
        """Whether time does not say whose the events are."""
        return self.unclear == AT_LOGIN


def turns(
    reading: Reading, sources: Sequence[Source], values: Mapping[str, Any], gap: timedelta
) -> Iterator[Turn]:
    """Devices in turns, and of each turn what is clear by time before the rest.

    Until the next one the relation `session_moments` tells for each device and moment of an event of the sources its
    session, its place among the others, and its person. A session lies in one device, so what is `matched` is the sum
    of all turns. Sessions have the numbers that `sessions.sql` gives them. `values` may hold bounds of the time.
    """
    moments = _Moments.of(reading, sources, values, gap)
    parts = moments.devices.parts()
    reading.quietly(MADE, {})
    clear, unclear = Counter[int](), Counter[int]()
    first, first_unclear = 0, 0
    for number, part in enumerate(parts):
        found = moments.told(part)
        counts = np.bincount(found["unclear"].to_numpy(), minlength=AT_LOGIN + 1).tolist()
        clear[CLEAR] += counts[CLEAR]
        unclear += Counter({TIED: counts[TIED], AT_LOGIN: counts[AT_LOGIN]})
        # There it may go to the disk where memory is short.
        reading.connection.register("_told", found)
        reading.quietly("insert into session_moments select * from _told", {})
        reading.connection.unregister("_told")
        # Hardly any are unclear, so that one look at the lake does for those of many turns.
        is_last = number + 1 == len(parts)
        is_for_all = unclear.total() >= TURN_MOMENTS or is_last
        if clear.total() >= TURN_MOMENTS or is_for_all:
            give_back()
            turn = moments.turn(parts[first], part, CLEAR)
            yield replace(
                turn,
                goes_on=is_for_all and bool(unclear),
                leaves_some=not is_for_all and bool(unclear),
            )
            reading.quietly(f"delete from session_moments where unclear = {CLEAR}", {})
            clear, first = Counter(), number + 1
        if is_for_all:
            for each in sorted(unclear):
                turn = moments.turn(parts[first_unclear], part, each)
                yield replace(turn, goes_on=each != max(unclear))
            reading.quietly(f"delete from session_moments where unclear > {CLEAR}", {})
            unclear, first_unclear = Counter(), number + 1
    if not parts:
        yield Turn({}, is_some=False, has_nobody=True, unclear=CLEAR)


@dataclass
class _Moments:
    """What tells sessions: all devices, whose they are, and the events that are asked for, unless they are too many."""

    reading: Reading
    values: Mapping[str, Any]
    gap: timedelta
    has_bounds: bool
    relations: Sequence[tuple[Fragment, Sequence[CompiledDefinition]]]
    devices: Devices
    persons: PersonMap
    asked: list[Rows] | None = None
    sessions: int = 0

    @staticmethod
    def of(
        reading: Reading, sources: Sequence[Source], values: Mapping[str, Any], gap: timedelta
    ) -> _Moments:
        has_bounds = "from_time" in values
        found = reading.relation(render("device_spans.sql", has_bounds=has_bounds), values).to_arrow_table()
        # An event that several definitions find is told its session once.
        relations = {
            each.relation: [other.match for other in sources if other.relation == each.relation]
            for each in sources
        }
        persons = person_map(reading)
        # Found before any rows are read, as the connection gives those of one statement at a time.
        _ = persons.owners, persons.logins
        devices = Devices.of(found)
        moments = _Moments(reading, values, gap, has_bounds, list(relations.items()), devices, persons)
        moments.hold_asked()
        return moments

    def turn(self, one: Part, other: Part, unclear: int) -> Turn:
        """That of the devices from one part to the other."""
        is_some = one.first > 0 or other.end < len(self.devices.ids)
        bounds = self.devices.between(one, other) if is_some else {}
        if unclear == CLEAR:
            return Turn(bounds, is_some, one.first == 0, CLEAR)
        text = (
            f"select distinct moment from session_moments where unclear = {unclear} limit {FEW_MOMENTS + 1}"
        )
        found = self.reading.relation(text, {}).to_arrow_table()["moment"].to_pylist()
        # Files skip what lies at none of a few moments that are written out, and read all columns to join many.
        moments = found if len(found) <= FEW_MOMENTS else ()
        return Turn(bounds, is_some, has_nobody=False, unclear=unclear, moments=moments)

    def hold_asked(self) -> None:
        """Hold the events that are asked for, if they are not too many."""
        asked: list[Rows] = []
        many = 0
        for rows in self.find_asked({}):
            asked.append(rows)
            many += len(rows[0])
            if many > MOST_HELD:
                break
        else:
            self.asked = asked
        if many > MANY:
            # The engine may want it in what follows.
            give_back()

    def find_asked(self, between: Mapping[str, int]) -> Iterator[Rows]:
        """The events that are asked for, of all devices or of those between two."""
        text = render(
            "session_moments.sql",
            relations=self.relations,
            has_bounds=self.has_bounds,
            is_some=bool(between),
        )
        batches = self.reading.relation(text, {**self.values, **between}).to_arrow_reader(BATCH)
        return moments_in(batches, self.devices.places)

    def told(self, part: Part) -> pa.Table:
        """The rows of `session_moments` of these devices."""
        devices = self.devices
        between = devices.between(part, part)
        events = render("device_moments.sql", has_bounds=self.has_bounds)
        batches = self.reading.relation(events, {**self.values, **between}).to_arrow_reader(BATCH)
        starts = part.starts(moments_in(batches, devices.places), devices.is_daily, micros(self.gap))
        asked = part.sorted(self.find_asked(between) if self.asked is None else self.asked)
        place = np.flatnonzero(changes(asked))
        is_tied = np.diff(place, append=len(asked)) > 1
        keys = asked[place]
        session = self.sessions + np.searchsorted(starts, keys, "right")
        self.sessions += len(starts)
        device, moment = part.first + part.device_of(keys), part.moment_of(keys)
        person, is_at_login = self.persons_at(devices.ids[device], moment)
        unclear = np.where(is_at_login, AT_LOGIN, np.where(is_tied, TIED, CLEAR)).astype(np.uint8)
        return pa.table({
            "device_id": devices.ids[device],
            "moment": moment,
            "session_id": session,
            "place": place,
            "person_id": person,
            "is_daily": devices.is_daily[device],
            "unclear": unclear,
        })  # fmt: skip

    def persons_at(self, devices: Numbers, moments: Numbers) -> tuple[Numbers, Marks]:
        """Whose these devices were at these moments, by time alone, and whether a login was at that very moment."""
        person, marks = self.persons.owners.of_devices(devices)
        is_at_login = np.zeros(len(devices), bool)
        if marks is not None:
            several = np.flatnonzero(marks & UNCLEAR)
            person[several], is_at_login[several] = self.persons.logins.persons_at(
                devices[several], moments[several]
            )
        return person, is_at_login
