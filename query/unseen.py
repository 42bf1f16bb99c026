"""Notes on what is asked for and never comes: a misspelt name must not look like nothing that happened."""

from __future__ import annotations

from collections.abc import Sequence

from .answer import UsedDefinition
from .definition import NEVER_HEARD, WITHOUT_ELEMENT, Definition
from .reading import Reading

MOST_LISTED = 20
"""How many names a note lists."""


def unheard(steps: Sequence[Definition], found: Sequence[UsedDefinition]) -> list[str]:
    """Why a definition that found nothing never will: its types are not captured, or happen on no element."""
    empty = [each for each, used in zip(steps, found, strict=True) if not used.events + used.unknown]
    alternatives = [each for step in empty for each in step.alternatives]
    types = dict.fromkeys(kind for each in alternatives for kind in each.types if NEVER_HEARD.match(kind))
    bare = dict.fromkeys(
        kind for each in alternatives if each.selector for kind in each.types if kind in WITHOUT_ELEMENT
    )
    return [
        *(
            f"Pages never send events of the type {kind!r}: they would come without end, or key by key."
            for kind in types
        ),
        *(f"Events of the type {kind!r} have no element, so no selector matches one." for kind in bare),
    ]


def gaps(reading: Reading, steps: Sequence[Definition]) -> list[str]:
    """A note for each stretch of the range in which no version is valid: nothing matches there."""
    told = {
        f"No version of {step.name!r} is valid {gap}: events then match nothing."
        for step in steps
        for gap in step.gaps
        if gap.low < reading.end and gap.high > reading.start
    }
    return sorted(told)


def unseen_flag(reading: Reading, flag: str, *, is_seen: bool) -> list[str]:
    """A note where nobody was exposed to the flag: a misspelt name must not look like a flag without effect."""
    if is_seen:
        return []
    known = [name for (name,) in reading.execute(
        "select distinct flag from lake.events\n"
        "where site = $site and type = 'exposure' and flag is not null order by flag;", {},
    )]  # fmt: skip
    if flag in known:
        return [f"Every exposure to the flag {flag!r} is left out: bots, internal devices or environments."]
    return [f"No exposure names the flag {flag!r}; {_listed('known flags', known)}."]


def unseen_environment(reading: Reading) -> list[str]:
    """A note where no event at all has an environment that counts."""
    counted = reading.counting.environments
    if not counted:
        return []
    known = [name for (name,) in reading.execute(
        "select distinct environment from lake.events where site = $site and environment is not null order by 1;", {},
    )]  # fmt: skip
    if not known or not set(counted).isdisjoint(known):
        return []
    named = " or ".join(map(repr, counted))
    return [f"No event has the environment {named}; {_listed('known environments', known)}."]


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_LISTED])) or "none"
    return f"{what}: {shown}{' and more' if len(names) > MOST_LISTED else ''}"
