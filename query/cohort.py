"""Cohorts: people chosen by what they did or are, or by a list of ids. Saved under a name, they travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from expost.errors import InvalidInput

from .property_match import PropertyMatch

MAX_CONDITIONS = 20
MAX_IDS = 100_000
Day = datetime | date


@dataclass(frozen=True, slots=True)
class Did:
    """Events of the saved definition `step`, with all the properties of `where`: at least `times` of them.

    `within`: not longer ago than this when the question is asked.
    """

    step: str
    times: int = 1
    within: timedelta | None = None
    where: tuple[PropertyMatch, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.times <= 1_000_000:
            raise InvalidInput(f"{self.times} times is no number of times.", hint="Say a number from 1 on.")
        if self.within is not None and self.within <= timedelta(0):
            raise InvalidInput("A cohort looks back for longer than nothing.", hint="For example: 30d")

    def __str__(self) -> str:
        properties = "".join(f" with {_in_words(each)}" for each in self.where)
        times = "" if self.times == 1 else f" at least {self.times} times"
        within = "" if self.within is None else f" within {_length(self.within)}"
        return f"{self.step!r}{properties}{times}{within}"


@dataclass(frozen=True, slots=True)
class Sequel:
    """Saved definitions done one after the other, the last at most `within` after the first."""

    steps: tuple[str, ...]
    within: timedelta

    @classmethod
    def of(cls, steps: Sequence[str], within: timedelta) -> Sequel:
        """The sequence of these. Raises InvalidInput for a single one, which nothing follows."""
        if len(steps) < 2:
            raise InvalidInput(
                f"A sequence names at least two definitions, and this one only {steps[0]!r}.",
                hint="Name what follows as well, or say that it was done: did, with did_within for how lately.",
            )
        return cls(tuple(steps), within)

    def __str__(self) -> str:
        return f"{' then '.join(map(repr, self.steps))} within {_length(self.within)}"


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who fulfils all of the conditions: `did`, `did_not`, `sequence`, `traits`, and is listed, where ids are.

    `users` and `devices` are the keyed ids of a list: who is one of the users, or has an event of one of the devices.
    `start` and `end` bound what was done; `version` is None until it is saved.
    """

    name: str
    did: tuple[Did, ...] = ()
    did_not: tuple[Did, ...] = ()
    sequence: Sequel | None = None
    traits: tuple[PropertyMatch, ...] = ()
    users: tuple[int, ...] = ()
    devices: tuple[int, ...] = ()
    start: Day | None = None
    end: Day | None = None
    version: int | None = None

    def __post_init__(self) -> None:
        many = len(self.did) + len(self.did_not) + len(self.traits)
        if not (many or self.sequence or self.is_listed):
            raise InvalidInput(
                "The cohort says nothing about anybody.",
                hint="Say at least one of: did, did_not, sequence, trait, users, devices.",
            )
        if many > MAX_CONDITIONS:
            raise InvalidInput(
                f"A cohort has at most {MAX_CONDITIONS} conditions; this one has {many}.",
                hint="Save some of them as a definition with several alternatives, and name that.",
            )
        if len(self.users) + len(self.devices) > MAX_IDS:
            raise InvalidInput(
                f"A cohort lists at most {MAX_IDS:,} ids.", hint="Make several cohorts of them."
            )

    @property
    def steps(self) -> tuple[str, ...]:
        """The saved definitions that it names."""
        sequel = self.sequence.steps if self.sequence else ()
        return (*(each.step for each in (*self.did, *self.did_not)), *sequel)

    @property
    def is_listed(self) -> bool:
        """Whether it lists ids."""
        return bool(self.users or self.devices)

    def __str__(self) -> str:
        parts = [f"did {each}" for each in self.did] + [f"did not {each}" for each in self.did_not]
        parts += [f"did {self.sequence}"] if self.sequence else []
        parts += [f"is {_in_words(each)}" for each in self.traits]
        if self.is_listed:
            parts.append(f"is one of {len(self.users):,} users and {len(self.devices):,} devices")
        if self.start is not None or self.end is not None:
            parts.append(f"from {self.start or 'ever'} until {self.end or 'now'}")
        return ", ".join(parts)

    def body(self) -> dict[str, Any]:
        """What is saved: everything but name and version."""
        body: dict[str, Any] = {
            "did": [_did_json(each) for each in self.did],
            "did_not": [_did_json(each) for each in self.did_not],
            "traits": [each.to_json() for each in self.traits],
            # Ids have 64 bits, which JavaScript rounds.
            "users": [str(each) for each in self.users],
            "devices": [str(each) for each in self.devices],
        }
        if self.sequence is not None:
            body["sequence"] = {
                "steps": list(self.sequence.steps),
                "within_seconds": _seconds(self.sequence.within),
            }
        for name, day in (("from", self.start), ("to", self.end)):
            if day is not None:
                body[name] = day.isoformat()
        return {name: value for name, value in body.items() if value}

    def to_json(self) -> dict[str, Any]:
        """The cohort in words of JSON; of a list how long it is, and not who is in it."""
        listed = {"users": len(self.users), "devices": len(self.devices)}
        body = self.body() | {name: many for name, many in listed.items() if many}
        return {"name": self.name, "version": self.version, "meaning": str(self)} | body

    @classmethod
    def from_json(cls, name: str, body: Mapping[str, Any], version: int | None = None) -> Cohort:
        """The cohort of a body as `body()` gives it."""
        sequence = body.get("sequence")
        return cls(
            name,
            did=tuple(map(_did, body.get("did", ()))),
            did_not=tuple(map(_did, body.get("did_not", ()))),
            sequence=Sequel(tuple(sequence["steps"]), timedelta(seconds=sequence["within_seconds"]))
            if sequence
            else None,
            traits=tuple(map(PropertyMatch.from_json, body.get("traits", ()))),
            users=tuple(map(int, body.get("users", ()))),
            devices=tuple(map(int, body.get("devices", ()))),
            start=_day(body.get("from")),
            end=_day(body.get("to")),
            version=version,
        )


def read_ids(lines: Sequence[str]) -> tuple[str, ...]:
    """The ids of a list: one a line, each once; empty lines and what follows a `#` at the start are left out.

    >>> read_ids(["ann", "", "# old ones", "bob ", "ann"])
    ('ann', 'bob')
    """
    stripped = (line.strip() for line in lines)
    return tuple(dict.fromkeys(line for line in stripped if line and not line.startswith("#")))


def _did_json(did: Did) -> dict[str, Any]:
    body: dict[str, Any] = {"step": did.step, "times": did.times}
    if did.within is not None:
        body["within_seconds"] = _seconds(did.within)
    return body | ({"where": [each.to_json() for each in did.where]} if did.where else {})


def _did(body: Mapping[str, Any]) -> Did:
    within = body.get("within_seconds")
    return Did(
        body["step"],
        body.get("times", 1),
        None if within is None else timedelta(seconds=within),
        tuple(map(PropertyMatch.from_json, body.get("where", ()))),
    )


def _seconds(length: timedelta) -> float:
    return length / timedelta(seconds=1)


def _length(length: timedelta) -> str:
    """A length of time as `parse_duration` reads it.

    >>> _length(timedelta(days=7)), _length(timedelta(minutes=90))
    ('7d', '90min')
    """
    seconds = _seconds(length)
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds / size:g}{name}"
    return f"{seconds:g}s"


def _day(text: str | None) -> Day | None:
    if text is None:
        return None
    return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)


def _in_words(match: PropertyMatch) -> str:
    return match.name if match.operator == "exists" else f"{match.name} {match.operator} {match.value!r}"
