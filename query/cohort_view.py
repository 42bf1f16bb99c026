"""Cohorts as SQL sees them: a view of each that a query names, with a row for each person who is in it."""

from __future__ import annotations

from collections.abc import Sequence

from expost.lake.held import forget
from expost.state.names import name_key

from .cohort import Cohort
from .membership import COHORT_RULE, is_member_of
from .reading import Reading
from .statement import Fragment, identifier

PREFIX = "cohort_"
"""What the name of such a view begins with; behind it stands that of the cohort."""
Found = Sequence[tuple[Reading, Cohort]]
"""The cohorts of one name, each with what is read of its site."""


def cohort_of_view(view: str) -> str | None:
    """The name of the cohort that a view is of, as names are compared; None where it is none of a cohort.

    >>> cohort_of_view("COHORT_Paid  twice"), cohort_of_view("events")
    ('paid twice', None)
    """
    key = name_key(view)
    return key.removeprefix(PREFIX) if key.startswith(PREFIX) else None


def query_of(cohort: str) -> str:
    """The query that gives the people of a cohort.

    >>> query_of("Paid twice")
    'select * from "cohort_Paid twice"'
    """
    return f"select * from {identifier(PREFIX + cohort)}"


def cohort_select(found: Found, place: int) -> str:
    """A select of the people in these cohorts, with the columns of `people`. Who is in them is decided here.

    They are kept in schema `lake`, where nothing that a query names is in their way.
    """
    relations = []
    for number, (reading, cohort) in enumerate(found):
        relation = f"lake.in_cohort_{place}_{number}"
        is_member = Fragment(is_member_of(reading, cohort, "in_cohort"))
        reading.run("cohort_people.sql", {}, relation=Fragment(relation), chosen=is_member)
        forget(reading.connection)
        relations.append(relation)
    return people_in(relations)


def people_in(relations: Sequence[str]) -> str:
    """A select of the people whose ids stand in these relations, with the columns of `people`.

    Where no column but `person_id` is asked for, nothing is read of the lake: DuckDB drops a left join to what is
    grouped by the column that it joins by. `people` is more than that, so it is grouped once more.
    """
    ids = " union all ".join(f"select person_id from {relation}" for relation in relations)
    return (
        f"select members.person_id, known.* exclude (person_id)\nfrom ({ids}) as members\nleft join (\n"
        "    select person_id, first(columns(* exclude (person_id))) from people group by person_id\n"
        ") as known on known.person_id = members.person_id"
    )


def cohort_notes(view: str, found: Found) -> list[str]:
    """What a view of cohorts means, in words."""
    meant = [
        f"{view!r} is version {cohort.version} of the cohort {cohort.name!r} of the site {reading.site!r}: {cohort}"
        for reading, cohort in found
    ]
    return [*meant, COHORT_RULE]
