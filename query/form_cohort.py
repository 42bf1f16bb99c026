"""Cohorts as people write them."""

from __future__ import annotations

from collections.abc import Iterable

from expost.errors import InvalidInput

from .cohort import Cohort, Did, Sequel
from .duration import parse_duration
from .form import Form, moment_of, one, partition, property_of, whole_number
from .property_match import PropertyMatch
from .word import Word, refuse_unknown

COHORT = (
    Word("did", "Name of a definition that was done.", "Ordered", is_many=True),
    Word("times", "`N=COUNT`: the Nth of them at least so many times.", "1=3", is_many=True, python="did(…, times)"),
    Word("did_within", "`N=LENGTH`: the Nth of them not longer ago.", "1=30d", is_many=True,
         python="did(…, within=…)"),
    Word("did_where", "`N:NAME=VALUE`: the Nth of them with this property.", "1:plan=pro", is_many=True),
    Word("did_not", "Name of a definition that was not done.", "Complained", is_many=True),
    Word("not_within", "`N=LENGTH`: the Nth of those, in this long.", "1=30d", is_many=True),
    Word("sequence", "Name of a definition; repeated: done one after the other.", "Searched", is_many=True),
    Word("sequence_within", "The last at most so long after the first; default 7d.", "7d", python="within"),
    Word("trait", "NAME=VALUE or NAME: a trait that people have now.", "plan=pro", is_many=True, python="traits"),
    Word("from", "What was done counts from this date (or ISO time) on.", "2026-11-02", python="start"),
    Word("to", "And before this one.", "2026-12-01", python="end"),
)  # fmt: skip


def cohort_of(name: str, form: Form) -> Cohort:
    """The cohort that a form describes."""
    refuse_unknown(form, COHORT, "a cohort")
    did, did_not = tuple(form.get("did", ())), tuple(form.get("did_not", ()))
    times = {place: whole_number("times", text) for place, text in _numbered(form, "times", did)}
    within = {place: parse_duration(text, "did_within") for place, text in _numbered(form, "did_within", did)}
    without = {
        place: parse_duration(text, "not_within") for place, text in _numbered(form, "not_within", did_not)
    }
    wheres: dict[int, list[PropertyMatch]] = {}
    for text in form.get("did_where", ()):
        number, colon, condition = text.partition(":")
        if not colon:
            raise InvalidInput(
                f"did_where is {text!r}, which names none of what was done.",
                hint="For the first of them with the property plan equal to pro: 1:plan=pro",
            )
        wheres.setdefault(_place("did_where", number, did), []).append(property_of(condition))
    steps, length = tuple(form.get("sequence", ())), one(form, "sequence_within")
    if length is not None and not steps:
        raise InvalidInput("sequence_within is said of no sequence.", hint="Say sequence as well, repeated.")
    return Cohort(
        name,
        did=tuple(
            Did(step, times.get(place, 1), within.get(place), tuple(wheres.get(place, ())))
            for place, step in enumerate(did, 1)
        ),
        did_not=tuple(Did(step, within=without.get(place)) for place, step in enumerate(did_not, 1)),
        sequence=Sequel.of(steps, parse_duration(length or "7d", "sequence_within")) if steps else None,
        traits=tuple(map(property_of, form.get("trait", ()))),
        start=moment_of(form, "from"),
        end=moment_of(form, "to"),
    )


def _numbered(form: Form, field: str, named: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    """What a field says of things by their number, `2=30d`; of a single one without it, `30d`."""
    for text in form.get(field, ()):
        number, given, rest = partition(text)
        yield (_place(field, number, named), rest) if given else (_place(field, "1", named), number)


def _place(field: str, text: str, named: tuple[str, ...]) -> int:
    number = whole_number(field, text)
    if not 1 <= number <= len(named):
        raise InvalidInput(
            f"{field} is about number {number} of {len(named)}.",
            hint="They are counted from 1, in the order given.",
        )
    return number
