"""The events of a few people, so that statements which list what decided need not look at those of everybody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from expost.clock import from_micros
from expost.lake.schema import TABLES

from .breakdown import Flag
from .interval import EARLIEST, LATEST
from .kept_events import LAKE
from .latest_start import Numbers
from .matched import Searched, types_of
from .reading import Reading
from .statement import Fragment, identifier, render

FEW_EVENTS = Fragment("few_events")
"""The relation of all events of these people, and of those of others on their devices."""
MOST_NAMED = 500
"""So many devices at most are written out: then files skip pages at which none of them is."""
DEVICES = """\
select device_id from lake.login_moments where person_id in (select person_id from few_people)
union
select person_id from few_people"""
USERS = """\
select user_id from lake.joined_users where person_id in (select person_id from few_people)
union
select person_id from few_people"""


def match_few(
    reading: Reading, searched: Searched, persons: Numbers, between: tuple[int, int], flag: Flag | None
) -> Reading:
    """Make the relation `matched` of these persons' events `between` two moments, and with a flag `exposed` before it.

    The reading that is given runs more about them, of which the answer says nothing.
    """
    sources = [
        replace(each, relation=FEW_EVENTS) if each.relation == LAKE else each for each in searched.sources
    ]
    chosen = Fragment("m.person_id in (select person_id from few_people)")
    structure = searched.structure | {"sources": sources, "chosen": chosen}
    texts = [render("matched.sql", has_ties=False, **structure)]
    if flag is not None:
        exposures = render("exposures.sql", unit=None, has_ties=False, events=FEW_EVENTS)
        texts = [exposures, render("exposed.sql", events=FEW_EVENTS), *texts]
    few = replace(reading, sql=[], used={})
    reading.connection.register("_few", pa.table({"person_id": persons}))
    reading.connection.execute("create or replace temp table few_people as select person_id from _few")
    reading.connection.unregister("_few")
    few.quietly(render("login_moments.sql"), {})
    low, high = (from_micros(min(max(bound, EARLIEST), LATEST)) for bound in between)
    values = searched.values | {"few_from": low, "few_until": high}
    values |= {"flag": None} if flag is None else reading.exposing(flag)
    _hold_events(few, searched, texts, values)
    for text in texts:
        few.quietly(text, values)
    return few


def _hold_events(
    reading: Reading, searched: Searched, texts: Sequence[str], values: Mapping[str, Any]
) -> None:
    """Make the relation `few_events`, with the columns that these texts name."""
    has_flag = values["flag"] is not None
    types = [types_of(each) for each in searched.searched]
    named: dict[str, str] = {}
    if None not in types:
        wanted = frozenset({"exposure", "page_view"} if has_flag else ()).union(
            *(each or () for each in types)
        )
        named = {f"type_{number}": each for number, each in enumerate(sorted(wanted), 1)}
    said = set(re.findall(r"\w+", "\n".join(texts)))
    devices = _any_of(reading, "device_id", DEVICES)
    users = _any_of(reading, "user_id", USERS)
    text = render(
        "few_events.sql",
        columns=_listed(identifier(name) for name in TABLES["events"].names if name in said),
        # A server's event belongs to the user it names.
        owners=[devices, Fragment(f"source = 'server' and {users} and not coalesce({devices}, false)")],
        types=_listed(f"${name}" for name in named),
        has_flag=has_flag,
    )
    reading.quietly(text, {**values, **named})


def _listed(names: Iterable[str]) -> Fragment:
    return Fragment(", ".join(names))


def _any_of(reading: Reading, column: str, ids: str) -> Fragment:
    found = [id_ for (id_,) in reading.quietly(f"{ids}\nlimit {MOST_NAMED + 1}", {}).fetchall()]
    if len(found) > MOST_NAMED:
        return Fragment(f"{column} in ({ids})")
    return Fragment(f"{column} in ({_listed(map(str, found)) or 'null'})")
