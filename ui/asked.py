"""What the question forms of the chart pages have in common: choices to offer, and fields to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from expost.errors import ExpostError
from expost.query.definition import Definition
from expost.query.form import Form
from expost.query.question import FlagList

from .desk import Desk, pairs_of

KEPT = (
    "tz", "week_start", "environment", "bots", "internal", "unit", "gap", "several", "order", "between", "ends",
    "removes", "optional", "step_within", "where", "over", "compare", "mode", "rolling", "brackets",
)  # fmt: skip
"""Fields of a question that no control of the page sets, but an address may."""
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: saved definitions, and flags that exposures named."""

    definitions: Choices
    flags: Choices


async def find_offer(desk: Desk, site: str) -> Offer:
    """What this site has to choose from. Without flags the page still works, so their failure is not its failure."""
    definitions: Sequence[Definition] = await desk.call("definitions", site=site)
    try:
        flags = [flag.key for flag in (await desk.answer(FlagList(site=site))).flags]
    except ExpostError:
        flags = []
    return Offer(
        tuple((each.name, each.name) for each in definitions), tuple((f"flag:{key}", key) for key in flags)
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """The form as asked, with what it offers."""

    form: Form
    offer: Offer

    @property
    def definitions(self) -> Choices:
        """The definitions to choose from."""
        return self.offer.definitions

    @property
    def flags(self) -> Choices:
        """The flags to break down by."""
        return self.offer.flags

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The whole question as fields of an address."""
        return pairs_of(self.form)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Fields to hand on unseen."""
        return [(name, value) for name in KEPT for value in self.form.get(name, ())]

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


async def ask_of(desk: Desk, request: Request) -> tuple[Form, Offer]:
    """The form in the address and what there is to choose from."""
    return desk.form_of(request), await find_offer(desk, desk.site_of(request).slug)
