"""The rules of a cohort: its conditions, each of which could be left out or be wider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from .answer import Answer
from .cohort import Cohort, Did
from .cohort_size import CohortAnswer, CohortSize, cohort_size
from .membership import COHORT_RULE
from .reading import Reading
from .rule import TOTAL, Counts, Explained, Other

Acts = Literal["did", "did_not"]


def _answer(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, CohortSize)
    return cohort_size(other.of(reading), other.question)


def _others(reading: Reading, asked: CohortSize) -> Iterator[Other]:
    cohort = _cohort(reading, asked)
    without = list(_without(cohort))
    # The last condition cannot go: then the cohort would say nothing about anybody.
    for says, changes in without if len(without) > 1 else ():
        other = _asked(asked, cohort, changes)
        yield Other("condition", f"without: {says}", "That is not asked of anybody.", other)
    for name in ("did", "did_not"):
        for place, did in enumerate(getattr(cohort, name)):
            for setting, says, wider in _wider(did):
                changes = {name: _at(getattr(cohort, name), place, wider)}
                verb = name.replace("_", " ")
                yield Other(f"{verb} {did}", setting, says, _asked(asked, cohort, changes))
    if cohort.start is not None or cohort.end is not None:
        ever = _asked(asked, cohort, {"start": None, "end": None})
        yield Other("days", "all", "What was done on any day counts.", ever)


def _cohort(reading: Reading, asked: CohortSize) -> Cohort:
    return reading.find_cohort(asked.of) if isinstance(asked.of, str) else asked.of


def _asked(asked: CohortSize, cohort: Cohort, changes: dict[str, Any]) -> CohortSize:
    return replace(asked, of=replace(cohort, **changes))


def _without(cohort: Cohort) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each condition in words, and what takes it away."""
    for name, verb in (("did", "did"), ("did_not", "did not"), ("traits", "is")):
        conditions = getattr(cohort, name)
        for place, each in enumerate(conditions):
            said = f"{each.name} {each.operator} {each.value!r}" if name == "traits" else str(each)
            yield f"{verb} {said}", {name: (*conditions[:place], *conditions[place + 1 :])}
    if cohort.sequence is not None:
        yield f"did {cohort.sequence}", {"sequence": None}
    if cohort.is_listed:
        yield "is listed", {"users": (), "devices": ()}


def _wider(did: Did) -> Iterator[tuple[str, str, Did]]:
    """The same condition where once is enough, and at any time."""
    if did.times > 1:
        yield "once", "Once is enough.", replace(did, times=1)
    if did.within is not None:
        yield "ever", "However long ago.", replace(did, within=None)


def _at(conditions: tuple[Did, ...], place: int, other: Did) -> tuple[Did, ...]:
    return (*conditions[:place], other, *conditions[place + 1 :])


def _in_force(reading: Reading, asked: CohortSize) -> dict[str, str]:
    return {"conditions": f"All of: {_cohort(reading, asked)}.", "moment": COHORT_RULE}


def _counts(answer: CohortAnswer) -> Counts:
    return {TOTAL: (answer.people, answer.everyone)}


COHORT = Explained(_answer, _others, _in_force, lambda _: ("in it", "of all"), _counts)
