"""The order of events at one moment, looked at only where it decides: the few of those moments are read again.

Hardly any two events of a person share a microsecond. Where some do, or where one lies at the moment of a login or an
exposure, all events of those moments are read by the statement that `match` runs over all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from expost.lake.literal import quoted
from expost.lake.reader import places_at, rows_at
from expost.lake.schema import TABLES

from .condition import compile_definition
from .event_rows import EventRows
from .kept_events import LAKE, Source
from .latest_start import Marks, Numbers
from .matched import Searched
from .person_map import LEFT_OUT, PersonMap, devices_of
from .reading import Reading
from .statement import Fragment, identifier, render

TIED_EVENTS = Fragment("tied_events")
TIED = """\
select
    person_id, moment, position, cast(bit_or(cast(1 as uinteger) << (step - 1)) as uinteger) as roles
    , cast(
        coalesce(case left_out when 'bots' then 1 when 'internal' then 2 when 'environment' then 3 end, 0)
        + case when bool_or(is_daily) then 4 else 0 end as utinyint
    ) as marks
    , {after} as is_after
from matched
where is_sure and person_id is not null
group by person_id, moment, position, left_out
order by person_id, moment, position;"""
OF_ROWS = """\
create or replace temp table tied_events as
select {columns} from ({rows}) as rows where site = $site;"""
FEW_MOMENTS = 500
MOST_MOMENTS = 50_000
"""Of so many at most the order is looked at on its own: where more are shared, it is known of all events at once."""
FEW_ROWS = 100
"""So many rows are each looked up where they lie. Of more, reading the columns costs no more."""


class TooManyTies(Exception):
    """So many events share their moments with others that arrays are no gain."""


@dataclass(frozen=True, slots=True)
class TiedAsked:
    """What is asked of tied events: by the statements of `text`, of events of some `types`, `of` some persons.

    None stands for all of them.
    """

    text: str
    persons: PersonMap
    types: frozenset[str] | None = None
    of: Numbers | None = None


@dataclass(frozen=True, slots=True)
class TiedRows:
    """Events in their order: those of a person and moment one after the other, and whether after its exposure."""

    rows: EventRows
    is_after: Marks

    @property
    def counted(self) -> TiedRows:
        """Those that are not left out."""
        return self.where((self.rows.marks & LEFT_OUT) == 0)

    def where(self, chosen: Marks) -> TiedRows:
        """Some of them."""
        return TiedRows(self.rows.where(chosen), self.is_after[chosen])


def hold_moments(reading: Reading, moments: Numbers, asked: TiedAsked) -> None:
    """Make the relations `tied` of these moments and `tied_events` of the events then that are asked for.

    Raises TooManyTies where the order is better known of all events.
    """
    if len(moments) > MOST_MOMENTS:
        raise TooManyTies
    reading.connection.register("_tied", pa.table({"moment": moments}))
    reading.connection.execute("create or replace temp table tied as select moment from _tied")
    reading.connection.unregister("_tied")
    # Files skip what lies at none of a few moments that are written out, and read all columns to join many.
    few = ", ".join(f"make_timestamptz({moment:d})" for moment in moments[:FEW_MOMENTS].tolist())
    chosen = few if 0 < len(moments) <= FEW_MOMENTS else "select make_timestamptz(moment) from tied"
    columns = [name for name in TABLES["events"].names if re.search(rf"\b{name}\b", asked.text)]
    listed = ", ".join(map(identifier, columns))
    rows = f"select {listed} from lake.events where time in ({chosen})"
    if reading.snapshot and reading.as_of is None:
        places = _places(reading, chosen, asked)
        if 0 < sum(map(len, places.values())) <= FEW_ROWS:
            rows = rows_at(reading.connection, places, TABLES["events"], listed)
    reading.quietly(OF_ROWS.format(columns=listed, rows=rows), {})


def _places(reading: Reading, moments: str, asked: TiedAsked) -> dict[str, list[int]]:
    """Where the events lie: by file the numbers of rows."""
    condition = f"time in ({moments})"
    if asked.types is not None:
        condition += f" and type in ({', '.join(map(quoted, sorted(asked.types)))})"
    found = places_at(reading.connection, "events", condition, ("device_id", "user_id", "source"))
    if asked.of is not None:
        is_theirs = _is_in(found["device_id"], devices_of(reading, asked.of))
        is_own = np.array([source == "server" for source in found["source"].to_pylist()], bool)
        is_theirs |= is_own & _is_in(found["user_id"], asked.persons.owners.users_of(asked.of))
        found = found.filter(pa.array(is_theirs))
    places: dict[str, list[int]] = {}
    for file, number in zip(found["filename"].to_pylist(), found["file_row_number"].to_pylist(), strict=True):
        places.setdefault(file, []).append(number)
    return places


def _is_in(ids: pa.ChunkedArray, known: Numbers) -> Marks:
    found: Marks = np.isin(ids.fill_null(0).to_numpy(), known)
    return found


def matched_text(searched: Searched, *, by_flag: bool) -> str:
    """The statement of the whole, asked of tied events."""
    structure = searched.structure | {
        "sources": _sources(searched), "has_positions": True, "keep": [], "further": [], "by_flag": by_flag,
        "value": None, "parting": None,
    }  # fmt: skip
    # Once for all definitions: then what each of them asks is asked of few events.
    return render("matched.sql", has_ties=True, **structure)


def reread(reading: Reading, searched: Searched, *, by_flag: bool) -> TiedRows:
    """All events of the moments in `tied`, in their order and with their persons, by the statement of the whole."""
    reading.quietly(matched_text(searched, by_flag=by_flag), searched.values)
    after = "coalesce(bool_or(is_after_exposure), false)" if by_flag else "false"
    found = reading.relation(TIED.format(after=after), {}).to_arrow_table()
    wide = max(step for step, _ in searched.roles) > 8
    rows = EventRows(
        found["person_id"].to_numpy(),
        found["moment"].to_numpy(),
        found["roles"].to_numpy().astype(np.uint32 if wide else np.uint8),
        found["marks"].to_numpy().astype(np.uint8),
    )
    return TiedRows(rows, found["is_after"].to_numpy())


def _sources(searched: Searched) -> list[Source]:
    """The same definitions, asked of `tied_events`."""
    found = []
    for number, source in enumerate(searched.sources, 1):
        if source.relation != LAKE:
            found.append(source)
        elif number in searched.narrowed:
            found.append(replace(source, relation=TIED_EVENTS))
        else:
            # Then sets of texts are made of the few events as well.
            match = compile_definition(searched.searched[number - 1], f"m{number}", TIED_EVENTS)
            found.append(Source(TIED_EVENTS, match.over_elements()))
    return found
