"""What the question forms of the chart pages have in common: choices to offer, and fields to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from expost.errors import ExpostError
from expost.query.activity import ACTIVITY
from expost.query.cohort import Cohort
from expost.query.cohort_size import CohortSize
from expost.query.definition import Definition
from expost.query.flag_list import FlagList
from expost.query.form import Form
from expost.query.question import COHORT_COMPARED, Question
from expost.query.report import Report
from expost.query.sessions import Sessions
from expost.state.names import name_key

from .desk import Desk, pairs_of

KEPT = ("time_zone", "environment", "bots", "internal", "gap", "not_cohort")
"""Fields of every question that no control sets, but an address may."""
Choices = tuple[tuple[str, str], ...]
COLUMNS: Choices = (
    ("path", "page path"),
    ("host", "host"),
    ("release", "release"),
    ("environment", "environment"),
    ("referrer", "referrer"),
    ("label", "label"),
    ("browser", "browser"),
    ("os", "system"),
    ("device_class", "kind of device"),
    ("country", "country"),
    ("channel", "channel"),
    ("traffic_source", "source"),
    ("campaign", "campaign"),
)
UNITS: Choices = (("person", "people"), ("session", "sessions"), ("device", "devices"))
SEVERAL: Choices = (
    ("first", "in their first variation"),
    ("exclude", "in a group of their own"),
    ("as_treated", "in the latest at the entry"),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: saved definitions, flags that exposures named, and cohorts."""

    definitions: Choices
    flags: Choices
    cohorts: Choices = ()


def in_words(question: Question) -> str:
    """What a question asks, as reports say it; nobody is named of whose sessions a list is.

    >>> in_words(CohortSize("Raters")), in_words(Sessions(person="5")), in_words(Sessions(did=("Ordered",)))
    ('the cohort Raters', 'the sessions of one person', 'sessions of Ordered')
    """
    match question:
        case CohortSize(of=Cohort(name=name)) | CohortSize(of=str(name)):
            return f"the cohort {name}"
        case Sessions() if question.person is not None:
            return "the sessions of one person"
        case Sessions() if question.device is not None:
            return "the sessions of one browser"
    return str(Report("", question))


async def find_offer(desk: Desk, site: str) -> Offer:
    """What this site has to choose from. Without flags the page still works, so their failure is not its failure."""
    definitions: Sequence[Definition] = await desk.call("definitions", site=site)
    try:
        flags = [flag.key for flag in (await desk.answer(FlagList(site=site))).flags]
    except ExpostError:
        flags = []
    cohorts: Sequence[Cohort] = await desk.call("cohorts", site=site)
    return Offer(
        tuple((each.name, each.name) for each in definitions),
        tuple((f"flag:{key}", key) for key in flags),
        tuple((each.name, each.name) for each in cohorts),
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """The form as asked, with what it offers."""

    form: Form
    offer: Offer
    hidden: ClassVar[tuple[str, ...]] = ()
    """Fields of this question that the page has no control for, but an address may set."""
    repeated: ClassVar[tuple[str, ...]] = ()
    """Fields that an address may say several times, of which the control shows the first."""

    @property
    def definitions(self) -> Choices:
        """The definitions to choose from: those that are saved, and any activity unless one of them is called so."""
        is_taken = name_key(ACTIVITY.name) in (name_key(name) for name, _ in self.saved)
        return self.saved if is_taken else (*self.saved, (ACTIVITY.name, ACTIVITY.name))

    @property
    def saved(self) -> Choices:
        """Those of them that somebody has saved."""
        return self.offer.definitions

    @property
    def breakdowns(self) -> Choices:
        """What a result can be split by: flags, cohorts, and columns of events."""
        flags = tuple((key, f"flag {name}") for key, name in self.offer.flags)
        return (
            flags + tuple((f"cohort:{key}", f"cohort {name}") for key, name in self.offer.cohorts) + COLUMNS
        )

    @property
    def cohorts(self) -> Choices:
        """The cohorts whose people can be asked for alone."""
        return self.offer.cohorts

    @property
    def comparisons(self) -> Choices:
        """What it can stand beside."""
        cohorts = ((f"{COHORT_COMPARED}{key}", f"the cohort {name}") for key, name in self.cohorts)
        return (("previous", "the period before"), *cohorts)

    @property
    def units(self) -> Choices:
        """What can be counted; groups too, by the address."""
        return UNITS

    @property
    def several_ways(self) -> Choices:
        """How people count who saw several variations."""
        return SEVERAL

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The whole question as fields of an address."""
        return pairs_of(self.form)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Fields to hand on unseen."""
        kept = [(name, value) for name in (*KEPT, *self.hidden) for value in self.form.get(name, ())]
        return kept + [
            (name, value) for name in ("cohort", *self.repeated) for value in self.form.get(name, ())[1:]
        ]

    @property
    def start(self) -> str:
        """The first day."""
        return self.one("from")[:10]

    @property
    def end(self) -> str:
        """The day before which it ends."""
        return self.one("to")[:10]

    @property
    def by(self) -> str:
        """The breakdown."""
        return self.one("by")

    def one(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return next(iter(self.form.get(name, ())), default)
