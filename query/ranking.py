"""Which candidate is suggested first, and why, in words.

Four things count: whether it found the same thing before (`Tally`), whether what it rests on outlives a redesign,
whether it leaves the neighbours alone, and how short it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from .candidate import Candidate, Kind

CONFIDENCE: Mapping[Kind, int] = {"place": 40}
"""How many builds have to be survived until they say as much as what we believe beforehand; `USUAL_CONFIDENCE` else.

A place is moved by a redesign and by no ordinary build, so surviving those says little."""
USUAL_CONFIDENCE = 6
SEEN_ENOUGH = 4
"""When so many things of the page were seen, what else a candidate gathers is known by half."""
LONG = 500
"""Characters that cost as much as doing worse by a factor of e."""

NOUNS = {
    "a": ("link", "links"), "button": ("button", "buttons"), "input": ("field", "fields"), "form": ("form", "forms"),
    "select": ("list", "lists"), "textarea": ("field", "fields"), "img": ("image", "images"),
    "label": ("label", "labels"), "li": ("list item", "list items"), "tr": ("row", "rows"), "td": ("cell", "cells"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """What history says of a candidate. `same_...` is of the thing that is meant, `other_...` of anything else.

    `page_things` are the different things that it gathers on the page of the event.
    """

    same_events: int = 0
    same_days: int = 0
    same_releases: int = 0
    same_things: int = 0
    other_events: int = 0
    other_things: int = 0
    page_things: int = 0


@dataclass(frozen=True, slots=True)
class SameThing:
    """What history holds of the thing that is meant, by all that is known of it; `page_things` have its tag."""

    tag: str
    events: int = 0
    days: int = 0
    releases: int = 0
    things: int = 0
    page_things: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its tally, its score (between 0 and 1, higher is better) and the reason in words."""

    candidate: Candidate
    tally: Tally
    score: float
    reason: str


def expected(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates, best first, as long as nothing is known of the past."""
    return sorted(candidates, key=lambda each: -_worth(each.stays, each.strays, 1.0, each))


def ranked(candidates: Sequence[Candidate], tallies: Mapping[int, Tally], same: SameThing) -> list[Ranked]:
    """The candidates, best first; `tallies` are by their places in `candidates`."""
    found = []
    for number, candidate in enumerate(candidates):
        tally = tallies.get(number, Tally())
        score = _score(candidate, tally, same)
        found.append(Ranked(candidate, tally, round(score, 4), reason(candidate, tally, same)))
    return sorted(found, key=lambda each: -each.score)


def reason(candidate: Candidate, tally: Tally, same: SameThing) -> str:
    """Why a candidate stands where it stands.

    >>> button = Candidate('[data-testid="buy"]', "test id", "data-testid", 0.98, 0.05)
    >>> reason(button, Tally(430, 41, 4, 1, 0, 0, 1), SameThing("button", 430, 41, 4, 1, 12))
    'data-testid, there on all 41 days and in all 4 releases; finds 1 of the 12 buttons used on its page'
    >>> reason(button, Tally(430, 41, 4, 1, 0, 0, 1), SameThing("button", 430, 41, 4, 1, 1)).partition("; ")[2]
    'finds the one button used on its page'
    """
    said = candidate.words
    if not same.events:
        return f"{said}; nothing of it has happened yet, so this is by its looks"
    said += f", {_there(tally, same)}"
    if same.page_things:
        is_all = tally.page_things == same.page_things == 1
        of = f"{tally.page_things:,} of the {_count(same.page_things, same.tag)}"
        said += f"; finds {f'the one {same.tag}' if is_all else of} used on its page"
    if tally.same_things > 1:
        said += ", which only their places tell apart"
    if tally.other_events:
        things = "thing" if tally.other_things == 1 else "things"
        said += f"; also gathers {tally.other_events:,} events of {tally.other_things:,} other {things}"
    return said


def _there(tally: Tally, same: SameThing) -> str:
    if tally.same_days == same.days:
        said = f"there on all {same.days:,} days" if same.days > 1 else "there on the one day it was seen"
    else:
        said = f"there on {tally.same_days:,} of {same.days:,} days"
    if same.releases > 1:
        all_ = tally.same_releases == same.releases
        said += f" and in {'all' if all_ else f'{tally.same_releases:,} of'} {same.releases:,} releases"
    return said


def _count(number: int, tag: str) -> str:
    one, many = NOUNS.get(tag, (f"{tag} element", f"{tag} elements"))
    return f"{number:,} {one if number == 1 else many}"


def _score(candidate: Candidate, tally: Tally, same: SameThing) -> float:
    if not same.events:
        return _worth(candidate.stays, candidate.strays, 1.0, candidate)
    found = (tally.same_events / same.events + tally.same_days / same.days) / 2
    builds = same.releases if same.releases > 1 else same.days / 7
    outlived = tally.same_releases if same.releases > 1 else tally.same_days / 7
    confidence = CONFIDENCE.get(candidate.kind, USUAL_CONFIDENCE)
    stays = (candidate.stays * confidence + outlived * found) / (confidence + builds)
    unseen = candidate.strays * SEEN_ENOUGH / (SEEN_ENOUGH + same.page_things)
    return _worth(stays, tally.other_things + unseen, found, candidate)


def _worth(stays: float, strays: float, found: float, candidate: Candidate) -> float:
    """Outliving a redesign counts twice: a selector that gathers too much is seen at once, one that breaks is not."""
    length = len(candidate.selector) + (len(candidate.text) if candidate.text else 0)
    return stays**2 * found / (1 + strays) * exp(-length / LONG)
